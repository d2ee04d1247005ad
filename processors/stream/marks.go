package stream

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"
)

// group decorates a consumer group: marks are forwarded in order, tables roll back before they are read,
// and visits end before a session does.
type group struct {
	sarama.ConsumerGroup
	p *Processor
}

// Consume goes from session to session until an error or the context ends it. (goka would pause 5 s
// between sessions: all partitions would stand still, and a member with a shorter session timeout would be
// put out of the group, and put out the others when it comes back.)
func (g group) Consume(ctx context.Context, topics []string, h sarama.ConsumerGroupHandler) error {
	for {
		err := g.ConsumerGroup.Consume(ctx, topics, &handler{inner: h, p: g.p})
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// handler lives for one session.
type handler struct {
	inner sarama.ConsumerGroupHandler
	p     *Processor
	s     *session
}

func (h *handler) Setup(s sarama.ConsumerGroupSession) error {
	partitions := s.Claims()[h.p.rollback.input]
	h.s = newSession(s, h.p.rollback.input, partitions, h.p.unordered)
	if err := h.p.rollback.assign(s.Context(), h.p.admin, partitions); err != nil {
		return err
	}
	h.p.assigned(partitions)
	h.p.flowing.Store(h.s)
	if err := h.inner.Setup(h.s); err != nil {
		return err
	}
	if err := h.p.rollback.whole(); err != nil {
		return err
	}
	h.p.sessionUp(h.s)
	return nil
}

func (h *handler) Cleanup(sarama.ConsumerGroupSession) error {
	h.p.sessionDown()
	return h.inner.Cleanup(h.s)
}

func (h *handler) ConsumeClaim(s sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	if err := h.p.rollback.check(c); err != nil {
		return err
	}
	h.s.claim(c)
	return h.inner.ConsumeClaim(h.s, c)
}

// session forwards a mark only up to the lowest message still in flight.
type session struct {
	sarama.ConsumerGroupSession
	input     string // the topic whose marks these are
	unordered bool   // only tests switch it on
	// claims by partition: nil until its messages flow.
	claims []atomic.Pointer[claimed]
}

func newSession(inner sarama.ConsumerGroupSession, input string, partitions []int32, unordered bool) *session {
	n := int32(0)
	for _, p := range partitions {
		n = max(n, p+1)
	}
	return &session{ConsumerGroupSession: inner, input: input, unordered: unordered, claims: make([]atomic.Pointer[claimed], n)}
}

func (s *session) claim(c sarama.ConsumerGroupClaim) *claimed {
	cl := &claimed{claim: c}
	cl.next.Store(max(c.InitialOffset(), 0)) // without a commit the log begins at 0: see rollback.assign
	s.claims[c.Partition()].Store(cl)
	return cl
}

func (s *session) claimed(topic string, partition int32) *claimed {
	if topic != s.input || int(partition) >= len(s.claims) {
		return nil
	}
	return s.claims[partition].Load()
}

// begin notes a message that is being processed. Those of a partition come in its order.
func (s *session) begin(topic string, partition int32, offset int64) {
	if cl := s.claimed(topic, partition); cl != nil {
		cl.begin(offset)
	}
}

func (s *session) MarkOffset(topic string, partition int32, next int64, metadata string) {
	cl := s.claimed(topic, partition)
	if cl == nil {
		return
	}
	if s.unordered {
		s.ConsumerGroupSession.MarkOffset(topic, partition, next, metadata)
		return
	}
	if low := cl.done(next - 1); low >= 0 {
		s.ConsumerGroupSession.MarkOffset(topic, partition, low+1, metadata)
	}
}

// lag is the number of records that the session's claims have not finished.
func (s *session) lag() (n int64) {
	for i := range s.claims {
		if cl := s.claims[i].Load(); cl != nil {
			n += max(cl.claim.HighWaterMarkOffset()-cl.next.Load(), 0)
		}
	}
	return n
}

// claimed follows the messages of one partition from the beginning of their processing to completion.
type claimed struct {
	claim sarama.ConsumerGroupClaim
	next  atomic.Int64 // the first offset not known to be finished

	mu      sync.Mutex
	offsets []int64 // begun and not forwarded, oldest first
	head    int
	out     map[int64]struct{} // finished out of turn
}

func (c *claimed) begin(offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.head > 1024 && c.head*2 > len(c.offsets) {
		c.offsets = append(c.offsets[:0], c.offsets[c.head:]...)
		c.head = 0
	}
	c.offsets = append(c.offsets, offset)
}

// done notes a finished message. It returns the newest offset up to which everything is finished, or -1
// when that did not change.
func (c *claimed) done(offset int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.head == len(c.offsets) {
		return -1
	}
	if c.offsets[c.head] != offset {
		if c.out == nil {
			c.out = map[int64]struct{}{}
		}
		c.out[offset] = struct{}{}
		return -1
	}
	low := offset
	for c.head++; c.head < len(c.offsets); c.head++ {
		if _, ok := c.out[c.offsets[c.head]]; !ok {
			break
		}
		low = c.offsets[c.head]
		delete(c.out, low)
	}
	c.next.Store(low + 1)
	return low
}
