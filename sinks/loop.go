package sinks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// loop is the state of session.run.
type loop struct {
	*session
	// filling takes records; spare is nil while it is being written.
	filling, spare *batch
	written        chan written
	// asked is true while a poll is under way.
	asked bool
	// stopping is true once nothing more is read.
	stopping bool
	// waiting are yields that are to be closed when nothing is left.
	waiting []chan struct{}
}

// written is what became of a batch. The batch comes back empty, unless work had to be given up.
type written struct {
	batch *batch
	err   error
}

// run reads, writes, and commits until the context ends, then once more what was read.
func (s *session) run(ctx context.Context) error {
	defer close(s.ended)
	polling, stop := context.WithCancel(ctx)
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		s.poll(polling)
	}()
	defer func() {
		stop()
		<-polled
	}()
	l := &loop{session: s, filling: newBatch(), spare: newBatch(), written: make(chan written, 1)}
	s.logger.Info("sinks: reading", "group", s.deps.Namespace.Topic(Group), "database", s.deps.Database)
	for {
		if l.idle() {
			for _, done := range l.waiting {
				close(done)
			}
			l.waiting = nil
			if l.stopping {
				s.logger.Info("sinks: stopped")
				return nil
			}
		}
		if done := l.step(ctx); done {
			s.logger.Warn("sinks: stopped before everything that was read was written; it will be read again", "records", l.filling.records)
			return nil
		}
	}
}

// idle is true when everything that was read is written and committed.
func (l *loop) idle() bool { return l.spare != nil && l.filling.empty() }

// step does the next thing, waiting for it if need be. It returns true when work had to be given up.
func (l *loop) step(ctx context.Context) bool {
	if l.spare != nil && l.ready() {
		l.write()
		return false
	}
	if !l.asked && !l.stopping && l.room() {
		l.asked = true
		l.wanted <- struct{}{}
	}
	var stop <-chan struct{}
	if !l.stopping {
		stop = ctx.Done()
	}
	var due <-chan time.Time
	if l.spare != nil && !l.filling.empty() {
		timer := time.NewTimer(l.cfg.MaxBatchAge - time.Since(l.filling.opened))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case fetches := <-l.polls:
		l.asked = false
		l.take(fetches)
	case w := <-l.written:
		if w.err != nil {
			return true
		}
		l.spare = w.batch
	case done := <-l.yields:
		l.waiting = append(l.waiting, done)
	case <-due:
	case <-stop:
		l.stopping = true
	}
	return false
}

// ready tells that the batch should be written now.
func (l *loop) ready() bool {
	if l.filling.empty() {
		return false
	}
	enough := l.cfg.BatchRows
	if l.lag.total() > int64(l.cfg.BatchRows) {
		enough = l.cfg.MaxBatchRows // more is there already: fewer and larger parts
	}
	return l.stopping || len(l.waiting) > 0 ||
		l.filling.rows() >= enough || l.filling.bytes >= l.cfg.MaxBatchBytes ||
		time.Since(l.filling.opened) >= l.cfg.MaxBatchAge
}

// room tells that the batch may grow. A poll may exceed the bounds by its own size.
func (l *loop) room() bool {
	return l.filling.rows() < l.cfg.MaxBatchRows && l.filling.bytes < l.cfg.MaxBatchBytes
}

func (l *loop) take(fetches kgo.Fetches) {
	fetches.EachError(func(topic string, partition int32, err error) {
		var group *kgo.ErrGroupSession // connections are told of it as well
		if l.working.Err() == nil && !kgo.IsRetryableBrokerErr(err) && !errors.Is(err, context.Canceled) && !errors.As(err, &group) {
			l.kafka.failed(fmt.Errorf("reading %s/%d: %w", topic, partition, err))
		}
	})
	now := time.Now()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		l.kafka.worked()
		l.lag.read(p)
		l.metrics.records.WithLabelValues(l.lag.plain[p.Topic]).Add(float64(len(p.Records)))
		for _, rec := range p.Records {
			l.mapper.add(l.filling, rec, now)
		}
	})
}

// write hands the batch to a goroutine and goes on with the spare one.
func (l *loop) write() {
	b := l.filling
	l.filling, l.spare = l.spare, nil
	go func() {
		err := l.finish(l.working, b)
		if err == nil {
			b.reset()
		}
		l.written <- written{b, err}
	}()
}

// finish writes a batch and commits it. Its only error is that of the context.
func (s *session) finish(ctx context.Context, b *batch) error {
	if err := s.publish(ctx, b.refused); err != nil {
		return err
	}
	letters, err := s.writer.write(ctx, b)
	if err != nil {
		return err
	}
	if err := s.publish(ctx, letters); err != nil {
		return err
	}
	if err := s.commit(ctx, b.ends); err != nil {
		return err
	}
	s.metrics.batches.Inc()
	s.metrics.batchRecords.Observe(float64(b.records))
	s.metrics.batchSeconds.Observe(time.Since(b.opened).Seconds())
	return nil
}
