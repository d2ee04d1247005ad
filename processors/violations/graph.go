package violations

import (
	"github.com/lovoo/goka"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// New is the processor from chat.events to violations.cases and violations.signals. Records of chat.events that are no events are the
// conversations processor's to report.
func New(cfg stream.Config, deps stream.Dependencies, judge Judge) (*stream.Processor, error) {
	m := NewMachine(deps.Policy, judge)
	return stream.New(cfg, deps, stream.Spec{
		Group:     schemas.GroupViolations,
		Input:     schemas.TopicEvents,
		NoLetters: true,
		Edges: func(p *stream.Processor) []goka.Edge {
			cases, signals := p.Topic(schemas.TopicCases), p.Topic(schemas.TopicSignals)
			return []goka.Edge{
				stream.Input(p, chatv1.ChatEventFromVTPool, func(ctx goka.Context, ev *chatv1.ChatEvent) error {
					if ev.GetTick() != nil || ev.ShopId == "" || ctx.Key() != schemas.EventKey(ev.ShopId, ev.ConversationId) {
						return nil
					}
					var st *statev1.Conduct
					if concernsState(ev) {
						st, _ = ctx.Value().(*statev1.Conduct)
					}
					if st == nil {
						st = statev1.ConductFromVTPool()
					}
					defer st.ReturnToVTPool()
					out := m.Apply(st, ev, ctx.Offset())
					for _, f := range out.Flags {
						ctx.Emit(cases, schemas.OffenderKey(kindOf(f.Offender), f.Offender.Id), &chatv1.Case{
							SourceOffset: ctx.Offset(), SourcePartition: ctx.Partition(), Step: &chatv1.Case_Flag{Flag: f},
						})
					}
					for _, s := range out.Signals {
						s.SourceOffset, s.SourcePartition = ctx.Offset(), ctx.Partition()
						ctx.Emit(signals, s.Key, s.Signal)
					}
					if out.Changed {
						ctx.SetValue(st)
					}
					return nil
				}),
				stream.Output[chatv1.Case](p, schemas.TopicCases),
				stream.Output[chatv1.Signal](p, schemas.TopicSignals),
				stream.Persist(statev1.ConductFromVTPool),
			}
		},
	})
}

// concernsState tells the events whose judgement needs, or changes, what is remembered.
func concernsState(ev *chatv1.ChatEvent) bool {
	switch ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return ev.Actor.GetRole() == chatv1.Role_ROLE_CONSUMER
	case *chatv1.ChatEvent_ConversationRated, *chatv1.ChatEvent_ConsumerBlocked:
		return true
	}
	return false
}

func kindOf(o *chatv1.Offender) string {
	if o.Kind == chatv1.OffenderKind_OFFENDER_KIND_CONSUMER {
		return "consumer"
	}
	return "shop"
}
