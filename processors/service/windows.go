package service

import (
	"slices"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// window is the shop's window of that kind and start, made when it is new; nil when it is final at now.
func (m *Machine) window(st *statev1.Service, kind chatv1.WindowKind, start, now int64) *statev1.Window {
	for _, w := range st.Windows {
		if w.Kind == kind && w.StartUs == start {
			return w
		}
	}
	if now >= m.Span(kind, start).End+m.policy.At(start).Assessment.LatenessUS() {
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
			span := m.Span(kind, at)
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
	to.Violations += d.Violations
}
