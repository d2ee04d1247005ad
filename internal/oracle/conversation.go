package oracle

import (
	"slices"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// conversation replays the events of one conversation.
type conversation struct {
	shop       *shop
	id         string
	consumer   string
	remembered []string
	at         int64
	began      bool
	blocked    bool
	lives      []*life
	rounds     []*round
	messages   []*message
	ratings    []*rating
	// violations are messages of the shop that were shielded, each at its first shield.
	violations []violation
}

// violation is a confirmed one of the shop's.
type violation struct {
	pos     int
	at      int64
	message string
}

// entry is an event at its place in the log.
type entry struct {
	pos    int
	offset int64
	event  *chatv1.ChatEvent
}

// standing is how an event counts.
type standing int

const (
	nothing  standing = iota // has no effect at all
	leftOut                  // a message that has none
	effect                   // anything else that takes effect
	consumer                 // a consumer message
	manual                   // a manual reply
	other                    // any other message
)

// stands tells how an event of the conversation counts. at is its effective time, if it has effect.
func (c *conversation) stands(ev *chatv1.ChatEvent, at int64) standing {
	switch ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
	case *chatv1.ChatEvent_ConversationOpened, *chatv1.ChatEvent_ConversationClosed,
		*chatv1.ChatEvent_ConversationRated, *chatv1.ChatEvent_ConsumerBlocked,
		*chatv1.ChatEvent_ConsumerUnblocked, *chatv1.ChatEvent_MessageShielded,
		*chatv1.ChatEvent_ReceptionResumed:
		return effect
	default:
		return nothing
	}
	actor, m := ev.GetActor(), ev.GetMessage()
	role := actor.GetRole()
	switch role {
	case chatv1.Role_ROLE_CONSUMER, chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_BOT:
	default:
		return nothing
	}
	if m.GetShielded() || actor.GetSanctioned() || role == chatv1.Role_ROLE_CONSUMER && c.blocked {
		return leftOut
	}
	switch {
	case role == chatv1.Role_ROLE_CONSUMER && !actor.GetAutomatic():
		return consumer
	case role == chatv1.Role_ROLE_AGENT && !actor.GetAutomatic() &&
		c.shop.clock.set.At(at).Reception.IsManualReplyKind(m.GetKind()):
		return manual
	}
	return other
}

func (c *conversation) take(e entry) {
	ev, seen := e.event, &c.shop.seen
	at := ev.GetOccurredAtUs()
	if c.began && c.at > at {
		at = c.at
	}
	_, resumed := ev.Payload.(*chatv1.ChatEvent_ReceptionResumed)
	if resumed {
		at = ev.GetOccurredAtUs()
	}
	how := c.stands(ev, at)
	if how == leftOut {
		seen.LeftOut++
	}
	if how == nothing || how == leftOut {
		return
	}
	if slices.Contains(c.remembered, ev.GetEventId()) {
		seen.Repeats++
		return
	}
	c.remembered = append(c.remembered, ev.GetEventId())
	if len(c.remembered) > rememberedIDs {
		c.remembered = c.remembered[1:]
	}
	if resumed {
		c.shop.noteResume(e, at)
		return
	}
	if at != ev.GetOccurredAtUs() {
		seen.TimesBackwards++
	}
	c.at, c.began = at, true
	if ev.GetActor().GetRole() == chatv1.Role_ROLE_CONSUMER {
		c.consumer = ev.GetActor().GetId()
	}
	c.expire(e.pos, at)
	c.lapse(at)
	switch how {
	case consumer, manual, other:
		c.message(e, at, how)
	default:
		c.event(e, at)
	}
	c.tellLives()
}

// event is anything that takes effect and is no message.
func (c *conversation) event(e entry, at int64) {
	switch p := e.event.Payload.(type) {
	case *chatv1.ChatEvent_ConversationOpened:
		if c.openLife() == nil {
			c.beginLife(at)
		}
	case *chatv1.ChatEvent_ConversationClosed:
		if l := c.openLife(); l != nil {
			c.endRound(e.pos, at, chatv1.RoundOutcome_ROUND_OUTCOME_CLOSED)
			c.endLife(l, at, chatv1.LifeEnd_LIFE_END_CLOSED)
		}
	case *chatv1.ChatEvent_ConversationRated:
		c.rate(e, at, p.ConversationRated)
	case *chatv1.ChatEvent_ConsumerBlocked:
		c.blocked = true
	case *chatv1.ChatEvent_ConsumerUnblocked:
		c.blocked = false
	case *chatv1.ChatEvent_MessageShielded:
		if p.MessageShielded.GetOfShop() {
			c.violate(e, at, p.MessageShielded.GetMessageEventId())
		}
		c.shield(e, p.MessageShielded.GetMessageEventId())
	}
}

func (c *conversation) message(e entry, at int64, how standing) {
	l := c.openLife()
	if l == nil {
		l = c.beginLife(at)
	}
	l.activity = at
	switch how {
	case consumer:
		m := &message{
			pos: e.pos, offset: e.offset, id: e.event.GetEventId(), at: at,
			assessed: c.shop.clock.isAssessed(at), goneAt: never, goodAt: never,
		}
		c.messages = append(c.messages, m)
		c.wait(l, m)
		c.shop.noteMessage(e, at, c)
	case manual:
		if l.firstAgent == "" && l.firstReply == 0 {
			l.firstAgent, l.firstReply, l.tell = e.event.GetActor().GetId(), at, true
		}
		c.answer(e, at)
		c.shop.noteReply(e, at, c)
	}
}

// openRound is the round that is open, or nil.
func (c *conversation) openRound() *round {
	if n := len(c.rounds); n > 0 && c.rounds[n-1].open() {
		return c.rounds[n-1]
	}
	return nil
}

// wait adds a consumer message to the open round, or begins one with it.
func (c *conversation) wait(l *life, m *message) {
	r := c.openRound()
	if r == nil {
		l.rounds++
		r = &round{
			number: c.lastNumber() + 1, life: l.number, numberInLife: l.rounds, consumer: c.consumer,
			begins:  []begin{{m.pos, m}},
			outcome: chatv1.RoundOutcome_ROUND_OUTCOME_OPEN, endedPos: never,
		}
		c.rounds = append(c.rounds, r)
	}
	r.held = append(r.held, m)
	if len(r.held) > heldMessages {
		out := r.held[0]
		r.held = r.held[1:]
		// Nobody can say any more whether it is replied to in time.
		if out.assessed && m.at-out.at <= c.shop.limit(out.at) {
			out.goneAt = m.pos
			c.shop.seen.PushedOut++
		}
	}
}

// lastNumber is the number of the newest round that was not withdrawn.
func (c *conversation) lastNumber() int64 {
	for i := len(c.rounds) - 1; i >= 0; i-- {
		if !c.rounds[i].withdrawn() {
			return c.rounds[i].number
		}
	}
	return 0
}

// answer ends the open round by a manual reply.
func (c *conversation) answer(e entry, at int64) {
	r := c.openRound()
	if r == nil {
		return
	}
	for _, m := range r.held {
		if at-m.at <= c.shop.limit(m.at) {
			m.goodAt = e.pos
		}
	}
	r.agent = e.event.GetActor().GetId()
	c.endRound(e.pos, at, chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED)
}

func (c *conversation) endRound(pos int, at int64, outcome chatv1.RoundOutcome) {
	if r := c.openRound(); r != nil {
		r.outcome, r.endedPos, r.endedAt = outcome, pos, at
		r.held = nil
	}
}

// expire ends the open round when at is its expiry or later. A round cannot outlive its life: where the
// policy lets rounds wait longer than lives last, the lapse of the life is the round's expiry.
func (c *conversation) expire(pos int, at int64) {
	r := c.openRound()
	if r == nil {
		return
	}
	start := r.first().at
	expiry := min(start+c.shop.clock.set.At(start).Conversation.RoundExpiryUS, c.lapseOf(c.openLife()))
	if at >= expiry {
		c.endRound(pos, expiry, chatv1.RoundOutcome_ROUND_OUTCOME_EXPIRED)
	}
}

// shield takes a message of the open round back, where it is still held.
func (c *conversation) shield(e entry, id string) {
	c.shop.noteShield(e, id, c)
	r := c.openRound()
	if r == nil {
		return
	}
	i := slices.IndexFunc(r.held, func(m *message) bool { return m.id == id })
	if i < 0 {
		return
	}
	m := r.held[i]
	m.goneAt = e.pos
	r.held = slices.Delete(slices.Clone(r.held), i, i+1)
	c.shop.seen.TakenBack++
	switch {
	case r.first() != m:
	case len(r.held) > 0:
		r.begins = append(r.begins, begin{e.pos, r.held[0]})
		c.shop.seen.StartsMoved++
	default:
		c.openLife().rounds--
		c.endRound(e.pos, 0, chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN)
	}
}

// violate notes a violation of the shop's, unless the message is among the newest that were counted. It is noted where a
// window wants it.
func (c *conversation) violate(e entry, at int64, message string) {
	wanted := false
	for _, kind := range windowKinds {
		start, _ := c.shop.clock.span(kind, at)
		wanted = wanted || countsViolations(c.shop.clock.set.At(start))
	}
	if !wanted {
		return
	}
	for _, v := range c.violations[max(0, len(c.violations)-rememberedViolations):] {
		if v.message == message {
			return
		}
	}
	c.violations = append(c.violations, violation{e.pos, at, message})
	c.shop.seen.Violations++
}

// countsViolations tells a policy with a standard for them.
func countsViolations(p *policy.Policy) bool {
	for _, s := range p.Assessment.Standards {
		if s.Indicator == "confirmed_violations" {
			return true
		}
	}
	return false
}
