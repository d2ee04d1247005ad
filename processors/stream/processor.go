package stream

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// stopGrace is how long a stopping processor may wait for acknowledgements.
const stopGrace = 4 * time.Second

// Spec says what a processor does. Names of topics and the group are plain, without namespace.
type Spec struct {
	Group, Input string
	// Edges besides the dead letters, built anew for every restart.
	Edges func(p *Processor) []goka.Edge
	// Assigned is told of partitions that this instance now holds, before their tables are read. May be nil.
	Assigned func(partitions []int32)
	// Visit is called for every key of the group's table in a pass that Processor.Visit asks for, by the
	// goroutine that processes the partition. It may emit; it must not set values: a visit belongs to no
	// input offset, so that a value it wrote could outlive a rollback that its outputs do not survive.
	Visit func(ctx goka.Context)
	// NoLetters leaves records that can't be taken to another processor of the same topic to report.
	NoLetters bool
	// BeforeVisit and AfterVisit frame a pass; AfterVisit is left out when the pass ended early. May be nil.
	BeforeVisit, AfterVisit func()
}

// Processor runs a goka processor and restarts it after errors.
type Processor struct {
	spec     Spec
	cfg      Config
	deps     Dependencies
	log      *slog.Logger
	metrics  *metrics
	rollback *rollback

	unordered bool                                      // only tests
	producers func(opts []kgo.Opt) goka.ProducerBuilder // only tests replace it

	admin   *kadm.Client            // of the current run
	flowing atomic.Pointer[session] // whose messages are processed
	wake    chan struct{}

	mu        sync.Mutex
	current   *goka.Processor
	writer    interface{ abort() }
	session   *session
	stores    map[int32]*store
	setupFrom time.Time
	visiting  context.CancelFunc
	visit     sync.Mutex // held during a pass
}

// New prepares a processor; nothing is contacted before Run.
func New(cfg Config, deps Dependencies, spec Spec) (*Processor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("processors.%w", err)
	}
	group := deps.Namespace.Topic(spec.Group)
	p := &Processor{
		spec: spec, cfg: cfg, deps: deps,
		log:    deps.Logger.With("stage", spec.Group, "namespace", string(deps.Namespace)),
		wake:   make(chan struct{}, 1),
		stores: map[int32]*store{},
	}
	m, err := newMetrics(deps.Registry, spec.Group, string(deps.Namespace), func() float64 { return float64(p.Lag()) })
	if err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", group, err)
	}
	p.metrics = m
	p.rollback = &rollback{group: group, table: schemas.TableOf(group), input: deps.Namespace.Topic(spec.Input), metrics: m}
	p.producers = func(opts []kgo.Opt) goka.ProducerBuilder { return newProducer(opts, cfg, m) }
	return p, nil
}

func (p *Processor) topic(name string) string { return p.deps.Namespace.Topic(name) }

// Topic is the full name of an output topic, for goka's Emit.
func (p *Processor) Topic(name string) goka.Stream { return goka.Stream(p.topic(name)) }

// Run processes until the context ends, restarting after errors. It returns nil.
func (p *Processor) Run(ctx context.Context) error {
	pause := 200 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		err := p.runOnce(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > time.Minute {
			pause = 200 * time.Millisecond
		}
		p.metrics.restarts.Inc()
		p.log.Warn("processor stopped, will restart from its commit", "error", brief(err), "pause", pause.String())
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		}
		pause = min(2*pause, p.cfg.MaxRestartPause)
	}
	return nil
}

// brief keeps a log line short: goka joins errors of all partitions, with stack traces.
func brief(err error) string {
	s := fmt.Sprint(err)
	return s[:min(len(s), 600)]
}

func (p *Processor) runOnce(ctx context.Context) error {
	opts, err := p.deps.Broker.KGO()
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer cl.Close()
	p.admin = kadm.NewClient(cl)
	gp, err := p.build(opts)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.mu.Lock()
	p.current = gp
	p.mu.Unlock()
	var visits sync.WaitGroup
	visits.Go(func() { p.visitLoop(ctx, gp) })
	stopped := context.AfterFunc(ctx, func() {
		time.AfterFunc(stopGrace, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.current == gp && p.writer != nil {
				p.writer.abort()
			}
		})
	})
	defer stopped()
	err = gp.Run(ctx)
	cancel()
	visits.Wait()
	p.mu.Lock()
	p.current, p.writer = nil, nil
	p.mu.Unlock()
	if err == nil {
		err = errors.New("stopped without an error")
	}
	return err
}

func (p *Processor) build(opts []kgo.Opt) (*goka.Processor, error) {
	cfg, err := p.sarama()
	if err != nil {
		return nil, err
	}
	tm := goka.NewTopicManagerConfig()
	tm.NoCreate = true // topics are made by `feige topics apply`, and must exist
	edges := append(p.spec.Edges(p), Output[chatv1.DeadLetter](p, schemas.TopicDeadLetters))
	if p.spec.Visit != nil {
		edges = append(edges, goka.Visitor(visitor, func(ctx goka.Context, _ any) { p.spec.Visit(ctx) }))
	}
	return goka.NewProcessor(p.deps.Broker.Brokers, goka.DefineGroup(goka.Group(p.rollback.group), edges...),
		goka.WithLogger(logger{p.log}),
		goka.WithHasher(schemas.NewShopHash),
		goka.WithNilHandling(goka.NilProcess),
		goka.WithPartitionChannelSize(512),
		goka.WithUpdateCallback(p.rollback.update),
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithConfig(cfg, tm)),
		goka.WithConsumerSaramaBuilder(goka.SaramaConsumerBuilderWithConfig(cfg)),
		goka.WithStorageBuilder(func(topic string, partition int32) (storage.Storage, error) {
			s := newStore()
			if topic == p.rollback.table {
				p.mu.Lock()
				p.stores[partition] = s
				p.mu.Unlock()
			}
			return s, nil
		}),
		goka.WithConsumerGroupBuilder(func(brokers []string, name, clientID string) (sarama.ConsumerGroup, error) {
			c := *cfg
			c.ClientID = clientID
			g, err := sarama.NewConsumerGroup(brokers, name, &c)
			return group{g, p}, err
		}),
		goka.WithProducerBuilder(func(brokers []string, clientID string, hasher func() hash.Hash32) (goka.Producer, error) {
			w, err := p.producers(opts)(brokers, clientID, hasher)
			if a, ok := w.(interface{ abort() }); ok {
				p.mu.Lock()
				p.writer = a
				p.mu.Unlock()
			}
			return w, err
		}),
	)
}

func (p *Processor) sarama() (*sarama.Config, error) {
	c, err := p.deps.Broker.Sarama()
	if err != nil {
		return nil, err
	}
	c.Consumer.Return.Errors = true
	c.Consumer.MaxProcessingTime = time.Second
	c.Consumer.Fetch.Default = 1 << 20
	// A fetch that waits for records holds up what shares its connection: heartbeats and commits, and the
	// partitions that join later when tables are read back.
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = p.cfg.CommitInterval
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{goka.CopartitioningStrategy}
	c.Consumer.Group.Session.Timeout = p.cfg.SessionTimeout
	c.Consumer.Group.Heartbeat.Interval = p.cfg.SessionTimeout / 4
	// Time to finish what is in flight and to join again; shorter than sarama's read time-out.
	c.Consumer.Group.Rebalance.Timeout = 8 * time.Second
	if p.cfg.InstanceID != "" {
		c.Consumer.Group.InstanceId = p.cfg.InstanceID + "-" + p.rollback.group
	}
	return c, nil
}

// Lag is the number of input records that the partitions held here have not finished; 0 without any.
func (p *Processor) Lag() int64 {
	p.mu.Lock()
	s := p.session
	p.mu.Unlock()
	if s == nil {
		return 0
	}
	return s.lag()
}

// Ready says that partitions are assigned (perhaps none) and recovered.
func (p *Processor) Ready() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.session != nil
}

// Stored is the encoded value of a key in a partition that this instance holds; nil without one.
func (p *Processor) Stored(partition int32, key string) []byte {
	p.mu.Lock()
	s := p.stores[partition]
	p.mu.Unlock()
	if s == nil {
		return nil
	}
	v, _ := s.Get(key)
	return v
}

// begin notes that a message is being processed.
func (p *Processor) begin(ctx goka.Context) {
	if s := p.flowing.Load(); s != nil {
		s.begin(string(ctx.Topic()), ctx.Partition(), ctx.Offset())
	}
	p.metrics.delivered(ctx)
}

func (p *Processor) assigned(partitions []int32) {
	p.mu.Lock()
	p.stores = map[int32]*store{}
	p.setupFrom = time.Now()
	p.mu.Unlock()
	if p.spec.Assigned != nil {
		p.spec.Assigned(partitions)
	}
}

func (p *Processor) sessionUp(s *session) {
	p.mu.Lock()
	p.session = s
	took := time.Since(p.setupFrom)
	p.mu.Unlock()
	p.metrics.recovery.Set(took.Seconds())
	p.log.Info("partitions recovered", "partitions", len(s.Claims()[p.rollback.input]), "took", took.Round(time.Millisecond).String())
	p.Visit()
}

// sessionDown ends a pass that is under way and waits for it.
func (p *Processor) sessionDown() {
	p.mu.Lock()
	p.session = nil
	if p.visiting != nil {
		p.visiting()
	}
	p.mu.Unlock()
	p.visit.Lock()
	defer p.visit.Unlock()
}

type logger struct{ *slog.Logger }

func (l logger) Print(a ...any)            { l.Debug(fmt.Sprint(a...)) }
func (l logger) Println(a ...any)          { l.Debug(fmt.Sprint(a...)) }
func (l logger) Printf(f string, a ...any) { l.Debug(fmt.Sprintf(f, a...)) }
