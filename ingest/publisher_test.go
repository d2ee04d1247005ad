package ingest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func newPublisher(t testing.TB, cfg Config, deps Dependencies) *Publisher {
	t.Helper()
	p, err := NewPublisher(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// inOrder fails unless each conversation's events are in the log in order of their time. Repeats are
// dropped the way readers do: an id among the conversation's last 64 that took effect.
func inOrder(t *testing.T, log [][]logged, want int) {
	t.Helper()
	total := 0
	for part, recs := range log {
		recent := map[string][]string{}
		lastUS := map[string]int64{}
		for _, r := range recs {
			if isTick(r.event) {
				continue
			}
			if p := schemas.Partition([]byte(r.key), testPartitions); p != int32(part) {
				t.Errorf("key %s in partition %d, belongs in %d", r.key, part, p)
			}
			ids := recent[r.key]
			repeat := false
			for _, id := range ids[max(0, len(ids)-64):] {
				repeat = repeat || id == r.event.EventId
			}
			if repeat {
				continue
			}
			recent[r.key] = append(ids, r.event.EventId)
			if r.event.OccurredAtUs <= lastUS[r.key] {
				t.Errorf("%s: %s comes after a later event", r.key, r.event.EventId)
			}
			lastUS[r.key] = r.event.OccurredAtUs
			total++
		}
	}
	if total != want {
		t.Errorf("%d distinct events in the log, want %d", total, want)
	}
}

func TestPublishKeepsOrder(t *testing.T) {
	t.Parallel()
	run := func(name string, faults ...kfake.Fault) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := startKafka(t)
			reg := prometheus.NewRegistry()
			deps := k.deps()
			deps.Registry = reg
			cfg := DefaultConfig()
			cfg.RetryBackoff = time.Millisecond
			p := newPublisher(t, cfg, deps)
			var handles []*kfake.FaultHandle
			for _, f := range faults {
				handles = append(handles, k.Fault(f))
			}
			const callers, calls, perCall = 6, 20, 90
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					n := 0
					for range calls {
						var evs []*chatv1.ChatEvent
						for range perCall {
							n++
							evs = append(evs, say(fmt.Sprint("shop", c), fmt.Sprint("conv", n/200), n))
						}
						if err := p.Publish(t.Context(), evs...); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			inOrder(t, readLog(t, k.cfg, ""), callers*calls*perCall)
			for _, h := range handles {
				if h.Hits() == 0 {
					t.Error("the fault was never met")
				}
			}
			if got := counted(t, reg, "feige_ingest_published_total", "event"); got != callers*calls*perCall {
				t.Errorf("published_total %v", got)
			}
		})
	}
	produce := []kmsg.Key{kmsg.Produce}
	run("healthy")
	run("refused now and then", kfake.Fault{Keys: produce, Err: kerr.NotLeaderForPartition, Count: 10})
	run("stored but reported as timed out", kfake.Fault{Keys: produce, Err: kerr.RequestTimedOut, Count: 10})
}

func TestPublishRefusesBadEvents(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	p := newPublisher(t, DefaultConfig(), k.deps())
	bad := say("shop", "c", 2)
	bad.ShopId = "a/b"
	err := p.Publish(t.Context(), say("shop", "c", 1), bad)
	var ve *ValidationError
	if !errors.As(err, &ve) || ve.Code != CodeBadID || ve.Field != "shop_id" || ve.Index != 1 {
		t.Fatalf("got %v", err)
	}
	inOrder(t, readLog(t, k.cfg, ""), 0)
}

func TestPublishTick(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	p := newPublisher(t, DefaultConfig(), k.deps())
	for _, at := range []int64{5, 6} {
		if err := p.PublishTick(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	for part, recs := range readLog(t, k.cfg, "") {
		if len(recs) != 2 {
			t.Fatalf("partition %d: %d records", part, len(recs))
		}
		for i, r := range recs {
			if want := int64(5 + i); r.event.GetTick().GetAtUs() != want || r.event.OccurredAtUs != want {
				t.Errorf("partition %d: tick %v, want %d", part, r.event, want)
			}
			if r.key != schemas.TickKey(int32(part), testPartitions) {
				t.Errorf("partition %d: key %s", part, r.key)
			}
		}
	}
}

func TestPublishWithoutKafka(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Timeout, cfg.AttemptTimeout = 400*time.Millisecond, 100*time.Millisecond
	expect := func(t *testing.T, err error, kind error, code string, words ...string) {
		t.Helper()
		var pe *PublishError
		if !errors.Is(err, kind) || !errors.As(err, &pe) || pe.Code() != code {
			t.Fatalf("got %v", err)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q lacks %q", err, w)
			}
		}
	}
	t.Run("nothing listens", func(t *testing.T) {
		t.Parallel()
		deps := Dependencies{}
		deps.Broker.Brokers, deps.Broker.Partitions = []string{deadAddr(t)}, 4
		p := newPublisher(t, cfg, deps)
		err := p.Publish(t.Context(), say("s", "c", 1))
		expect(t, err, ErrUnavailable, "unavailable", "chat.events")
		expect(t, p.PublishTick(t.Context(), 1), ErrUnavailable, "unavailable")
	})
	t.Run("comes back", func(t *testing.T) {
		t.Parallel()
		k := startKafka(t)
		p := newPublisher(t, cfg, k.deps())
		if err := p.Publish(t.Context(), say("s", "c", 1)); err != nil {
			t.Fatal(err)
		}
		h := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.LeaderNotAvailable, Count: -1})
		expect(t, p.Publish(t.Context(), say("s", "c", 2)), ErrUnavailable, "unavailable", "chat.events/")
		h.Remove()
		if err := p.Publish(t.Context(), say("s", "c", 2), say("s", "c", 3)); err != nil {
			t.Fatal(err)
		}
		inOrder(t, readLog(t, k.cfg, ""), 3)
	})
	t.Run("no topic", func(t *testing.T) {
		t.Parallel()
		k := startKafka(t)
		deps := k.deps()
		deps.Namespace = "elsewhere"
		p := newPublisher(t, cfg, deps)
		expect(t, p.Publish(t.Context(), say("s", "c", 1)), ErrNoTopic, "no_topic", "elsewhere.chat.events")
	})
	t.Run("other partition count", func(t *testing.T) {
		t.Parallel()
		k := startKafka(t)
		deps := k.deps()
		deps.Broker.Partitions = 5
		p := newPublisher(t, cfg, deps)
		expect(t, p.Publish(t.Context(), say("s", "c", 1)), ErrPartitions, "partitions", "it has 4", "kafka.partitions is 5")
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		k := startKafka(t)
		p := newPublisher(t, cfg, k.deps())
		k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
		expect(t, p.Publish(t.Context(), say("s", "c", 1)), ErrRefused, "refused", "chat.events/")
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		k := startKafka(t)
		p := newPublisher(t, cfg, k.deps())
		if err := p.PublishTick(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		_ = p.Close()
		expect(t, p.Publish(t.Context(), say("s", "c", 1)), ErrClosed, "closed")
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		k := startKafka(t)
		p := newPublisher(t, cfg, k.deps())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		expect(t, p.Publish(ctx, say("s", "c", 1)), context.Canceled, "cancelled")
	})
}

// TestPublishStopsAtFailure: when the first part of a call fails for good, the rest must not go ahead of
// the caller's retry.
func TestPublishStopsAtFailure(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	cfg := DefaultConfig()
	cfg.BatchRecords = 10
	p := newPublisher(t, cfg, k.deps())
	if err := p.PublishTick(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var evs []*chatv1.ChatEvent
	for n := range 95 {
		evs = append(evs, say("s", "c", n+1))
	}
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
	if err := p.Publish(t.Context(), evs...); !errors.Is(err, ErrRefused) {
		t.Fatalf("got %v", err)
	}
	inOrder(t, readLog(t, k.cfg, ""), 0)
	if err := p.Publish(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	inOrder(t, readLog(t, k.cfg, ""), 95)
}

func TestBackPressure(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	cfg := DefaultConfig()
	cfg.Timeout, cfg.AttemptTimeout = 500*time.Millisecond, 500*time.Millisecond
	cfg.BatchBytes, cfg.InFlightBytes = 1<<16, 1<<16
	p := newPublisher(t, cfg, k.deps())
	if err := p.PublishTick(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.LeaderNotAvailable, Count: -1})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			ev := say("s", fmt.Sprint(i), 1)
			ev.GetMessage().Text = strings.Repeat("x", 12<<10)
			if err := p.Publish(t.Context(), ev); !errors.Is(err, ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
}
