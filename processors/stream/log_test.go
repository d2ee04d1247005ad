package stream_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readLog reads topics from their start to the ends of now, each partition in order.
func readLog(ctx context.Context, addr string, topics ...string) (map[string][][]*kgo.Record, error) {
	admin, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	ends, err := kadm.NewClient(admin).ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ends: %w", err)
	}
	out := map[string][][]*kgo.Record{}
	from := map[string]map[int32]kgo.Offset{}
	left := 0
	for topic, ps := range ends {
		out[topic] = make([][]*kgo.Record, len(ps))
		from[topic] = map[int32]kgo.Offset{}
		for p, end := range ps {
			if end.Offset > 0 {
				from[topic][p] = kgo.NewOffset().AtStart()
				left++
			}
		}
	}
	if left == 0 {
		return out, nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumePartitions(from), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	for left > 0 {
		fetches := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading %v: %w", topics, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end := ends[r.Topic][r.Partition].Offset
			if r.Offset >= end {
				return
			}
			out[r.Topic][r.Partition] = append(out[r.Topic][r.Partition], r)
			if r.Offset == end-1 {
				left--
			}
		})
	}
	return out, nil
}

func mustReadLog(t testing.TB, addr string, topics ...string) map[string][][]*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	log, err := readLog(ctx, addr, topics...)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// committed is a group's commit; -1 without one, or when the broker does not answer.
func committed(t testing.TB, cl *kgo.Client, group, topic string, partition int32) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	offsets, err := kadm.NewClient(cl).FetchOffsets(ctx, group)
	if err != nil {
		return -1
	}
	if o, ok := offsets.Lookup(topic, partition); ok && o.Err == nil {
		return o.At
	}
	return -1
}
