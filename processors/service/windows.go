package service

import (
	"slices"

	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

func (m *Machine) span(kind chatv1.WindowKind, start int64) worktime.Span {
	if kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
		return m.cal.HalfMonth(start)
	}
	return m.cal.Day(start)
}

// window is the shop's window of that kind and start, made when it is new; nil when it is final at now.
func (m *Machine) window(st *statev1.Service, kind chatv1.WindowKind, start, now int64) *statev1.Window {
	for _, w := range st.Windows {
		if w.Kind == kind && w.StartUs == start {
			return w
		}
	}
	if now >= m.span(kind, start).End+m.policy.At(start).Assessment.LatenessUS() {
		return nil
	}
	w := &statev1.Window{Kind: kind, StartUs: start, Counts: &chatv1.Counts{}}
	at, _ := slices.BinarySearchFunc(st.Windows, w, func(a, b *statev1.Window) int {
		if a.StartUs != b.StartUs {
			return int(min(max(a.StartUs-b.StartUs, -1), 1))
		}
		return int(a.Kind) - int(b.Kind)
	})
	st.Windows = slices.Insert(st.Windows, at, w)
	return w
}

// touch notes that the newest fact counted in the window.
func (m *Machine) touch(st *statev1.Service, w *statev1.Window) {
	w.SourcePlusOne = st.SourcePlusOne
	w.Changed = true
}

// eachWindow runs f for the days and half-months that overlap [from, to) and are not final at now.
func (m *Machine) eachWindow(st *statev1.Service, from, to, now int64, f func(*statev1.Window)) {
	for _, kind := range []chatv1.WindowKind{chatv1.WindowKind_WINDOW_KIND_DAY, chatv1.WindowKind_WINDOW_KIND_HALF_MONTH} {
		for at := m.openFrom(from, to, now); at < to; {
			span := m.span(kind, at)
			if w := m.window(st, kind, span.Start, now); w != nil {
				f(w)
			}
			at = span.End
		}
	}
}

// openFrom skips what is final for sure: a takeover may have lasted for years.
func (m *Machine) openFrom(from, to, now int64) int64 {
	if now <= 0 {
		return from
	}
	const slack = 40 * 24 * 3600 * 1_000_000 // more than a half-month and any lateness
	return min(max(from, now-slack-m.policy.At(now).Assessment.LatenessUS()), to)
}

// botTime is the assessed time of the window that lies in [from, to).
func (m *Machine) botTime(w *statev1.Window, from, to int64) int64 {
	span := m.span(w.Kind, w.StartUs)
	from, to = max(from, span.Start), min(to, span.End)
	if from >= to {
		return 0
	}
	return m.cal.Overlap(m.policy.At(span.Start).Assessment.AssessedTime, from, to)
}

// botTotal adds the takeover that lasts: up to the window's end when whole is set, else up to the shop's
// newest message, reply, or resume.
func (m *Machine) botTotal(st *statev1.Service, w *statev1.Window, whole bool) int64 {
	total := w.BotUs
	if l := st.Takeover.Lasting; l != nil {
		until := st.Takeover.LastAtUs
		if whole {
			until = m.span(w.Kind, w.StartUs).End
		}
		total += m.botTime(w, l.StartedAtUs, until)
	}
	return total
}

func add(to, d *chatv1.Counts) {
	if d == nil {
		return
	}
	to.Rounds += d.Rounds
	to.RoundsAnswered += d.RoundsAnswered
	to.RoundsWithin += d.RoundsWithin
	to.WaitSumUs += d.WaitSumUs
	to.FirstAnswered += d.FirstAnswered
	to.FirstWaitSumUs += d.FirstWaitSumUs
	to.Conversations += d.Conversations
	to.ConversationsMeanWithin += d.ConversationsMeanWithin
	to.ConversationsStrictWithin += d.ConversationsStrictWithin
	to.ConversationsUnanswered += d.ConversationsUnanswered
	to.Messages += d.Messages
	to.MessagesWithin += d.MessagesWithin
	to.Ratings += d.Ratings
	to.RatingsDissatisfied += d.RatingsDissatisfied
	to.RatingsSum += d.RatingsSum
}
