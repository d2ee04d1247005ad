package stream

import (
	"context"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// Switches that only tests may use: each turns off one of the measures that make a processor effectively
// once, so that a test can see itself fail.

// Unorder lets marks through as they come.
func (p *Processor) Unorder() { p.unordered = true }

// SkipRollback keeps the table as it was last written.
func (p *Processor) SkipRollback() { p.rollback.off = true }

// ReplaceProducer swaps the producer for another one.
func (p *Processor) ReplaceProducer(build func(opts []kgo.Opt) goka.ProducerBuilder) {
	p.producers = build
}

// Sizes of the producer.
const (
	ChunkRecords = chunkRecords
	ChunkBytes   = chunkBytes
	QueueRecords = queueRecords
	QueueBytes   = queueBytes
)

// NewProducer is the producer of a processor by itself.
func NewProducer(cfg Config, opts ...kgo.Opt) (goka.Producer, error) {
	m, err := newMetrics(nil, "test", "", func() float64 { return 0 })
	if err != nil {
		return nil, err
	}
	return newProducer(opts, cfg, m)(nil, "test", schemas.NewShopHash)
}

// Abort cuts short what a producer has not finished.
func Abort(p goka.Producer) { p.(*producer).abort() }

// NewStore is an empty table.
func NewStore() storage.Storage { return newStore() }

// Session and Claimed follow marks.
type (
	Session = session
	Claimed = claimed
)

// NewSession decorates a session.
func NewSession(inner sarama.ConsumerGroupSession, unordered bool) *Session {
	return newSession(inner, "in", []int32{0, 1, 2, 3}, unordered)
}

// Claim begins to follow a claim.
func (s *session) Claim(c sarama.ConsumerGroupClaim) *Claimed { return s.claim(c) }

// Lag is what the session's claims have not finished.
func (s *session) Lag() int64 { return s.lag() }

// Delivered notes a message on its way.
func (c *claimed) Delivered(offset int64) { c.begin(offset) }

// Rollback is what limits a recovered table.
type Rollback = rollback

// NewRollback limits a table's partitions.
func NewRollback(group, table, input string, limit map[int32]int64) *Rollback {
	m, _ := newMetrics(nil, "test", "", func() float64 { return 0 })
	return &rollback{group: group, table: table, input: input, limit: limit, metrics: m}
}

// Update is goka's callback.
func (r *rollback) Update(ctx goka.UpdateContext, s storage.Storage, key string, value []byte) error {
	return r.update(ctx, s, key, value)
}

// Check compares where reading starts with the limit.
func (r *rollback) Check(c sarama.ConsumerGroupClaim) error { return r.check(c) }

// Assign looks up the commits.
func (r *rollback) Assign(ctx context.Context, cl *kgo.Client, partitions ...int32) error {
	return r.assign(ctx, kadm.NewClient(cl), partitions)
}

// Limits are the commits that were looked up.
func (r *rollback) Limits() map[int32]int64 { return r.limit }
