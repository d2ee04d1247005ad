package sinks

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
)

// readiness is whether a member has caught up with its first share of the partitions. It is safe for concurrent use.
type readiness struct {
	mu sync.Mutex
	// joined is true once the group has given a share, be it none.
	joined bool
	// ends are those of the share when it was first looked at, by topic and partition; nil: not yet.
	ends map[string]map[int32]int64
	// caughtUp stays true.
	caughtUp bool
}

func (r *readiness) join() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.joined = true
}

// Ready returns nil once what the topics held when this sink got its first share of them is in ClickHouse, as far as the
// share is still its.
func (s *Sink) Ready(ctx context.Context) error {
	n := s.session.Load()
	if n == nil {
		return errors.New("not started yet")
	}
	r := &n.ready
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.caughtUp:
		return nil
	case !r.joined:
		return errors.New("has no partitions yet")
	}
	left, err := n.left(ctx, r)
	switch {
	case err != nil:
		return err
	case left > 0:
		return fmt.Errorf("%d records to catch up with", left)
	}
	r.caughtUp = true
	return nil
}

// left is how many records of the first share are not committed yet.
func (s *session) left(ctx context.Context, r *readiness) (int64, error) {
	admin := kadm.NewClient(s.client)
	owned := s.owner.all()
	topics := make([]string, 0, len(owned))
	for topic := range owned {
		topics = append(topics, topic)
	}
	if len(topics) == 0 {
		return 0, nil
	}
	if r.ends == nil {
		listed, err := admin.ListEndOffsets(ctx, topics...)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return 0, fmt.Errorf("asking where topics end: %w", err)
		}
		ends := make(map[string]map[int32]int64)
		for topic, partitions := range owned {
			ends[topic] = make(map[int32]int64)
			for p := range partitions {
				end, _ := listed.Lookup(topic, p)
				ends[topic][p] = end.Offset
			}
		}
		r.ends = ends
	}
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("asking where topics start: %w", err)
	}
	commits, err := admin.FetchOffsets(ctx, s.deps.Namespace.Topic(Group))
	if err != nil {
		return 0, fmt.Errorf("asking for the commits of group %s: %w", s.deps.Namespace.Topic(Group), err)
	}
	left := int64(0)
	for topic, partitions := range r.ends {
		for p, end := range partitions {
			if !owned[topic][p] {
				continue // another's now
			}
			start, _ := starts.Lookup(topic, p)
			at := start.Offset
			if commit, ok := commits.Lookup(topic, p); ok && commit.Err == nil {
				at = max(at, commit.At)
			}
			left += max(end-at, 0)
		}
	}
	return left, nil
}
