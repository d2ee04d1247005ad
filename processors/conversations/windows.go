package conversations

import (
	"slices"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// delta is the fact's change of the window of that kind and start; it is made when first asked for. One
// whose parts cancel out is kept: it names a window in which something counted.
func (s *step) delta(kind chatv1.WindowKind, start int64) *chatv1.WindowDelta {
	for _, d := range s.fact.Deltas {
		if d.Kind == kind && d.StartUs == start {
			return d
		}
	}
	var d *chatv1.WindowDelta
	s.fact.Deltas, d = grow(s.fact.Deltas)
	d.Kind, d.StartUs, d.Counts = kind, start, chatv1.CountsFromVTPool()
	return d
}

// grow adds an empty element, one that stands behind the slice's end from an earlier use where there is one.
func grow[T any](list []*T) ([]*T, *T) {
	n := len(list)
	if n < cap(list) {
		list = list[:n+1]
	} else {
		list = append(list, nil)
	}
	if list[n] == nil {
		list[n] = new(T)
	}
	return list, list[n]
}

// eachWindow runs f for the day and the half-month that hold at.
func (s *step) eachWindow(at int64, f func(d *chatv1.WindowDelta)) {
	f(s.delta(chatv1.WindowKind_WINDOW_KIND_DAY, s.m.cal.Day(at).Start))
	f(s.delta(chatv1.WindowKind_WINDOW_KIND_HALF_MONTH, s.m.cal.HalfMonth(at).Start))
}

// violated counts a violation of the shop's, once a message, in the windows whose policy wants it.
func (s *step) violated(id uint64) {
	st := s.st
	if slices.Contains(st.ViolationIds, id) {
		return
	}
	wanted := false
	count := func(kind chatv1.WindowKind, start int64) {
		if s.m.policy.At(start).Assessment.CountsViolations() {
			s.delta(kind, start).Counts.Violations++
			wanted = true
		}
	}
	count(chatv1.WindowKind_WINDOW_KIND_DAY, s.m.cal.Day(s.at).Start)
	count(chatv1.WindowKind_WINDOW_KIND_HALF_MONTH, s.m.cal.HalfMonth(s.at).Start)
	if !wanted {
		return
	}
	s.mark = true
	if n := len(st.ViolationIds) - violationIDs + 1; n > 0 {
		st.ViolationIds = slices.Delete(st.ViolationIds, 0, n)
	}
	st.ViolationIds = append(st.ViolationIds, id)
}

// eachStanding runs f for the conversation's standing in the day and the half-month that hold start, and
// adds to the window's change what the conversation itself newly counts as there.
func (s *step) eachStanding(start int64, f func(d *chatv1.WindowDelta, g *statev1.Standing)) {
	st := s.st
	s.restand(&st.Day, chatv1.WindowKind_WINDOW_KIND_DAY, s.m.cal.Day(start).Start, f)
	s.restand(&st.HalfMonth, chatv1.WindowKind_WINDOW_KIND_HALF_MONTH, s.m.cal.HalfMonth(start).Start, f)
}

func (s *step) restand(slot **statev1.Standing, kind chatv1.WindowKind, start int64, f func(*chatv1.WindowDelta, *statev1.Standing)) {
	g := *slot
	if g == nil {
		g = statev1.StandingFromVTPool()
		*slot = g
	}
	if g.StartUs != start {
		// Time runs forward in a conversation: the earlier window's standing is final.
		g.Reset()
		g.StartUs = start
	}
	d := s.delta(kind, start)
	limit := s.m.policy.At(start).Assessment.ResponseLimitUS
	before := standingOf(g, limit)
	f(d, g)
	after := standingOf(g, limit)
	d.Counts.Conversations += after.counted - before.counted
	d.Counts.ConversationsMeanWithin += after.mean - before.mean
	d.Counts.ConversationsStrictWithin += after.strict - before.strict
	d.Counts.ConversationsUnanswered += after.unanswered - before.unanswered
}

// flags are 0 or 1 each: what a conversation counts as in a window.
type flags struct{ counted, mean, strict, unanswered int64 }

func standingOf(g *statev1.Standing, limit int64) (f flags) {
	if g.Rounds == 0 {
		return f
	}
	f.counted = 1
	if g.Answered == 0 {
		f.unanswered = 1
	} else if g.WaitSumUs <= limit*g.Answered {
		f.mean = 1
	}
	if g.Within == g.Rounds {
		f.strict = 1
	}
	return f
}
