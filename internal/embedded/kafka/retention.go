package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/feigeio/feige/schemas"
)

// retain drops a topic's oldest records: those that are too old, and as many as the topic is too large.
// All partitions give up the same share, so that they reach back about equally far. A partition keeps what
// any group has yet to read, and always its last record.
func (k *keeper) retain(ctx context.Context, s *survey, t productTopic) error {
	bounds := k.cfg.Others
	if t.base.Name == schemas.TopicEvents {
		bounds = k.cfg.Events
	}
	var young map[partition]int64
	if bounds.Age > 0 {
		var err error
		before := time.Now().Add(-bounds.Age).UnixMilli()
		if young, err = offsets(k.admin.ListOffsetsAfterMilli(ctx, before, t.name)); err != nil {
			return fmt.Errorf("list offsets by time: %w", err)
		}
	}
	ps := s.partitions(t.name)
	var total int64
	for _, p := range ps {
		total += s.bytes[p]
	}
	groups := s.groupsOn(t, k.readers)
	for _, p := range ps {
		start, end := s.starts[p], s.ends[p]
		wanted := start
		if offset, ok := young[p]; ok {
			wanted = max(wanted, offset)
		}
		if bounds.Bytes > 0 && total > bounds.Bytes {
			share := float64(total-bounds.Bytes) / float64(total)
			wanted = max(wanted, start+int64(share*float64(end-start)))
		}
		if wanted = min(wanted, end-1); wanted <= start {
			continue
		}
		allowed, group := s.allowed(p, groups)
		k.reportHeld(p, wanted, allowed, group)
		if wanted = min(wanted, allowed); wanted <= start {
			continue
		}
		to, err := k.truncate(ctx, p, start, wanted)
		if err != nil {
			return err
		}
		k.metrics.retained(p, to-start)
		k.log.Debug("embedded kafka: old records dropped", "topic", p.topic, "partition", p.number, "records", to-start, "start", to)
	}
	return nil
}

// groupsOn are the groups that bound a topic: those that must read it, and all that have a commit on any
// of its partitions.
func (s *survey) groupsOn(t productTopic, readers []Reader) map[string]bool {
	groups := map[string]bool{}
	for _, g := range t.readers(readers) {
		groups[g] = true
	}
	for _, p := range s.partitions(t.name) {
		for g := range s.commits[p] {
			groups[g] = true
		}
	}
	return groups
}

// allowed is the lowest of the groups' commits on a partition, and whose it is. A group without one has
// read nothing.
func (s *survey) allowed(p partition, groups map[string]bool) (offset int64, group string) {
	offset = s.ends[p]
	for g := range groups {
		at, ok := s.commits[p][g]
		if !ok {
			at = s.starts[p]
		}
		if at < offset || at == offset && (group == "" || g < group) {
			offset, group = at, g
		}
	}
	return offset, group
}

// reportHeld says once that a group keeps a partition from shrinking, and once that it no longer does.
func (k *keeper) reportHeld(p partition, wanted, allowed int64, group string) {
	k.metrics.held(p, max(0, wanted-allowed))
	if wanted <= allowed {
		group = ""
	}
	if k.held[p] == group {
		return
	}
	k.held[p] = group
	if group != "" {
		k.log.Info("embedded kafka: records that retention would drop are kept until a consumer group has read them; if the group is no longer used, delete it",
			"topic", p.topic, "partition", p.number, "group", group, "committed", allowed, "wanted", wanted)
	}
}
