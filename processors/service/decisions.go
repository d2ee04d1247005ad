package service

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/feigeio/feige/internal/assessment"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// look takes the looks of a half-month that lie between the shop's last tick and now. The first one issues
// revision 1; a later one issues the next where anything in the decision differs.
func (m *Machine) look(out []*chatv1.Decision, st *statev1.Service, w *statev1.Window, shop string, span worktime.Span, pol *policy.Policy, now int64) []*chatv1.Decision {
	for _, c := range pol.Assessment.CheckpointsUS {
		if due := span.End + c; due <= st.TickUs || due > now {
			continue
		}
		d := m.decide(st, w, shop, span, pol)
		digest := digestOf(d)
		if w.Revision > 0 && digest == w.Digest {
			continue
		}
		w.Revision++
		w.Digest = digest
		d.Revision = w.Revision
		d.SourceOffset = st.SourcePlusOne - 1
		d.CheckpointSeconds = c / 1_000_000
		out = append(out, d)
	}
	return out
}

// decide is the decision on the window as it stands, without what tells one revision from another.
func (m *Machine) decide(st *statev1.Service, w *statev1.Window, shop string, span worktime.Span, pol *policy.Policy) *chatv1.Decision {
	d := &chatv1.Decision{
		ShopId: shop, PeriodStartUs: span.Start, PeriodEndUs: span.End, PolicyVersion: pol.Version,
		Counts: w.Counts.CloneVT(), Evidence: assessment.Indicators(w, m.BotTotal(st, w, true), pol),
	}
	for _, i := range d.Evidence {
		if i.Verdict == chatv1.Verdict_VERDICT_MISSED {
			d.Missed = append(d.Missed, i.Name)
		}
	}
	if len(d.Missed) > 0 {
		d.Restricted = true
		d.Restrictions = slices.Clone(pol.Assessment.Restrictions)
		d.RestrictedFromUs, d.RestrictedUntilUs = span.End, m.cal.HalfMonth(span.End).End
	}
	return d
}

// digestOf is a fingerprint of all that decide sets.
func digestOf(d *chatv1.Decision) uint64 {
	b, err := d.MarshalVT()
	if err != nil {
		return 0 // cannot happen: strings of a policy and of a decoded fact are valid
	}
	return xxhash.Sum64(b)
}
