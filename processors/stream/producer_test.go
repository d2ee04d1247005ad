package stream_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
)

// emitter drives a producer and notes how each record ended.
type emitter struct {
	goka.Producer
	t       testing.TB
	emitted atomic.Int64
	pending sync.WaitGroup

	mu    sync.Mutex
	acked map[string][]int // by topic/key: numbers in the order of their acknowledgement
	errs  []error
	done  int
}

func newEmitter(t testing.TB, b *faultyBroker, change func(*stream.Config)) *emitter {
	t.Helper()
	cfg := stream.DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	p, err := stream.NewProducer(cfg, kgo.SeedBrokers(b.addr))
	if err != nil {
		t.Fatal(err)
	}
	e := &emitter{Producer: p, t: t, acked: map[string][]int{}}
	t.Cleanup(func() {
		stream.Abort(p)
		_ = p.Close()
	})
	return e
}

// emit sends record number i with that many bytes.
func (e *emitter) emit(topic, key string, i, size int) {
	value := fmt.Sprintf("%d ", i)
	value += strings.Repeat("x", max(size-len(value), 0))
	e.pending.Add(1)
	e.EmitWithHeaders(topic, key, []byte(value), nil).Then(func(err error) {
		defer e.pending.Done()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.done++
		if err != nil {
			e.errs = append(e.errs, err)
			return
		}
		e.acked[topic+"/"+key] = append(e.acked[topic+"/"+key], i)
	})
	e.emitted.Add(1)
}

func (e *emitter) failures() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.errs)
}

func (e *emitter) finished() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done
}

func number(r *kgo.Record) (n int) {
	_, _ = fmt.Sscanf(string(r.Value), "%d", &n)
	return n
}

// firsts are the numbers of a partition's records in the order of their first appearance.
func firsts(records []*kgo.Record) (numbers []int, repeats int) {
	seen := map[int]bool{}
	for _, r := range records {
		if n := number(r); !seen[n] {
			seen[n] = true
			numbers = append(numbers, n)
		} else {
			repeats++
		}
	}
	return numbers, repeats
}

// keyOf gives a key for every partition.
func keyOf(p int) string { return schemas.TickKey(int32(p), partitions) }

func TestProducerKeepsOrderThroughRefusals(t *testing.T) {
	t.Parallel()
	topics := []string{"a", "b"}
	b := startBroker(t, topics...)
	e := newEmitter(t, b, func(c *stream.Config) { c.Compression = "lz4"; c.ProduceTimeout = time.Minute })
	n := 0
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for ; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			e.emit(topics[n%2], keyOf(n/2%partitions), n, 40)
			if n%50 == 0 {
				time.Sleep(time.Millisecond) // so that there are many chunks
			}
		}
	}()
	for window := range 2 * troubles {
		before := e.finished()
		release, hits := b.trouble(window%troubles, topics[window%2])
		await(t, 30*time.Second, "a failed write", func() bool { return hits() > window/troubles })
		release()
		await(t, 30*time.Second, "progress", func() bool { return e.finished() > before })
	}
	close(stop)
	<-stopped
	e.pending.Wait()
	if len(e.errs) > 0 {
		t.Fatalf("%d records failed: %v", len(e.errs), e.errs[0])
	}
	repeated := 0
	log := mustReadLog(t, b.addr, topics...)
	for ti, topic := range topics {
		for p := range partitions {
			got, repeats := firsts(log[topic][p])
			repeated += repeats
			acked := e.acked[topic+"/"+keyOf(p)]
			if want := (n - 2*p - ti + 2*partitions - 1) / (2 * partitions); len(got) != want || len(acked) != want {
				t.Errorf("%s/%d holds %d records, %d acknowledged, want %d", topic, p, len(got), len(acked), want)
			}
			for j := range got {
				if want := 2*(p+j*partitions) + ti; got[j] != want || acked[j] != want {
					t.Fatalf("%s/%d record %d is number %d, acknowledged as %d, want %d", topic, p, j, got[j], acked[j], want)
				}
			}
		}
	}
	t.Logf("%d records, %d repeats in the log", n, repeated)
	if repeated == 0 {
		t.Error("no record was repeated: the trouble did not reach the producer")
	}
}

func TestProducerHoldsBack(t *testing.T) {
	t.Parallel()
	// limit is how many records are more than queue and flight can hold.
	check := func(name string, size, atLeast, atMost int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, "a")
			e := newEmitter(t, b, func(c *stream.Config) { c.ProduceTimeout = time.Minute })
			release := b.hold(t, "a")
			total := atMost + 100
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for i := range total {
					e.emit("a", keyOf(0), i, size)
				}
			}()
			await(t, 20*time.Second, "a full queue", func() bool { return e.emitted.Load() >= int64(atLeast) })
			select {
			case <-ended:
				t.Errorf("all %d records were taken while none could be written", total)
			case <-time.After(50 * time.Millisecond): // it can't end: this only gives it the chance to be wrong
			}
			if got := e.emitted.Load(); got > int64(atMost) {
				t.Errorf("%d records were taken, want at most %d", got, atMost)
			}
			release()
			<-ended
			e.pending.Wait()
			if e.failures() > 0 {
				t.Fatalf("failed: %v", e.errs[0])
			}
			if got, _ := firsts(mustReadLog(t, b.addr, "a")["a"][0]); len(got) != total {
				t.Errorf("%d records in the log, want %d", len(got), total)
			}
		})
	}
	check("records", 10, stream.QueueRecords, stream.QueueRecords+stream.ChunkRecords)
	const size = 64 << 10
	check("bytes", size, stream.QueueBytes/(size+200), stream.QueueBytes/size+stream.ChunkBytes/size+2)
}

func TestProducerWritesWholeChunks(t *testing.T) {
	t.Parallel()
	// writesOf cuts records of that size into chunks. A record counts its value, key, and 96 bytes of framing.
	writesOf := func(n, size int) (writes int) {
		records, bytes := 0, 0
		for i := range n {
			s := size + len(keyOf(i%partitions)) + 96
			if records == 0 || records == stream.ChunkRecords || bytes+s > stream.ChunkBytes {
				writes++
				records, bytes = 0, 0
			}
			records, bytes = records+1, bytes+s
		}
		return writes
	}
	check := func(name string, n, size, wantWrites int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, "a", "b")
			var writes, batches atomic.Int64
			first := func() {}
			b.observe = func(r *kmsg.ProduceRequest) {
				writes.Add(1)
				for _, topic := range r.Topics {
					seen := map[int32]bool{}
					for _, p := range topic.Partitions {
						var batch kmsg.RecordBatch
						if err := batch.ReadFrom(p.Records); err != nil {
							t.Errorf("batch: %v", err)
						}
						if int(batch.Length)+12 != len(p.Records) || seen[p.Partition] {
							t.Errorf("more than one batch for a partition in a write")
						}
						if len(p.Records) > 1<<20 {
							t.Errorf("a batch of %d bytes", len(p.Records))
						}
						seen[p.Partition] = true
						batches.Add(1)
					}
				}
				first()
			}
			e := newEmitter(t, b, nil)
			e.emit("a", keyOf(0), 0, 10)
			e.pending.Wait()
			writes.Store(0)
			batches.Store(0)
			started := make(chan struct{})
			first = sync.OnceFunc(func() { close(started) })
			release := b.hold(t, "b")
			e.emit("b", keyOf(0), 0, 10)
			<-started // everything below waits for this write
			for i := range n {
				e.emit("a", keyOf(i%partitions), i, size)
			}
			release()
			e.pending.Wait()
			if e.failures() > 0 {
				t.Fatalf("failed: %v", e.errs[0])
			}
			// The client may have begun with a part of a chunk.
			if got := int(writes.Load()) - 1; got < wantWrites || got > 2*wantWrites {
				t.Errorf("%d writes for %d chunks", got, wantWrites)
			}
			if got := int(batches.Load()) - 1; got < wantWrites*partitions || got > 2*wantWrites*partitions {
				t.Errorf("%d batches in %d chunks of %d partitions", got, wantWrites, partitions)
			}
		})
	}
	check("one chunk", 1000, 50, 1)
	check("small records", 16_000, 20, writesOf(16_000, 20))
	check("large records", 3000, 1000, writesOf(3000, 1000))
}

func TestProducerTakesLargeRecords(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "a")
	e := newEmitter(t, b, nil)
	sizes := []int{stream.ChunkBytes - 200, stream.ChunkBytes, stream.ChunkBytes + 1, 1000 << 10, 10, stream.ChunkBytes + 100}
	for i, size := range sizes {
		e.emit("a", keyOf(0), i, size)
	}
	e.pending.Wait()
	if e.failures() > 0 {
		t.Fatalf("failed: %v", e.errs[0])
	}
	got, _ := firsts(mustReadLog(t, b.addr, "a")["a"][0])
	if len(got) != len(sizes) {
		t.Fatalf("%d records in the log, want %d", len(got), len(sizes))
	}
	e.emit("a", keyOf(0), 7, 1100<<10)
	e.pending.Wait()
	if e.failures() != 1 || !errors.Is(e.errs[0], kerr.MessageTooLarge) {
		t.Errorf("a record larger than any batch: %v", e.errs)
	}
}
