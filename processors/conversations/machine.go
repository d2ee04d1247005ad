package conversations

import (
	"slices"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

const (
	// recentIDs is how many ids of a conversation's newest events are remembered, to drop repeats.
	recentIDs = 64
	// pendingMessages is how many messages of an open round are held.
	pendingMessages = 256
	// ratedLives is how far back a life can be rated: one bit of a word each.
	ratedLives = 64
	// violationIDs is how many messages of the shop that were counted as violations are remembered.
	violationIDs = 64
)

// Machine applies chat events to conversations by the policy. It is immutable and safe for concurrent use.
type Machine struct {
	policy *policy.Set
	cal    *worktime.Calendar
}

// NewMachine returns the machine of a policy.
func NewMachine(p *policy.Set) *Machine {
	return &Machine{policy: p, cal: p.Calendar()}
}

// step is one event on its way through one conversation.
type step struct {
	m    *Machine
	st   *statev1.Conversation
	ev   *chatv1.ChatEvent
	off  int64
	at   int64 // effective time
	pol  *policy.Policy
	fact *chatv1.Fact
	// mark is set when the fact has something to tell.
	mark bool
}

// Apply takes the event at offset off into the conversation's state, which it changes in place. It
// returns the fact to publish (the caller may return it to the pool), or nil, and whether the state changed; an event without effect (a repeat,
// a left-out message, a read mark) changes nothing. Ticks are not for here.
func (m *Machine) Apply(st *statev1.Conversation, ev *chatv1.ChatEvent, off int64) (*chatv1.Fact, bool) {
	if !m.takesEffect(st, ev) {
		return nil, false
	}
	id := schemas.Fingerprint(ev.EventId)
	if slices.Contains(st.RecentIds, id) {
		return nil, false
	}
	if len(st.RecentIds) >= recentIDs {
		n := copy(st.RecentIds, st.RecentIds[len(st.RecentIds)-recentIDs+1:])
		st.RecentIds = st.RecentIds[:n]
	}
	st.RecentIds = append(st.RecentIds, id)
	st.AppliedPlusOne = uint64(off) + 1

	s := &step{m: m, st: st, ev: ev, off: off}
	s.at = ev.OccurredAtUs
	if _, resumed := ev.Payload.(*chatv1.ChatEvent_ReceptionResumed); !resumed {
		s.at = max(s.at, st.LastAtUs)
		st.LastAtUs = s.at
	}
	s.pol = m.policy.At(s.at)
	s.fact = chatv1.FactFromVTPool()
	s.fact.ShopId, s.fact.ConversationId, s.fact.EventId = ev.ShopId, ev.ConversationId, ev.EventId
	s.fact.SourceOffset, s.fact.AtUs, s.fact.Kind = off, s.at, chatv1.FactKind_FACT_KIND_OTHER
	switch ev.Actor.GetRole() {
	case chatv1.Role_ROLE_AGENT:
		s.fact.AgentId = ev.Actor.Id
	case chatv1.Role_ROLE_CONSUMER:
		st.ConsumerId = ev.Actor.Id
	}
	s.expire()
	s.dispatch(id)
	if !s.mark {
		s.fact.ReturnToVTPool()
		return nil, true
	}
	if n := len(s.fact.Lives); n > 0 {
		s.fact.Lives[n-1].Rounds = st.LifeRounds // the event may have begun the life's first round
	}
	return s.fact, true
}

// takesEffect tells the events that count for something from those that do not, or are left out.
func (m *Machine) takesEffect(st *statev1.Conversation, ev *chatv1.ChatEvent) bool {
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		a := ev.Actor
		if p.Message.GetShielded() || a.GetSanctioned() {
			return false
		}
		switch a.GetRole() {
		case chatv1.Role_ROLE_CONSUMER:
			return !st.Blocked
		case chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_BOT:
			return true
		}
		return false
	case *chatv1.ChatEvent_ConversationOpened, *chatv1.ChatEvent_ConversationClosed, *chatv1.ChatEvent_ConversationRated,
		*chatv1.ChatEvent_ConsumerBlocked, *chatv1.ChatEvent_ConsumerUnblocked,
		*chatv1.ChatEvent_MessageShielded, *chatv1.ChatEvent_ReceptionResumed:
		return true
	}
	return false
}

func (s *step) dispatch(id uint64) {
	switch p := s.ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		s.touchLife()
		switch {
		case s.isConsumerMessage():
			s.consumerMessage(id)
		case s.isManualReply(p.Message):
			s.manualReply()
		}
	case *chatv1.ChatEvent_ConversationOpened:
		if !s.st.LifeOpen {
			s.beginLife()
		}
	case *chatv1.ChatEvent_ConversationClosed:
		s.closed()
	case *chatv1.ChatEvent_ConversationRated:
		s.rated(p.ConversationRated)
	case *chatv1.ChatEvent_ConsumerBlocked:
		s.st.Blocked = true
	case *chatv1.ChatEvent_ConsumerUnblocked:
		s.st.Blocked = false
	case *chatv1.ChatEvent_MessageShielded:
		s.shielded(schemas.Fingerprint(p.MessageShielded.GetMessageEventId()), p.MessageShielded.GetOfShop())
	case *chatv1.ChatEvent_ReceptionResumed:
		s.fact.Kind = chatv1.FactKind_FACT_KIND_RECEPTION_RESUMED
		s.mark = true
	}
}

func (s *step) isConsumerMessage() bool {
	return s.ev.Actor.GetRole() == chatv1.Role_ROLE_CONSUMER && !s.ev.Actor.GetAutomatic()
}

func (s *step) isManualReply(msg *chatv1.Message) bool {
	return s.ev.Actor.GetRole() == chatv1.Role_ROLE_AGENT && !s.ev.Actor.GetAutomatic() &&
		s.pol.Reception.IsManualReplyKind(msg.GetKind())
}

// consumerMessage opens or prolongs a round and counts among the unreplied messages (rules 2.1).
func (s *step) consumerMessage(id uint64) {
	st := s.st
	s.fact.Kind = chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE
	s.fact.ConsumerId = s.ev.Actor.GetId()
	s.mark = true
	if !st.RoundOpen {
		s.beginRound()
	}
	s.hold(id)
	if !s.m.cal.In(s.pol.Reception.WorkingHours, s.at) {
		return
	}
	limit := s.pol.Reception.UnrepliedLimit + 1
	st.UnrepliedOffsets = append(st.UnrepliedOffsets, uint64(s.off))
	st.UnrepliedIds = append(st.UnrepliedIds, id)
	if n := len(st.UnrepliedOffsets) - limit; n > 0 {
		st.UnrepliedOffsets = slices.Delete(st.UnrepliedOffsets, 0, n)
		st.UnrepliedIds = slices.Delete(st.UnrepliedIds, 0, n)
	}
	s.fact.UnrepliedInRow = int32(len(st.UnrepliedOffsets))
	if len(st.UnrepliedOffsets) == limit {
		for _, o := range st.UnrepliedOffsets {
			s.fact.UnrepliedOffsets = append(s.fact.UnrepliedOffsets, int64(o))
		}
	}
}

// manualReply answers the open round and clears what was unreplied.
func (s *step) manualReply() {
	st := s.st
	s.fact.Kind = chatv1.FactKind_FACT_KIND_MANUAL_REPLY
	s.fact.ConsumerId = st.ConsumerId
	s.mark = true
	if st.FirstReplyAtUs == 0 {
		st.FirstAgentId, st.FirstReplyAtUs = s.ev.Actor.GetId(), s.at
		s.tellLife()
	}
	if st.RoundOpen {
		s.answerRound()
	}
	st.UnrepliedOffsets, st.UnrepliedIds = st.UnrepliedOffsets[:0], st.UnrepliedIds[:0]
}

// shielded takes a message back from the open round and from the unreplied ones.
func (s *step) shielded(id uint64, ofShop bool) {
	st := s.st
	if ofShop {
		s.violated(id)
	}
	if i := slices.Index(st.UnrepliedIds, id); i >= 0 {
		s.fact.UnrepliedWithdrawnPlusOne = int64(st.UnrepliedOffsets[i]) + 1
		st.UnrepliedIds = slices.Delete(st.UnrepliedIds, i, i+1)
		st.UnrepliedOffsets = slices.Delete(st.UnrepliedOffsets, i, i+1)
		s.mark = true
	}
	if st.RoundOpen {
		s.takeBack(id)
	}
}
