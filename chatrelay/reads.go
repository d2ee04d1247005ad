package chatrelay

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// readLog writes audit.reads: who of neither side read a conversation (2.1).
type readLog struct {
	client     *kgo.Client
	topic      string
	partitions int32
	timeout    time.Duration
}

func newReadLog(deps Dependencies) (*readLog, error) {
	opts, err := deps.Broker.KGO()
	if err != nil {
		return nil, err
	}
	l := &readLog{topic: deps.Namespace.Topic(schemas.TopicReads), partitions: deps.Broker.Partitions, timeout: 5 * time.Second}
	l.client, err = kgo.NewClient(append(opts, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(l.timeout), kgo.UnknownTopicRetries(2))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return l, nil
}

func (l *readLog) close() { l.client.Close() }

// write returns nil once Kafka has the record.
func (l *readLog) write(ctx context.Context, r *chatv1.ReadRecord) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	value, err := r.MarshalVT()
	if err != nil {
		return fmt.Errorf("encode read record: %w", err)
	}
	key := []byte(schemas.EventKey(r.ShopId, r.ConversationId))
	rec := &kgo.Record{Topic: l.topic, Key: key, Value: value, Partition: schemas.Partition(key, l.partitions)}
	if err := l.client.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return fmt.Errorf("write to %s: %w", l.topic, err)
	}
	return nil
}

// record keeps a record of a reading, where one is due. Nothing may be shown before it returns nil.
func (s *session) record(t target, what, reason string) *protocol.Problem {
	r := s.relay
	id, err := uuid.NewV7()
	if err != nil {
		return asProblem(err)
	}
	err = r.reads.write(r.ctx, &chatv1.ReadRecord{
		ReadId: id.String(), AtUs: r.nowUS(), AccountId: s.id.Account, Role: string(s.id.Role), ShopId: t.shop, ConversationId: t.conversation,
		What: what, Reason: reason, Address: s.address,
	})
	if err != nil {
		r.log.Warn("relay: a reading cannot be recorded, so it is refused", "error", err)
		return protocol.Problemf(protocol.CodeTryAgain, "the reading cannot be recorded now, so nothing is shown")
	}
	return nil
}
