package stream

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/twmb/franz-go/pkg/kadm"

	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// errAbsent stands for a partition that an answer of the broker leaves out.
var errAbsent = errors.New("the partition is not in it")

// rollback makes a recovered table equal to the state as of the group's committed offset.
type rollback struct {
	group, table, input string
	off                 bool // only tests switch it off, to see that the check of the whole can fail
	metrics             *metrics

	mu sync.RWMutex
	// limit is the committed offset of the input by partition: the first offset not yet applied.
	limit map[int32]int64
	// tables is what must be read of each partition of the table, and how far reading has come.
	tables map[int32]*tableRead
}

// tableRead is half-open: nothing is to be read where start is end.
type tableRead struct {
	start, end int64
	// next is one past the newest offset that was read back.
	next int64
}

// assign looks the commits up. It is called once partitions are assigned and before their tables are read.
func (r *rollback) assign(ctx context.Context, admin *kadm.Client, partitions []int32) error {
	if len(partitions) == 0 {
		return nil
	}
	commits, err := admin.FetchOffsetsForTopics(ctx, r.group, r.input)
	if err != nil {
		return fmt.Errorf("commits of group %s: %w", r.group, err)
	}
	starts, err := admin.ListStartOffsets(ctx, r.input)
	if err != nil {
		return fmt.Errorf("start of %s: %w", r.input, err)
	}
	limit := make(map[int32]int64, len(partitions))
	for _, p := range partitions {
		c, ok := commits.Lookup(r.input, p)
		if !ok {
			return fmt.Errorf("commits of group %s: no answer for %s/%d", r.group, r.input, p)
		}
		if c.Err != nil {
			return fmt.Errorf("commits of group %s: %s/%d: %w", r.group, r.input, p, c.Err)
		}
		limit[p] = max(c.At, 0) // none yet: everything is replayed
		s, ok := starts.Lookup(r.input, p)
		if !ok || s.Err != nil {
			return fmt.Errorf("start of %s/%d: no answer: %w", r.input, p, cmp.Or(s.Err, errAbsent))
		}
		if s.Offset > limit[p] {
			return fmt.Errorf("%s/%d begins at offset %d, and group %s has applied only what lies before %d: the log was cut too early, its state can't be rebuilt",
				r.input, p, s.Offset, r.group, limit[p])
		}
	}
	tables, err := r.extent(ctx, admin, partitions)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.limit, r.tables = limit, tables
	r.mu.Unlock()
	return nil
}

// extent is where the table's partitions begin and end now.
func (r *rollback) extent(ctx context.Context, admin *kadm.Client, partitions []int32) (map[int32]*tableRead, error) {
	starts, err := admin.ListStartOffsets(ctx, r.table)
	if err != nil {
		return nil, fmt.Errorf("start of %s: %w", r.table, err)
	}
	ends, err := admin.ListEndOffsets(ctx, r.table)
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", r.table, err)
	}
	tables := make(map[int32]*tableRead, len(partitions))
	for _, p := range partitions {
		start, ok := starts.Lookup(r.table, p)
		end, also := ends.Lookup(r.table, p)
		if !ok || !also || start.Err != nil || end.Err != nil {
			return nil, fmt.Errorf("extent of %s/%d: no answer: %w", r.table, p, cmp.Or(start.Err, end.Err, errAbsent))
		}
		tables[p] = &tableRead{start: start.Offset, end: end.Offset}
	}
	return tables, nil
}

// whole requires every table to have been read to the end that it had when its partition was assigned:
// goka takes a reader that ends early, as when records are deleted under it, for one that is done.
func (r *rollback) whole() error {
	if r.off {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for p, t := range r.tables {
		if t.start < t.end && t.next < t.end {
			return fmt.Errorf("table %s/%d was read up to offset %d only, and it ends at %d", r.table, p, t.next, t.end)
		}
	}
	return nil
}

// update is goka's callback for every record of a table that is read back.
func (r *rollback) update(ctx goka.UpdateContext, s storage.Storage, key string, value []byte) error {
	if r.off || string(ctx.Topic()) != r.table { // joined tables come through the same callback
		return goka.DefaultUpdate(ctx, s, key, value)
	}
	applied, ok := statev1.Applied(value)
	if !ok {
		return fmt.Errorf("table %s/%d offset %d: value of %q does not begin with the offset it rests on", r.table, ctx.Partition(), ctx.Offset(), key)
	}
	r.mu.Lock()
	limit, ok := r.limit[ctx.Partition()]
	if t := r.tables[ctx.Partition()]; t != nil {
		t.next = max(t.next, ctx.Offset()+1)
	}
	r.mu.Unlock()
	if !ok {
		return fmt.Errorf("table %s/%d: read back without a known commit", r.table, ctx.Partition())
	}
	if applied >= limit {
		r.metrics.rolledBack.Inc()
		return nil
	}
	return keepNewest(s, key, value, applied)
}

// keepNewest stores the value unless the stored one rests on a later offset: a dying owner may have
// written late, and compaction writes older values again.
func keepNewest(s storage.Storage, key string, value []byte, applied int64) error {
	old, err := s.Get(key)
	if err != nil {
		return err
	}
	if old != nil {
		if was, ok := statev1.Applied(old); ok && was > applied {
			return nil
		}
	}
	return s.Set(key, bytes.Clone(value)) // the value is part of a whole fetch's buffer
}

// check requires reading to start exactly where the state was rolled back to.
func (r *rollback) check(c sarama.ConsumerGroupClaim) error {
	if r.off {
		return nil
	}
	r.mu.RLock()
	limit := r.limit[c.Partition()]
	r.mu.RUnlock()
	if at := c.InitialOffset(); at != limit && (at >= 0 || limit != 0) {
		return fmt.Errorf("%s/%d: state is as of offset %d, and reading would start at %d", c.Topic(), c.Partition(), limit, at)
	}
	return nil
}
