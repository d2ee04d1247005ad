package penalties

import (
	"math"
	"slices"
	"strings"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

const (
	// keptOffences bounds the state of one offender, which is written anew at every step: about 150 KB.
	keptOffences = 128
	// keptVerdicts are remembered to drop repeats.
	keptVerdicts = 8
)

// Machine applies steps of cases to offenders by the policy. It is immutable and safe for concurrent use.
type Machine struct{ policy *policy.Set }

// NewMachine returns the machine of a policy.
func NewMachine(p *policy.Set) *Machine { return &Machine{p} }

// Apply takes the step at offset off into the offender's state, which it changes in place. It returns the
// sanctions that are new or changed by it, and whether the state changed.
func (m *Machine) Apply(st *statev1.Penalty, c *chatv1.Case, off int64) ([]*chatv1.Sanction, bool) {
	at := stepTime(c)
	if at == 0 {
		return nil, false
	}
	at = max(at, st.LastAtUs)
	if !m.step(st, c, at) {
		return nil, false
	}
	st.LastAtUs = at
	st.AppliedPlusOne = uint64(off) + 1
	return m.derive(st, off, at), true
}

func stepTime(c *chatv1.Case) int64 {
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		return s.Flag.GetAtUs()
	case *chatv1.Case_Verdict:
		return s.Verdict.GetAtUs()
	case *chatv1.Case_Appeal:
		return s.Appeal.GetAtUs()
	case *chatv1.Case_AppealDecision:
		return s.AppealDecision.GetAtUs()
	}
	return 0
}

// step notes what the step says. False: it does nothing.
func (m *Machine) step(st *statev1.Penalty, c *chatv1.Case, at int64) bool {
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		if !s.Flag.AutoConfirmed || find(st, s.Flag.FlagId) != nil {
			return false
		}
		confirm(st, s.Flag, s.Flag.Category, at)
		return true
	case *chatv1.Case_Verdict:
		return verdict(st, s.Verdict, at)
	case *chatv1.Case_Appeal:
		return m.appeal(st, s.Appeal, at)
	case *chatv1.Case_AppealDecision:
		return decideAppeal(st, s.AppealDecision, at)
	}
	return false
}

func find(st *statev1.Penalty, flagID string) *statev1.Offence {
	for _, o := range st.Offences {
		if o.Flag.FlagId == flagID {
			return o
		}
	}
	return nil
}

func confirm(st *statev1.Penalty, f *chatv1.Flag, category chatv1.Category, at int64) *statev1.Offence {
	kept := f.CloneVT()
	kept.Evidence, kept.RelatedEventIds = "", nil
	if st.Offender == nil {
		st.Offender = f.Offender.CloneVT()
	}
	o := &statev1.Offence{Flag: kept, Category: category, ConfirmedAtUs: at}
	st.Offences = append(st.Offences, o)
	if n := len(st.Offences) - keptOffences; n > 0 {
		forget(st, n, at)
	}
	return o
}

// forget drops the oldest flags and what was published of events that none is left on: it stays published, and
// goes on to bind the account.
func forget(st *statev1.Penalty, n int, at int64) {
	stood, standing := map[string]bool{}, map[string]bool{}
	for _, o := range st.Offences[:n] {
		stood[groupOf(o)] = stood[groupOf(o)] || stands(o)
	}
	st.Offences = slices.Delete(st.Offences, 0, n)
	for _, o := range st.Offences {
		delete(stood, groupOf(o))
	}
	for group, ok := range stood {
		if ok {
			standing[group] = true
			st.EarlierOffences++
		}
	}
	if st.EarlierPointsUntilUs != 0 && st.EarlierPointsUntilUs <= at && len(standing) > 0 {
		st.EarlierPoints = 0
	}
	st.Sanctions = slices.DeleteFunc(st.Sanctions, func(s *chatv1.Sanction) bool {
		group := s.SanctionId[:strings.LastIndexByte(s.SanctionId, '/')]
		if standing[group] && !s.Reversed {
			carryOver(st, s, at)
		}
		_, gone := stood[group]
		return gone
	})
}

func carryOver(st *statev1.Penalty, s *chatv1.Sanction, at int64) {
	switch s.Kind {
	case chatv1.SanctionKind_SANCTION_KIND_POINTS:
		if s.UntilUs == 0 || at < s.UntilUs {
			st.EarlierPoints += s.Points
			st.EarlierPointsUntilUs = s.UntilUs
		}
	case chatv1.SanctionKind_SANCTION_KIND_BAN:
		st.EarlierBanned = true
	case chatv1.SanctionKind_SANCTION_KIND_MUTE:
		st.EarlierMutedUntilUs = max(st.EarlierMutedUntilUs, untilOf(s))
	}
}

// untilOf is the end of a sanction; the greatest time for one without end.
func untilOf(s *chatv1.Sanction) int64 {
	if s.UntilUs == 0 {
		return math.MaxInt64
	}
	return s.UntilUs
}

// groupOf names the event that the flag is on, or the flag where there is none.
func groupOf(o *statev1.Offence) string {
	if o.Flag.EventId != "" {
		return o.Flag.EventId
	}
	return o.Flag.FlagId
}

func verdict(st *statev1.Penalty, v *chatv1.ReviewVerdict, at int64) bool {
	o := find(st, v.FlagId)
	id := schemas.Fingerprint(v.VerdictId)
	if o != nil && slices.Contains(o.VerdictIds, id) {
		return false
	}
	confirmed := v.Ruling == chatv1.Ruling_RULING_CONFIRMED
	if o == nil {
		if !confirmed || v.Flag == nil {
			return false // dismissed before it ever counted
		}
		o = confirm(st, v.Flag, v.Flag.Category, at)
	}
	o.Dismissed = !confirmed
	if confirmed {
		o.Loss = v.Loss
	}
	if confirmed && v.Category != chatv1.Category_CATEGORY_UNSPECIFIED {
		o.Category = v.Category
	}
	o.VerdictIds = append(o.VerdictIds, id)
	if n := len(o.VerdictIds) - keptVerdicts; n > 0 {
		o.VerdictIds = slices.Delete(o.VerdictIds, 0, n)
	}
	return true
}

// appeal takes an appeal that comes in time: the first from the confirmation, each next one from the
// refusal of the one before.
func (m *Machine) appeal(st *statev1.Penalty, a *chatv1.Appeal, at int64) bool {
	o := find(st, a.FlagId)
	if o == nil || o.Dismissed {
		return false
	}
	allowed := m.policy.At(o.ConfirmedAtUs).Verification.AppealsUS
	n := len(o.Appeals)
	if n >= len(allowed) || slices.ContainsFunc(o.Appeals, func(before *statev1.AppealState) bool { return before.AppealId == a.AppealId }) {
		return false
	}
	from := o.ConfirmedAtUs
	if n > 0 {
		last := o.Appeals[n-1]
		if last.DecidedAtUs == 0 || last.Granted {
			return false
		}
		from = last.DecidedAtUs
	}
	if at-from >= allowed[n] {
		return false
	}
	o.Appeals = append(o.Appeals, &statev1.AppealState{AppealId: a.AppealId, AtUs: at})
	return true
}

func decideAppeal(st *statev1.Penalty, d *chatv1.AppealDecision, at int64) bool {
	o := find(st, d.FlagId)
	if o == nil {
		return false
	}
	for _, a := range o.Appeals {
		if a.AppealId == d.AppealId && a.DecidedAtUs == 0 {
			a.DecidedAtUs, a.Granted = at, d.Granted
			return true
		}
	}
	return false
}

// stands tells whether the flag leads to a penalty.
func stands(o *statev1.Offence) bool {
	if o.Dismissed || o.Category == chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER {
		return false
	}
	return !slices.ContainsFunc(o.Appeals, func(a *statev1.AppealState) bool { return a.Granted })
}
