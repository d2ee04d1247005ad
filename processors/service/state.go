package service

import (
	"github.com/feigeio/feige/internal/assessment"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/takeover"
	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Machine applies facts to a shop by the policy. It is immutable and safe for concurrent use.
type Machine struct {
	*assessment.Assessor
	policy   *policy.Set
	cal      *worktime.Calendar
	takeover *takeover.Machine
}

// NewMachine returns the machine of a policy.
func NewMachine(p *policy.Set) *Machine {
	return &Machine{Assessor: assessment.New(p), policy: p, cal: p.Calendar(), takeover: takeover.New(p)}
}

// Output is what has become due for a shop, in order.
type Output struct {
	Kpis      []*chatv1.Kpi
	Decisions []*chatv1.Decision
}

// NewState is the state of a shop that nothing is known of.
func NewState() *statev1.Service {
	st := statev1.ServiceFromVTPool()
	st.Takeover = statev1.TakeoverStateFromVTPool()
	return st
}

// Apply takes a fact into the shop's state, which it changes in place; now is the partition's newest tick
// before the fact. It returns what was due before the fact, and false for a fact that was applied before.
func (m *Machine) Apply(st *statev1.Service, f *chatv1.Fact, now int64) (Output, bool) {
	if f.SourceOffset < st.SourcePlusOne {
		return Output{}, false
	}
	out := m.Advance(st, f.ShopId, now)
	st.SourcePlusOne = f.SourceOffset + 1
	for _, d := range f.Deltas {
		w := m.window(st, d.Kind, d.StartUs, now)
		if w == nil {
			continue // final: too late
		}
		add(w.Counts, d.Counts)
		if d.Counts.GetRoundsAnswered() > 0 {
			assessment.AddWait(w, d.AnsweredWaitUs)
		}
		m.touch(st, w)
	}
	if takeover.Concerns(f) {
		m.applyTakeover(st, f, now)
	}
	return out, true
}

func (m *Machine) applyTakeover(st *statev1.Service, f *chatv1.Fact, now int64) {
	was := st.Takeover.Lasting
	t := m.takeover.Apply(st.Takeover, f)
	switch {
	case t == nil:
	case t.EndedAtUs == 0:
		was = st.Takeover.Lasting
		m.eachWindow(st, t.StartedAtUs, t.StartedAtUs+1, now, func(w *statev1.Window) {
			w.Takeovers++
			m.touch(st, w)
		})
	default:
		m.eachWindow(st, t.StartedAtUs, t.EndedAtUs, now, func(w *statev1.Window) {
			w.BotUs += m.BotTime(w, t.StartedAtUs, t.EndedAtUs)
		})
	}
	if was == nil || f.Kind == chatv1.FactKind_FACT_KIND_OTHER {
		return
	}
	// The running bot time has moved on, or has come to its end.
	for _, w := range st.Windows {
		span := m.Span(w.Kind, w.StartUs)
		if w.SourcePlusOne > 0 && span.End > was.StartedAtUs && span.Start <= st.Takeover.LastAtUs {
			w.Changed = true
		}
	}
}

// Advance finds what is due at now: changed windows, final ones, decisions. It moves the state on to now,
// so that nothing is due twice.
func (m *Machine) Advance(st *statev1.Service, shop string, now int64) Output {
	var out Output
	if now <= st.TickUs {
		return out
	}
	kept := st.Windows[:0]
	for _, w := range st.Windows {
		span := m.Span(w.Kind, w.StartUs)
		pol := m.policy.At(span.Start)
		final := now >= span.End+pol.Assessment.LatenessUS()
		if w.SourcePlusOne > 0 {
			if w.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
				out.Decisions = m.look(out.Decisions, st, w, shop, span, pol, now)
			}
			if w.Changed || final {
				out.Kpis = append(out.Kpis, m.Snapshot(st, w, shop, final))
				w.Changed = false
			}
		}
		if !final {
			kept = append(kept, w)
		}
	}
	clear(st.Windows[len(kept):])
	st.Windows = kept
	st.TickUs = now
	return out
}

// DueBetween tells whether an instant at which a quiet shop may have something due lies in (from, to].
func (m *Machine) DueBetween(from, to int64) bool {
	const year = 366 * 24 * 3600 * 1_000_000
	if from <= 0 || to-from > year {
		return true
	}
	for at := from - 3*24*3600*1_000_000; at < to; {
		day := m.cal.Day(at)
		for _, c := range m.policy.At(day.Start).Assessment.CheckpointsUS {
			if due := day.End + c; due > from && due <= to {
				return true
			}
		}
		at = day.End
	}
	return false
}
