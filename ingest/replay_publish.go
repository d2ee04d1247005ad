package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/feigeio/feige/schemas"
)

// chunk is a stretch of items on their way from the reader.
type chunk struct {
	items []item
	err   error // io.EOF after the last
}

const chunkItems = 2048

// itemQueue reads and encodes ahead of what is being published.
type itemQueue struct {
	chunks chan chunk
	cur    chunk
	done   chan struct{}
	cancel context.CancelFunc
}

// newItemQueue passes over the first skip items.
func newItemQueue(ctx context.Context, s itemStream, skip int64) *itemQueue {
	ctx, cancel := context.WithCancel(ctx)
	q := &itemQueue{chunks: make(chan chunk, 6), done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(q.done)
		for {
			c := chunk{items: make([]item, 0, chunkItems)}
			for len(c.items) < chunkItems && c.err == nil {
				it, err := s.next()
				switch {
				case err != nil:
					c.err = err
				case skip > 0:
					skip--
				default:
					c.items = append(c.items, it)
				}
			}
			select {
			case q.chunks <- c:
			case <-ctx.Done():
				return
			}
			if c.err != nil {
				return
			}
		}
	}()
	return q
}

// close returns when the stream is not used any more.
func (q *itemQueue) close() {
	q.cancel()
	<-q.done
}

// peek returns the next item without taking it, or io.EOF.
func (q *itemQueue) peek(ctx context.Context) (*item, error) {
	for len(q.cur.items) == 0 {
		if q.cur.err != nil {
			return nil, q.cur.err
		}
		select {
		case q.cur = <-q.chunks:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return &q.cur.items[0], nil
}

func (q *itemQueue) take() { q.cur.items = q.cur.items[1:] }

// ahead brings n items in, if there are so many, and returns them without taking them.
func (q *itemQueue) ahead(ctx context.Context, n int) ([]item, error) {
	var all []item
	all = append(all, q.cur.items...)
	err := q.cur.err
	for len(all) < n && err == nil {
		select {
		case c := <-q.chunks:
			all, err = append(all, c.items...), c.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	q.cur = chunk{items: all, err: err}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return all, nil
}

// pacer says when an event is due.
type pacer struct {
	speed   float64 // 0: at once
	started bool
	wall    time.Time
	firstUS int64
}

// due is how long to wait until an event of the time may be published.
func (p *pacer) due(atUS int64, now time.Time) time.Duration {
	if p.speed == 0 {
		return 0
	}
	if !p.started {
		p.started, p.wall, p.firstUS = true, now, atUS
	}
	return time.Duration(float64(atUS-p.firstUS)/p.speed*1000) - now.Sub(p.wall)
}

// batch is what is written between two looks at the clock.
type batch struct {
	parts  [][]entry
	events int64
	ticks  int64
	lastUS int64
}

// entry is one record of a batch.
type entry struct {
	record
	id   string
	tick bool
}

func (r *replay) publish(ctx context.Context, stream itemStream) error {
	queue := newItemQueue(ctx, stream, r.state.Events)
	defer queue.close()
	if r.writer.window > 0 {
		if err := r.recall(ctx, queue); err != nil {
			return err
		}
	}
	pace := &pacer{speed: r.cfg.Speed}
	unsaved, saved := int64(0), time.Now()
	for {
		b, err := r.collect(ctx, queue, pace)
		if err != nil {
			return err
		}
		if b.events == 0 {
			break
		}
		if err := r.write(ctx, b); err != nil {
			return err
		}
		unsaved += b.events
		if unsaved >= int64(r.cfg.BatchEvents) || time.Since(saved) > time.Second {
			if err := r.save(ctx, false); err != nil {
				return err
			}
			unsaved, saved = 0, time.Now()
		}
	}
	if r.state.Events != r.report.Events {
		return fmt.Errorf("%d events were read, %d when the files were checked: a file changed meanwhile", r.state.Events, r.report.Events)
	}
	if at := r.report.ClosingTickUS; at > r.state.LastTickUS {
		b := r.newBatch()
		r.addTick(b, at)
		r.state.LastTickUS = at
		if err := r.write(ctx, b); err != nil {
			return err
		}
	}
	return r.save(ctx, true)
}

func (r *replay) newBatch() *batch { return &batch{parts: make([][]entry, r.deps.Broker.Partitions)} }

// collect takes what is due, waiting for the first; an empty batch says that there is no more.
func (r *replay) collect(ctx context.Context, queue *itemQueue, pace *pacer) (*batch, error) {
	b := r.newBatch()
	for b.events < int64(r.cfg.BatchEvents) {
		it, err := queue.peek(ctx)
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if pace.speed > 0 {
			if wait := pace.due(it.atUS, time.Now()); wait > 0 {
				if b.events > 0 {
					return b, nil
				}
				if !pause(ctx, wait) {
					return nil, ctx.Err()
				}
			}
		}
		if tickDue(r.state.LastTickUS, it.atUS) {
			r.addTick(b, it.atUS)
			r.state.LastTickUS = it.atUS
		}
		p := schemas.Partition(it.key, int32(len(b.parts)))
		b.parts[p] = append(b.parts[p], entry{record: it.record, id: it.id})
		b.events++
		b.lastUS = it.atUS
		queue.take()
	}
	return b, nil
}

// tickDue tells whether event time must be told before an event of the time.
func tickDue(lastTickUS, atUS int64) bool { return lastTickUS == 0 || atUS-lastTickUS >= tickEveryUS }

func (r *replay) addTick(b *batch, atUS int64) {
	for p := range b.parts {
		tick := NewTick(r.tickSrc, atUS, int32(p))
		value, err := tick.MarshalVT()
		if err != nil {
			continue // a tick always encodes
		}
		key := []byte(schemas.TickKey(int32(p), int32(len(b.parts))))
		b.parts[p] = append(b.parts[p], entry{record: record{key: key, value: value}, id: tick.EventId, tick: true})
	}
	b.ticks++
}

// write returns when all of the batch is acknowledged.
func (r *replay) write(ctx context.Context, b *batch) error {
	events, ticks, err := r.writer.write(ctx, b.parts)
	r.report.Published += events
	r.metrics.published.WithLabelValues("event").Add(float64(events))
	r.metrics.published.WithLabelValues("tick").Add(float64(ticks))
	r.metrics.rows.WithLabelValues("published").Add(float64(events))
	if err != nil {
		return err
	}
	r.report.Skipped += b.events - events
	r.metrics.rows.WithLabelValues("skipped").Add(float64(b.events - events))
	if ticks > 0 {
		r.report.Ticks += b.ticks
	}
	r.state.Events += b.events
	r.state.Ticks += b.ticks
	if r.recalled -= b.events; r.recalled <= 0 {
		r.state.Ends, r.writer.present = r.writer.ends, nil
	}
	r.tell(Progress{Rows: r.report.Rows, Events: r.report.Events, Done: r.state.Events, EventTimeUS: b.lastUS})
	return nil
}

// recall looks into the log for what an earlier run had published past its last checkpoint. Everything
// before the checkpoint counts as skipped.
func (r *replay) recall(ctx context.Context, queue *itemQueue) error {
	r.report.Skipped = r.state.Events
	items, err := queue.ahead(ctx, r.writer.window)
	if err != nil {
		return err
	}
	wanted := make(map[string]int, len(items))
	ticks := func(atUS int64) {
		for p := range r.deps.Broker.Partitions {
			wanted[NewTick(r.tickSrc, atUS, p).EventId] = 0
		}
	}
	last := r.state.LastTickUS
	for _, it := range items[:min(len(items), r.writer.window)] {
		wanted[it.id] = 0
		if tickDue(last, it.atUS) {
			last = it.atUS
			ticks(last)
		}
	}
	ticks(r.report.ClosingTickUS)
	r.recalled = int64(r.writer.window)
	return r.writer.recall(ctx, wanted)
}
