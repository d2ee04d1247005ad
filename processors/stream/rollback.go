package stream

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/twmb/franz-go/pkg/kadm"

	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// rollback makes a recovered table equal to the state as of the group's committed offset.
type rollback struct {
	group, table, input string
	off                 bool // only tests switch it off, to see that the check of the whole can fail
	metrics             *metrics

	mu sync.RWMutex
	// limit is the committed offset of the input by partition: the first offset not yet applied.
	limit map[int32]int64
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
			return fmt.Errorf("start of %s/%d: no answer (%v)", r.input, p, s.Err)
		}
		if s.Offset > limit[p] {
			return fmt.Errorf("%s/%d begins at offset %d, and group %s has applied only what lies before %d: the log was cut too early, its state can't be rebuilt",
				r.input, p, s.Offset, r.group, limit[p])
		}
	}
	r.mu.Lock()
	r.limit = limit
	r.mu.Unlock()
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
	r.mu.RLock()
	limit, ok := r.limit[ctx.Partition()]
	r.mu.RUnlock()
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
