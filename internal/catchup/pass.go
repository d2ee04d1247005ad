package catchup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Pass blocks until what the topics hold now has passed every stage, whatever is written meanwhile: the ends of a
// stage's topics are noted once all stages before it are past theirs, and the stage must be past them. Before the last
// stage it waits for options.Quiet: what the others tell some time after they read is then on the topics as well.
// It returns, for each topic, the ends that were noted first.
func Pass(ctx context.Context, admin *kadm.Client, stages []Stage, options Options) (Ends, error) {
	first := Ends{}
	var passed []Lag
	for n, stage := range stages {
		if n > 0 && n == len(stages)-1 {
			if err := pause(ctx, options.Quiet); err != nil {
				return nil, err
			}
		}
		target, err := EndsOf(ctx, admin, stage.Topics...)
		if err != nil {
			return nil, fmt.Errorf("asking where the topics of group %s end: %w", stage.Group, err)
		}
		for topic, partitions := range target {
			if first[topic] == nil {
				first[topic] = partitions
			}
		}
		for {
			lag, err := Behind(ctx, admin, stage, target)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				return nil, fmt.Errorf("measuring the lag of group %s: %w", stage.Group, err)
			}
			if options.Progress != nil {
				options.Progress(append(passed[:len(passed):len(passed)], lag))
			}
			if lag.Behind == 0 {
				passed = append(passed, lag)
				break
			}
			if err := pause(ctx, options.Interval); err != nil {
				return nil, err
			}
		}
	}
	return first, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// EndsOf asks where topics end. All of them must exist.
func EndsOf(ctx context.Context, admin *kadm.Client, topics ...string) (Ends, error) {
	listed, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, err
	}
	ends, missing, err := endsOf(listed, topics)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("a topic that does not exist: %v", missing)
	}
	return ends, err
}

// Behind is how far a group's commits are from ends that were noted.
func Behind(ctx context.Context, admin *kadm.Client, stage Stage, ends Ends) (Lag, error) {
	lag := Lag{Stage: stage}
	commits, err := admin.FetchOffsets(ctx, stage.Group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return lag, err
	}
	starts, err := admin.ListStartOffsets(ctx, stage.Topics...)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return lag, fmt.Errorf("asking where topics start: %w", err)
	}
	lag.count(ends, starts, commits)
	return lag, nil
}
