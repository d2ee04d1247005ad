package tables

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

type watcher struct {
	mu      sync.Mutex
	changes []string
	shields []Shield
}

func (w *watcher) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes = append(w.changes, text)
}
func (w *watcher) ReceptionChanged(shop string, _ Reception) { w.note("reception " + shop) }
func (w *watcher) StandingChanged(key string, _ Standing)    { w.note("standing " + key) }
func (w *watcher) ShieldChanged(s Shield) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shields = append(w.shields, s)
}

func (w *watcher) count() (changes, shields int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.changes), len(w.shields)
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	b, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	cfg := broker.DefaultConfig()
	cfg.Brokers, cfg.Partitions = []string{b.Addr()}, 2
	opts, err := cfg.KGO()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	create := func(topic string) {
		t.Helper()
		if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 2, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	put := func(topic, key string, v interface{ MarshalVT() ([]byte, error) }) {
		t.Helper()
		value, err := v.MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Key: []byte(key), Value: value}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	reception := schemas.TableOf(schemas.GroupReception)
	penalties := schemas.TableOf(schemas.GroupPenalties)
	create(reception)
	put(reception, "tea", &statev1.Reception{AppliedPlusOne: 5, Takeover: &statev1.TakeoverState{Bot: true, Number: 2}})
	put(reception, "tea", &statev1.Reception{AppliedPlusOne: 3, Takeover: &statev1.TakeoverState{}}) // a zombie's
	w := &watcher{}
	tc := DefaultConfig()
	tc.MaxWait, tc.Look = 20*time.Millisecond, 100*time.Millisecond
	tables, err := New(tc, Dependencies{Broker: cfg, Watcher: w})
	if err != nil {
		t.Fatal(err)
	}
	if tables.Ready() {
		t.Error("ready before anything was read")
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tables.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	await(t, "the tables that there are", tables.Ready)
	if r := tables.Reception("tea"); !r.Bot || r.Number != 2 {
		t.Errorf("reception %+v", r)
	}
	if n, _ := w.count(); n != 0 {
		t.Errorf("%d old values were told as changes", n)
	}

	// A table that comes later is found.
	create(penalties)
	shield := func(ids ...string) *statev1.Penalty {
		p := &statev1.Penalty{MutedUntilUs: math.MaxInt64}
		for _, id := range ids {
			p.Sanctions = append(p.Sanctions, &chatv1.Sanction{Kind: chatv1.SanctionKind_SANCTION_KIND_SHIELD, ShopId: "tea", ConversationId: "c1", EventId: id})
		}
		return p
	}
	first := shield("e1", "e2")
	first.AppliedPlusOne = 1
	put(penalties, "consumer:c1", first)
	await(t, "the mute", func() bool { return tables.Standing("consumer:c1").ForGood() })
	await(t, "the shields", func() bool { _, n := w.count(); return n == 2 })
	if !tables.Shielded("e1") || tables.Shielded("e3") {
		t.Error("the wrong messages are shielded")
	}
	second := shield("e2", "e3")
	second.AppliedPlusOne = 2
	put(penalties, "consumer:c1", second)
	await(t, "one shield to go and one to come", func() bool { return !tables.Shielded("e1") && tables.Shielded("e3") })
	_, n := w.count()
	if n != 4 {
		t.Errorf("%d changes of shields", n)
	}

	tables.NoteBlock("tea", "c1", 10, true)
	tables.NoteBlock("tea", "c1", 9, false) // seen late
	if !tables.Blocked("tea", "c1") {
		t.Error("an older event undid a block")
	}
	tables.NoteBlock("tea", "c1", 11, false)
	if tables.Blocked("tea", "c1") {
		t.Error("blocked for ever")
	}
}
