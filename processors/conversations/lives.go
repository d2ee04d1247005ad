package conversations

import chatv1 "github.com/feigeio/feige/schemas/chat/v1"

// expire ends what has run out before the event: first the open round, then the life.
func (s *step) expire() {
	st := s.st
	if st.RoundOpen {
		limit := s.m.policy.At(st.RoundStartedAtUs).Conversation.RoundExpiryUS
		if s.at >= st.RoundStartedAtUs+limit {
			s.endRound(chatv1.RoundOutcome_ROUND_OUTCOME_EXPIRED, st.RoundStartedAtUs+limit)
		}
	}
	if st.LifeOpen {
		limit := s.m.policy.At(st.LifeActiveAtUs).Conversation.LifeLapseUS
		if s.at >= st.LifeActiveAtUs+limit {
			s.endLife(chatv1.LifeEnd_LIFE_END_LAPSED, st.LifeActiveAtUs+limit)
		}
	}
}

// touchLife opens a life with the message, or prolongs the open one.
func (s *step) touchLife() {
	if !s.st.LifeOpen {
		s.beginLife()
	}
	s.st.LifeActiveAtUs = s.at
}

func (s *step) beginLife() {
	st := s.st
	st.Life++
	st.RatedLives <<= 1
	st.LifeOpen = true
	st.LifeStartedAtUs, st.LifeActiveAtUs = s.at, s.at
	st.LifeRounds = 0
	st.FirstAgentId, st.FirstReplyAtUs = "", 0
	s.tellLife()
}

func (s *step) closed() {
	st := s.st
	if !st.LifeOpen {
		return
	}
	if st.RoundOpen {
		s.endRound(chatv1.RoundOutcome_ROUND_OUTCOME_CLOSED, s.at)
	}
	s.endLife(chatv1.LifeEnd_LIFE_END_CLOSED, s.at)
}

func (s *step) endLife(end chatv1.LifeEnd, at int64) {
	s.st.LifeOpen = false
	l := s.tellLife()
	l.EndedAtUs, l.End = at, end
}

// tellLife puts the newest life into the fact, once: a later call for the same life replaces it.
func (s *step) tellLife() *chatv1.ConversationLife {
	st := s.st
	l := &chatv1.ConversationLife{
		Life: st.Life, StartedAtUs: st.LifeStartedAtUs, ConsumerId: st.ConsumerId,
		FirstAgentId: st.FirstAgentId, FirstReplyAtUs: st.FirstReplyAtUs, Rounds: st.LifeRounds,
	}
	s.mark = true
	if n := len(s.fact.Lives); n > 0 && s.fact.Lives[n-1].Life == l.Life {
		s.fact.Lives[n-1] = l
	} else {
		s.fact.Lives = append(s.fact.Lives, l)
	}
	return l
}

// rated counts a rating once per life, in the windows of its own time.
func (s *step) rated(r *chatv1.ConversationRated) {
	st := s.st
	life := r.GetLife()
	if life == 0 {
		life = st.Life
	}
	back := st.Life - life
	if r.GetScore() < 1 || r.GetScore() > 5 || life < 1 || back < 0 || back >= ratedLives {
		return
	}
	bit := uint64(1) << back
	if st.RatedLives&bit != 0 {
		return
	}
	st.RatedLives |= bit
	s.mark = true
	s.fact.ConsumerId = st.ConsumerId
	s.fact.Rating = &chatv1.Rating{Life: life, Score: r.Score, RatedAtUs: s.at, ConsumerId: st.ConsumerId}
	s.eachWindow(s.at, func(d *chatv1.WindowDelta) {
		d.Counts.Ratings++
		d.Counts.RatingsSum += int64(r.Score)
		if s.pol.Assessment.IsDissatisfied(r.Score) {
			d.Counts.RatingsDissatisfied++
		}
	})
}
