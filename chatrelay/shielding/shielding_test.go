package shielding

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// recorder is a publisher that is away for the first calls.
type recorder struct {
	mu     sync.Mutex
	away   int
	events []*chatv1.ChatEvent
	got    chan struct{}
}

func (r *recorder) Publish(_ context.Context, evs ...*chatv1.ChatEvent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away > 0 {
		r.away--
		return &ingest.PublishError{Kind: ingest.ErrUnavailable}
	}
	r.events = append(r.events, evs...)
	r.got <- struct{}{}
	return nil
}

func TestShieldsArePublishedOnceKafkaIsBack(t *testing.T) {
	t.Parallel()
	br, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = br.Close() })
	cfg := broker.DefaultConfig()
	cfg.Brokers = []string{br.Addr()}
	if _, err := ingest.ApplyTopics(t.Context(), cfg, "", ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	opts, err := cfg.KGO()
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	put := func(s *chatv1.Sanction) {
		t.Helper()
		b, err := s.MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		r := &kgo.Record{Topic: schemas.TopicSanctions, Key: []byte("consumer:u1"), Value: b}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	shield := func(id string) *chatv1.Sanction {
		return &chatv1.Sanction{
			SanctionId: id + "/shield", Kind: chatv1.SanctionKind_SANCTION_KIND_SHIELD, ShopId: "s", ConversationId: "c", EventId: id, FlagId: "f-" + id,
			DecidedAtUs: 1_790_000_000_000_000,
		}
	}
	reversed := shield("e0")
	reversed.Reversed = true
	put(reversed)
	put(&chatv1.Sanction{SanctionId: "e1/mute", Kind: chatv1.SanctionKind_SANCTION_KIND_MUTE, ShopId: "s", ConversationId: "c", EventId: "e1"})
	put(shield("e1"))
	put(shield("e2"))

	rec := &recorder{away: 2, got: make(chan struct{}, 10)}
	s, err := New(Dependencies{Broker: cfg, Publisher: rec, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-rec.got
	<-rec.got
	put(shield("e3"))
	<-rec.got
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, ev := range rec.events {
		if err := ingest.Validate(ev, 1_790_000_000_000_000); err != nil {
			t.Errorf("a shield that the edge would refuse: %v", err)
		}
		x := ev.GetMessageShielded()
		if x == nil || x.FlagId != "f-"+x.MessageEventId || seen[ev.EventId] {
			t.Errorf("event %v", ev)
		}
		seen[ev.EventId] = true
	}
	if len(rec.events) != 3 {
		t.Errorf("%d shields, want 3", len(rec.events))
	}
}
