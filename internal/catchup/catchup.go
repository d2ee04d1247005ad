// Package catchup tells whether consumer groups have read everything that their topics hold, and waits
// until a whole pipeline of them has. It must not know what any group does.
package catchup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Stage is one consumer group and what it reads, by full names.
type Stage struct {
	Group  string
	Topics []string
}

// Lag is how far one stage is behind.
type Lag struct {
	Stage Stage
	// Behind is the number of records between the commits and the ends of the topics.
	Behind int64
	// Total is the number of records in the topics.
	Total int64
	// Missing names topics that do not exist.
	Missing []string
	// Ends are the end offsets summed over the topics: they tell whether anything was written between two looks.
	Ends int64
}

// Measure looks at the stages in the given order.
func Measure(ctx context.Context, admin *kadm.Client, stages []Stage) ([]Lag, error) {
	lags := make([]Lag, 0, len(stages))
	for _, stage := range stages {
		lag, err := measure(ctx, admin, stage)
		if err != nil {
			return nil, fmt.Errorf("measuring the lag of group %s: %w", stage.Group, err)
		}
		lags = append(lags, lag)
	}
	return lags, nil
}

func measure(ctx context.Context, admin *kadm.Client, stage Stage) (Lag, error) {
	lag := Lag{Stage: stage}
	// Commits first: what is written between the two requests then counts as lag, never as progress.
	commits, err := admin.FetchOffsets(ctx, stage.Group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return lag, err
	}
	starts, err := admin.ListStartOffsets(ctx, stage.Topics...)
	if err != nil {
		return lag, err
	}
	ends, err := admin.ListEndOffsets(ctx, stage.Topics...)
	if err != nil {
		return lag, err
	}
	all, missing, err := endsOf(ends, stage.Topics)
	if err != nil {
		return lag, err
	}
	lag.Missing = missing
	lag.count(all, starts, commits)
	return lag, nil
}

// Ends are end offsets, by topic and partition.
type Ends map[string]map[int32]int64

// endsOf takes what is known of topics out of an answer, and names those that do not exist.
func endsOf(listed kadm.ListedOffsets, topics []string) (ends Ends, missing []string, err error) {
	ends = make(Ends, len(topics))
	for _, topic := range topics {
		partitions, unknown := make(map[int32]int64, len(listed[topic])), false
		for p, end := range listed[topic] {
			switch {
			case errors.Is(end.Err, kerr.UnknownTopicOrPartition):
				unknown = true
			case end.Err != nil:
				return nil, nil, fmt.Errorf("end of %s/%d: %w", topic, p, end.Err)
			default:
				partitions[p] = end.Offset
			}
		}
		ends[topic] = partitions
		if unknown || len(partitions) == 0 {
			missing = append(missing, topic)
		}
	}
	return ends, missing, nil
}

// count adds up how far commits are from ends.
func (l *Lag) count(ends Ends, starts kadm.ListedOffsets, commits kadm.OffsetResponses) {
	for topic, partitions := range ends {
		for p, end := range partitions {
			start, _ := starts.Lookup(topic, p)
			at := max(start.Offset, 0)
			l.Total += max(end-at, 0)
			if commit, ok := commits.Lookup(topic, p); ok && commit.Err == nil {
				at = max(at, commit.At)
			}
			l.Behind += max(end-at, 0)
			l.Ends += end
		}
	}
}

// Options of Wait.
type Options struct {
	// Interval between two looks.
	Interval time.Duration
	// Quiet is how long every lag must be zero and nothing new be written before the pipeline counts as
	// caught up: a stage may write after it has read everything. At least two looks are taken in any case.
	Quiet time.Duration
	// Progress, if set, is told of every look.
	Progress func([]Lag)
}

// Wait blocks until every stage has caught up. Stages are given in the order in which records pass them.
func Wait(ctx context.Context, admin *kadm.Client, stages []Stage, options Options) error {
	var since time.Time
	lastEnds, looks := int64(-1), 0
	for {
		lags, err := Measure(ctx, admin, stages)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if options.Progress != nil {
			options.Progress(lags)
		}
		var behind, ends int64
		for _, lag := range lags {
			if len(lag.Missing) > 0 {
				return fmt.Errorf("group %s reads topics that do not exist: %v", lag.Stage.Group, lag.Missing)
			}
			behind += lag.Behind
			ends += lag.Ends
		}
		switch {
		case behind > 0:
			looks = 0
		case looks == 0 || ends != lastEnds:
			since, looks = time.Now(), 1
		default:
			if looks++; time.Since(since) >= options.Quiet {
				return nil
			}
		}
		lastEnds = ends
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(options.Interval):
		}
	}
}
