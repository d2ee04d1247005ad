package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// errAway says that Kafka did not take a record.
var errAway = errors.New("kafka does not take it now")

// records reads the topics into the book and writes what people do.
type records struct {
	ns         schemas.Namespace
	partitions int32
	client     *kgo.Client // reads
	writer     *kgo.Client
	book       *book
	logger     *slog.Logger
	timeout    time.Duration
	loaded     atomic.Bool
}

func newRecords(b broker.Config, ns schemas.Namespace, book *book, timeout time.Duration, logger *slog.Logger) (*records, error) {
	opts, err := b.KGO()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.FetchMaxWait(250*time.Millisecond), kgo.FetchMinBytes(1), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	writer, err := kgo.NewClient(append(opts, kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(timeout), kgo.UnknownTopicRetries(2))...)
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &records{ns: ns, partitions: b.Partitions, client: client, writer: writer, book: book, logger: logger, timeout: timeout}, nil
}

func (r *records) close() {
	r.client.Close()
	r.writer.Close()
}

// run reads until ctx ends.
func (r *records) run(ctx context.Context) {
	topics := map[string]string{}
	for _, name := range []string{schemas.TopicCases, schemas.TopicClaims, schemas.TopicSanctions} {
		topics[r.ns.Topic(name)] = name
	}
	ends := r.begin(ctx, topics)
	for ctx.Err() == nil {
		if !r.loaded.Load() && len(ends) == 0 {
			r.loaded.Store(true)
		}
		r.client.PollFetches(ctx).EachPartition(func(p kgo.FetchTopicPartition) {
			for _, rec := range p.Records {
				r.apply(topics[p.Topic], rec)
				if key := fmt.Sprint(p.Topic, "/", p.Partition); ends[key] > 0 && rec.Offset+1 >= ends[key] {
					delete(ends, key)
				}
			}
		})
	}
}

// begin waits for the topics and reads them from their starts. It returns where their partitions end.
func (r *records) begin(ctx context.Context, topics map[string]string) map[string]int64 {
	admin := kadm.NewClient(r.client)
	ends, told := map[string]int64{}, false
	for pause := 50 * time.Millisecond; len(topics) > 0 && ctx.Err() == nil; pause = min(2*pause, 2*time.Second) {
		from := map[string]map[int32]kgo.Offset{}
		var failed error
		for topic := range topics {
			starts, err := admin.ListStartOffsets(ctx, topic)
			if err == nil {
				err = starts.Error()
			}
			var last kadm.ListedOffsets
			if err == nil {
				if last, err = admin.ListEndOffsets(ctx, topic); err == nil {
					err = last.Error()
				}
			}
			if err != nil {
				failed = err
				break
			}
			from[topic] = map[int32]kgo.Offset{}
			for p, end := range last[topic] {
				from[topic][p] = kgo.NewOffset().AtStart()
				if end.Offset > starts[topic][p].Offset {
					ends[fmt.Sprint(topic, "/", p)] = end.Offset
				}
			}
		}
		if failed == nil {
			r.client.AddConsumePartitions(from)
			return ends
		}
		if !told && ctx.Err() == nil {
			told = true
			r.logger.Info("review: the topics cannot be read yet", "error", failed)
		}
		clear(ends)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return ends
}

func (r *records) apply(topic string, rec *kgo.Record) {
	switch topic {
	case schemas.TopicCases:
		var c chatv1.Case
		if c.UnmarshalVT(rec.Value) == nil { // what is no case is a dead letter of the processors
			r.book.step(&c, rec.Partition, rec.Offset)
		}
	case schemas.TopicClaims:
		var c chatv1.ReviewClaim
		if c.UnmarshalVT(rec.Value) == nil {
			r.book.claimed(&c)
		}
	case schemas.TopicSanctions:
		var s chatv1.Sanction
		if s.UnmarshalVT(rec.Value) == nil {
			r.book.sanctioned(&s)
		}
	}
}

// write returns nil once Kafka has the record and this instance has read it, where id names what it will be known by.
func (r *records) write(ctx context.Context, topic, key, id string, m interface{ MarshalVT() ([]byte, error) }) error {
	value, err := m.MarshalVT()
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	var read <-chan struct{}
	if id != "" {
		read = r.book.await(id)
		defer r.book.forgetAwait(id)
	}
	rec := &kgo.Record{Topic: r.ns.Topic(topic), Key: []byte(key), Value: value, Partition: schemas.Partition(key, r.partitions)}
	if err := r.writer.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	if read == nil {
		return nil
	}
	select {
	case <-read:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: it is written, and not read back yet", errAway)
	}
}
