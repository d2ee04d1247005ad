package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// extent is the stretch of a partition that is audited.
type extent struct {
	partition  int32
	start, end int64
}

// chatLog reads the partitions of chat.events, each on its own, without a group.
type chatLog struct {
	opts  []kgo.Opt
	topic string
	stall time.Duration
}

// extents notes where every partition starts and ends; until, if it knows the topic, says where it is to end.
func (l chatLog) extents(ctx context.Context, until map[string]map[int32]int64) ([]extent, error) {
	client, err := kgo.NewClient(l.opts...)
	if err != nil {
		return nil, fmt.Errorf("audit: connect to Kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, l.topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("audit: ask where topic %s starts: %w", l.topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, l.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("audit: ask where topic %s ends: %w", l.topic, err)
	}
	var out []extent
	for p := range int32(len(ends[l.topic])) {
		start, ok := starts.Lookup(l.topic, p)
		end, ok2 := ends.Lookup(l.topic, p)
		if !ok || !ok2 {
			return nil, fmt.Errorf("audit: topic %s has no partition %d, but %d partitions", l.topic, p, len(ends[l.topic]))
		}
		e := extent{partition: p, start: start.Offset, end: end.Offset}
		if bounds, ok := until[l.topic]; ok { // a partition that it does not know came later
			e.end = max(e.start, min(e.end, bounds[p]))
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("audit: topic %s does not exist", l.topic)
	}
	return out, nil
}

// read gives every record of the extent to take, in order.
func (l chatLog) read(ctx context.Context, e extent, take func(*kgo.Record) error) error {
	if e.start >= e.end {
		return nil
	}
	client, err := kgo.NewClient(append(l.opts[:len(l.opts):len(l.opts)],
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: {e.partition: kgo.NewOffset().At(e.start)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.KeepControlRecords(), // so that the end is seen even where they are the last
	)...)
	if err != nil {
		return fmt.Errorf("audit: connect to Kafka: %w", err)
	}
	defer client.Close()
	for next := e.start; next < e.end; {
		wait, cancel := context.WithTimeout(ctx, l.stall)
		fetches := client.PollFetches(wait)
		cancel()
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("audit: read %s/%d: %w", l.topic, e.partition, err)
		}
		for _, failed := range fetches.Errors() {
			if errors.Is(failed.Err, context.DeadlineExceeded) {
				return fmt.Errorf("audit: read %s/%d: nothing for %v at offset %d of %d", l.topic, e.partition, l.stall, next, e.end)
			}
			return fmt.Errorf("audit: read %s/%d at offset %d: %w", l.topic, e.partition, next, failed.Err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if r.Offset >= e.end {
				return nil
			}
			next = r.Offset + 1
			if r.Attrs.IsControl() {
				continue
			}
			if err := take(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Events are dated between these instants, or they are dead letters.
var (
	earliestUS = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	latestUS   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

// dropped says why a record is as if it had not been; empty for a chat event.
type dropped string

// decode reads a record of the topic.
func decode(r *kgo.Record, partitions int32) (*chatv1.ChatEvent, dropped) {
	ev := &chatv1.ChatEvent{}
	if err := ev.UnmarshalVT(r.Value); err != nil {
		return nil, "undecodable"
	}
	at := ev.GetOccurredAtUs()
	switch p := ev.Payload.(type) {
	case nil:
		return nil, "without a payload"
	case *chatv1.ChatEvent_Tick:
		at = p.Tick.GetAtUs()
		if !schemas.IsTickKey(string(r.Key)) {
			return nil, "under another key"
		}
	default:
		if ev.GetShopId() == "" {
			return nil, "without a shop"
		}
		if string(r.Key) != schemas.EventKey(ev.GetShopId(), ev.GetConversationId()) {
			return nil, "under another key"
		}
	}
	switch {
	case schemas.Partition(r.Key, partitions) != r.Partition:
		return nil, "in another partition"
	case at < earliestUS || at >= latestUS:
		return nil, "dated before 2000 or after 2199"
	}
	return ev, ""
}

// lean drops what no rule looks at, to save memory.
func lean(offset int64, ev *chatv1.ChatEvent) oracle.Record {
	if m := ev.GetMessage(); m != nil {
		m.Text, m.Attachments, m.Card = "", nil, nil
	}
	return oracle.Record{Offset: offset, Event: ev}
}
