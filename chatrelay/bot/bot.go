package bot

import (
	"context"
	"errors"
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
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Group is the consumer group of all bots, without namespace.
const Group = "bot"

// Publisher writes events to chat.events: ingest.Publisher.
type Publisher interface {
	Publish(ctx context.Context, evs ...*chatv1.ChatEvent) error
}

// Dependencies of a Bot. Publisher is needed.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Publisher Publisher
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	// NowUS is the clock, UTC microseconds; it defaults to the system's.
	NowUS func() int64
}

// Bot answers for all shops. Run must be called once. Any number of bots share the shops among them.
type Bot struct {
	cfg        Config
	deps       Dependencies
	log        *slog.Logger
	topic      string
	options    []kgo.Opt // of the client that Run makes: one is a member of the group as soon as it exists
	receptions *receptions
	hook       *webhook
	metrics    *metrics
	workers    []chan *message
	stopped    chan struct{} // nothing is handed to workers any more
	assigned   atomic.Bool

	mu    sync.Mutex
	parts map[int32]*offsets

	listing sync.RWMutex // held while lists is looked at
	lists   *Lists
}

// message is a consumer's message under way.
type message struct {
	offset int64
	event  *chatv1.ChatEvent
	of     *offsets
}

// New reads the lists and the secret, so that what is wrong with them is known at once. It does not talk to Kafka yet.
func New(cfg Config, deps Dependencies) (*Bot, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("bot.%w", err)
	}
	if deps.Publisher == nil {
		return nil, errors.New("bot: no publisher")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.NowUS == nil {
		deps.NowUS = func() int64 { return time.Now().UnixMicro() }
	}
	b := &Bot{cfg: cfg, deps: deps, log: deps.Logger, topic: deps.Namespace.Topic(schemas.TopicEvents), metrics: newMetrics(deps.Registry),
		stopped: make(chan struct{}), parts: map[int32]*offsets{}}
	lists, err := LoadLists(cfg.FAQ)
	if err != nil {
		return nil, fmt.Errorf("bot: %w", err)
	}
	b.lists = lists
	if b.hook, err = newWebhook(cfg.Webhook, b.log); err != nil {
		return nil, err
	}
	if b.receptions, err = newReceptions(deps.Broker, deps.Namespace, cfg.MaxWait, b.log); err != nil {
		return nil, fmt.Errorf("bot: %w", err)
	}
	b.receptions.settle = b.settle
	for range cfg.Workers {
		b.workers = append(b.workers, make(chan *message, 64))
	}
	opts, err := deps.Broker.KGO()
	if err != nil {
		return nil, fmt.Errorf("bot: %w", err)
	}
	b.options = append(opts,
		kgo.ConsumerGroup(deps.Namespace.Topic(Group)), kgo.ConsumeTopics(b.topic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.AdjustFetchOffsetsFn(b.start), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(cfg.SessionTimeout), kgo.HeartbeatInterval(cfg.SessionTimeout/5), kgo.FetchMaxWait(cfg.MaxWait), kgo.FetchMinBytes(1),
		kgo.MetadataMinAge(250*time.Millisecond),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { b.assigned.Store(true) }), // also with none
		kgo.OnPartitionsRevoked(func(ctx context.Context, client *kgo.Client, gone map[string][]int32) {
			b.commit(ctx, client)
			b.forget(gone)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) { b.forget(gone) }),
	)
	return b, nil
}

// Ready returns nil when the bot answers: its share of the shops and their receptions are known.
func (b *Bot) Ready(context.Context) error {
	switch {
	case !b.receptions.loaded.Load():
		return errors.New("the reception table is not read yet")
	case !b.assigned.Load():
		return errors.New("no partitions yet")
	}
	return nil
}

// Run answers until ctx ends. What is under way then is finished or left to whoever comes next.
func (b *Bot) Run(ctx context.Context) error {
	defer b.receptions.client.Close()
	client, err := kgo.NewClient(b.options...)
	if err != nil {
		return fmt.Errorf("bot: kafka client: %w", err)
	}
	defer client.Close()
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var rest, workers sync.WaitGroup
	rest.Go(func() { b.receptions.run(background) })
	rest.Go(func() { b.housekeep(background, client) })
	answering, abort := context.WithCancel(background)
	defer abort()
	for _, in := range b.workers {
		workers.Go(func() { b.work(answering, in) })
	}
	b.poll(ctx, client)
	// Workers get a moment for what they have begun; what they do not get to is not committed.
	close(b.stopped)
	grace := time.AfterFunc(3*time.Second, abort)
	workers.Wait()
	grace.Stop()
	last, cancel := context.WithTimeout(background, 2*time.Second)
	b.commit(last, client)
	cancel()
	stop()
	rest.Wait()
	return nil
}

// start is asked where to begin. A partition that the group has never had begins at its end, and that is committed, so
// that what comes from here on is answered whatever happens. (Where the log no longer holds what was committed, reading
// goes on at its start: what is too old is left.)
func (b *Bot) start(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	parts := offsets[b.topic]
	var ends kadm.ListedOffsets
	for p, o := range parts {
		at := o.EpochOffset().Offset
		if at < 0 {
			if ends == nil {
				var err error
				if ends, err = kadm.NewClient(b.receptions.client).ListEndOffsets(ctx, b.topic); err == nil {
					err = ends.Error()
				}
				if err != nil {
					return nil, fmt.Errorf("ends of %s: %w", b.topic, err)
				}
			}
			end, _ := ends.Lookup(b.topic, p)
			at = end.Offset
			parts[p] = kgo.NewOffset().At(at)
		}
		b.mu.Lock()
		b.parts[p] = newOffsets(at)
		b.mu.Unlock()
	}
	return offsets, nil
}

func (b *Bot) forget(gone map[string][]int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range gone[b.topic] {
		if o := b.parts[p]; o != nil {
			o.lose()
			delete(b.parts, p)
		}
	}
}

func (b *Bot) poll(ctx context.Context, client *kgo.Client) {
	for ctx.Err() == nil {
		if b.receptions.count() >= b.cfg.Waiting {
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		fetches := client.PollRecords(ctx, 1000)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			b.mu.Lock()
			of := b.parts[p.Partition]
			b.mu.Unlock()
			if of == nil {
				return // lost meanwhile
			}
			for _, rec := range p.Records {
				ev := question(rec.Value)
				of.read(rec.Offset, ev != nil)
				if ev != nil {
					b.receptions.ask(&message{offset: rec.Offset, event: ev, of: of})
				}
			}
		})
	}
}

// question is the message that a record holds, where it is one that may be answered.
func question(value []byte) *chatv1.ChatEvent {
	var ev chatv1.ChatEvent
	if ev.UnmarshalVT(value) != nil {
		return nil // a dead letter of the conversations stage
	}
	m, a := ev.GetMessage(), ev.GetActor()
	if m == nil || m.Shielded || a.GetRole() != chatv1.Role_ROLE_CONSUMER || a.Automatic || a.Sanctioned || ev.EventId == "" {
		return nil
	}
	return &ev
}

// settle takes a message whose reception is known.
func (b *Bot) settle(m *message, bot bool) {
	switch {
	case !bot:
		b.leave(m, leftManual)
	case b.old(m):
		b.leave(m, leftOld)
	default:
		n := schemas.Fingerprint(m.event.ShopId+"/"+m.event.ConversationId) % uint64(len(b.workers))
		select {
		case b.workers[n] <- m:
		case <-b.stopped: // not committed: whoever has the partition next reads it again
		}
	}
}

func (b *Bot) old(m *message) bool {
	return b.deps.NowUS()-m.event.OccurredAtUs > b.cfg.MaxAge.Microseconds()
}

func (b *Bot) leave(m *message, reason string) {
	b.metrics.left.WithLabelValues(reason).Inc()
	m.of.end(m.offset)
}

// commit tells the group what is done.
func (b *Bot) commit(ctx context.Context, client *kgo.Client) {
	done := map[int32]kgo.EpochOffset{}
	b.mu.Lock()
	for p, o := range b.parts {
		if low, ok := o.low(); ok {
			done[p] = kgo.EpochOffset{Epoch: -1, Offset: low}
		}
	}
	b.mu.Unlock()
	if len(done) == 0 {
		return
	}
	failed := false
	client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{b.topic: done}, commitResult(&failed))
	if failed {
		return // tried again
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, o := range done {
		if of := b.parts[p]; of != nil {
			of.commit(o.Offset)
		}
	}
}

// housekeep commits, drops what has become old, and reads changed lists.
func (b *Bot) housekeep(ctx context.Context, client *kgo.Client) {
	commits, second, reload := time.NewTicker(b.cfg.CommitInterval), time.NewTicker(time.Second), time.NewTicker(b.cfg.Reload)
	defer commits.Stop()
	defer second.Stop()
	defer reload.Stop()
	seen := stamp(b.cfg.FAQ)
	for {
		select {
		case <-ctx.Done():
			return
		case <-commits.C:
			limited, cancel := context.WithTimeout(ctx, 5*time.Second)
			b.commit(limited, client)
			cancel()
		case <-second.C:
			for _, m := range b.receptions.drop(func(m *message) bool { return m.of.isLost() || b.old(m) }) {
				b.leave(m, leftOld)
			}
			b.metrics.waiting.Set(float64(b.receptions.count()))
		case <-reload.C:
			now := stamp(b.cfg.FAQ)
			if now == seen {
				continue
			}
			seen = now
			lists, err := LoadLists(b.cfg.FAQ)
			if err != nil {
				b.log.Error("bot: the changed questions and answers are not taken", "error", err)
				continue
			}
			b.listing.Lock()
			b.lists, lists = lists, b.lists
			b.listing.Unlock()
			lists.close()
			b.log.Info("bot: questions and answers are read again")
		}
	}
}
