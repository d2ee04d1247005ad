package sinks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/sinks/deadletters"
)

// maxPoll is how many records are taken from the client at a time.
const maxPoll = 5000

// maxYield is how long a rebalance may wait for this member to finish what it has read.
const maxYield = 5 * time.Second

// session is one membership of the group. Its loop owns the batch that is being filled; the batch that is being
// written belongs to a goroutine of its own, one at a time.
type session struct {
	cfg     Config
	deps    Dependencies
	logger  *slog.Logger
	metrics *metrics
	client  *kgo.Client
	mapper  *mapper
	writer  *writer
	kafka   *engine
	owner   *ownership
	lag     *lag
	ready   readiness

	// working ends when even work that was begun must stop.
	working context.Context
	// polls and wanted are between the loop and the goroutine that polls: one poll for each word of wanted.
	polls  chan kgo.Fetches
	wanted chan struct{}
	// yields are requests to finish everything that was read; each is closed when that is done.
	yields chan chan struct{}
	// ended is closed when the loop has ended.
	ended chan struct{}
}

func (s *Sink) newSession(working context.Context) (*session, error) {
	kafka := newEngine(engineKafka, s.deps.Logger, s.metrics)
	n := &session{
		cfg: s.cfg, deps: s.deps, logger: s.deps.Logger, metrics: s.metrics,
		mapper: newMapper(s.deps.Namespace, s.deps.Broker.Partitions),
		writer: newWriter(s.cfg, s.deps.Conn, s.deps.Database, s.metrics, newEngine(engineClickHouse, s.deps.Logger, s.metrics)),
		kafka:  kafka, owner: newOwnership(), lag: newLag(s.metrics.lag, s.deps.Namespace),
		working: working,
		polls:   make(chan kgo.Fetches), wanted: make(chan struct{}, 1), yields: make(chan chan struct{}), ended: make(chan struct{}),
	}
	topics := sources()
	for i, name := range topics {
		topics[i] = s.deps.Namespace.Topic(name)
	}
	client, err := kgo.NewClient(slices.Concat(s.options, deadletters.Producing(s.deps.Namespace), []kgo.Opt{
		kgo.ConsumerGroup(s.deps.Namespace.Topic(Group)),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, gained map[string][]int32) { n.gain(gained) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { n.yield(lost) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { n.lose(lost) }),
		kgo.SessionTimeout(s.cfg.SessionTimeout),
		kgo.HeartbeatInterval(s.cfg.SessionTimeout / 10),
		kgo.FetchMaxBytes(s.cfg.FetchBytes),
		kgo.FetchMaxPartitionBytes(max(s.cfg.FetchBytes/4, 64<<10)),
		kgo.FetchMaxWait(500 * time.Millisecond),
		kgo.WithHooks(newConnections(kafka)),
	})...)
	if err != nil {
		return nil, fmt.Errorf("sinks: %w", err)
	}
	n.client = client
	return n, nil
}

func (s *session) close() { s.client.CloseAllowingRebalance() }

// gain takes partitions over. That the group gives them shows that it works.
func (s *session) gain(gained map[string][]int32) {
	s.owner.gain(gained)
	s.ready.join()
	s.kafka.worked()
}

// yield gives partitions up: it finishes what was read of them, if that does not take too long.
func (s *session) yield(lost map[string][]int32) {
	defer s.lose(lost)
	limit := time.NewTimer(maxYield)
	defer limit.Stop()
	done := make(chan struct{})
	select {
	case s.yields <- done:
	case <-s.ended:
		return
	case <-limit.C:
		return
	}
	select {
	case <-done:
	case <-s.ended:
	case <-limit.C:
	}
}

func (s *session) lose(lost map[string][]int32) {
	s.owner.lose(lost)
	s.lag.forget(lost)
}

// poll fetches when the loop wants more. Between a poll and its taking over a rebalance waits; while nothing is
// wanted, the group can rebalance freely.
func (s *session) poll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wanted:
		}
		fetches := s.client.PollRecords(ctx, maxPoll)
		select {
		case <-ctx.Done():
			s.client.AllowRebalance()
			return
		case s.polls <- fetches:
			s.client.AllowRebalance()
		}
	}
}

// connections tells whether brokers answer.
type connections struct {
	kafka *engine
	// answered is when a broker last did, Unix milliseconds.
	answered *atomic.Int64
	// silent is true since a connection failed while no broker answered.
	silent *atomic.Bool
}

func newConnections(kafka *engine) connections {
	return connections{kafka, new(atomic.Int64), new(atomic.Bool)}
}

// maxSilence is how long ago an answer still shows that Kafka is there, whatever becomes of one connection: one broker of
// several may be away, and attempts of before may fail after it came back.
const maxSilence = time.Second

func (c connections) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	if err == nil || time.Since(time.UnixMilli(c.answered.Load())) < maxSilence {
		return
	}
	c.silent.Store(true)
	c.kafka.failed(fmt.Errorf("connecting to a broker: %w", err))
}

// OnBrokerE2E goes by answers: a port that accepts is no broker yet.
func (c connections) OnBrokerE2E(_ kgo.BrokerMetadata, _ int16, call kgo.BrokerE2E) {
	if call.Err() != nil {
		return
	}
	c.answered.Store(time.Now().UnixMilli())
	if c.silent.Swap(false) {
		c.kafka.worked()
	}
}

// OnGroupManageError leaves out what joining anew puts right, as the client does by itself.
func (c connections) OnGroupManageError(err error) {
	if outside(err) || errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	c.kafka.failed(fmt.Errorf("taking part in the consumer group: %w", err))
}
