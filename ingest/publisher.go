package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Publisher writes events to chat.events. It is safe for concurrent use.
//
// Order: the events of one call keep their order within each shop, and the events of a call come after
// those of every earlier call of the same caller that has returned. Each partition has one request on
// its way at a time, and it is tried again before anything later is sent. When part of a call fails, no
// later event of the call is sent to that partition.
//
// Repeats: Kafka may have stored a request whose acknowledgement was lost; trying it again repeats its
// records. A request holds at most 64 records of one key, which is as many as the readers of chat.events
// recognise. For the same reason a call that failed with ErrUnavailable may be made again as it was, if it
// holds no more than 64 events of one conversation.
//
// kafka-go's Writer is not used: it may split a call over requests and go on with the second after the
// first has failed for good (a caller's retry would then reorder a conversation), it has no bound on
// repeats of one key, and it cannot be told when to give up. Its client, below, has none of these.
type Publisher struct {
	cfg     Config
	deps    Dependencies
	wire    *wire
	metrics *metrics

	inFlight *semaphore.Weighted
	lanes    []*lane
	running  sync.WaitGroup
	stop     context.CancelFunc
	tickKeys [][]byte

	mu      sync.RWMutex // held (shared) while a call enqueues, so that Close can close the queues
	closed  bool
	checkMu sync.Mutex
	checked bool // the topic has the configured number of partitions
}

// NewPublisher does not talk to Kafka yet: an absent broker shows at the first Publish.
func NewPublisher(cfg Config, deps Dependencies) (*Publisher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	deps = deps.withDefaults()
	if err := deps.validate(); err != nil {
		return nil, err
	}
	w, err := newWire(deps.Broker, deps.Namespace.Topic(schemas.TopicEvents))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Publisher{
		cfg: cfg, deps: deps, wire: w, stop: stop,
		metrics:  newMetrics(deps.Registry),
		inFlight: semaphore.NewWeighted(cfg.InFlightBytes),
	}
	for i := range deps.Broker.Partitions {
		p.tickKeys = append(p.tickKeys, []byte(schemas.TickKey(i, deps.Broker.Partitions)))
		l := &lane{cfg: cfg, wire: w, partition: i, queue: make(chan *segment, 1024), inFlight: p.inFlight, metrics: p.metrics}
		p.lanes = append(p.lanes, l)
		p.running.Go(func() { l.run(ctx) })
	}
	return p, nil
}

// Close sends what was taken, waits for it (at most Config.Timeout), and ends. Later calls get ErrClosed.
func (p *Publisher) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	for _, l := range p.lanes {
		close(l.queue)
	}
	p.mu.Unlock()
	p.running.Wait()
	p.stop()
	p.wire.close()
	return nil
}

// Publish returns nil when Kafka has acknowledged every event (acks=all). An event that is not
// acceptable makes the call fail with a *ValidationError before anything is sent; otherwise the error is
// a *PublishError. When ctx ends early, events that were taken already may still be written.
func (p *Publisher) Publish(ctx context.Context, evs ...*chatv1.ChatEvent) error {
	start := time.Now()
	now := p.deps.NowUS()
	parts := make([][]record, len(p.lanes))
	for i, ev := range evs {
		if err := validate(ev, now); err != nil {
			err.Index = i
			p.metrics.refused.WithLabelValues(string(err.Code)).Inc()
			return err
		}
		rec, err := encode(ev)
		if err != nil {
			return err
		}
		part := schemas.Partition(rec.key, int32(len(p.lanes)))
		parts[part] = append(parts[part], rec)
	}
	if err := p.publish(ctx, parts); err != nil {
		return err
	}
	p.metrics.published.WithLabelValues("event").Add(float64(len(evs)))
	p.metrics.latency.Observe(time.Since(start).Seconds())
	return nil
}

// PublishTick moves the event time of every partition on to atUS: one tick to each. Ticks go through the
// same queues as events, so that a tick comes after every event whose Publish has returned.
func (p *Publisher) PublishTick(ctx context.Context, atUS int64) error {
	parts := make([][]record, len(p.lanes))
	for i := range p.lanes {
		value, err := NewTick("", atUS, int32(i)).MarshalVT()
		if err != nil {
			return fmt.Errorf("encode tick: %w", err)
		}
		parts[i] = []record{{key: p.tickKeys[i], value: value}}
	}
	if err := p.publish(ctx, parts); err != nil {
		return err
	}
	p.metrics.published.WithLabelValues("tick").Add(float64(len(parts)))
	p.metrics.lastTick.Set(float64(atUS) / 1e6)
	return nil
}

func encode(ev *chatv1.ChatEvent) (record, error) {
	value, err := ev.MarshalVT()
	if err != nil {
		return record{}, fmt.Errorf("encode event %s: %w", ev.EventId, err)
	}
	return record{key: []byte(schemas.EventKey(ev.ShopId, ev.ConversationId)), value: value}, nil
}

func (p *Publisher) publish(ctx context.Context, parts [][]record) error {
	err := p.enqueue(ctx, parts)
	if err != nil {
		code := "cancelled"
		var pe *PublishError
		if errors.As(err, &pe) {
			code = pe.Code()
		}
		p.metrics.failures.WithLabelValues(code).Inc()
	}
	return err
}

func (p *Publisher) enqueue(ctx context.Context, parts [][]record) error {
	expiry := time.Now().Add(p.cfg.Timeout)
	if err := p.checkTopic(ctx, expiry); err != nil {
		return err
	}
	segs := p.cut(parts, expiry)
	c := &call{results: make(chan error, len(segs))}
	sent := 0
	var failed error
	for _, s := range segs {
		s.call = c
		if failed = p.hand(ctx, s); failed != nil {
			break
		}
		sent++
	}
	for range sent {
		select {
		case err := <-c.results:
			if failed == nil {
				failed = err
			}
		case <-ctx.Done():
			return p.fail(-1, ctx.Err(), errors.New("gave up waiting; the events may be written all the same"))
		}
	}
	return failed
}

// cut makes segments of the records: each fits a request and repeats no key too often.
func (p *Publisher) cut(parts [][]record, expiry time.Time) []*segment {
	var segs []*segment
	for part, recs := range parts {
		ch := &chain{}
		for len(recs) > 0 {
			n, bytes := 0, 0
			var keys map[string]int
			if len(recs) > maxRepeats {
				keys = make(map[string]int)
			}
			for n < len(recs) && n < p.cfg.BatchRecords && (n == 0 || bytes+recs[n].size() <= p.cfg.BatchBytes) {
				if keys != nil && countKeys(keys, recs[n:n+1]) > maxRepeats {
					break
				}
				bytes += recs[n].size()
				n++
			}
			segs = append(segs, &segment{recs: recs[:n], bytes: bytes, chain: ch, expiry: expiry, partition: int32(part)})
			recs = recs[n:]
		}
	}
	return segs
}

// hand gives a segment to its lane, waiting for room.
func (p *Publisher) hand(ctx context.Context, s *segment) error {
	wait, cancel := context.WithDeadline(ctx, s.expiry)
	defer cancel()
	if err := p.inFlight.Acquire(wait, int64(s.bytes)); err != nil {
		return p.full(ctx, s.partition)
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		p.inFlight.Release(int64(s.bytes))
		return p.fail(s.partition, ErrClosed, nil)
	}
	select {
	case p.lanes[s.partition].queue <- s:
		p.metrics.inFlight.Add(float64(s.bytes))
		return nil
	case <-wait.Done():
		p.inFlight.Release(int64(s.bytes))
		return p.full(ctx, s.partition)
	}
}

func (p *Publisher) full(ctx context.Context, partition int32) error {
	if err := ctx.Err(); err != nil {
		return p.fail(partition, err, nil)
	}
	return p.fail(partition, ErrUnavailable, errors.New("too much waits for acknowledgement already (ingest.in_flight_bytes)"))
}

func (p *Publisher) fail(partition int32, kind, cause error) error {
	return &PublishError{Topic: p.wire.topic, Partition: partition, Kind: kind, Cause: cause}
}

// checkTopic makes sure, once, that the topic is there with the configured number of partitions.
func (p *Publisher) checkTopic(ctx context.Context, expiry time.Time) error {
	p.checkMu.Lock()
	defer p.checkMu.Unlock()
	if p.checked {
		return nil
	}
	if err := p.wire.check(ctx, p.deps.Broker.Partitions, p.cfg.RetryBackoff, expiry); err != nil {
		return err
	}
	p.checked = true
	return nil
}
