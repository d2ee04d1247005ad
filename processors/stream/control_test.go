package stream_test

import (
	"context"
	"hash"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// skippingProducer does not keep order: what is refused is put aside and sent again later, and what
// follows goes first.
type skippingProducer struct {
	cl     *kgo.Client
	ctx    context.Context
	cancel context.CancelFunc
	again  sync.WaitGroup
}

func newSkippingProducer(addr string) goka.ProducerBuilder {
	return func(_ []string, _ string, hasher func() hash.Hash32) (goka.Producer, error) {
		cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1),
			kgo.RecordRetries(0), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			return nil, err
		}
		p := &skippingProducer{cl: cl}
		p.ctx, p.cancel = context.WithCancel(context.Background())
		return p, nil
	}
}

func (p *skippingProducer) Emit(topic, key string, value []byte) *goka.Promise {
	return p.EmitWithHeaders(topic, key, value, nil)
}

func (p *skippingProducer) EmitWithHeaders(topic, key string, value []byte, _ goka.Headers) *goka.Promise {
	promise, finish := goka.NewPromiseWithFinisher()
	p.send(&kgo.Record{Topic: topic, Partition: schemas.Partition([]byte(key), partitions), Key: []byte(key), Value: value}, finish)
	return promise
}

func (p *skippingProducer) send(r *kgo.Record, finish goka.PromiseFinisher) {
	p.cl.Produce(p.ctx, r, func(_ *kgo.Record, err error) {
		if err == nil || p.ctx.Err() != nil {
			finish(&sarama.ProducerMessage{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}, err)
			return
		}
		p.again.Go(func() {
			pause(p.ctx, 300*time.Millisecond)
			p.send(&kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value}, finish)
		})
	})
}

func (p *skippingProducer) Close() error {
	time.AfterFunc(2*time.Second, p.cancel)
	_ = p.cl.Flush(p.ctx)
	p.cancel()
	p.again.Wait()
	p.cl.Close()
	return nil
}

// A processor meets refused facts, and later is killed while writes of facts are refused, and everything else goes through. The product
// is exact; with any one of its measures switched off it is wrong: so the comparison can tell.
func TestCrashWhileFactsAreRefused(t *testing.T) {
	skipRace(t)
	t.Parallel()
	check := func(name string, change func(*role), exact bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if exact {
				crashWhileFactsAreRefused(t, change).mustBeExact(t)
				return
			}
			for range 4 {
				v := crashWhileFactsAreRefused(t, change)
				if v.stuck != nil {
					t.Fatal(v.stuck)
				}
				if len(v.wrong) > 0 {
					t.Logf("wrong in %d ways, as it should be: %s", len(v.wrong), v.wrong[0])
					return
				}
			}
			t.Error("exact every time, although a measure was switched off: the comparison can't be trusted")
		})
	}
	check("product", func(*role) {}, true)
	check("marks unordered", func(r *role) { r.Unordered = true }, false)
	check("rollback off", func(r *role) { r.NoRollback = true }, false)
	check("producer out of order", func(r *role) { r.Skipping = true }, false)
}

func crashWhileFactsAreRefused(t *testing.T, change func(*role)) *verdict {
	b := startBroker(t, productTopics()...)
	d := newDriver(t, b.addr, rand.Uint64())
	r := role{Addr: b.addr, Instance: "i", Session: time.Second, ProduceTimeout: time.Minute}
	change(&r)
	c := startChild(t, r)
	d.publish(500)
	d.drained(30 * time.Second) // all topics have been written to: whole chunks go out
	tables := func() int64 { return d.end(schemas.TableOf(schemas.GroupConversations)) }
	// refused publishes events whose facts are refused and whose state is written.
	refused := func() (release func()) {
		for range 20 {
			// Behind a write that waits for its answer, facts and state pile up to one chunk.
			hold := b.hold(t, schemas.TableOf(schemas.GroupConversations))
			d.publish(100)
			await(t, 20*time.Second, "a write that waits", func() bool { return b.holding.Load() > 0 })
			d.publish(100)
			before := tables()
			release = b.refuse(schemas.TopicFacts, kerr.NotLeaderForPartition)
			pause(t.Context(), 100*time.Millisecond)
			hold()
			for until := time.Now().Add(time.Second); time.Now().Before(until); pause(t.Context(), 10*time.Millisecond) {
				if tables() > before+20 {
					return release
				}
			}
			release()
			d.drained(30 * time.Second)
		}
		t.Fatal("facts and state never went out together")
		return nil
	}
	release := refused()
	release()
	d.publish(300)
	d.drained(30 * time.Second)

	commits := d.commits(schemas.GroupConversations, schemas.TopicEvents)
	release = refused()
	// Where marks are not ordered, a commit passes the refused facts: give it the time.
	for until := time.Now().Add(500 * time.Millisecond); time.Now().Before(until) && d.commits(schemas.GroupConversations, schemas.TopicEvents) == commits; {
		time.Sleep(20 * time.Millisecond)
	}
	c.kill()
	release()
	startChild(t, r)
	d.publish(300)
	d.close()
	return settle(t, d.gen.pol, b.addr, time.Minute)
}
