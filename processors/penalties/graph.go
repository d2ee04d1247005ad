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
					if err := check(ctx.Key(), ctx.Partition(), deps.Broker.Partitions, c); err != nil {
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

// Steps outside these times are refused, as chat events are.
const (
	earliestUS = 946_684_800_000_000   // 2000-01-01
	latestUS   = 7_258_118_400_000_000 // 2200-01-01
)

// check refuses a step that is not the offender's own, or that says what this version does not know.
func check(key string, partition, partitions int32, c *chatv1.Case) error {
	invalid := func(format string, args ...any) error {
		return stream.Refusal{Code: "invalid", Reason: fmt.Sprintf(format, args...)}
	}
	var o *chatv1.Offender
	var id, flag string
	var category chatv1.Category
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		f := s.Flag
		o, id, flag, category = f.GetOffender(), f.GetFlagId(), f.GetFlagId(), f.GetCategory()
		if _, known := chatv1.Severity_name[int32(f.GetSeverity())]; !known {
			return invalid("a flag of severity %d, which this version does not know", f.GetSeverity())
		}
	case *chatv1.Case_Verdict:
		v := s.Verdict
		o, id, flag, category = v.GetOffender(), v.GetVerdictId(), v.GetFlagId(), v.GetCategory()
		if _, known := chatv1.Ruling_name[int32(v.GetRuling())]; !known {
			return invalid("a verdict of ruling %d, which this version does not know", v.GetRuling())
		}
		if f := v.GetFlag(); f != nil {
			if f.FlagId != v.FlagId || Key(f.Offender) != key {
				return invalid("a verdict with another flag than it names")
			}
			if _, known := chatv1.Category_name[int32(f.Category)]; !known {
				return invalid("category %d, which this version does not know", f.Category)
			}
		}
	case *chatv1.Case_Appeal:
		o, id, flag = s.Appeal.GetOffender(), s.Appeal.GetAppealId(), s.Appeal.GetFlagId()
	case *chatv1.Case_AppealDecision:
		o, id, flag = s.AppealDecision.GetOffender(), s.AppealDecision.GetAppealId(), s.AppealDecision.GetFlagId()
	default:
		return invalid("a case without a step")
	}
	if want := Key(o); want == "" || want != key {
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("a step of %q under key %q", want, key)}
	}
	if want := schemas.Partition(key, partitions); partition != want {
		return stream.Refusal{Code: "misplaced", Reason: fmt.Sprintf("key %q belongs to partition %d", key, want)}
	}
	if id == "" || flag == "" {
		return invalid("a step without the id of its flag or its own")
	}
	if _, known := chatv1.Category_name[int32(category)]; !known {
		return invalid("category %d, which this version does not know", category)
	}
	if at := stepTime(c); at < earliestUS || at >= latestUS {
		return invalid("time %d µs is not between 2000 and 2200", at)
	}
	return nil
}
