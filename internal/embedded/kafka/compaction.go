package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// tableMemo is what the last look at a table's partition found: how many keys, and, when there was too
// little to do, the commit and end of then (otherwise 0).
type tableMemo struct {
	keys        int64
	commit, end int64
}

// compactTable makes a table's partitions small again.
//
// A table holds, per key, one value for every input that changed it. Whoever restores a state to a commit
// of the group takes, for each key, the value with the highest applied offset below that commit; of equal
// ones the later. Commits only move forward, so below the commit of now one value per key is enough, and
// from the commit on all are needed. Compaction therefore
//
//  1. takes the group's commit, then the end of the log;
//  2. reads the log up to that end, and finds the first value at or beyond the commit: from there on
//     everything stays where it is;
//  3. appends again each key's newest value below the commit, unless it stays anyway;
//  4. deletes what lies before the first value that stays.
//
// A kill at any point leaves at most some values twice. An appended value may come to lie after a newer one
// of its key that the processor wrote meanwhile, and an old value that was deleted may be back after a kill
// (the broker then remembers its log's start only by whole segments): readers go by the applied offset, not
// by the position, so neither matters. Two values of a key with the same applied offset keep their order:
// below the commit both were written before step 1, so the later one is the one kept.
//
// One partition at a time is read, twice, as a stream. Memory holds its keys and one bit per record.
//
// Whoever reads the table from its start while step 4 happens gets "offset out of range" and must start
// over. Members of the table's own group are waited for (see settled); readers without a group cannot be.
func (k *keeper) compactTable(ctx context.Context, s *survey, t productTopic) error {
	group, input, ok := t.input()
	if !ok {
		return errors.New("no processor is known whose table it is")
	}
	var errs []error
	for _, p := range s.partitions(t.name) {
		commit, committed := s.commits[partition{input, p.number}][group]
		if !committed {
			continue // the group's state there is empty, whatever the table holds
		}
		memo := k.tables[p]
		if !k.due(s.starts[p], s.ends[p], commit, memo) {
			continue
		}
		settled, err := k.settled(ctx, group)
		if err != nil {
			return err
		}
		if !settled {
			return errors.Join(errs...)
		}
		if err := k.compact(ctx, p, s.starts[p], s.ends[p], commit, group); err != nil {
			errs = append(errs, fmt.Errorf("compact partition %d: %w", p.number, err))
		}
	}
	return errors.Join(errs...)
}

// due tells whether a look at the partition can be worth its reading.
func (k *keeper) due(start, end, commit int64, memo tableMemo) bool {
	records := end - start
	if records < k.cfg.CompactMinRecords || float64(records) < k.cfg.CompactFactor*float64(memo.keys) {
		return false
	}
	// A look that found too little is not repeated before there is something new.
	return memo.end == 0 || commit > memo.commit && (end-memo.end)*2 >= k.cfg.CompactMinRecords
}

func (k *keeper) compact(ctx context.Context, p partition, start, end, commit int64, group string) error {
	began := time.Now()
	sel := newSelection(start, end, commit)
	err := k.read(ctx, p, start, end, func(r *kgo.Record) error {
		applied, ok := statev1.Applied(r.Value)
		if !ok {
			return fmt.Errorf("the value at offset %d of %s/%d says no applied offset: the partition is left as it is", r.Offset, p.topic, p.number)
		}
		sel.add(r.Offset, r.Key, applied)
		return nil
	})
	if err != nil {
		return err
	}
	plan := sel.plan()
	sel = nil // the keys are not needed any more
	if !plan.worthwhile(k.cfg.CompactMinRecords, k.cfg.CompactFactor) {
		k.tables[p] = tableMemo{commit: commit, end: end, keys: plan.keys}
		return nil
	}
	if err := k.append(ctx, p, plan); err != nil {
		return err
	}
	if settled, err := k.settled(ctx, group); err != nil || !settled {
		return err // somebody may be reading from the start: another time
	}
	to, err := k.truncate(ctx, p, start, plan.upTo)
	if err != nil {
		return err
	}
	k.tables[p] = tableMemo{keys: plan.keys}
	k.metrics.compacted(p, plan.kept, to-start, time.Since(began))
	k.log.Info("embedded kafka: table compacted", "topic", p.topic, "partition", p.number,
		"deleted", to-start, "kept", plan.kept, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// append writes the records that the plan keeps once more: same partition, key, value, headers, and time.
func (k *keeper) append(ctx context.Context, p partition, plan plan) error {
	if plan.kept == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		mu    sync.Mutex
		acked int64
	)
	done := func(_ *kgo.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			cancel(fmt.Errorf("append a value that is kept: %w", err))
			return
		}
		acked++
	}
	err := k.read(ctx, p, plan.start, plan.upTo, func(r *kgo.Record) error {
		if plan.keeps(r.Offset) {
			k.client.Produce(ctx, again(p, r), done)
		}
		return nil
	})
	if err == nil {
		err = k.client.Flush(ctx)
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	if acked != plan.kept {
		return fmt.Errorf("append the values that are kept: %d of %d were acknowledged", acked, plan.kept)
	}
	return nil
}

// again is a copy of a record to append to its partition, independent of the memory that it was read into.
func again(p partition, r *kgo.Record) *kgo.Record {
	headers := slices.Clone(r.Headers)
	for i := range headers {
		headers[i].Value = bytes.Clone(headers[i].Value)
	}
	return &kgo.Record{
		Topic: p.topic, Partition: p.number,
		Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value), Headers: headers, Timestamp: r.Timestamp,
	}
}
