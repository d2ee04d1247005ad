package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

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
	h.s = &session{ConsumerGroupSession: s, claims: map[topicPartition]*claimed{}, unordered: h.p.unordered}
	partitions := s.Claims()[h.p.rollback.input]
	if err := h.p.rollback.assign(s.Context(), h.p.admin, partitions); err != nil {
		return err
	}
	h.p.assigned(partitions)
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
	cl := h.s.claim(c)
	ch := make(chan *sarama.ConsumerMessage, 64)
	go func() {
		defer close(ch)
		for m := range c.Messages() {
			cl.delivered(m.Offset)
			h.p.metrics.delivered(m)
			select {
			case ch <- m:
			case <-s.Context().Done():
				return
			}
		}
	}()
	return h.inner.ConsumeClaim(h.s, orderedClaim{c, ch})
}

type orderedClaim struct {
	sarama.ConsumerGroupClaim
	ch <-chan *sarama.ConsumerMessage
}

func (c orderedClaim) Messages() <-chan *sarama.ConsumerMessage { return c.ch }

type topicPartition struct {
	topic     string
	partition int32
}

// session forwards a mark only up to the lowest message still in flight.
type session struct {
	sarama.ConsumerGroupSession
	unordered bool // only tests switch it on

	mu     sync.Mutex
	claims map[topicPartition]*claimed
}

func (s *session) claim(c sarama.ConsumerGroupClaim) *claimed {
	cl := &claimed{claim: c}
	cl.next.Store(max(c.InitialOffset(), 0)) // without a commit the log begins at 0: see rollback.assign
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims[topicPartition{c.Topic(), c.Partition()}] = cl
	return cl
}

func (s *session) MarkOffset(topic string, partition int32, next int64, metadata string) {
	s.mu.Lock()
	cl := s.claims[topicPartition{topic, partition}]
	s.mu.Unlock()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cl := range s.claims {
		n += max(cl.claim.HighWaterMarkOffset()-cl.next.Load(), 0)
	}
	return n
}

// claimed follows the messages of one partition from delivery to completion.
type claimed struct {
	claim sarama.ConsumerGroupClaim
	next  atomic.Int64 // the first offset not known to be finished

	mu      sync.Mutex
	offsets []int64 // delivered and not forwarded, oldest first
	head    int
	out     map[int64]struct{} // finished out of turn
}

func (c *claimed) delivered(offset int64) {
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

// sinceRecord is how long ago a record was written, for the latency metric.
func sinceRecord(m *sarama.ConsumerMessage) time.Duration { return time.Since(m.Timestamp) }
