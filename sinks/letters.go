package sinks

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/sinks/deadletters"
)

// publish puts letters on dead.letters, all acknowledged, over and over while Kafka is away: a record must
// not be committed before its letter is there. Its only error is that of the context.
func (s *session) publish(ctx context.Context, letters []*deadletters.Letter) error {
	if len(letters) == 0 {
		return nil
	}
	pause := backoff{least: s.cfg.MinBackoff, most: s.cfg.MaxBackoff}
	for {
		err := s.publishOnce(ctx, letters)
		if err == nil {
			for _, l := range letters {
				s.metrics.letters.WithLabelValues(l.Code).Inc()
				s.logger.Warn("sinks: a record is a dead letter", "record", l.ID(), "code", l.Code, "reason", l.Reason)
			}
			s.kafka.worked()
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.kafka.failed(err)
		s.metrics.retries.WithLabelValues("letter").Inc()
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

func (s *session) publishOnce(ctx context.Context, letters []*deadletters.Letter) error {
	records := make([]*kgo.Record, len(letters))
	for i, l := range letters {
		rec, err := l.Record(s.deps.Namespace)
		if err != nil {
			return err
		}
		records[i] = rec
	}
	if err := s.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("writing dead letters: %w", err)
	}
	return nil
}
