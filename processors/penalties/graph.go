package penalties

import (
	"fmt"

	"github.com/lovoo/goka"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// New is the processor from violations.cases to penalties.sanctions.
func New(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
	m := NewMachine(deps.Policy)
	return stream.New(cfg, deps, stream.Spec{
		Group: schemas.GroupPenalties,
		Input: schemas.TopicCases,
		Edges: func(p *stream.Processor) []goka.Edge {
			out := p.Topic(schemas.TopicSanctions)
			return []goka.Edge{
				stream.Input(p, chatv1.CaseFromVTPool, func(ctx goka.Context, c *chatv1.Case) error {
					if err := check(ctx.Key(), c); err != nil {
						return err
					}
					st, _ := ctx.Value().(*statev1.Penalty)
					if st == nil {
						st = statev1.PenaltyFromVTPool()
					}
					defer st.ReturnToVTPool()
					sanctions, changed := m.Apply(st, c, ctx.Offset())
					for _, s := range sanctions {
						ctx.Emit(out, ctx.Key(), s)
					}
					if changed {
						ctx.SetValue(st)
					}
					return nil
				}),
				stream.Output[chatv1.Sanction](p, schemas.TopicSanctions),
				stream.Persist(statev1.PenaltyFromVTPool),
			}
		},
	})
}

// Key is the key of an offender's cases, sanctions, and state; empty for none.
func Key(o *chatv1.Offender) string {
	switch o.GetKind() {
	case chatv1.OffenderKind_OFFENDER_KIND_CONSUMER:
		return schemas.OffenderKey("consumer", o.Id)
	case chatv1.OffenderKind_OFFENDER_KIND_SHOP:
		return schemas.OffenderKey("shop", o.Id)
	}
	return ""
}

// check refuses a step that is not the offender's own.
func check(key string, c *chatv1.Case) error {
	var o *chatv1.Offender
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		o = s.Flag.GetOffender()
	case *chatv1.Case_Verdict:
		o = s.Verdict.GetOffender()
		if f := s.Verdict.GetFlag(); f != nil && (f.FlagId != s.Verdict.FlagId || Key(f.Offender) != key) {
			return stream.Refusal{Code: "invalid", Reason: "a verdict with another flag than it names"}
		}
	case *chatv1.Case_Appeal:
		o = s.Appeal.GetOffender()
	case *chatv1.Case_AppealDecision:
		o = s.AppealDecision.GetOffender()
	default:
		return stream.Refusal{Code: "invalid", Reason: "a case without a step"}
	}
	if want := Key(o); want == "" || want != key {
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("a step of %q under key %q", want, key)}
	}
	return nil
}
