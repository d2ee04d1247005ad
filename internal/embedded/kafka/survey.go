package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// survey is what a round starts from. Commits are fetched before end offsets: what a group has committed,
// it had written to its table before, so all of that lies below the end.
type survey struct {
	topics  []productTopic
	commits map[partition]map[string]int64 // by group
	starts  map[partition]int64
	ends    map[partition]int64
	bytes   map[partition]int64
}

func (k *keeper) survey(ctx context.Context) (*survey, error) {
	s := &survey{commits: map[partition]map[string]int64{}, bytes: map[partition]int64{}}
	listed, err := k.admin.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		if t, ok := recognise(name); ok && listed[name].Err == nil {
			s.topics = append(s.topics, t)
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		k.metrics.observe(s)
		return s, nil
	}
	if err := k.listCommits(ctx, s); err != nil {
		return nil, err
	}
	if s.starts, err = offsets(k.admin.ListStartOffsets(ctx, names...)); err != nil {
		return nil, fmt.Errorf("list start offsets: %w", err)
	}
	if s.ends, err = offsets(k.admin.ListEndOffsets(ctx, names...)); err != nil {
		return nil, fmt.Errorf("list end offsets: %w", err)
	}
	dirs, err := k.admin.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("describe log directories: %w", err)
	}
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			s.bytes[partition{p.Topic, p.Partition}] = p.Size
		})
	})
	k.metrics.observe(s)
	return s, nil
}

func (k *keeper) listCommits(ctx context.Context, s *survey) error {
	groups, err := k.admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	for _, group := range groups.Groups() {
		commits, err := k.admin.FetchOffsets(ctx, group)
		if errors.Is(err, kerr.GroupIDNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return fmt.Errorf("fetch offsets of group %s: %w", group, err)
		}
		if err := commits.Error(); err != nil {
			return fmt.Errorf("fetch offsets of group %s: %w", group, err)
		}
		commits.Each(func(c kadm.OffsetResponse) {
			p := partition{c.Topic, c.Partition}
			if s.commits[p] == nil {
				s.commits[p] = map[string]int64{}
			}
			s.commits[p][group] = c.At
		})
	}
	return nil
}

// offsets leaves out topics that were deleted meanwhile.
func offsets(listed kadm.ListedOffsets, err error) (map[partition]int64, error) {
	out := map[partition]int64{}
	listed.Each(func(o kadm.ListedOffset) {
		switch {
		case errors.Is(o.Err, kerr.UnknownTopicOrPartition):
		case o.Err != nil:
			err = errors.Join(err, fmt.Errorf("partition %s/%d: %w", o.Topic, o.Partition, o.Err))
		default:
			out[partition{o.Topic, o.Partition}] = o.Offset
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// partitions of a topic, in order.
func (s *survey) partitions(topic string) (ps []partition) {
	for p := range s.ends {
		if p.topic == topic {
			ps = append(ps, p)
		}
	}
	slices.SortFunc(ps, func(a, b partition) int { return int(a.number - b.number) })
	return ps
}

// forget drops what was remembered of partitions that are no more.
func (k *keeper) forget(s *survey) {
	gone := func(p partition) bool { _, ok := s.ends[p]; return !ok }
	maps.DeleteFunc(k.tables, func(p partition, _ tableMemo) bool { return gone(p) })
	maps.DeleteFunc(k.held, func(p partition, _ string) bool { return gone(p) })
}
