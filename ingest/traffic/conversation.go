package traffic

import (
	"strconv"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// conversation is one consumer's visit to a shop.
type conversation struct {
	shop     *shop
	id       string // the consumer's, too: a consumer and a shop share one conversation
	topic    topic
	agent    *agent // who replied last
	rounds   int    // questions that are still to come; -1: only thanks
	greeted  bool
	waiting  bool
	asked    int64 // since when
	turn     int   // grows with each wait, so that what was planned for an earlier one is dropped
	patience int
	waits    int
	waited   int64
	breach   int // index into breaches of what is going to be said, or -1
	over     bool
}

// begin brings a consumer to a shop.
func (e *engine) begin(s *shop) {
	c := &conversation{shop: s, topic: pick(e.r, topics), rounds: 1, breach: -1, patience: 1}
	if n := len(s.recent); n > 0 && e.chance(0.25) {
		i := e.r.IntN(n)
		c.id = s.recent[i]
		s.recent[i] = s.recent[n-1]
		s.recent = s.recent[:n-1]
	} else {
		e.consumers++
		c.id = "u" + strconv.FormatUint(e.consumers, 10)
	}
	for c.rounds < 6 && e.chance(0.45) {
		c.rounds++
	}
	for c.patience < 12 && e.chance(0.6) {
		c.patience++
	}
	if e.chance(0.03) {
		c.patience = 12 + e.r.IntN(10) // does not give up
	}
	if e.chance(0.008) {
		c.breach = e.r.IntN(len(breaches))
	}
	e.emit(s, c.id, c.actor(), func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
	})
	e.after(e.about(3, 0.6), func() { e.ask(c) })
}

func (c *conversation) actor() *chatv1.Actor {
	return &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: c.id}
}

// ask is a question in one or more messages.
func (e *engine) ask(c *conversation) {
	c.rounds--
	var texts []string
	if !c.greeted {
		c.greeted = true
		if e.chance(0.5) {
			texts = append(texts, pick(e.r, greetings))
		}
		texts = append(texts, pick(e.r, c.topic.ask))
		e.autoReply(c)
	} else {
		texts = append(texts, pick(e.r, c.topic.more))
	}
	for len(texts) < 5 && e.chance(0.35) {
		texts = append(texts, pick(e.r, c.topic.more))
	}
	if c.breach >= 0 && !breaches[c.breach].byAgent {
		texts = append(texts, pick(e.r, breaches[c.breach].texts))
		c.breach = -1
	}
	var next func()
	next = func() {
		e.say(c, texts[0])
		if texts = texts[1:]; len(texts) > 0 {
			e.after(e.about(6, 0.6), next)
		}
	}
	next()
}

// say is one message of the consumer.
func (e *engine) say(c *conversation, text string) {
	if c.over {
		return
	}
	e.message(c, c.actor(), e.kind(), text)
	c.shop.unreplied++
	if !c.waiting {
		c.waiting, c.asked = true, e.now
		c.turn++
		e.plan(c)
		e.nudge(c, c.turn, 0)
	}
	if c.shop.unreplied > 11 && e.chance(0.5) {
		e.after(e.about(1, 0.3), func() { e.bot(c) })
	}
}

// nudge asks again while nobody replies, and gives up at some point.
func (e *engine) nudge(c *conversation, turn, n int) {
	e.after(e.about(75, 0.7), func() {
		if !c.waiting || c.turn != turn || c.over {
			return
		}
		if n >= c.patience {
			e.leave(c)
			return
		}
		e.say(c, pick(e.r, nudges))
		e.nudge(c, turn, n+1)
	})
}

// leave: the consumer is tired of waiting. Some rate; some conversations are closed half a day later.
func (e *engine) leave(c *conversation) {
	if e.chance(0.15) {
		e.rate(c)
	}
	if e.chance(0.5) {
		turn := c.turn
		e.after(12*hour, func() {
			if c.waiting && c.turn == turn {
				e.finish(c, &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM}, "timeout")
			}
		})
	}
}

// plan decides when, if ever, somebody replies.
func (e *engine) plan(c *conversation) {
	s, turn := c.shop, c.turn
	if e.chance(s.care.ignore) {
		return
	}
	a := c.agent
	if a == nil || !a.present {
		a = s.free()
	}
	if a == nil {
		e.at(e.nextShift(s)+10*minute+e.exp(float64(30*minute)), func() { e.retry(c, turn) })
		return
	}
	if e.away(s, e.now) {
		e.at((e.now/hour+1)*hour+e.exp(float64(5*minute)), func() { e.retry(c, turn) })
		return
	}
	a.waiting++
	load := 1 + 0.25*float64(a.waiting-1)
	e.after(2*second+e.about(a.median, 0.7)*int64(10*min(load, 6))/10, func() {
		a.waiting--
		e.reply(c, a, turn)
	})
}

// retry plans anew where nobody was there before.
func (e *engine) retry(c *conversation, turn int) {
	if c.waiting && c.turn == turn && !c.over {
		e.plan(c)
	}
}

// reply answers what the consumer has asked so far.
func (e *engine) reply(c *conversation, a *agent, turn int) {
	if !c.waiting || c.turn != turn || c.over {
		return
	}
	if !a.present {
		e.plan(c)
		return
	}
	s := c.shop
	if s.unreplied > 11 && e.chance(0.1) {
		e.emit(s, "", a.actor(), func(ev *chatv1.ChatEvent) {
			ev.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
		})
	}
	wait := e.now - c.asked
	c.waits, c.waited = c.waits+1, c.waited+wait
	c.waiting, c.agent, s.unreplied = false, a, 0
	var texts []string
	if wait > 180*second && e.chance(0.4) {
		texts = append(texts, pick(e.r, apologies))
	} else if c.waits == 1 && e.chance(0.4) {
		texts = append(texts, pick(e.r, openers))
	}
	if c.breach >= 0 && breaches[c.breach].byAgent {
		texts = append(texts, pick(e.r, breaches[c.breach].texts))
		c.breach = -1
	}
	if c.rounds < 0 {
		texts = append(texts, pick(e.r, farewells))
	} else {
		texts = append(texts, pick(e.r, c.topic.reply))
	}
	var next func()
	next = func() {
		e.message(c, a.actor(), e.kind(), texts[0])
		if texts = texts[1:]; len(texts) > 0 {
			e.after(e.about(8, 0.5), next)
			return
		}
		e.follow(c)
	}
	next()
}

// follow is what comes after a reply.
func (e *engine) follow(c *conversation) {
	turn := c.turn
	if e.chance(0.3) {
		e.after(e.about(5, 0.5), func() { e.read(c) })
	}
	if e.chance(0.03) {
		e.transfer(c)
	}
	later := func(us int64, do func()) {
		e.after(us, func() {
			if c.turn == turn && !c.over {
				do()
			}
		})
	}
	if c.rounds > 0 {
		later(e.about(25, 0.7), func() { e.ask(c) })
		return
	}
	if c.rounds == 0 {
		c.rounds = -1 // what the consumer says from now on is thanks
		if e.chance(0.4) {
			later(e.about(12, 0.5), func() { e.say(c, pick(e.r, thanks)) })
			return
		}
	}
	later(minute+e.exp(float64(6*minute)), func() { e.part(c) })
}

// part ends a conversation in one of the usual ways.
func (e *engine) part(c *conversation) {
	p := 0.20
	if c.waited > int64(c.waits)*300*second {
		p = 0.35 // the angry rate more
	}
	switch {
	case e.chance(p):
		e.rate(c)
	case e.chance(0.004):
		e.block(c)
	}
	if e.chance(0.75) {
		actor := c.agent.actor()
		reason := pick(e.r, closeWords)
		switch reason {
		case "timeout":
			actor = &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM}
		case "consumer":
			actor = c.actor()
		}
		e.after(e.exp(float64(2*minute)), func() { e.finish(c, actor, reason) })
	}
}
