package oracle

import (
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// openLife is the life that goes on, or nil.
func (c *conversation) openLife() *life {
	if n := len(c.lives); n > 0 && !c.lives[n-1].over {
		return c.lives[n-1]
	}
	return nil
}

func (c *conversation) beginLife(at int64) *life {
	l := &life{number: int64(len(c.lives)) + 1, startedAt: at, activity: at, tell: true}
	c.lives = append(c.lives, l)
	return l
}

func (c *conversation) endLife(l *life, at int64, end chatv1.LifeEnd) {
	l.over, l.endedAt, l.end, l.tell = true, at, end, true
}

// lapseOf is when the life ends by itself, unless something prolongs it.
func (c *conversation) lapseOf(l *life) int64 {
	return l.activity + c.shop.clock.set.At(l.activity).Conversation.LifeLapseUS
}

// lapse ends the life that goes on when at is its lapse or later.
func (c *conversation) lapse(at int64) {
	if l := c.openLife(); l != nil && at >= c.lapseOf(l) {
		c.endLife(l, c.lapseOf(l), chatv1.LifeEnd_LIFE_END_LAPSED)
	}
}

// rate gives a life its rating, unless it has one.
func (c *conversation) rate(e entry, at int64, rated *chatv1.ConversationRated) {
	newest := int64(len(c.lives))
	number := rated.GetLife()
	if number == 0 {
		number = newest
	}
	ignore := number < 1 || number > newest || newest-number > rateableLivesUp
	for _, r := range c.ratings {
		ignore = ignore || r.life == number
	}
	if ignore {
		c.shop.seen.RatingsIgnored++
		return
	}
	c.ratings = append(c.ratings, &rating{
		pos: e.pos, at: at, life: number, score: rated.GetScore(), consumer: c.consumer,
		dissatisfied: c.shop.clock.set.At(at).Assessment.IsDissatisfied(rated.GetScore()),
	})
}

// tellLives notes the lives as they stand after an event that began, first answered, or ended them.
func (c *conversation) tellLives() {
	for i := len(c.lives) - 1; i >= 0 && i >= len(c.lives)-2; i-- {
		l := c.lives[i]
		if !l.tell {
			continue
		}
		l.tell = false
		l.told = &chatv1.ConversationLife{
			Life: l.number, StartedAtUs: l.startedAt, EndedAtUs: l.endedAt, End: l.end, ConsumerId: c.consumer,
			FirstAgentId: l.firstAgent, FirstReplyAtUs: l.firstReply, Rounds: l.rounds,
		}
	}
}
