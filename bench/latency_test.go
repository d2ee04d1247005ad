package bench

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// BenchmarkTakeoverLatency is the time from just before the message that is one too many is handed to the
// publisher until the takeover's record has been read from its topic, at 2,000 events/s.
func BenchmarkTakeoverLatency(b *testing.B) {
	const rate, warmUp, length = 2000, 3 * time.Second, 20 * time.Second
	for range b.N {
		b.StopTimer()
		cfg := startBroker(b)
		stop := startProcessors(b, cfg)
		var mu sync.Mutex
		sent := map[string]time.Time{}
		var took []time.Duration
		opts, err := cfg.KGO()
		if err != nil {
			b.Fatal(err)
		}
		cl, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(schemas.TopicTakeovers), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
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
					var t chatv1.Takeover
					if t.UnmarshalVT(r.Value) != nil || t.EndedAtUs != 0 {
						return
					}
					mu.Lock()
					if at, ok := sent[t.TriggerEventId]; ok {
						took = append(took, now.Sub(at))
					}
					mu.Unlock()
				})
			}
		}()
		pub, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: cfg, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		g := newTraffic(7, 100, 20)
		g.at = time.Date(2026, 9, 22, 4, 0, 0, 0, time.UTC).UnixMicro() // noon of a working day
		b.StartTimer()
		began := time.Now()
		var calls sync.WaitGroup
		for n := 0; time.Since(began) < warmUp+length; {
			var evs []*chatv1.ChatEvent
			for want := int(time.Since(began).Seconds() * rate); n < want; n++ {
				ev := g.next()
				if g.r.IntN(8) > 0 { // mostly unanswered, so that the bot is called often
					ev.Actor.Role = chatv1.Role_ROLE_CONSUMER
				}
				evs = append(evs, ev)
			}
			now := time.Now()
			if now.Sub(began) > warmUp {
				mu.Lock()
				for _, ev := range evs {
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
		waitDrained(b, cfg, map[string]string{schemas.GroupConversations: schemas.TopicEvents, schemas.GroupReception: schemas.TopicFacts}, schemas.GroupConversations, schemas.GroupReception)
		b.StopTimer()
		time.Sleep(200 * time.Millisecond)
		cl.Close()
		<-read
		_ = pub.Close()
		stop()
		if len(took) == 0 {
			b.Fatal("no takeover was seen")
		}
		slices.Sort(took)
		q := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1))].Microseconds()) / 1000 }
		b.ReportMetric(q(0.5), "p50-ms")
		b.ReportMetric(q(0.99), "p99-ms")
		b.ReportMetric(q(1), "max-ms")
		b.ReportMetric(float64(len(took)), "takeovers")
	}
}
