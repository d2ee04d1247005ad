package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
)

var (
	// ErrGone says that the log no longer holds what comes after a position, or never had the position.
	ErrGone = errors.New("the position is not in the log")
	// ErrUnavailable says that Kafka does not answer now.
	ErrUnavailable = errors.New("kafka is unavailable")
)

// Now, in place of an offset, means: from the next record on.
const Now int64 = -2

// Dependencies of a Feed. All but Broker may be left out.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	// Observe, if set, is called for each event that is read, in order, before followers get it. It must not
	// block or call the Feed.
	Observe func(*Record)
}

// Feed reads the wanted partitions of chat.events. It is safe for concurrent use.
type Feed struct {
	cfg     Config
	deps    Dependencies
	topic   string
	opts    []kgo.Opt
	client  *kgo.Client
	admin   *kadm.Client
	scans   chan struct{}
	metrics *metrics

	mu         sync.Mutex
	partitions map[int32]*partition
	opening    map[int32]*opening
}

// opening is a partition whose extent is being asked for.
type opening struct {
	done chan struct{}
	err  error
}

// New does not talk to Kafka yet.
func New(cfg Config, deps Dependencies) (*Feed, error) {
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
	opts = append(opts, kgo.FetchMaxWait(cfg.MaxWait), kgo.FetchMinBytes(1),
		kgo.MetadataMinAge(250*time.Millisecond), kgo.RetryTimeout(cfg.LoadTimeout))
	f := &Feed{
		cfg: cfg, deps: deps, topic: deps.Namespace.Topic(schemas.TopicEvents), opts: opts,
		scans: make(chan struct{}, cfg.Scans), metrics: newMetrics(deps.Registry),
		partitions: map[int32]*partition{}, opening: map[int32]*opening{},
	}
	// A consumer of no partition is none: the first ones come later.
	if f.client, err = kgo.NewClient(append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))...); err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	f.admin = kadm.NewClient(f.client)
	return f, nil
}

// Close gives back what New took, where Run is not called.
func (f *Feed) Close() { f.client.Close() }

// Run reads until ctx ends.
func (f *Feed) Run(ctx context.Context) error {
	defer f.client.Close()
	failing := false
	for {
		fetches := f.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		fetches.EachError(func(topic string, part int32, err error) {
			if !failing {
				failing = true
				f.deps.Logger.Warn("relay: reading the log fails, trying on", "topic", topic, "partition", part, "error", err)
			}
		})
		empty := true
		fetches.EachPartition(func(tp kgo.FetchTopicPartition) {
			f.mu.Lock()
			p := f.partitions[tp.Partition]
			f.mu.Unlock()
			if p == nil {
				return
			}
			for _, r := range tp.Records {
				empty = false
				rec, _ := decode(tp.Partition, r.Offset, r.Key, r.Value)
				n := p.add(r.Offset, rec, &f.cfg, f.deps.Observe)
				f.metrics.records.Inc()
				if n > 0 {
					f.metrics.deliveries.Add(float64(n))
					f.metrics.delay.Observe(time.Since(time.UnixMicro(rec.Event.OccurredAtUs)).Seconds())
				}
			}
		})
		if failing && !empty {
			failing = false
			f.deps.Logger.Info("relay: reading the log goes on")
		}
	}
}

// PartitionOf is where a shop's events are.
func (f *Feed) PartitionOf(shop string) int32 {
	return schemas.Partition(shop, f.deps.Broker.Partitions)
}

// Open makes sure that the shop's partition is being read.
func (f *Feed) Open(ctx context.Context, shop string) error {
	_, err := f.open(ctx, f.PartitionOf(shop))
	return err
}

// open makes sure that the partition is being read and waits until what the log held is in memory, or as
// much of it as there is room for.
func (f *Feed) open(ctx context.Context, number int32) (*partition, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.LoadTimeout)
	defer cancel()
	for {
		f.mu.Lock()
		p := f.partitions[number]
		o := f.opening[number]
		if p == nil && o == nil {
			o = &opening{done: make(chan struct{})}
			f.opening[number] = o
			go f.begin(number, o)
		}
		f.mu.Unlock()
		var wait <-chan struct{}
		if p != nil {
			wait = p.loaded
		} else {
			wait = o.done
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, fmt.Errorf("open %s/%d: %w", f.topic, number, ErrUnavailable)
		}
		if p != nil {
			return p, nil
		}
		if o.err != nil {
			return nil, o.err
		}
	}
}

func (f *Feed) begin(number int32, o *opening) {
	ctx, cancel := context.WithTimeout(context.Background(), f.cfg.LoadTimeout)
	defer cancel()
	start, end, err := f.extent(ctx, number)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		first := max(start, end-int64(f.cfg.Records))
		f.partitions[number] = newPartition(number, first, end)
		f.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{f.topic: {number: kgo.NewOffset().At(first)}})
	}
	o.err = err
	delete(f.opening, number)
	close(o.done)
}

// extent is where the partition's log begins and ends.
func (f *Feed) extent(ctx context.Context, number int32) (start, end int64, err error) {
	starts, err := f.admin.ListStartOffsets(ctx, f.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("start of %s/%d: %w: %w", f.topic, number, ErrUnavailable, err)
	}
	ends, err := f.admin.ListEndOffsets(ctx, f.topic)
	if err != nil {
		return 0, 0, fmt.Errorf("end of %s/%d: %w: %w", f.topic, number, ErrUnavailable, err)
	}
	s, ok := starts.Lookup(f.topic, number)
	e, also := ends.Lookup(f.topic, number)
	if !ok || !also {
		return 0, 0, fmt.Errorf("extent of %s/%d: %w: no answer", f.topic, number, ErrUnavailable)
	}
	if err := errors.Join(s.Err, e.Err); err != nil {
		return 0, 0, fmt.Errorf("extent of %s/%d: %w: %w", f.topic, number, ErrUnavailable, err)
	}
	return s.Offset, e.Offset, nil
}

// Head is the position up to which the shop's partition has been read; ok is false if it is not being read.
func (f *Feed) Head(shop string) (protocol.Position, bool) {
	number := f.PartitionOf(shop)
	f.mu.Lock()
	p := f.partitions[number]
	f.mu.Unlock()
	if p == nil {
		return protocol.Position{}, false
	}
	return protocol.Position{Partition: number, Offset: p.position()}, true
}

// At calls do with the position up to which the shop's followers have been told everything, in the same way as
// Deliver: nothing comes in between. It does nothing when the partition is not being read.
func (f *Feed) At(shop string, do func(protocol.Position)) {
	f.mu.Lock()
	p := f.partitions[f.PartitionOf(shop)]
	f.mu.Unlock()
	if p != nil {
		p.at(do)
	}
}

// Known tells whether an event is among the newest of the shop's partition, and when it happened.
func (f *Feed) Known(shop, eventID string) (*Record, bool) {
	f.mu.Lock()
	p := f.partitions[f.PartitionOf(shop)]
	f.mu.Unlock()
	if p == nil {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.ids[eventID]
	return r, ok
}

// Leave ends what Follow began. Deliver is not called any more once it returns.
func (f *Feed) Leave(fo *Follower) {
	f.mu.Lock()
	p := f.partitions[f.PartitionOf(fo.Shop)]
	f.mu.Unlock()
	if p != nil {
		p.remove(fo)
	}
}

// Rest stops reading the partitions that nobody follows, and gives their memory back.
func (f *Feed) Rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for number, p := range maps.All(f.partitions) {
		p.mu.Lock()
		idle := p.count == 0 && p.done
		p.mu.Unlock()
		if idle {
			delete(f.partitions, number)
			f.client.RemoveConsumePartitions(map[string][]int32{f.topic: {number}})
		}
	}
}
