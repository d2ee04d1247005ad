package sinks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/feigeio/feige/internal/catchup"
)

// readiness is whether a member has caught up with its first share of the partitions. It is safe for concurrent use.
type readiness struct {
	mu sync.Mutex
	// joined is true once the group has given a share, be it none.
	joined bool
	// ends are those of the share when it was first looked at, by topic and partition; nil: not yet.
	ends catchup.Ends
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

// left is how many records of the first share are not committed yet, as far as it is still this member's.
func (s *session) left(ctx context.Context, r *readiness) (int64, error) {
	admin := kadm.NewClient(s.client)
	owned := s.owner.all()
	if len(owned) == 0 {
		return 0, nil
	}
	stage := catchup.Stage{Group: s.deps.Namespace.Topic(Group), Topics: slices.Collect(maps.Keys(owned))}
	if r.ends == nil {
		ends, err := catchup.EndsOf(ctx, admin, stage.Topics...)
		if err != nil {
			return 0, fmt.Errorf("asking where topics end: %w", err)
		}
		r.ends = stillOwned(ends, owned)
	}
	lag, err := catchup.Behind(ctx, admin, stage, stillOwned(r.ends, owned))
	if err != nil {
		return 0, fmt.Errorf("measuring the lag of group %s: %w", stage.Group, err)
	}
	return lag.Behind, nil
}

// stillOwned leaves out the partitions that are another's.
func stillOwned(ends catchup.Ends, owned map[string]map[int32]bool) catchup.Ends {
	out := make(catchup.Ends, len(ends))
	for topic, partitions := range ends {
		out[topic] = make(map[int32]int64, len(partitions))
		for p, end := range partitions {
			if owned[topic][p] {
				out[topic][p] = end
			}
		}
	}
	return out
}
