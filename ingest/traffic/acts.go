package traffic

import (
	"strconv"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// kind is what a message mostly is: text.
func (e *engine) kind() chatv1.MessageKind {
	switch p := e.r.Float64(); {
	case p < 0.90:
		return chatv1.MessageKind_MESSAGE_KIND_TEXT
	case p < 0.94:
		return chatv1.MessageKind_MESSAGE_KIND_EMOJI
	case p < 0.97:
		return chatv1.MessageKind_MESSAGE_KIND_PICTURE
	case p < 0.995:
		return chatv1.MessageKind_MESSAGE_KIND_CARD
	}
	return chatv1.MessageKind_MESSAGE_KIND_FILE
}

// message is a message of anybody in the conversation.
func (e *engine) message(c *conversation, actor *chatv1.Actor, kind chatv1.MessageKind, text string) {
	m := &chatv1.Message{Kind: kind}
	switch kind {
	case chatv1.MessageKind_MESSAGE_KIND_EMOJI:
		m.Text = pick(e.r, emojis)
	case chatv1.MessageKind_MESSAGE_KIND_PICTURE:
		m.Attachments = []*chatv1.Attachment{{Id: "p" + strconv.FormatUint(e.ids.Uint64(), 36), MimeType: "image/jpeg", Size: 20_000 + e.r.Int64N(900_000)}}
	case chatv1.MessageKind_MESSAGE_KIND_FILE:
		m.Attachments = []*chatv1.Attachment{{Id: "f" + strconv.FormatUint(e.ids.Uint64(), 36), MimeType: "application/pdf", Size: 20_000 + e.r.Int64N(900_000), FileName: "说明.pdf"}}
	case chatv1.MessageKind_MESSAGE_KIND_CARD:
		m.Card = &chatv1.Card{Kind: "product", Id: strconv.FormatInt(100_000+e.r.Int64N(900_000), 10), Title: "商品卡片"}
		if actor.Role == chatv1.Role_ROLE_CONSUMER {
			m.Card = &chatv1.Card{Kind: "order", Id: value(e.r, "单"), Title: "订单"}
		}
	default:
		m.Text = fill(e.r, text)
	}
	e.emit(c.shop, c.id, actor, func(ev *chatv1.ChatEvent) { ev.Payload = &chatv1.ChatEvent_Message{Message: m} })
}

// autoReply greets by itself.
func (e *engine) autoReply(c *conversation) {
	s := c.shop
	switch s.auto {
	case autoAgent:
		actor := &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: s.agents[0].id, Automatic: true}
		e.after(second, func() { e.message(c, actor, chatv1.MessageKind_MESSAGE_KIND_TEXT, pick(e.r, autoTexts)) })
	case autoBot:
		e.after(second, func() { e.bot(c) })
	}
}

func (e *engine) bot(c *conversation) {
	if !c.over {
		e.message(c, &chatv1.Actor{Role: chatv1.Role_ROLE_BOT, Id: c.shop.id + "-bot", Automatic: true}, chatv1.MessageKind_MESSAGE_KIND_TEXT, pick(e.r, botTexts))
	}
}

func (e *engine) read(c *conversation) {
	e.emit(c.shop, c.id, c.actor(), func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRead{ConversationRead: &chatv1.ConversationRead{}}
	})
}

// transfer hands the conversation to another agent who is there.
func (e *engine) transfer(c *conversation) {
	to := c.shop.free()
	if to == nil || to == c.agent {
		return
	}
	from := c.agent
	c.agent = to
	e.emit(c.shop, c.id, from.actor(), func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{FromAgentId: from.id, ToAgentId: to.id}}
	})
}

// rate: the longer the waits were, the worse.
func (e *engine) rate(c *conversation) {
	mean := 20 * minute // nobody ever replied
	if c.waits > 0 {
		mean = c.waited / int64(c.waits)
	}
	bad := 0.05
	switch {
	case mean > 10*minute:
		bad = 0.60
	case mean > 3*minute:
		bad = 0.28
	case mean > minute:
		bad = 0.10
	}
	score := int32(4 + e.r.IntN(2))
	if e.chance(0.15) {
		score = 3
	}
	if e.chance(bad) {
		score = int32(1 + e.r.IntN(2))
	}
	e.emit(c.shop, c.id, c.actor(), func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: score}}
	})
}

// block: the shop blocks the consumer, who writes once more in vain; mostly for a day.
func (e *engine) block(c *conversation) {
	actor := c.agent.actor()
	e.emit(c.shop, c.id, actor, func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: c.id, Reason: "骚扰"}}
	})
	e.after(e.about(40, 0.5), func() {
		e.message(c, c.actor(), chatv1.MessageKind_MESSAGE_KIND_TEXT, "为什么拉黑我？")
	})
	if e.chance(0.6) {
		e.after(day, func() {
			e.emit(c.shop, c.id, actor, func(ev *chatv1.ChatEvent) {
				ev.Payload = &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: c.id}}
			})
		})
	}
}

// finish closes the conversation.
func (e *engine) finish(c *conversation, actor *chatv1.Actor, reason string) {
	if c.over {
		return
	}
	c.over = true
	e.emit(c.shop, c.id, actor, func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: reason}}
	})
	if e.chance(0.08) {
		e.after(e.exp(float64(20*minute)), func() { e.rate(c) }) // an afterthought
	}
	if s := c.shop; len(s.recent) < 64 {
		s.recent = append(s.recent, c.id)
	} else {
		s.recent[e.r.IntN(len(s.recent))] = c.id
	}
}
