package tables

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
)

// Config is the `relay.tables` section of the configuration.
type Config struct {
	// MaxWait is how long a fetch waits for something new (10ms to 5s).
	MaxWait time.Duration `yaml:"max_wait"`
	// Look is how often a table topic that does not exist is looked for (100ms to 10m).
	Look time.Duration `yaml:"look"`
}

// DefaultConfig looks for missing tables every two seconds.
func DefaultConfig() Config { return Config{MaxWait: time.Second, Look: 2 * time.Second} }

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	if c.MaxWait < 10*time.Millisecond || c.MaxWait > 5*time.Second {
		return fmt.Errorf("max_wait: %v is not in 10ms to 5s", c.MaxWait)
	}
	if c.Look < 100*time.Millisecond || c.Look > 10*time.Minute {
		return fmt.Errorf("look: %v is not in 100ms to 10m", c.Look)
	}
	return nil
}

// Dependencies of Tables. Logger, Registry, and Watcher may be left out.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Watcher   Watcher
	Logger    *slog.Logger
	Registry  prometheus.Registerer
}

// Tables are the views. Safe for concurrent use.
type Tables struct {
	cfg    Config
	deps   Dependencies
	client *kgo.Client
	views  *views
	behind prometheus.Gauge

	// loading counts the partitions that have not been read up to where they ended when reading began.
	mu      sync.Mutex
	ends    map[string]map[int32]int64
	known   map[string]bool
	missing map[string]bool
	looked  bool
	ready   atomic.Bool
}

// topics by their names without namespace.
var topics = []string{schemas.TableOf(schemas.GroupReception), schemas.TableOf(schemas.GroupPenalties), schemas.TableOf(schemas.GroupConversations)}

// New does not talk to Kafka yet.
func New(cfg Config, deps Dependencies) (*Tables, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	opts, err := deps.Broker.KGO()
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.FetchMaxWait(cfg.MaxWait), kgo.FetchMinBytes(1), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	t := &Tables{cfg: cfg, deps: deps, client: client, views: newViews(),
		ends: map[string]map[int32]int64{}, known: map[string]bool{}, missing: map[string]bool{},
		behind: prometheus.NewGauge(prometheus.GaugeOpts{Name: "feige_relay_tables_loading", Help: "Partitions of tables that have not been read up yet."})}
	if deps.Registry != nil {
		deps.Registry.MustRegister(t.behind)
	}
	return t, nil
}

// Ready tells whether everything that the tables held when reading began is known.
func (t *Tables) Ready() bool { return t.ready.Load() }

// Close gives back what New took, where Run is not called.
func (t *Tables) Close() { t.client.Close() }

// Run reads until ctx ends.
func (t *Tables) Run(ctx context.Context) error {
	defer t.client.Close()
	var wait sync.WaitGroup
	wait.Go(func() { t.look(ctx) })
	defer wait.Wait()
	names := map[string]string{}
	for _, name := range topics {
		names[t.deps.Namespace.Topic(name)] = name
	}
	for {
		fetches := t.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				t.apply(names[p.Topic], string(r.Key), r.Value)
				t.passed(p.Topic, p.Partition, r.Offset+1)
			}
		})
	}
}

func (t *Tables) apply(topic, key string, value []byte) {
	w := t.deps.Watcher
	if !t.ready.Load() {
		w = nil
	}
	switch topic {
	case topics[0]:
		if schemas.IsTickKey(key) {
			return
		}
		if now, changed := t.views.reception(key, value); changed && w != nil {
			w.ReceptionChanged(key, now)
		}
	case topics[1]:
		now, changed, shields := t.views.penalty(key, value)
		if w == nil {
			return
		}
		if changed {
			w.StandingChanged(key, now)
		}
		for _, s := range shields {
			w.ShieldChanged(s)
		}
	case topics[2]:
		t.views.conversation(key, value)
	}
}

// passed notes that a partition has been read up to an offset.
func (t *Tables) passed(topic string, partition int32, next int64) {
	if t.ready.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if end, waiting := t.ends[topic][partition]; waiting && next >= end {
		delete(t.ends[topic], partition)
		t.settle()
	}
}

// settle finds out whether reading has caught up. The lock is held.
func (t *Tables) settle() {
	n := 0
	for _, ps := range t.ends {
		n += len(ps)
	}
	t.behind.Set(float64(n))
	if n == 0 && t.looked && !t.ready.Load() {
		t.ready.Store(true)
		t.deps.Logger.Debug("relay: tables are read")
	}
}

// look finds the topics, now and as long as some are missing.
func (t *Tables) look(ctx context.Context) {
	pause := 50 * time.Millisecond
	for !t.find(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			t.mu.Lock()
			looked := t.looked
			t.mu.Unlock()
			if looked {
				pause = t.cfg.Look
			} else {
				pause = min(2*pause, t.cfg.Look)
			}
		}
	}
}

// find begins to read the topics that are there. It returns true when none is missing.
func (t *Tables) find(ctx context.Context) bool {
	admin := kadm.NewClient(t.client)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var wanted []string
	for _, name := range topics {
		if full := t.deps.Namespace.Topic(name); !t.known[full] {
			wanted = append(wanted, full)
		}
	}
	have, err := admin.ListTopics(ctx, wanted...)
	if err != nil {
		return false
	}
	all := true
	for _, name := range wanted {
		if d, ok := have[name]; !ok || d.Err != nil || len(d.Partitions) == 0 {
			all = false
			if !t.missing[name] {
				t.missing[name] = true
				t.deps.Logger.Info("relay: a table does not exist yet; what it would say is taken as empty", "topic", name)
			}
			continue
		}
		if !t.begin(ctx, admin, name) {
			return false
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looked = true
	t.settle()
	return all
}

// begin reads a topic from its start.
func (t *Tables) begin(ctx context.Context, admin *kadm.Client, name string) bool {
	starts, err := admin.ListStartOffsets(ctx, name)
	if err != nil || starts.Error() != nil {
		return false
	}
	ends, err := admin.ListEndOffsets(ctx, name)
	if err != nil || ends.Error() != nil {
		return false
	}
	from := map[int32]kgo.Offset{}
	t.mu.Lock()
	t.ends[name] = map[int32]int64{}
	for p, s := range starts[name] {
		from[p] = kgo.NewOffset().AtStart()
		if end := ends[name][p].Offset; end > s.Offset {
			t.ends[name][p] = end
		}
	}
	t.mu.Unlock()
	t.known[name] = true
	t.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{name: from})
	return true
}
