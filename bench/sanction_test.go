package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/processors/patterns"
	"github.com/feigeio/feige/processors/penalties"
	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/processors/violations"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// startModeration starts the processors from messages to sanctions, and waits until all are ready.
func startModeration(b *testing.B, cfg broker.Config) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	moderator, err := moderation.New(moderation.DefaultConfig(), moderation.Dependencies{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	deps := stream.Dependencies{Broker: cfg, Policy: policy.Default(), Logger: quiet}
	judged := func(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
		return violations.New(cfg, deps, moderator)
	}
	var wg sync.WaitGroup
	for _, build := range []func(stream.Config, stream.Dependencies) (*stream.Processor, error){judged, patterns.New, penalties.New} {
		p, err := build(stream.DefaultConfig(), deps)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() { _ = p.Run(ctx) })
		for !p.Ready() {
			time.Sleep(10 * time.Millisecond)
		}
	}
	return func() { cancel(); wg.Wait() }
}

// BenchmarkSanctionLatency is the time from just before a message that breaks a rule is handed to the publisher until the
// sanction's record has been read from its topic, at 2,000 messages/s of which one in a hundred breaks a rule. All six
// processors run.
func BenchmarkSanctionLatency(b *testing.B) {
	const rate, warmUp, length = 2000, 3 * time.Second, 20 * time.Second
	for range b.N {
		b.StopTimer()
		cfg := startBroker(b)
		stop := startProcessors(b, cfg)
		stopModeration := startModeration(b, cfg)
		var mu sync.Mutex
		sent := map[string]time.Time{}
		took := map[chatv1.SanctionKind][]time.Duration{}
		opts, err := cfg.KGO()
		if err != nil {
			b.Fatal(err)
		}
		cl, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(schemas.TopicSanctions), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		if err != nil {
			b.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			for {
				fs := cl.PollFetches(b.Context())
				now := time.Now()
				if fs.IsClientClosed() || b.Context().Err() != nil {
					return
				}
				fs.EachRecord(func(r *kgo.Record) {
					var s chatv1.Sanction
					if s.UnmarshalVT(r.Value) != nil {
						return
					}
					mu.Lock()
					if at, ok := sent[s.EventId]; ok {
						took[s.Kind] = append(took[s.Kind], now.Sub(at))
					}
					mu.Unlock()
				})
			}
		}()
		pub, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: cfg, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		g := newTraffic(11, 100, 20)
		wrong := 0
		b.StartTimer()
		began := time.Now()
		var calls sync.WaitGroup
		for n := 0; time.Since(began) < warmUp+length; {
			var evs, bad []*chatv1.ChatEvent
			for want := int(time.Since(began).Seconds() * rate); n < want; n++ {
				ev := g.next()
				if n%100 == 0 {
					wrong++
					ev.Actor.Role, ev.Actor.Id = chatv1.Role_ROLE_CONSUMER, fmt.Sprintf("offender-%d", wrong)
					ev.GetMessage().Text = "加我微信 wx_13800138000 私下转账便宜五十"
					bad = append(bad, ev)
				}
				evs = append(evs, ev)
			}
			now := time.Now()
			if now.Sub(began) > warmUp {
				mu.Lock()
				for _, ev := range bad {
					sent[ev.EventId] = now
				}
				mu.Unlock()
			}
			calls.Go(func() {
				if err := pub.Publish(b.Context(), evs...); err != nil {
					b.Error(err)
				}
			})
			time.Sleep(time.Millisecond)
		}
		calls.Wait()
		waitDrained(b, cfg, map[string]string{schemas.GroupViolations: schemas.TopicEvents, schemas.GroupPenalties: schemas.TopicCases}, schemas.GroupViolations, schemas.GroupPenalties)
		b.StopTimer()
		time.Sleep(200 * time.Millisecond)
		cl.Close()
		<-read
		_ = pub.Close()
		stopModeration()
		stop()
		all := slices.Concat(took[chatv1.SanctionKind_SANCTION_KIND_SHIELD], took[chatv1.SanctionKind_SANCTION_KIND_MUTE])
		if len(took[chatv1.SanctionKind_SANCTION_KIND_MUTE]) != len(sent) {
			b.Errorf("%d messages broke a rule, %d mutes were seen", len(sent), len(took[chatv1.SanctionKind_SANCTION_KIND_MUTE]))
		}
		slices.Sort(all)
		q := func(p float64) float64 { return float64(all[int(p*float64(len(all)-1))].Microseconds()) / 1000 }
		b.ReportMetric(q(0.5), "p50-ms")
		b.ReportMetric(q(0.99), "p99-ms")
		b.ReportMetric(q(1), "max-ms")
		b.ReportMetric(float64(len(all)), "sanctions")
	}
}
