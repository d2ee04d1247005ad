package scenario

import (
	"fmt"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// action is something that can happen in a conversation.
type action struct {
	name   string
	weight int
	do     func(w *world, t *talk)
}

var actions = []action{
	{"consumer writes", 26, func(w *world, t *talk) { w.write(t, w.eventTime()) }},
	{"agent replies", 12, func(w *world, t *talk) { w.reply(t, w.eventTime()) }},
	{"one asks, one answers", 14, (*world).exchange},
	{"consumer bursts", 5, (*world).burst},
	{"consumers burst", 4, (*world).burstAcross},
	{"message that is no reply", 6, (*world).noReply},
	{"bot writes", 4, func(w *world, t *talk) {
		w.publish(t.shop, w.message(t, chatv1.Role_ROLE_BOT, w.eventTime()))
	}},
	{"left out", 5, (*world).leftOut},
	{"blocked or not", 3, (*world).block},
	{"shield", 7, (*world).shieldOne},
	{"shield several", 2, (*world).shieldAll},
	{"closed", 3, (*world).closed},
	{"opened", 3, func(w *world, t *talk) {
		e := w.event(t, pick([]chatv1.Role{chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_CONSUMER}, w.choose), w.eventTime())
		e.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
		w.publish(t.shop, e)
	}},
	{"rated", 5, (*world).rate},
	{"resumed", 3, (*world).resume},
	{"no effect", 4, (*world).noEffect},
	{"repeat", 5, (*world).repeatOne},
	{"flood", 1, (*world).flood},
	{"churn", 1, (*world).churn},
	{"tick", 3, func(w *world, _ *talk) { w.tick(w.now) }},
}

var manualKinds = []chatv1.MessageKind{
	chatv1.MessageKind_MESSAGE_KIND_TEXT, chatv1.MessageKind_MESSAGE_KIND_TEXT, chatv1.MessageKind_MESSAGE_KIND_EMOJI,
	chatv1.MessageKind_MESSAGE_KIND_PICTURE, chatv1.MessageKind_MESSAGE_KIND_CARD,
}

// event is one of the conversation without a payload yet.
func (w *world) event(t *talk, role chatv1.Role, at int64) *chatv1.ChatEvent {
	actor := &chatv1.Actor{Role: role}
	switch role {
	case chatv1.Role_ROLE_CONSUMER:
		actor.Id = t.consumer
	case chatv1.Role_ROLE_AGENT:
		actor.Id = fmt.Sprintf("agent-%d", 1+w.choose(3))
	case chatv1.Role_ROLE_BOT:
		actor.Id = "bot"
	}
	return &chatv1.ChatEvent{
		EventId: w.newID(), ShopId: t.shop.id, ConversationId: t.id, Actor: actor, OccurredAtUs: at,
	}
}

func (w *world) message(t *talk, role chatv1.Role, at int64) *chatv1.ChatEvent {
	e := w.event(t, role, at)
	m := &chatv1.Message{Kind: pick(manualKinds, w.choose), Text: "您好"}
	if role == chatv1.Role_ROLE_CONSUMER && w.chance(1, 8) {
		m.Kind = chatv1.MessageKind_MESSAGE_KIND_FILE
	}
	e.Payload = &chatv1.ChatEvent_Message{Message: m}
	return e
}

func (w *world) write(t *talk, at int64) {
	e := w.message(t, chatv1.Role_ROLE_CONSUMER, at)
	w.publish(t.shop, e)
	w.remember(t, e)
}

func (w *world) reply(t *talk, at int64) {
	w.publish(t.shop, w.message(t, chatv1.Role_ROLE_AGENT, at))
	t.waiting, t.last = nil, at
}

// exchange is a question and its answer, often just about at the limit.
func (w *world) exchange(t *talk) {
	w.write(t, w.now)
	w.now += int64(w.choose(400)) * second
	if w.chance(1, 3) {
		asked := t.waiting[0].at
		w.now = max(w.now, asked+w.policy.Set.At(asked).Assessment.ResponseLimitUS+w.nudge())
	}
	if w.chance(1, 3) {
		w.write(t, w.now)
	}
	w.reply(t, w.now)
}

// burst is a row of messages of one consumer, sometimes just across an edge of the day.
func (w *world) burst(t *talk) {
	n, gap := 3+w.choose(11), w.gap()
	w.alignBurst(n, gap)
	for range n {
		w.write(t, w.now)
		w.now += gap
	}
}

// burstAcross is one of many consumers, in turn.
func (w *world) burstAcross(t *talk) {
	n, gap := 3+w.choose(11), w.gap()
	w.alignBurst(n, gap)
	for i := range n {
		w.write(t.shop.talks[i%len(t.shop.talks)], w.now)
		w.now += gap
	}
}

func (w *world) gap() int64 {
	return pick([]int64{0, 1, second, 20 * second, 3 * minute, 17 * minute}, w.choose)
}

func (w *world) alignBurst(n int, gap int64) {
	if w.chance(1, 3) {
		w.now = max(w.now, w.edge()-int64(w.choose(n+1))*gap+w.nudge())
	}
}

// noReply is a message of the shop that does not count as a reply, or an automatic one of the consumer's.
func (w *world) noReply(t *talk) {
	at := w.eventTime()
	e := w.message(t, chatv1.Role_ROLE_AGENT, at)
	switch w.choose(5) {
	case 0, 1:
		e.Actor.Automatic = true
	case 2:
		e.GetMessage().Kind = pick([]chatv1.MessageKind{
			chatv1.MessageKind_MESSAGE_KIND_FILE, chatv1.MessageKind_MESSAGE_KIND_VIDEO, chatv1.MessageKind_MESSAGE_KIND_AUDIO,
		}, w.choose)
	case 3:
		e = w.message(t, chatv1.Role_ROLE_CONSUMER, at)
		e.Actor.Automatic = true
	case 4:
		e = w.message(t, chatv1.Role_ROLE_SYSTEM, at)
	}
	w.publish(t.shop, e)
}

// leftOut is a message that was shielded before, or whose sender is sanctioned.
func (w *world) leftOut(t *talk) {
	role := pick([]chatv1.Role{chatv1.Role_ROLE_CONSUMER, chatv1.Role_ROLE_CONSUMER, chatv1.Role_ROLE_AGENT}, w.choose)
	e := w.message(t, role, w.eventTime())
	if w.chance(1, 2) {
		e.Actor.Sanctioned = true
	} else {
		e.GetMessage().Shielded = true
	}
	w.publish(t.shop, e)
}

func (w *world) block(t *talk) {
	e := w.event(t, chatv1.Role_ROLE_AGENT, w.eventTime())
	e.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: t.consumer}}
	if w.chance(1, 2) {
		e.Payload = &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: t.consumer}}
	}
	w.publish(t.shop, e)
}

// shieldOne withdraws a message: often the first or the last that waits, sometimes one that cannot be meant.
func (w *world) shieldOne(t *talk) {
	id := w.newID()
	switch from := w.choose(9); {
	case from < 2 && len(t.waiting) > 0:
		id = t.waiting[0].id
	case from < 4 && len(t.waiting) > 0:
		id = t.waiting[len(t.waiting)-1].id
	case from < 6 && len(t.waiting) > 0:
		id = pick(t.waiting, w.choose).id
	case from < 8 && len(t.sent) > 0:
		id = pick(t.sent, w.choose).id
	default:
		if other := pick(t.shop.talks, w.choose); len(other.sent) > 0 {
			id = pick(other.sent, w.choose).id
		}
	}
	w.shield(t, id)
}

// shieldAll withdraws the newest messages that wait, from either end.
func (w *world) shieldAll(t *talk) {
	waiting := t.waiting
	if len(waiting) > 15 {
		waiting = waiting[len(waiting)-15:]
	}
	backwards := w.chance(1, 2)
	for i := range waiting {
		if backwards {
			i = len(waiting) - 1 - i
		}
		w.shield(t, waiting[i].id)
	}
}

func (w *world) shield(t *talk, id string) {
	e := w.event(t, chatv1.Role_ROLE_SYSTEM, w.eventTime())
	e.Payload = &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: id, FlagId: "flag", OfShop: w.chance(1, 3)}}
	w.publish(t.shop, e)
}

func (w *world) closed(t *talk) {
	e := w.event(t, chatv1.Role_ROLE_AGENT, w.eventTime())
	e.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: "agent"}}
	w.publish(t.shop, e)
	t.lives++
}

// rate rates the newest life, or one that may be long gone, yet to come, or rated already.
func (w *world) rate(t *talk) {
	e := w.event(t, chatv1.Role_ROLE_CONSUMER, w.eventTime())
	r := &chatv1.ConversationRated{Score: int32(1 + w.choose(5))}
	if w.chance(1, 2) {
		r.Life = int64(w.choose(t.lives + 3))
		if t.lives > 60 && w.chance(1, 2) {
			r.Life = int64(t.lives - 60 - w.choose(6))
		}
	}
	e.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: r}
	w.publish(t.shop, e)
}

func (w *world) resume(t *talk) {
	e := w.event(t, chatv1.Role_ROLE_AGENT, w.eventTime())
	e.ConversationId = ""
	e.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
	w.publish(t.shop, e)
	if w.chance(1, 3) { // does reception stay with the humans?
		w.write(t, w.now)
	}
}

func (w *world) noEffect(t *talk) {
	e := w.event(t, chatv1.Role_ROLE_AGENT, w.eventTime())
	switch w.choose(4) {
	case 0:
		e.Payload = &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{
			FromAgentId: "agent-1", ToAgentId: "agent-2",
		}}
	case 1:
		e.Payload = &chatv1.ChatEvent_ConversationRead{ConversationRead: &chatv1.ConversationRead{}}
	case 2:
		e.ConversationId = ""
		e.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{Client: "workbench-web"}}
	case 3:
		e.ConversationId = ""
		e.Payload = &chatv1.ChatEvent_AgentSignedOut{AgentSignedOut: &chatv1.AgentSignedOut{}}
	}
	w.publish(t.shop, e)
}

// repeatOne publishes an event of the shop again, from near or far, once or twice.
func (w *world) repeatOne(t *talk) {
	all := t.shop.published
	if len(all) == 0 {
		return
	}
	near := all[max(0, len(all)-5):]
	from := pick([][]*chatv1.ChatEvent{near, near, all}, w.choose)
	e := pick(from, w.choose)
	for range 1 + w.choose(2) {
		w.repeat(e)
	}
}

// flood is more than is kept of: messages of the consumer, the bot, or the agent's macros.
func (w *world) flood(t *talk) {
	gap := pick([]int64{0, second / 10, second, 4 * second}, w.choose)
	role, n := chatv1.Role_ROLE_CONSUMER, pick([]int{62, 64, 66, 255, 257, 300, 330}, w.choose)
	if w.chance(1, 3) {
		role, n = chatv1.Role_ROLE_BOT, 60+w.choose(8)
	}
	all := len(t.shop.published)
	var first *chatv1.ChatEvent
	for i := range n {
		e := w.event(t, role, w.now)
		e.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: "在吗"}}
		w.publish(t.shop, e)
		if role == chatv1.Role_ROLE_CONSUMER {
			w.remember(t, e)
		}
		if i == 0 {
			first = e
		}
		w.now += gap
	}
	switch w.choose(6) {
	case 0:
		w.repeat(first)
	case 1:
		if all > 0 {
			w.repeat(t.shop.published[all-1])
		}
	case 2, 3:
		w.reply(t, w.now)
	case 4:
		w.shield(t, first.EventId)
	case 5:
		w.shieldOne(t)
	}
}

// churn is many short lives.
func (w *world) churn(t *talk) {
	for range 20 + w.choose(50) {
		e := w.event(t, chatv1.Role_ROLE_AGENT, w.now)
		e.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
		w.publish(t.shop, e)
		w.now += second
		w.closed(t)
	}
	for range 3 {
		w.rate(t)
	}
}
