package catchup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Ends are end offsets, by topic and partition.
type Ends map[string]map[int32]int64

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
		target, err := endsOf(ctx, admin, stage)
		if err != nil {
			return nil, err
		}
		for topic, partitions := range target {
			if first[topic] == nil {
				first[topic] = partitions
			}
		}
		for {
			lag, err := behind(ctx, admin, stage, target)
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

func endsOf(ctx context.Context, admin *kadm.Client, stage Stage) (Ends, error) {
	listed, err := admin.ListEndOffsets(ctx, stage.Topics...)
	if err != nil {
		return nil, fmt.Errorf("asking where the topics of group %s end: %w", stage.Group, err)
	}
	ends := Ends{}
	for _, topic := range stage.Topics {
		ends[topic] = map[int32]int64{}
		for p, end := range listed[topic] {
			switch {
			case errors.Is(end.Err, kerr.UnknownTopicOrPartition):
			case end.Err != nil:
				return nil, fmt.Errorf("end of %s/%d: %w", topic, p, end.Err)
			default:
				ends[topic][p] = end.Offset
			}
		}
		if len(ends[topic]) == 0 {
			return nil, fmt.Errorf("group %s reads a topic that does not exist: %s", stage.Group, topic)
		}
	}
	return ends, nil
}

// behind is how far a stage is from ends that were noted.
func behind(ctx context.Context, admin *kadm.Client, stage Stage, target Ends) (Lag, error) {
	lag := Lag{Stage: stage}
	commits, err := admin.FetchOffsets(ctx, stage.Group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return lag, err
	}
	starts, err := admin.ListStartOffsets(ctx, stage.Topics...)
	if err != nil {
		return lag, err
	}
	for topic, partitions := range target {
		for p, end := range partitions {
			start, _ := starts.Lookup(topic, p)
			if start.Err != nil {
				return lag, fmt.Errorf("start of %s/%d: %w", topic, p, start.Err)
			}
			at := max(start.Offset, 0)
			lag.Total += max(end-at, 0)
			if commit, ok := commits.Lookup(topic, p); ok && commit.Err == nil {
				at = max(at, commit.At)
			}
			lag.Behind += max(end-at, 0)
			lag.Ends += end
		}
	}
	return lag, nil
}
