// Package shielding puts shields into the log: for every sanction that shields a message it publishes
// message_shielded on chat.events, so that the message no longer counts in reception and in the assessment.
// Hiding the message from the other side is the relays' work, and takes less time.
//
// The event's id derives from the sanction, and offsets are committed after the acknowledgement: a shield is
// published at least once, and counted once. A shield that is reversed stays in the log: what was counted
// stands (docs/semantics.md).
package shielding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Group is the consumer group, without namespace.
const Group = "shielding"

// Publisher puts events on chat.events and returns when they are acknowledged.
type Publisher interface {
	Publish(ctx context.Context, evs ...*chatv1.ChatEvent) error
}

// Dependencies of the service.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Publisher Publisher
	Logger    *slog.Logger
	Registry  prometheus.Registerer
}

// Service publishes shields until its context ends.
type Service struct {
	deps     Dependencies
	shielded prometheus.Counter
}

// New prepares the service; nothing is contacted before Run.
func New(deps Dependencies) (*Service, error) {
	s := &Service{deps: deps, shielded: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "feige_shielding_published_total", Help: "Shields put on chat.events, repeats included.",
		ConstLabels: prometheus.Labels{"namespace": string(deps.Namespace)},
	})}
	if deps.Registry != nil {
		if err := deps.Registry.Register(s.shielded); err != nil {
			return nil, fmt.Errorf("metrics of shielding: %w", err)
		}
	}
	return s, nil
}

// Run reads sanctions and publishes shields. While Kafka is away it waits. It returns nil when the context ends.
func (s *Service) Run(ctx context.Context) error {
	opts, err := s.deps.Broker.KGO()
	if err != nil {
		return err
	}
	cl, err := kgo.NewClient(slices.Concat(opts, []kgo.Opt{
		kgo.ConsumerGroup(s.deps.Namespace.Topic(Group)),
		kgo.ConsumeTopics(s.deps.Namespace.Topic(schemas.TopicSanctions)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
	})...)
	if err != nil {
		return fmt.Errorf("shielding: %w", err)
	}
	defer cl.CloseAllowingRebalance()
	for ctx.Err() == nil {
		fetches := cl.PollRecords(ctx, 500)
		if ctx.Err() != nil {
			return nil
		}
		var events []*chatv1.ChatEvent
		fetches.EachRecord(func(r *kgo.Record) {
			if ev := s.event(r); ev != nil {
				events = append(events, ev)
			}
		})
		if err := s.publish(ctx, events); err != nil {
			return nil // the context has ended
		}
		if err := cl.CommitUncommittedOffsets(ctx); err != nil && ctx.Err() == nil {
			s.deps.Logger.Warn("shielding: offsets not committed, shields may be published again", "error", err)
		}
		cl.AllowRebalance()
	}
	return nil
}

// shieldSpace is the name space of the events' ids.
var shieldSpace = uuid.MustParse("5f5c1a1e-52c9-5f0d-8a36-0f6e5f1b7c02")

// event is the shield that a sanction asks for; nil for none.
func (s *Service) event(r *kgo.Record) *chatv1.ChatEvent {
	var x chatv1.Sanction
	if err := x.UnmarshalVT(r.Value); err != nil {
		s.deps.Logger.Warn("shielding: a record is no sanction", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
		return nil // the sink reports it
	}
	if x.Kind != chatv1.SanctionKind_SANCTION_KIND_SHIELD || x.Reversed || x.EventId == "" || x.ConversationId == "" {
		return nil
	}
	return &chatv1.ChatEvent{
		EventId: uuid.NewSHA1(shieldSpace, []byte(x.SanctionId)).String(), ShopId: x.ShopId, ConversationId: x.ConversationId,
		Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM}, OccurredAtUs: x.DecidedAtUs,
		Payload: &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{
			MessageEventId: x.EventId, FlagId: x.FlagId, OfShop: x.Offender.GetKind() == chatv1.OffenderKind_OFFENDER_KIND_SHOP,
		}},
	}
}

// publish tries until the events are acknowledged. Its only error is the context's. An event that is refused
// for what it says is logged and left out: its sanction names something that no event can name.
func (s *Service) publish(ctx context.Context, events []*chatv1.ChatEvent) error {
	for _, ev := range events {
		for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
			err := s.deps.Publisher.Publish(ctx, ev)
			if err == nil {
				s.shielded.Inc()
				break
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var final interface{ Retryable() bool }
			if !errors.As(err, &final) || !final.Retryable() {
				s.deps.Logger.Error("shielding: a shield is refused", "event_id", ev.EventId, "error", err)
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
	}
	return nil
}
