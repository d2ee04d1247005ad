package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// replayWriter writes batches so that nothing is lost, repeated, or out of order in a partition, also
// where the broker's answer is lost: then it reads the log past what it knows before it goes on.
type replayWriter struct {
	wire     *wire
	tail     *tailReader
	cfg      Config
	patience time.Duration
	metrics  *metrics

	// ends are, by partition, offsets that lie past everything acknowledged, and not past anything that
	// may have been written since.
	ends []int64

	// A resumed run: how many events may be in the log between from and to, and which are.
	window   int
	from, to []int64
	present  map[string]int
}

// recall notes which of the wanted ids are in the log between from and to, and how often.
func (w *replayWriter) recall(ctx context.Context, wanted map[string]int) error {
	err := w.tail.read(ctx, w.wire.topic, w.from, w.to, func(r *kgo.Record) {
		ev := &chatv1.ChatEvent{}
		if err := ev.UnmarshalVT(r.Value); err != nil {
			return // not ours
		}
		if n, ok := wanted[ev.EventId]; ok {
			wanted[ev.EventId] = n + 1
		}
	})
	w.present = wanted
	return err
}

// skip drops the entries that are in the log already.
func (w *replayWriter) skip(parts [][]entry) {
	if w.present == nil {
		return
	}
	for p, entries := range parts {
		kept := entries[:0]
		for _, e := range entries {
			if n := w.present[e.id]; n > 0 {
				w.present[e.id] = n - 1
				continue
			}
			kept = append(kept, e)
		}
		parts[p] = kept
	}
}

// write returns when every entry is acknowledged, all partitions at once. It tells how many events and
// ticks it wrote.
func (w *replayWriter) write(ctx context.Context, parts [][]entry) (events, ticks int64, err error) {
	w.skip(parts)
	expiry := time.Now().Add(w.patience)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for p, entries := range parts {
		if len(entries) == 0 {
			continue
		}
		wg.Go(func() {
			n, werr := w.partition(ctx, int32(p), entries, expiry)
			mu.Lock()
			defer mu.Unlock()
			for _, e := range entries[:n] {
				if e.tick {
					ticks++
				} else {
					events++
				}
			}
			if err == nil {
				err = werr // one is enough: the others say the same
			}
		})
	}
	wg.Wait()
	return events, ticks, err
}

// partition writes the entries of one partition in order, and tells how many.
func (w *replayWriter) partition(ctx context.Context, p int32, entries []entry, expiry time.Time) (int, error) {
	for done := 0; done < len(entries); {
		n, bytes := 0, 0
		for _, e := range entries[done:] {
			if n == w.cfg.BatchRecords || n > 0 && bytes+e.size() > w.cfg.BatchBytes {
				break
			}
			n++
			bytes += e.size()
		}
		if err := w.request(ctx, p, entries[done:done+n], expiry); err != nil {
			return done, err
		}
		w.metrics.bytes.Add(float64(bytes))
		w.metrics.batch.Observe(float64(n))
		done += n
	}
	return len(entries), nil
}

// request writes entries as one request, exactly once.
func (w *replayWriter) request(ctx context.Context, p int32, entries []entry, expiry time.Time) error {
	recs := make([]record, len(entries))
	for i, e := range entries {
		recs[i] = e.record
	}
	unclear := false
	for attempt := 1; ; attempt++ {
		err := w.attempt(ctx, p, entries, recs, &unclear)
		if err == nil {
			return nil
		}
		f := classify(err)
		if cause := ctx.Err(); cause != nil {
			return &PublishError{Topic: w.wire.topic, Partition: p, Kind: cause, Cause: err}
		}
		if !f.retry || time.Now().After(expiry) {
			return &PublishError{Topic: w.wire.topic, Partition: p, Kind: f.kind, Cause: err}
		}
		w.metrics.retries.Inc()
		pause(ctx, backoff(w.cfg.RetryBackoff, attempt))
	}
}

// attempt looks first whether an unclear attempt before it has written the entries after all.
func (w *replayWriter) attempt(ctx context.Context, p int32, entries []entry, recs []record, unclear *bool) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.AttemptTimeout)
	defer cancel()
	if *unclear {
		written, err := w.written(ctx, p, entries)
		if err != nil || written {
			return err
		}
		*unclear = false
	}
	base, err := w.wire.produce(ctx, p, recs, time.Now())
	if err != nil {
		*unclear = classify(err).written
		return err
	}
	w.ends[p] = base + int64(len(recs))
	return nil
}

// written tells whether the entries are in the log past what is known. A request is written whole or not
// at all.
func (w *replayWriter) written(ctx context.Context, p int32, entries []entry) (bool, error) {
	if !pause(ctx, min(settle, w.cfg.AttemptTimeout/4)) {
		return false, ctx.Err()
	}
	starts, ends, err := w.tail.bounds(ctx, w.wire.topic, int32(len(w.ends)))
	if err != nil {
		return false, err
	}
	want := make(map[string]bool, len(entries))
	for _, e := range entries {
		want[e.id] = true
	}
	from, to := make([]int64, len(w.ends)), make([]int64, len(w.ends))
	from[p], to[p] = max(starts[p], w.ends[p]), ends[p]
	found := 0
	err = w.tail.read(ctx, w.wire.topic, from, to, func(r *kgo.Record) {
		ev := &chatv1.ChatEvent{}
		if ev.UnmarshalVT(r.Value) == nil && want[ev.EventId] {
			found++
		}
	})
	switch {
	case err != nil:
		return false, err
	case found == 0:
		return false, nil
	case found < len(entries):
		return false, fmt.Errorf("%s/%d: %d of a request's %d records are in the log", w.wire.topic, p, found, len(entries))
	}
	w.ends[p] = to[p]
	return true, nil
}
