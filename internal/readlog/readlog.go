// Package readlog writes audit.reads: who of neither side read what people wrote in chats (2.1), by whichever way. It must not know what
// was read.
package readlog

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// timeout bounds a write.
const timeout = 5 * time.Second

// Log writes records. It is safe for concurrent use.
type Log struct {
	client     *kgo.Client
	topic      string
	partitions int32
}

// New contacts nothing yet.
func New(b broker.Config, ns schemas.Namespace) (*Log, error) {
	opts, err := b.KGO()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(timeout), kgo.UnknownTopicRetries(2))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &Log{client: client, topic: ns.Topic(schemas.TopicReads), partitions: b.Partitions}, nil
}

// Close gives up what is not written.
func (l *Log) Close() { l.client.Close() }

// Write returns nil once Kafka has the record.
func (l *Log) Write(ctx context.Context, r *chatv1.ReadRecord) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	value, err := r.MarshalVT()
	if err != nil {
		return fmt.Errorf("encode read record: %w", err)
	}
	key := schemas.EventKey(r.ShopId, r.ConversationId)
	rec := &kgo.Record{Topic: l.topic, Key: []byte(key), Value: value, Partition: schemas.Partition(key, l.partitions)}
	if err := l.client.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return fmt.Errorf("write to %s: %w", l.topic, err)
	}
	return nil
}
