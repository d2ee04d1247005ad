package ingest

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"
)

// maxRepeats bounds how many records of one key a request may hold. A request that is tried again after
// an unclear failure can repeat all of it; a reader of chat.events recognises a repeat among a
// conversation's last 64 events, so no more than that may ever be repeated at a time.
const maxRepeats = 64

// A segment is a run of records of one call that go to one partition together: it is never split over
// requests.
type segment struct {
	recs   []record
	bytes  int
	call   *call
	chain  *chain
	expiry time.Time

	partition int32
}

// A chain links the segments that one call has in one partition: after the first that fails, none is
// sent. Only the lane's goroutine touches it.
type chain struct{ failed error }

// A call gathers the outcome of one Publish. Every segment reports once; results has room for all.
type call struct{ results chan error }

// lane writes one partition: one request at a time, in the order in which segments came. What gathers
// while a request is under way makes the next one, so batches grow with the load and no timer is needed.
type lane struct {
	cfg       Config
	wire      *wire
	partition int32
	queue     chan *segment
	held      *segment // taken from queue, did not fit the last request
	inFlight  *semaphore.Weighted
	metrics   *metrics
}

// run ends when the queue is closed and drained.
func (l *lane) run(ctx context.Context) {
	for {
		segs := l.gather()
		if len(segs) == 0 {
			return
		}
		err := l.send(ctx, segs)
		for _, s := range segs {
			l.finish(s, err)
		}
	}
}

func (l *lane) finish(s *segment, err error) {
	if err != nil && s.chain.failed == nil {
		s.chain.failed = err
	}
	l.inFlight.Release(int64(s.bytes))
	l.metrics.inFlight.Sub(float64(s.bytes))
	s.call.results <- err
}

// gather waits for a segment and takes along all that are ready and fit one request. It reports
// segments that must not be sent any more on the way.
func (l *lane) gather() []*segment {
	var segs []*segment
	var bytes, recs int
	var keys map[string]int
	for {
		s := l.held
		l.held = nil
		if s == nil {
			var ok bool
			if len(segs) == 0 {
				s, ok = <-l.queue
			} else {
				select {
				case s, ok = <-l.queue:
				default:
				}
			}
			if !ok {
				return segs
			}
		}
		if err := l.stale(s); err != nil {
			l.finish(s, err)
			continue
		}
		if len(segs) > 0 && (bytes+s.bytes > l.cfg.BatchBytes || recs+len(s.recs) > l.cfg.BatchRecords) {
			l.held = s
			return segs
		}
		if recs+len(s.recs) > maxRepeats {
			if keys == nil {
				keys = make(map[string]int)
				for _, t := range segs {
					countKeys(keys, t.recs)
				}
			}
			if countKeys(keys, s.recs) > maxRepeats && len(segs) > 0 {
				l.held = s
				return segs
			}
		}
		segs = append(segs, s)
		bytes += s.bytes
		recs += len(s.recs)
	}
}

// countKeys adds to counts and returns the highest count that it saw.
func countKeys(counts map[string]int, recs []record) int {
	most := 0
	for _, r := range recs {
		counts[string(r.key)]++
		most = max(most, counts[string(r.key)])
	}
	return most
}

func (l *lane) stale(s *segment) error {
	if s.chain.failed != nil {
		return s.chain.failed
	}
	if !time.Now().Before(s.expiry) {
		return &PublishError{Topic: l.wire.topic, Partition: l.partition, Kind: ErrUnavailable,
			Cause: errors.New("no acknowledgement within ingest.timeout")}
	}
	return nil
}

// send writes the segments as one request, trying again until the oldest one's expiry.
func (l *lane) send(ctx context.Context, segs []*segment) error {
	var recs []record
	var bytes int
	if len(segs) == 1 {
		recs, bytes = segs[0].recs, segs[0].bytes
	} else {
		for _, s := range segs {
			recs = append(recs, s.recs...)
			bytes += s.bytes
		}
	}
	ctx, cancel := context.WithDeadline(ctx, segs[0].expiry)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := l.attempt(ctx, recs)
		if err == nil {
			l.metrics.bytes.Add(float64(bytes))
			l.metrics.batch.Observe(float64(len(recs)))
			return nil
		}
		f := classify(err)
		if !f.retry || ctx.Err() != nil || !pause(ctx, backoff(l.cfg.RetryBackoff, attempt)) {
			return &PublishError{Topic: l.wire.topic, Partition: l.partition, Kind: f.kind, Cause: err}
		}
		l.metrics.retries.Inc()
	}
}

func (l *lane) attempt(ctx context.Context, recs []record) error {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AttemptTimeout)
	defer cancel()
	_, err := l.wire.produce(ctx, l.partition, recs, time.Now())
	return err
}
