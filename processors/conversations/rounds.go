package conversations

import (
	"slices"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// roundCounts tells by the policy at a round's start whether it counts.
func (s *step) roundCounts(start int64) bool {
	return s.m.cal.In(s.m.policy.At(start).Assessment.AssessedTime, start)
}

// beginRound starts a round with the message at hand.
func (s *step) beginRound() {
	st := s.st
	st.Rounds++
	st.LifeRounds++
	st.RoundOpen = true
	st.RoundStartedAtUs, st.RoundStartOffset = s.at, s.off
	st.RoundConsumerId = s.ev.Actor.GetId()
	s.countRound(s.at)
	s.tellRound(chatv1.RoundOutcome_ROUND_OUTCOME_OPEN, 0)
}

// countRound adds a round that starts at start to its windows.
func (s *step) countRound(start int64) {
	if !s.roundCounts(start) {
		return
	}
	s.eachStanding(start, func(d *chatv1.WindowDelta, g *statev1.Standing) {
		g.Rounds++
		d.Counts.Rounds++
	})
}

// answerRound ends the open round with the manual reply at hand.
func (s *step) answerRound() {
	st := s.st
	start := st.RoundStartedAtUs
	wait := s.at - start
	pol := s.m.policy.At(start)
	within := wait <= pol.Assessment.ResponseLimitUS
	if s.roundCounts(start) {
		s.eachStanding(start, func(d *chatv1.WindowDelta, g *statev1.Standing) {
			g.Answered++
			g.WaitSumUs += wait
			d.Counts.RoundsAnswered++
			d.Counts.WaitSumUs += wait
			d.AnsweredWaitUs = wait
			if within {
				g.Within++
				d.Counts.RoundsWithin++
			}
			if st.LifeRounds == 1 {
				d.Counts.FirstAnswered++
				d.Counts.FirstWaitSumUs += wait
			}
		})
	}
	for _, at := range st.PendingAtUs {
		sent := int64(at)
		if s.messageCounts(sent) && s.at-sent <= s.m.policy.At(sent).Assessment.ResponseLimitUS {
			s.eachWindow(sent, func(d *chatv1.WindowDelta) { d.Counts.MessagesWithin++ })
		}
	}
	s.endRound(chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED, s.at)
}

// endRound closes the open round's books. What it counted as stands.
func (s *step) endRound(outcome chatv1.RoundOutcome, at int64) {
	s.tellRound(outcome, at)
	s.st.RoundOpen = false
	s.dropPending()
}

func (s *step) dropPending() {
	st := s.st
	st.PendingAtUs, st.PendingIds, st.PendingOffsets = st.PendingAtUs[:0], st.PendingIds[:0], st.PendingOffsets[:0]
}

// messageCounts tells whether a consumer message sent at that time counts for the `message` definition.
func (s *step) messageCounts(sent int64) bool {
	return s.m.cal.In(s.m.policy.At(sent).Assessment.AssessedTime, sent)
}

// hold keeps the message at hand with the open round and counts it. Past 256 the oldest goes; when that
// happens within the limit, it could still have been answered in time, and it is taken out of the count.
func (s *step) hold(id uint64) {
	st := s.st
	if s.messageCounts(s.at) {
		s.eachWindow(s.at, func(d *chatv1.WindowDelta) { d.Counts.Messages++ })
	}
	if len(st.PendingIds) >= pendingMessages {
		sent := int64(st.PendingAtUs[0])
		if s.messageCounts(sent) && s.at-sent <= s.m.policy.At(sent).Assessment.ResponseLimitUS {
			s.eachWindow(sent, func(d *chatv1.WindowDelta) { d.Counts.Messages-- })
		}
		s.removePending(0)
	}
	st.PendingAtUs = append(st.PendingAtUs, uint64(s.at))
	st.PendingIds = append(st.PendingIds, id)
	st.PendingOffsets = append(st.PendingOffsets, uint64(s.off))
}

func (s *step) removePending(i int) {
	st := s.st
	st.PendingAtUs = slices.Delete(st.PendingAtUs, i, i+1)
	st.PendingIds = slices.Delete(st.PendingIds, i, i+1)
	st.PendingOffsets = slices.Delete(st.PendingOffsets, i, i+1)
}

// takeBack withdraws a shielded message from the open round. A round that it began now begins at the
// oldest message held; without one it never was.
func (s *step) takeBack(id uint64) {
	st := s.st
	i := slices.Index(st.PendingIds, id)
	if i < 0 {
		return
	}
	s.mark = true
	sent := int64(st.PendingAtUs[i])
	began := int64(st.PendingOffsets[i]) == st.RoundStartOffset
	if s.messageCounts(sent) {
		s.eachWindow(sent, func(d *chatv1.WindowDelta) { d.Counts.Messages-- })
	}
	s.removePending(i)
	if !began {
		return
	}
	start := st.RoundStartedAtUs
	if s.roundCounts(start) {
		s.eachStanding(start, func(d *chatv1.WindowDelta, g *statev1.Standing) {
			g.Rounds--
			d.Counts.Rounds--
		})
	}
	if len(st.PendingIds) == 0 {
		s.tellRound(chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN, 0)
		st.RoundOpen = false
		st.Rounds--
		st.LifeRounds--
		return
	}
	st.RoundStartedAtUs, st.RoundStartOffset = int64(st.PendingAtUs[0]), int64(st.PendingOffsets[0])
	s.countRound(st.RoundStartedAtUs)
	s.tellRound(chatv1.RoundOutcome_ROUND_OUTCOME_OPEN, 0)
}

// tellRound puts the round as it stands into the fact; one event can end one round and begin the next.
func (s *step) tellRound(outcome chatv1.RoundOutcome, endedAt int64) {
	st := s.st
	var r *chatv1.Round
	s.fact.Rounds, r = grow(s.fact.Rounds)
	r.Number, r.Life, r.NumberInLife, r.Outcome = st.Rounds, st.Life, st.LifeRounds, outcome
	r.StartedAtUs, r.EndedAtUs, r.ConsumerId = st.RoundStartedAtUs, endedAt, st.RoundConsumerId
	r.StartOffset, r.Counted = st.RoundStartOffset, s.roundCounts(st.RoundStartedAtUs)
	if outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED {
		r.WaitUs = endedAt - st.RoundStartedAtUs
		r.AgentId = s.ev.Actor.GetId()
		r.Within = r.WaitUs <= s.m.policy.At(st.RoundStartedAtUs).Assessment.ResponseLimitUS
	}
	s.mark = true
}
