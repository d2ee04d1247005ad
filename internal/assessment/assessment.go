// Package assessment is what a shop's windows amount to: the spans of windows, the bot's assessed time in them,
// the sketch of waits, and all indicators with their standards. The service processor decides by it, and what
// answers from the processor's table shows the same figures by it.
//
// It must not know when something is due, nor where state comes from.
package assessment

import (
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Assessor computes by a policy. It is immutable and safe for concurrent use.
type Assessor struct {
	policy *policy.Set
	cal    *worktime.Calendar
}

// New returns the assessor of a policy.
func New(p *policy.Set) *Assessor { return &Assessor{policy: p, cal: p.Calendar()} }

// Span is the window of that kind that begins at start, half-open, UTC microseconds.
func (a *Assessor) Span(kind chatv1.WindowKind, start int64) worktime.Span {
	if kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
		return a.cal.HalfMonth(start)
	}
	return a.cal.Day(start)
}

// Final tells whether no later fact counts in the window at now.
func (a *Assessor) Final(kind chatv1.WindowKind, start, now int64) bool {
	return now >= a.Span(kind, start).End+a.policy.At(start).Assessment.LatenessUS()
}

// BotTime is the assessed time of the window that lies in [from, to).
func (a *Assessor) BotTime(w *statev1.Window, from, to int64) int64 {
	span := a.Span(w.Kind, w.StartUs)
	from, to = max(from, span.Start), min(to, span.End)
	if from >= to {
		return 0
	}
	return a.cal.Overlap(a.policy.At(span.Start).Assessment.AssessedTime, from, to)
}

// BotTotal is the bot time of a window with the takeover that lasts: up to the window's end when whole is set,
// else up to the shop's newest message, reply, or resume.
func (a *Assessor) BotTotal(st *statev1.Service, w *statev1.Window, whole bool) int64 {
	total := w.BotUs
	if l := st.Takeover.Lasting; l != nil {
		until := st.Takeover.LastAtUs
		if whole {
			until = a.Span(w.Kind, w.StartUs).End
		}
		total += a.BotTime(w, l.StartedAtUs, until)
	}
	return total
}
