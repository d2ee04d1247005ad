package ingest

import (
	"errors"
	"fmt"
)

var (
	// ErrUnavailable says that Kafka could not be reached, or did not acknowledge, within the configured
	// time. The same events may be published again: their ids make repeats harmless.
	ErrUnavailable = errors.New("kafka is unavailable")
	// ErrNoTopic says that a topic is missing: `feige topics apply` creates it.
	ErrNoTopic = errors.New("topic does not exist (feige topics apply creates it)")
	// ErrPartitions says that a topic has another number of partitions than configured. Keys would land
	// in the wrong partitions, so nothing is published.
	ErrPartitions = errors.New("topic has another number of partitions than configured")
	// ErrRefused says that the broker refused the records for good (size, authorisation).
	ErrRefused = errors.New("kafka refused the records")
	// ErrClosed says that the publisher was closed.
	ErrClosed = errors.New("publisher is closed")
)

// PublishError says where publishing failed. Kind is one of the sentinels above (or the context's
// error), Cause what the client library reported last.
type PublishError struct {
	Topic     string
	Partition int32 // -1: not one partition in particular
	Kind      error
	Cause     error
}

func (e *PublishError) Error() string {
	where := e.Topic
	if e.Partition >= 0 {
		where = fmt.Sprintf("%s/%d", e.Topic, e.Partition)
	}
	if e.Cause == nil {
		return fmt.Sprintf("publish to %s: %v", where, e.Kind)
	}
	return fmt.Sprintf("publish to %s: %v: %v", where, e.Kind, e.Cause)
}

func (e *PublishError) Unwrap() []error { return []error{e.Kind, e.Cause} }

// Retryable tells whether the same call may succeed later.
func (e *PublishError) Retryable() bool { return errors.Is(e.Kind, ErrUnavailable) }

// Code is a short name for clients and metrics.
func (e *PublishError) Code() string {
	switch {
	case errors.Is(e.Kind, ErrUnavailable):
		return "unavailable"
	case errors.Is(e.Kind, ErrNoTopic):
		return "no_topic"
	case errors.Is(e.Kind, ErrPartitions):
		return "partitions"
	case errors.Is(e.Kind, ErrRefused):
		return "refused"
	case errors.Is(e.Kind, ErrClosed):
		return "closed"
	}
	return "cancelled"
}
