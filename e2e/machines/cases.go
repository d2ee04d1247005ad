package machines

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/processors/penalties"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// RunCases is what the penalties processor makes of one partition's log of cases.
func RunCases(p *policy.Set, log []oracle.CaseRecord) (*oracle.Penalties, error) {
	m := penalties.NewMachine(p)
	states := map[string][]byte{}
	newest := map[string]*chatv1.Sanction{}
	out := &oracle.Penalties{}
	for _, r := range log {
		issued, err := oneCase(m, states, r)
		if err != nil {
			return nil, fmt.Errorf("offset %d: %w", r.Offset, err)
		}
		slices.SortFunc(issued, func(a, b *chatv1.Sanction) int { return strings.Compare(a.SanctionId, b.SanctionId) })
		out.Issued = append(out.Issued, issued...)
		for _, s := range issued {
			newest[penalties.Key(s.Offender)+" "+s.SanctionId] = s
		}
	}
	for _, s := range newest {
		out.Sanctions = append(out.Sanctions, s)
	}
	slices.SortFunc(out.Sanctions, func(a, b *chatv1.Sanction) int {
		return cmp.Or(strings.Compare(penalties.Key(a.Offender), penalties.Key(b.Offender)), strings.Compare(a.SanctionId, b.SanctionId))
	})
	for _, b := range states {
		st := &statev1.Penalty{}
		if err := st.UnmarshalVT(b); err != nil {
			return nil, err
		}
		out.Accounts = append(out.Accounts, oracle.Account{Offender: st.Offender, Banned: st.Banned, MutedUntilUS: st.MutedUntilUs, Points: st.Points})
	}
	slices.SortFunc(out.Accounts, func(a, b oracle.Account) int {
		return strings.Compare(penalties.Key(a.Offender), penalties.Key(b.Offender))
	})
	return out, nil
}

// oneCase applies a step to the offender's state as it comes back from the table.
func oneCase(m *penalties.Machine, states map[string][]byte, r oracle.CaseRecord) ([]*chatv1.Sanction, error) {
	b, err := r.Case.MarshalVT()
	if err != nil {
		return nil, err
	}
	c := chatv1.CaseFromVTPool()
	defer c.ReturnToVTPool()
	if err := c.UnmarshalVTUnsafe(b); err != nil {
		return nil, err
	}
	key := oracle.OffenderName(offenderOf(c))
	st := statev1.PenaltyFromVTPool()
	defer st.ReturnToVTPool()
	if err := decode(states[key], st); err != nil {
		return nil, err
	}
	issued, changed := m.Apply(st, c, r.Offset)
	var out []*chatv1.Sanction
	for _, s := range issued {
		out = append(out, proto.CloneOf(s))
	}
	if changed {
		if err := encode(states, key, st); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func offenderOf(c *chatv1.Case) *chatv1.Offender {
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		return s.Flag.Offender
	case *chatv1.Case_Verdict:
		return s.Verdict.Offender
	case *chatv1.Case_Appeal:
		return s.Appeal.Offender
	case *chatv1.Case_AppealDecision:
		return s.AppealDecision.Offender
	}
	return nil
}
