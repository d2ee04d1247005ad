package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/reception"
	"github.com/feigeio/feige/processors/service"
	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// startBroker starts an embedded broker with all topics.
func startBroker(b *testing.B) broker.Config {
	b.Helper()
	br, err := ekafka.Start(b.Context(), ekafka.Config{Dir: b.TempDir(), Addr: "127.0.0.1:0"}, ekafka.Dependencies{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = br.Close() })
	cfg := broker.DefaultConfig()
	cfg.Brokers = []string{br.Addr()}
	if _, err := ingest.ApplyTopics(b.Context(), cfg, "", ingest.EmbeddedTopics()); err != nil {
		b.Fatal(err)
	}
	return cfg
}

// traffic yields messages of both sides, one reply to two messages, event time running at 1,000 events/s.
type traffic struct {
	r            *rand.Rand
	shops, convs int
	at           int64
	text         string
}

func newTraffic(seed uint64, shops, convs int) *traffic {
	return &traffic{rand.New(rand.NewPCG(seed, 1)), shops, convs, 1_790_000_000_000_000, "亲，这款有现货吗？什么时候能发货呀，想今天下单，谢谢啦"}
}

func (g *traffic) next() *chatv1.ChatEvent {
	g.at += 1000
	role, id := chatv1.Role_ROLE_CONSUMER, "c"
	if g.r.IntN(3) == 0 {
		role, id = chatv1.Role_ROLE_AGENT, "agent-1"
	}
	var u uuid.UUID
	for i := 0; i < 16; i += 8 {
		x := g.r.Uint64()
		for j := range 8 {
			u[i+j] = byte(x >> (8 * j))
		}
	}
	// Version 7, as relays make them.
	for i, ms := 0, g.at/1000; i < 6; i++ {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6], u[8] = u[6]&0x0f|0x70, u[8]&0x3f|0x80
	conv := fmt.Sprintf("conv-%d", g.r.IntN(g.convs))
	return &chatv1.ChatEvent{
		EventId: u.String(), ShopId: fmt.Sprintf("shop-%d", g.r.IntN(g.shops)), ConversationId: conv,
		Actor: &chatv1.Actor{Role: role, Id: id + conv}, OccurredAtUs: g.at,
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: g.text}},
	}
}

func preload(b *testing.B, cfg broker.Config, g *traffic, n int) {
	b.Helper()
	pub, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: cfg, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer pub.Close()
	for left := n; left > 0; {
		evs := make([]*chatv1.ChatEvent, min(left, 5000))
		for i := range evs {
			evs[i] = g.next()
		}
		left -= len(evs)
		if err := pub.Publish(b.Context(), evs...); err != nil {
			b.Fatal(err)
		}
	}
	if err := pub.PublishTick(b.Context(), g.at); err != nil {
		b.Fatal(err)
	}
}

func startProcessors(b *testing.B, cfg broker.Config) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	deps := stream.Dependencies{Broker: cfg, Policy: policy.Default(), Logger: quiet}
	var wg sync.WaitGroup
	for _, build := range []func(stream.Config, stream.Dependencies) (*stream.Processor, error){conversations.New, reception.New, service.New} {
		p, err := build(stream.DefaultConfig(), deps)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() { _ = p.Run(ctx) })
	}
	return func() { cancel(); wg.Wait() }
}

// waitDrained returns once the groups have committed everything of their inputs, checked in pipeline order.
func waitDrained(b *testing.B, cfg broker.Config, groups map[string]string, order ...string) {
	b.Helper()
	opts, err := cfg.KGO()
	if err != nil {
		b.Fatal(err)
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	lag := func(group, topic string) (n int64) {
		ends, err := adm.ListEndOffsets(b.Context(), topic)
		if err != nil {
			return 1
		}
		com, err := adm.FetchOffsetsForTopics(b.Context(), group, topic)
		if err != nil {
			return 1
		}
		ends.Each(func(o kadm.ListedOffset) {
			c, _ := com.Lookup(o.Topic, o.Partition)
			n += o.Offset - max(c.At, 0)
		})
		return n
	}
	for _, g := range order {
		for lag(g, groups[g]) > 0 {
			select {
			case <-b.Context().Done():
				b.Fatal("not drained")
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// BenchmarkProcessors is the three processors and the embedded broker in one process, over preloaded events.
func BenchmarkProcessors(b *testing.B) {
	for _, c := range []struct{ shops, convs int }{{2000, 50}, {1, 10}, {1, 100_000}} {
		b.Run(fmt.Sprintf("shops=%d/conversations=%d", c.shops, c.convs), func(b *testing.B) {
			const n = 1_000_000
			for range b.N {
				b.StopTimer()
				cfg := startBroker(b)
				preload(b, cfg, newTraffic(5, c.shops, c.convs), n)
				runtime.GC()
				b.StartTimer()
				began, used := time.Now(), cpu()
				stop := startProcessors(b, cfg)
				waitDrained(b, cfg, map[string]string{
					schemas.GroupConversations: schemas.TopicEvents, schemas.GroupReception: schemas.TopicFacts, schemas.GroupService: schemas.TopicFacts,
				}, schemas.GroupConversations, schemas.GroupReception, schemas.GroupService)
				took, work := time.Since(began), cpu()-used
				b.StopTimer()
				stop()
				b.ReportMetric(n/took.Seconds(), "events/s")
				b.ReportMetric(float64(work.Microseconds())/n, "cpu-µs/event")
			}
		})
	}
}
