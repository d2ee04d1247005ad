package chatrelay

import (
	"github.com/feigeio/feige/chatrelay/inbox"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// ask is an assignment on its way through the log.
type ask struct {
	agent string
	atUS  int64
}

// assign gives waiting conversations that nobody has to the least busy agents who are online here. The event's
// id follows from the message that began the waiting: where several relays assign at the same time, the first
// in the log holds, everywhere.
func (d *desk) assign() {
	r := d.relay
	if !r.cfg.AutoAssign {
		return
	}
	d.mu.Lock()
	if d.assigning || !d.live {
		d.mu.Unlock()
		return
	}
	d.assigning = true
	d.mu.Unlock()
	for r.ctx.Err() == nil {
		d.mu.Lock()
		it, agent, ok := d.next()
		if !ok {
			d.assigning = false
			d.mu.Unlock()
			return
		}
		d.asked[it.WaitingEvent] = ask{agent, r.nowUS()}
		d.mu.Unlock()
		p := r.publish(r.ctx, &chatv1.ChatEvent{
			EventId:        protocol.EventID(d.shop, it.Conversation, "system", "assign", protocol.TypeTransfer, it.WaitingEvent),
			ShopId:         d.shop,
			ConversationId: it.Conversation,
			Actor:          &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM, Id: "assign"},
			OccurredAtUs:   r.nowUS(),
			Payload:        &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{ToAgentId: agent}},
		})
		if p != nil {
			// Housekeeping forgets the ask, and asks again.
			d.mu.Lock()
			d.assigning = false
			d.mu.Unlock()
			return
		}
		r.metrics.assigned.Inc()
	}
}

// next is the next conversation to assign, and to whom. The lock is held.
func (d *desk) next() (it inbox.Item, agent string, ok bool) {
	online := map[string]bool{}
	for s := range d.agents {
		if s.state.Load() == protocol.StateOnline && s.id.Role == signin.Agent {
			online[s.id.Account] = true
		}
	}
	if len(online) == 0 {
		return it, "", false
	}
	found := false
	for _, u := range d.box.Unassigned(256) {
		if _, asked := d.asked[u.WaitingEvent]; !asked {
			it, found = u, true
			break
		}
	}
	if !found {
		return it, "", false
	}
	load := d.box.Load()
	for _, a := range d.asked {
		load[a.agent]++ // at worst counted twice for a moment
	}
	for id := range online {
		if agent == "" || load[id] < load[agent] || load[id] == load[agent] && id < agent {
			agent = id
		}
	}
	return it, agent, true
}

// online tells whether an agent is online at this relay.
func (d *desk) online(agent string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.agents {
		if s.id.Account == agent && s.state.Load() == protocol.StateOnline {
			return true
		}
	}
	return false
}

// item is how a conversation stands; the zero Item if nothing is known of it.
func (s *session) item(t target) inbox.Item {
	d := s.relay.desks.of(t.shop)
	if d == nil {
		return inbox.Item{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	it, _ := d.box.Get(t.conversation)
	return it
}

// claim makes a conversation the sender's.
func (s *session) claim(req *protocol.Request, t target) { s.hand(req, t, s.id.Account) }

// transfer hands a conversation to another agent.
func (s *session) transfer(req *protocol.Request, t target) {
	if req.AgentID == "" {
		s.fail(protocol.Problemf(protocol.CodeInvalid, "agentId is empty"), req.ID)
		return
	}
	s.hand(req, t, req.AgentID)
}

func (s *session) hand(req *protocol.Request, t target, to string) {
	it := s.item(t)
	others := it.Agent != "" && it.Agent != s.id.Account
	if others && signin.May(s.id.Role, signin.OpTransferOthers) == signin.Never {
		if d := s.relay.desks.of(t.shop); req.Type == protocol.TypeTransfer || d != nil && d.online(it.Agent) {
			s.fail(protocol.Problemf(protocol.CodeClaimed, "another agent has the conversation"), req.ID)
			return
		}
	}
	s.commit(req, s.event(t.shop, t.conversation, &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationTransferred{
		ConversationTransferred: &chatv1.ConversationTransferred{FromAgentId: it.Agent, ToAgentId: to}}}))
}

// block blocks the conversation's consumer, or ends it.
func (s *session) block(req *protocol.Request, t target) {
	consumer := s.item(t).Consumer
	if consumer == "" {
		consumer = t.conversation // a consumer's conversation has its id
	}
	ev := &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: consumer, Reason: req.Reason}}}
	switch {
	case req.Type == protocol.TypeUnblock:
		ev.Payload = &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: consumer}}
	case req.Reason == "":
		s.fail(protocol.Problemf(protocol.CodeInvalid, "a block needs a reason"), req.ID)
		return
	}
	s.commit(req, s.event(t.shop, t.conversation, ev))
}

// presence takes an agent's state.
func (s *session) presence(req *protocol.Request, _ target) {
	switch req.State {
	case protocol.StateOnline, protocol.StateBreak, protocol.StateOffline:
	default:
		s.fail(protocol.Problemf(protocol.CodeInvalid, "state must be online, break, or offline"), req.ID)
		return
	}
	s.state.Store(req.State)
	f := presenceOf(s)
	f.Re = req.ID
	s.tell(f)
	if d := s.relay.desks.of(s.shop); d != nil {
		d.tellPresence(s)
		if req.State == protocol.StateOnline {
			go d.assign()
		}
	}
}
