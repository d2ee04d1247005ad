package stream_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feigeio/feige/processors/stream"
)

func TestProducerStopsForGood(t *testing.T) {
	t.Parallel()
	check := func(name string, timeout time.Duration, trouble func(b *faultyBroker) (release func())) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, "a", "b")
			e := newEmitter(t, b, func(c *stream.Config) { c.ProduceTimeout = timeout })
			for i := range 100 {
				e.emit("a", keyOf(0), i, 20)
			}
			e.pending.Wait()
			if e.failures() > 0 {
				t.Fatalf("before the trouble: %v", e.errs[0])
			}
			// While the first write of "b" waits for its answer, chunks pile up behind it.
			hold := b.hold(t, "b")
			waiting := make(chan struct{}, 1)
			b.mu.Lock()
			b.observe = func(*kmsg.ProduceRequest) {
				select {
				case waiting <- struct{}{}:
				default:
				}
			}
			b.mu.Unlock()
			e.emit("b", keyOf(1), 0, 20)
			<-waiting
			const more = stream.QueueRecords - 100
			for i := range more {
				e.emit([]string{"a", "b"}[i%2], keyOf(0), 1000+i, 20)
			}
			release := trouble(b)
			hold()
			e.pending.Wait()
			release()
			if got := e.failures(); got != more+1 {
				t.Errorf("%d records failed, want %d: the refused one and all behind it", got, more+1)
			}
			for i := range 10 {
				e.emit("a", keyOf(0), 100_000+i, 20)
			}
			e.pending.Wait()
			if got := e.failures(); got != more+11 {
				t.Errorf("%d records failed, want %d: the producer must not go on", got, more+11)
			}
			if err := e.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			log := mustReadLog(t, b.addr, "a", "b")
			if got, _ := firsts(log["a"][0]); len(got) != 100 || got[99] != 99 {
				t.Errorf("a/0 holds %d records, want the 100 from before the trouble", len(got))
			}
			if got, _ := firsts(log["b"][0]); len(got) != 0 {
				t.Errorf("b/0 holds %d records, want none", len(got))
			}
		})
	}
	check("refused", time.Minute, func(b *faultyBroker) func() { return b.refuse("b", kerr.TopicAuthorizationFailed) })
	check("too large", time.Minute, func(b *faultyBroker) func() { return b.refuse("b", kerr.MessageTooLarge) })
	check("no leader for too long", time.Second, func(b *faultyBroker) func() { return b.refuse("b", kerr.NotLeaderForPartition) })
	check("connections closed for too long", time.Second, func(b *faultyBroker) func() { return b.slam("b") })
}

func TestProducerTellsWhatItStoppedOn(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "a", "b", "c")
	e := newEmitter(t, b, nil)
	release := b.hold(t, "b")
	e.emit("b", keyOf(0), 0, 10)
	await(t, 20*time.Second, "a write that waits", func() bool { return b.holding.Load() > 0 })
	defer b.refuse("a", kerr.TopicAuthorizationFailed)()
	defer b.refuse("c", kerr.NotLeaderForPartition)()
	for i, topic := range []string{"c", "a", "c"} { // one chunk: a's refusal calls off c's
		e.emit(topic, keyOf(2), i, 10)
	}
	release()
	e.pending.Wait()
	e.emit("b", keyOf(0), 1, 10)
	e.pending.Wait()
	if len(e.errs) != 4 {
		t.Fatalf("errors %v", e.errs)
	}
	if err := e.errs[3]; !errors.Is(err, kerr.TopicAuthorizationFailed) || !strings.Contains(err.Error(), "write to a/2") {
		t.Errorf("error %q, want one that names the refused partition and why", err)
	}
}

func TestProducerCloseDrains(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "a")
	e := newEmitter(t, b, nil)
	const n = 3 * stream.ChunkRecords
	for i := range n {
		e.emit("a", keyOf(i%partitions), i, 20)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e.finished() != n || e.failures() > 0 {
		t.Errorf("after Close %d of %d records are finished, %d failed", e.finished(), n, e.failures())
	}
	e.emit("a", keyOf(0), n, 20)
	e.pending.Wait()
	if e.failures() != 1 {
		t.Error("a closed producer took a record")
	}
}

func TestProducerAbort(t *testing.T) {
	t.Parallel()
	check := func(name string, trouble func(t *testing.T, b *faultyBroker)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, "a")
			e := newEmitter(t, b, func(c *stream.Config) { c.ProduceTimeout = 10 * time.Minute })
			e.emit("a", keyOf(0), 0, 10)
			e.pending.Wait()
			trouble(t, b)
			n := stream.QueueRecords + 2*stream.ChunkRecords
			var blocked sync.WaitGroup
			blocked.Go(func() {
				for i := range n {
					e.emit("a", keyOf(i%partitions), i, 10)
				}
			})
			await(t, 20*time.Second, "a full queue", func() bool { return e.emitted.Load() >= stream.QueueRecords })
			stream.Abort(e.Producer)
			blocked.Wait() // whoever was held back is let go
			e.pending.Wait()
			if err := e.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if e.failures() != n {
				t.Errorf("%d records failed, want all %d", e.failures(), n)
			}
		})
	}
	check("no answer", func(t *testing.T, b *faultyBroker) { b.hold(t, "a") })
	check("no leader", func(t *testing.T, b *faultyBroker) { b.refuse("a", kerr.NotLeaderForPartition) })
	check("too few replicas", func(t *testing.T, b *faultyBroker) { b.refuse("a", kerr.NotEnoughReplicas) })
	check("connections closed", func(t *testing.T, b *faultyBroker) { b.slam("a") })
	check("broker gone", func(t *testing.T, b *faultyBroker) { b.stop() })
	check("topic gone", func(t *testing.T, b *faultyBroker) {
		if err := b.DeleteTopic("a"); err != nil {
			t.Fatal(err)
		}
	})
}
