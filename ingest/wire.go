package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/feigeio/feige/internal/broker"
)

// record is an encoded record on its way to one partition.
type record struct {
	key, value []byte
}

func (r record) size() int { return len(r.key) + len(r.value) + recordOverhead }

// recordOverhead bounds what the record format adds to key and value.
const recordOverhead = 32

// wire produces to one topic, partition by partition, with acks=all and one request per call. It never
// retries: what a failure means for order and repeats is decided by its callers.
type wire struct {
	client    *kafka.Client
	transport *kafka.Transport
	topic     string
}

func newWire(b broker.Config, topic string) (*wire, error) {
	t, err := b.KafkaGo()
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	// The transport learns about a broker that came back only when its metadata are fetched anew.
	t.MetadataTTL = time.Second
	t.MetadataTopics = []string{topic}
	return &wire{client: &kafka.Client{Addr: kafka.TCP(b.Brokers...), Transport: t}, transport: t, topic: topic}, nil
}

func (w *wire) close() { w.transport.CloseIdleConnections() }

// partitions asks how many partitions the topic has.
func (w *wire) partitions(ctx context.Context) (int32, error) {
	res, err := w.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{w.topic}})
	if err != nil {
		return 0, err
	}
	for _, t := range res.Topics {
		if t.Name == w.topic {
			if t.Error != nil {
				return 0, t.Error
			}
			return int32(len(t.Partitions)), nil
		}
	}
	return 0, kafka.UnknownTopicOrPartition
}

// check waits, at most until expiry, for the topic to be there with n partitions.
func (w *wire) check(ctx context.Context, n int32, wait time.Duration, expiry time.Time) error {
	limited, cancel := context.WithDeadline(ctx, expiry)
	defer cancel()
	for attempt := 1; ; attempt++ {
		have, err := w.partitions(limited)
		if err == nil && have == n {
			return nil
		}
		if err == nil {
			return &PublishError{Topic: w.topic, Partition: -1, Kind: ErrPartitions,
				Cause: fmt.Errorf("it has %d, kafka.partitions is %d", have, n)}
		}
		f := classify(err)
		if cause := ctx.Err(); cause != nil {
			return &PublishError{Topic: w.topic, Partition: -1, Kind: cause, Cause: err}
		}
		// A missing topic is not waited for longer than its creation takes to be seen.
		absent := errors.Is(f.kind, ErrNoTopic) && attempt > 5
		if !f.retry || absent || !pause(limited, backoff(wait, attempt)) {
			return &PublishError{Topic: w.topic, Partition: -1, Kind: f.kind, Cause: err}
		}
	}
}

// produce writes the records in order and returns the offset of the first.
func (w *wire) produce(ctx context.Context, partition int32, recs []record, at time.Time) (int64, error) {
	res, err := w.client.Produce(ctx, &kafka.ProduceRequest{
		Topic:        w.topic,
		Partition:    int(partition),
		RequiredAcks: kafka.RequireAll,
		Records:      &recordReader{recs: recs, at: at},
	})
	if err != nil {
		return 0, err
	}
	if res.Error != nil {
		return 0, res.Error
	}
	return res.BaseOffset, nil
}

// recordReader hands records to the client without copying them.
type recordReader struct {
	recs       []record
	at         time.Time
	next       int
	rec        kafka.Record
	key, value byteBody
}

func (r *recordReader) ReadRecord() (*kafka.Record, error) {
	if r.next >= len(r.recs) {
		return nil, io.EOF
	}
	in := &r.recs[r.next]
	r.next++
	r.key.Reset(in.key)
	r.value.Reset(in.value)
	r.rec = kafka.Record{Time: r.at, Key: &r.key, Value: &r.value}
	return &r.rec, nil
}

type byteBody struct{ bytes.Reader }

func (*byteBody) Close() error { return nil }

// failure is what a failed request means.
type failure struct {
	// kind is the sentinel a caller is told if it stays so.
	kind error
	// retry: the same request may succeed later.
	retry bool
	// written: the broker may have the records all the same.
	written bool
}

// classify reads an error of produce or partitions.
func classify(err error) failure {
	var code kafka.Error
	if errors.As(err, &code) {
		switch code {
		case kafka.RequestTimedOut, kafka.NotEnoughReplicasAfterAppend, kafka.KafkaStorageError, kafka.Unknown:
			return failure{kind: ErrUnavailable, retry: true, written: true}
		case kafka.UnknownTopicOrPartition:
			return failure{kind: ErrNoTopic, retry: true}
		}
		if code.Temporary() {
			return failure{kind: ErrUnavailable, retry: true}
		}
		return failure{kind: ErrRefused}
	}
	switch {
	case errors.Is(err, protocol.ErrNoTopic), errors.Is(err, protocol.ErrNoPartition):
		return failure{kind: ErrNoTopic, retry: true}
	case errors.Is(err, protocol.ErrNoLeader):
		return failure{kind: ErrUnavailable, retry: true}
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return failure{kind: ErrUnavailable, retry: true}
	}
	return failure{kind: ErrUnavailable, retry: true, written: true}
}

// backoff is the wait before retry number n (from 1).
func backoff(first time.Duration, n int) time.Duration {
	d := first << min(n-1, 5)
	return min(d, 20*first)
}

// pause waits, or returns false when the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
