package sinks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commitTimeout bounds one try.
const commitTimeout = 5 * time.Second

// ownership is which partitions this member of the group reads: offsets of others are not its to commit. It is
// safe for concurrent use.
type ownership struct {
	mu    sync.Mutex
	owned map[string]map[int32]bool
}

func newOwnership() *ownership { return &ownership{owned: make(map[string]map[int32]bool)} }

func (o *ownership) gain(partitions map[string][]int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for topic, numbers := range partitions {
		if o.owned[topic] == nil {
			o.owned[topic] = make(map[int32]bool)
		}
		for _, n := range numbers {
			o.owned[topic][n] = true
		}
	}
}

// all are the owned partitions.
func (o *ownership) all() map[string]map[int32]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[string]map[int32]bool, len(o.owned))
	for topic, numbers := range o.owned {
		if len(numbers) > 0 {
			all[topic] = maps.Clone(numbers)
		}
	}
	return all
}

func (o *ownership) lose(partitions map[string][]int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for topic, numbers := range partitions {
		for _, n := range numbers {
			delete(o.owned[topic], n)
		}
	}
}

// of keeps those of the offsets that are owned.
func (o *ownership) of(offsets map[string]map[int32]kgo.EpochOffset) map[string]map[int32]kgo.EpochOffset {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := make(map[string]map[int32]kgo.EpochOffset, len(offsets))
	for topic, partitions := range offsets {
		for n, offset := range partitions {
			if !o.owned[topic][n] {
				continue
			}
			if kept[topic] == nil {
				kept[topic] = make(map[int32]kgo.EpochOffset, len(partitions))
			}
			kept[topic][n] = offset
		}
	}
	return kept
}

const notCommitted = "sinks: a batch is not committed: its partitions are not this sink's any more; whoever has them reads it again"

// commit tries until the group has the offsets, or until they are not this member's to commit any more: what
// was read and not committed is then read again by whoever has the partitions.
func (s *session) commit(ctx context.Context, offsets map[string]map[int32]kgo.EpochOffset) error {
	pause := backoff{least: s.cfg.MinBackoff, most: s.cfg.MaxBackoff}
	for {
		mine := s.owner.of(offsets)
		if len(mine) == 0 {
			if len(offsets) > 0 {
				s.logger.Info(notCommitted, "error", "this sink has lost them")
			}
			return nil
		}
		err := commitOnce(ctx, s.client, mine)
		if err == nil {
			s.kafka.worked()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if outside(err) {
			s.logger.Info(notCommitted, "error", brief(err))
			return nil
		}
		s.kafka.failed(err)
		s.metrics.retries.WithLabelValues("commit").Inc()
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

func commitOnce(ctx context.Context, client *kgo.Client, offsets map[string]map[int32]kgo.EpochOffset) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	var first error
	client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, response *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			first = fmt.Errorf("committing offsets: %w", err)
			return
		}
		for _, t := range response.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil && first == nil {
					first = fmt.Errorf("committing an offset of %s/%d: %w", t.Topic, p.Partition, err)
				}
			}
		}
	})
	return first
}

// outside tells that this member is no longer one that may commit.
func outside(err error) bool {
	for _, not := range []error{kerr.UnknownMemberID, kerr.IllegalGeneration, kerr.FencedInstanceID, kerr.UnknownTopicOrPartition} {
		if errors.Is(err, not) {
			return true
		}
	}
	return false
}
