package patterns

import (
	"fmt"

	"github.com/lovoo/goka"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Signals outside these times are refused, as chat events are.
const (
	earliestUS = 946_684_800_000_000   // 2000-01-01
	latestUS   = 7_258_118_400_000_000 // 2200-01-01
)

// New is the processor from violations.signals to violations.cases. It writes tallies of shops back to violations.signals, in the
// same partition.
func New(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
	m := NewMachine(deps.Policy)
	tickKeys := make([]string, deps.Broker.Partitions)
	for p := range tickKeys {
		tickKeys[p] = schemas.TickKey(int32(p), deps.Broker.Partitions)
	}
	return stream.New(cfg, deps, stream.Spec{
		Group: schemas.GroupPatterns,
		Input: schemas.TopicSignals,
		Edges: func(p *stream.Processor) []goka.Edge {
			cases, signals := p.Topic(schemas.TopicCases), p.Topic(schemas.TopicSignals)
			return []goka.Edge{
				stream.Input(p, chatv1.SignalFromVTPool, func(ctx goka.Context, s *chatv1.Signal) error {
					if err := check(ctx.Key(), ctx.Partition(), deps.Broker.Partitions, s); err != nil {
						return err
					}
					st, _ := ctx.Value().(*statev1.Pattern)
					if st == nil {
						st = statev1.PatternFromVTPool()
					}
					defer st.ReturnToVTPool()
					out := m.Apply(st, s, ctx.Offset())
					if f := out.Flag; f != nil {
						ctx.Emit(cases, schemas.OffenderKey(kindOf(f.Offender), f.Offender.Id), &chatv1.Case{
							SourceOffset: ctx.Offset(), SourcePartition: ctx.Partition(), Step: &chatv1.Case_Flag{Flag: f},
						})
					}
					if out.Tally != nil {
						ctx.Emit(signals, tickKeys[ctx.Partition()], out.Tally)
					}
					if out.Changed {
						ctx.SetValue(st)
					}
					return nil
				}),
				stream.Output[chatv1.Case](p, schemas.TopicCases),
				stream.Output[chatv1.Signal](p, schemas.TopicSignals),
				stream.Persist(statev1.PatternFromVTPool),
			}
		},
	})
}

func kindOf(o *chatv1.Offender) string {
	if o.Kind == chatv1.OffenderKind_OFFENDER_KIND_CONSUMER {
		return "consumer"
	}
	return "shop"
}

// check refuses what would corrupt the counting of others.
func check(key string, partition, partitions int32, s *chatv1.Signal) error {
	if s.Payload == nil || s.ShopId == "" || s.SourceOffset < 0 {
		return stream.Refusal{Code: "invalid", Reason: "a signal without a payload, a shop, or a source"}
	}
	if want := schemas.Partition(key, partitions); partition != want {
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("key %q belongs to partition %d", key, want)}
	}
	_, tally := s.Payload.(*chatv1.Signal_Tally)
	switch {
	case tally != schemas.IsTickKey(key) || tally != (s.SourcePartition == ownPartition):
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("a signal of another kind than key %q holds", key)}
	case !tally && s.Consumer != (key == schemas.OffenderKey("consumer", s.ActorId)):
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("a signal of another sender under key %q", key)}
	case !tally && !s.Consumer && schemas.ShopOf(key) != s.ShopId:
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("a signal of shop %q under key %q", s.ShopId, key)}
	case s.AtUs < earliestUS || s.AtUs >= latestUS:
		return stream.Refusal{Code: "invalid", Reason: fmt.Sprintf("time %d µs is not between 2000 and 2200", s.AtUs)}
	}
	return nil
}
