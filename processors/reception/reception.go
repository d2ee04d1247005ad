// Package reception keeps, for every shop, the unreplied messages of rule 2.1 and publishes when the bot
// takes over and when it hands back. The rule itself is internal/takeover; this package binds it to the
// topics. Its table is also what relays read to know who receives.
package reception

import (
	"github.com/lovoo/goka"

	"github.com/feigeio/feige/internal/takeover"
	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// New is the processor from chat.facts to reception.takeovers.
func New(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
	m := takeover.New(deps.Policy)
	return stream.New(cfg, deps, stream.Spec{
		Group: schemas.GroupReception,
		Input: schemas.TopicFacts,
		Edges: func(p *stream.Processor) []goka.Edge {
			out := p.Topic(schemas.TopicTakeovers)
			return []goka.Edge{
				stream.Input(p, chatv1.FactFromVTPool, func(ctx goka.Context, f *chatv1.Fact) error {
					if !takeover.Concerns(f) {
						return nil
					}
					if ctx.Key() != f.ShopId || f.ShopId == "" {
						return stream.Refusal{Code: "misplaced", Reason: "a fact of another shop than its key's"}
					}
					st, _ := ctx.Value().(*statev1.Reception)
					if st == nil {
						st = statev1.ReceptionFromVTPool()
						st.Takeover = statev1.TakeoverStateFromVTPool()
					}
					defer st.ReturnToVTPool()
					if f.SourceOffset < st.SourcePlusOne {
						return nil // repeated by a restart of the stage before
					}
					st.AppliedPlusOne = uint64(ctx.Offset()) + 1
					st.SourcePlusOne = f.SourceOffset + 1
					if t := m.Apply(st.Takeover, f); t != nil {
						ctx.Emit(out, f.ShopId, t)
					}
					ctx.SetValue(st)
					return nil
				}),
				stream.Output[chatv1.Takeover](p, schemas.TopicTakeovers),
				stream.Persist(statev1.ReceptionFromVTPool),
			}
		},
	})
}
