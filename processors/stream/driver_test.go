package stream_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
)

// driver publishes a generator's log.
type driver struct {
	t   testing.TB
	gen *generator
	cl  *kgo.Client
}

func newDriver(t testing.TB, addr string, seed uint64) *driver {
	t.Helper()
	t.Logf("seed %d", seed)
	return &driver{
		t: t, gen: newGenerator(seed, policy.Default(), 14, 40),
		cl: kafkaClient(t, addr, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond })),
	}
}

// publish writes the next n events and returns when they are in the log. Trouble with the broker is waited out.
func (d *driver) publish(n int) {
	d.t.Helper()
	var out []published
	for range n {
		out = append(out, d.gen.next()...)
	}
	d.write(out)
}

// close moves time on until everything is final.
func (d *driver) close() {
	d.t.Helper()
	d.write(d.gen.closing())
}

func (d *driver) write(out []published) {
	d.t.Helper()
	records := make([]*kgo.Record, len(out))
	for i, p := range out {
		records[i] = &kgo.Record{Topic: schemas.TopicEvents, Partition: p.partition, Key: p.key, Value: p.value}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := d.cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		d.t.Errorf("publish: %v", err)
	}
}

// flow publishes at a rate (events a second) until the context ends.
func (d *driver) flow(ctx context.Context, rate int) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.publish(max(rate/50, 1))
		}
	}
}

// end is the number of records of a topic; -1 when the broker does not answer.
func (d *driver) end(topic string) (n int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ends, err := kadm.NewClient(d.cl).ListEndOffsets(ctx, topic)
	if err != nil || ends.Error() != nil {
		return -1
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// commits is the sum of a group's commits.
func (d *driver) commits(group, topic string) (n int64) {
	for p := range int32(partitions) {
		n += max(committed(d.t, d.cl, group, topic, p), 0)
	}
	return n
}

// drained waits until all that has been published is processed.
func (d *driver) drained(limit time.Duration) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := drained(ctx, d.cl); err != nil {
		d.t.Fatal(err)
	}
}

// createTopics makes the product's topics on a broker that is a process of its own.
func (d *driver) createTopics() {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	policy := "delete"
	made, err := kadm.NewClient(d.cl).CreateTopics(ctx, partitions, 1, map[string]*string{"cleanup.policy": &policy}, productTopics()...)
	if err == nil {
		err = made.Error()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}
