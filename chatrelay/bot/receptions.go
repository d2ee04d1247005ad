package bot

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// receptions follows the table of the reception processor: who receives in each shop, and up to which event
// that is known.
type receptions struct {
	topic  string
	client *kgo.Client
	logger *slog.Logger
	// settle is told of messages whose reception has become known.
	settle func(m *message, bot bool)
	loaded atomic.Bool

	mu      sync.Mutex
	shops   map[string]*shop
	waiting int
}

type shop struct {
	// applied is the offset of the table's group that the value rests on; among values the highest holds.
	applied int64
	// known is the offset on chat.events up to which (exclusive) bot is right.
	known int64
	bot   bool
	// from is the offset of the message that brought the bot in: those before it were a human's to answer.
	from    int64
	waiting []*message
}

func newReceptions(b broker.Config, ns schemas.Namespace, maxWait time.Duration, logger *slog.Logger) (*receptions, error) {
	opts, err := b.KGO()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.FetchMaxWait(maxWait), kgo.FetchMinBytes(1), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &receptions{topic: ns.Topic(schemas.TableOf(schemas.GroupReception)), client: client, logger: logger, shops: map[string]*shop{}}, nil
}

// run reads the table until ctx ends.
func (r *receptions) run(ctx context.Context) {
	ends := r.begin(ctx)
	for ctx.Err() == nil {
		if !r.loaded.Load() && len(ends) == 0 {
			r.loaded.Store(true)
		}
		fetches := r.client.PollFetches(ctx)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, rec := range p.Records {
				r.apply(string(rec.Key), rec.Value)
				if end, ok := ends[rec.Partition]; ok && rec.Offset+1 >= end {
					delete(ends, rec.Partition)
				}
			}
		})
	}
}

// begin waits for the topic and reads it from its start. It returns where its partitions end.
func (r *receptions) begin(ctx context.Context) map[int32]int64 {
	admin := kadm.NewClient(r.client)
	told := false
	for pause := 50 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 2*time.Second) {
		starts, err := admin.ListStartOffsets(ctx, r.topic)
		if err == nil {
			err = starts.Error()
		}
		var ends kadm.ListedOffsets
		if err == nil {
			if ends, err = admin.ListEndOffsets(ctx, r.topic); err == nil {
				err = ends.Error()
			}
		}
		if err == nil && len(ends[r.topic]) > 0 {
			from, upTo := map[int32]kgo.Offset{}, map[int32]int64{}
			for p, end := range ends[r.topic] {
				from[p] = kgo.NewOffset().AtStart()
				if end.Offset > starts[r.topic][p].Offset {
					upTo[p] = end.Offset
				}
			}
			r.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: from})
			return upTo
		}
		if !told && ctx.Err() == nil {
			told = true
			r.logger.Info("bot: the reception table cannot be read yet", "topic", r.topic, "error", fmt.Sprint(err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

func (r *receptions) apply(key string, value []byte) {
	applied, ok := statev1.Applied(value)
	if !ok || schemas.IsTickKey(key) {
		return
	}
	var st statev1.Reception
	if st.UnmarshalVT(value) != nil {
		return
	}
	r.mu.Lock()
	s := r.shop(key)
	if applied < s.applied {
		r.mu.Unlock()
		return
	}
	s.applied, s.known, s.bot, s.from = applied, st.SourcePlusOne, st.GetTakeover().GetBot(), 0
	for _, offset := range st.GetTakeover().GetLasting().GetEvidenceOffsets() {
		s.from = max(s.from, int64(offset)) // the message that triggered is the last of them, or comes right after
	}
	n := 0
	for n < len(s.waiting) && s.waiting[n].offset < s.known {
		n++
	}
	ready, bot, from := s.waiting[:n:n], s.bot, s.from
	if s.waiting = s.waiting[n:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	r.waiting -= n
	r.mu.Unlock()
	for _, m := range ready {
		r.settle(m, bot && m.offset >= from)
	}
}

func (r *receptions) shop(id string) *shop {
	s := r.shops[id]
	if s == nil {
		s = &shop{applied: -1}
		r.shops[id] = s
	}
	return s
}

// ask settles a message at once where its reception is known, and else keeps it until it is.
func (r *receptions) ask(m *message) {
	r.mu.Lock()
	s := r.shop(m.event.ShopId)
	if m.offset >= s.known {
		s.waiting = append(s.waiting, m)
		r.waiting++
		r.mu.Unlock()
		return
	}
	bot := s.bot && m.offset >= s.from
	r.mu.Unlock()
	r.settle(m, bot)
}

// bot tells whether the bot receives, as far as is known.
func (r *receptions) bot(shop string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.shops[shop]
	return s != nil && s.bot
}

func (r *receptions) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting
}

// drop takes out the messages for which old says so; they are returned.
func (r *receptions) drop(old func(*message) bool) (dropped []*message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.shops {
		if len(s.waiting) == 0 {
			continue
		}
		kept := s.waiting[:0]
		for _, m := range s.waiting {
			if old(m) {
				dropped = append(dropped, m)
			} else {
				kept = append(kept, m)
			}
		}
		clear(s.waiting[len(kept):])
		s.waiting = kept
	}
	r.waiting -= len(dropped)
	return dropped
}
