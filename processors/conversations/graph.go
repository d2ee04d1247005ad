package conversations

import (
	"fmt"

	"github.com/lovoo/goka"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Events outside these times are refused: calendars and sums are exact within them.
const (
	earliestUS = 946_684_800_000_000   // 2000-01-01
	latestUS   = 7_258_118_400_000_000 // 2200-01-01
)

// New is the processor from chat.events to chat.facts.
func New(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
	m := NewMachine(deps.Policy)
	return stream.New(cfg, deps, stream.Spec{
		Group: schemas.GroupConversations,
		Input: schemas.TopicEvents,
		Edges: func(p *stream.Processor) []goka.Edge {
			facts := p.Topic(schemas.TopicFacts)
			return []goka.Edge{
				stream.Input(p, chatv1.ChatEventFromVTPool, func(ctx goka.Context, ev *chatv1.ChatEvent) error {
					if err := check(ctx.Key(), ctx.Partition(), deps.Broker.Partitions, ev); err != nil {
						return err
					}
					if t := ev.GetTick(); t != nil {
						ctx.Emit(facts, ctx.Key(), &chatv1.Fact{SourceOffset: ctx.Offset(), AtUs: t.AtUs, Kind: chatv1.FactKind_FACT_KIND_TICK})
						return nil
					}
					st, _ := ctx.Value().(*statev1.Conversation)
					if st == nil {
						st = statev1.ConversationFromVTPool()
					}
					fact, changed := m.Apply(st, ev, ctx.Offset())
					if fact != nil {
						ctx.Emit(facts, ev.ShopId, fact)
						fact.ReturnToVTPool()
					}
					if changed {
						ctx.SetValue(st)
					}
					st.ReturnToVTPool()
					return nil
				}),
				stream.Output[chatv1.Fact](p, schemas.TopicFacts),
				stream.Persist(statev1.ConversationFromVTPool),
			}
		},
	})
}

// check refuses what would corrupt the counting of others.
func check(key string, partition, partitions int32, ev *chatv1.ChatEvent) error {
	at := ev.OccurredAtUs
	if t := ev.GetTick(); t != nil {
		at = t.AtUs
		if !schemas.IsTickKey(key) {
			return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("a tick under key %q", key)}
		}
	} else if ev.ShopId == "" || !schemas.IsEventKey(key, ev.ShopId, ev.ConversationId) {
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("an event of %q under key %q", schemas.EventKey(ev.ShopId, ev.ConversationId), key)}
	}
	if want := schemas.Partition(key, partitions); partition != want {
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("key %q belongs to partition %d", key, want)}
	}
	if ev.Payload == nil {
		return stream.Refusal{Code: "invalid", Reason: "an event without a payload"}
	}
	if at < earliestUS || at >= latestUS {
		return stream.Refusal{Code: "invalid", Reason: fmt.Sprintf("time %d µs is not between 2000 and 2200", at)}
	}
	return nil
}
