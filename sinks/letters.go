package sinks

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks/deadletters"
)

// publish puts letters on dead.letters, acknowledged by all, over and over while Kafka is away: a record must not
// be committed before its letter is there. Its only error is that of the context.
func (s *session) publish(ctx context.Context, letters []*deadletters.Letter) error {
	letters = s.worthPublishing(letters)
	if len(letters) == 0 {
		return nil
	}
	first := letters[0]
	s.logger.Warn("sinks: records go to dead.letters", "records", len(letters), "first", first.ID(), "code", first.Code, "reason", first.Reason)
	pause := backoff{least: s.cfg.MinBackoff, most: s.cfg.MaxBackoff}
	for {
		left, err := s.publishOnce(ctx, letters)
		if len(left) == 0 {
			s.kafka.worked()
			return nil
		}
		letters = left
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			continue // what is left was made smaller
		}
		s.kafka.failed(fmt.Errorf("writing dead letters: %w", err))
		s.metrics.retries.WithLabelValues("letter").Inc()
		if err := pause.wait(ctx); err != nil {
			return err
		}
	}
}

// worthPublishing leaves out letters about letters whose rows ClickHouse refuses: their own rows would be refused as
// well, and so on without end. Such a letter stays on its topic, where it is listed.
func (s *session) worthPublishing(letters []*deadletters.Letter) []*deadletters.Letter {
	var kept []*deadletters.Letter
	for _, l := range letters {
		if l.Code == CodeInsert && l.Topic == s.deps.Namespace.Topic(schemas.TopicDeadLetters) {
			s.logger.Error("sinks: a dead letter has no row in ClickHouse", "letter", l.ID(), "reason", l.Reason)
			continue
		}
		kept = append(kept, l)
	}
	return kept
}

// publishOnce returns the letters that are to be published again. Without an error, that is because they were too
// large and are smaller now.
func (s *session) publishOnce(ctx context.Context, letters []*deadletters.Letter) ([]*deadletters.Letter, error) {
	records := make([]*kgo.Record, len(letters))
	byRecord := make(map[*kgo.Record]*deadletters.Letter, len(letters))
	for i, l := range letters {
		rec, err := l.Record(s.deps.Namespace)
		if err != nil {
			return letters, err
		}
		records[i], byRecord[rec] = rec, l
	}
	var left []*deadletters.Letter
	var first error
	for _, result := range s.client.ProduceSync(ctx, records...) {
		l := byRecord[result.Record]
		switch {
		case result.Err == nil:
			s.metrics.letters.WithLabelValues(l.Code).Inc()
			continue
		case errors.Is(result.Err, kerr.MessageTooLarge) && len(l.Value) > 0:
			l.Reason = fmt.Sprintf("%s (its value of %d bytes is too large for a letter; it stands on its topic)", l.Reason, len(l.Value))
			l.Value = nil
		case first == nil:
			first = result.Err
		}
		left = append(left, l)
	}
	return left, first
}
