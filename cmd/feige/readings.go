package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// readings records what auditors read from the embedded ClickHouse, on audit.reads, where every other reading of chats is. The engine is
// up before Kafka: until readings are let in, auditors are refused.
type readings struct{ to atomic.Pointer[readingLog] }

type readingLog struct {
	client     *kgo.Client
	topic      string
	partitions int32
}

const readingTimeout = 5 * time.Second

var errNoReadings = errors.New("nothing takes records yet")

// open lets readings in; close must be called.
func (r *readings) open(p parts) error {
	opts, err := p.settings.Kafka.KGO()
	if err != nil {
		return withCode(codeUsage, err)
	}
	client, err := kgo.NewClient(append(opts, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(readingTimeout), kgo.UnknownTopicRetries(2))...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	r.to.Store(&readingLog{client: client, topic: p.namespace.Topic(schemas.TopicReads), partitions: p.settings.Kafka.Partitions})
	return nil
}

func (r *readings) close() {
	if log := r.to.Swap(nil); log != nil {
		log.client.Close()
	}
}

// keep returns nil once Kafka has the record.
func (r *readings) keep(ctx context.Context, reading eclickhouse.Reading) error {
	log := r.to.Load()
	if log == nil {
		return errNoReadings
	}
	ctx, cancel := context.WithTimeout(ctx, readingTimeout)
	defer cancel()
	value, err := (&chatv1.ReadRecord{
		ReadId: reading.ID, AtUs: reading.At.UnixMicro(), AccountId: reading.Account, Role: string(eclickhouse.RoleAuditor), What: "sql",
		Address: reading.Address, Statement: reading.Statement,
	}).MarshalVT()
	if err != nil {
		return fmt.Errorf("encode read record: %w", err)
	}
	key := schemas.EventKey("", "")
	rec := &kgo.Record{Topic: log.topic, Key: []byte(key), Value: value, Partition: schemas.Partition(key, log.partitions)}
	if err := log.client.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return fmt.Errorf("write to %s: %w", log.topic, err)
	}
	return nil
}
