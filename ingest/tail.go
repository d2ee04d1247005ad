package ingest

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
)

// tailReader reads stretches of topics, without a group.
type tailReader struct {
	broker broker.Config
	cl     *kgo.Client
	adm    *kadm.Client
}

func newTailReader(b broker.Config) (*tailReader, error) {
	opts, err := b.KGO()
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &tailReader{broker: b, cl: cl, adm: kadm.NewClient(cl)}, nil
}

func (t *tailReader) close() { t.cl.Close() }

// bounds lists the first offset and the end of each partition of a topic.
func (t *tailReader) bounds(ctx context.Context, topic string, partitions int32) (starts, ends []int64, err error) {
	list := func(what string, f func(context.Context, ...string) (kadm.ListedOffsets, error)) []int64 {
		if err != nil {
			return nil
		}
		offsets, lerr := f(ctx, topic)
		if lerr == nil {
			lerr = offsets.Error()
		}
		if lerr != nil {
			err = fmt.Errorf("list %s of %s: %w", what, topic, lerr)
			return nil
		}
		out := make([]int64, partitions)
		for p := range partitions {
			o, ok := offsets.Lookup(topic, p)
			if !ok {
				err = fmt.Errorf("list %s of %s: no partition %d", what, topic, p)
				return nil
			}
			out[p] = o.Offset
		}
		return out
	}
	starts = list("start offsets", t.adm.ListStartOffsets)
	ends = list("end offsets", t.adm.ListEndOffsets)
	return starts, ends, err
}

// read gives each record of partition p in [from[p], to[p]) to visit, each partition in order. Offsets
// that the topic does not hold any more are passed over.
func (t *tailReader) read(ctx context.Context, topic string, from, to []int64, visit func(*kgo.Record)) error {
	starts := map[int32]kgo.Offset{}
	for p := range from {
		if from[p] < to[p] {
			starts[int32(p)] = kgo.NewOffset().At(from[p])
		}
	}
	if len(starts) == 0 {
		return nil
	}
	opts, err := t.broker.KGO()
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	// A client of its own: what it consumes is set once and for all.
	cl, err := kgo.NewClient(append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	for len(starts) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("read %s: %w", topic, err)
		}
		var failed error
		fetches.EachError(func(_ string, p int32, err error) {
			failed = fmt.Errorf("read %s/%d: %w", topic, p, err)
		})
		if failed != nil {
			return failed
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if _, open := starts[r.Partition]; !open || r.Offset >= to[r.Partition] {
				delete(starts, r.Partition)
				return
			}
			if !r.Attrs.IsControl() {
				visit(r)
			}
			if r.Offset+1 >= to[r.Partition] {
				delete(starts, r.Partition)
			}
		})
	}
	return nil
}
