package ingest

import (
	"fmt"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// roleSet is a set of roles.
type roleSet uint8

func roles(rs ...chatv1.Role) roleSet {
	var s roleSet
	for _, r := range rs {
		s |= 1 << r
	}
	return s
}

func (s roleSet) has(r chatv1.Role) bool { return r >= 0 && r < 8 && s&(1<<r) != 0 }

// mayCause says which roles may cause an event with the payload.
func mayCause(ev *chatv1.ChatEvent) (name string, allowed roleSet) {
	const consumer, agent, bot, system = chatv1.Role_ROLE_CONSUMER, chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_BOT, chatv1.Role_ROLE_SYSTEM
	switch ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return "message", roles(consumer, agent, bot, system)
	case *chatv1.ChatEvent_ConversationOpened:
		return "conversation_opened", roles(consumer, agent, bot, system)
	case *chatv1.ChatEvent_ConversationClosed:
		return "conversation_closed", roles(consumer, agent, bot, system)
	case *chatv1.ChatEvent_ConversationTransferred:
		return "conversation_transferred", roles(agent, bot, system)
	case *chatv1.ChatEvent_ConversationRead:
		return "conversation_read", roles(consumer, agent, bot)
	case *chatv1.ChatEvent_ConversationRated:
		return "conversation_rated", roles(consumer)
	case *chatv1.ChatEvent_ConsumerBlocked:
		return "consumer_blocked", roles(agent, system)
	case *chatv1.ChatEvent_ConsumerUnblocked:
		return "consumer_unblocked", roles(agent, system)
	case *chatv1.ChatEvent_AgentSignedIn:
		return "agent_signed_in", roles(agent)
	case *chatv1.ChatEvent_AgentSignedOut:
		return "agent_signed_out", roles(agent, system)
	case *chatv1.ChatEvent_ClientRefused:
		return "client_refused", roles(consumer, agent, system)
	case *chatv1.ChatEvent_ReceptionResumed:
		return "reception_resumed", roles(agent, system)
	case *chatv1.ChatEvent_MessageShielded:
		return "message_shielded", roles(agent, system)
	}
	return "", 0
}

func checkPayload(ev *chatv1.ChatEvent) *ValidationError {
	if _, tick := ev.Payload.(*chatv1.ChatEvent_Tick); tick {
		return invalid(CodeTick, "payload", "ticks are not published as events")
	}
	name, allowed := mayCause(ev)
	if name == "" {
		return invalid(CodeNoPayload, "payload", "missing")
	}
	if !allowed.has(ev.Actor.Role) {
		return invalid(CodeRoleMismatch, "actor.role", fmt.Sprintf("%v cannot cause %s", ev.Actor.Role, name))
	}
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return checkMessage(p.Message)
	case *chatv1.ChatEvent_ConversationClosed:
		return checkText("conversation_closed.reason", p.ConversationClosed.GetReason(), MaxText)
	case *chatv1.ChatEvent_ConversationTransferred:
		t := p.ConversationTransferred
		return first(checkOptionalID("conversation_transferred.from_agent_id", t.GetFromAgentId(), MaxID),
			checkID("conversation_transferred.to_agent_id", t.GetToAgentId(), MaxID))
	case *chatv1.ChatEvent_ConversationRead:
		return checkOptionalID("conversation_read.up_to_event_id", p.ConversationRead.GetUpToEventId(), MaxID)
	case *chatv1.ChatEvent_ConversationRated:
		return checkRating(p.ConversationRated)
	case *chatv1.ChatEvent_ConsumerBlocked:
		return first(checkID("consumer_blocked.consumer_id", p.ConsumerBlocked.GetConsumerId(), MaxID),
			checkText("consumer_blocked.reason", p.ConsumerBlocked.GetReason(), MaxText))
	case *chatv1.ChatEvent_ConsumerUnblocked:
		return checkID("consumer_unblocked.consumer_id", p.ConsumerUnblocked.GetConsumerId(), MaxID)
	case *chatv1.ChatEvent_AgentSignedIn:
		s := p.AgentSignedIn
		return first(checkText("agent_signed_in.client", s.GetClient(), MaxID),
			checkText("agent_signed_in.client_version", s.GetClientVersion(), MaxID),
			checkText("agent_signed_in.address", s.GetAddress(), MaxID),
			checkOptionalID("agent_signed_in.session_id", s.GetSessionId(), MaxID))
	case *chatv1.ChatEvent_AgentSignedOut:
		return checkOptionalID("agent_signed_out.session_id", p.AgentSignedOut.GetSessionId(), MaxID)
	case *chatv1.ChatEvent_ClientRefused:
		c := p.ClientRefused
		return first(checkText("client_refused.client", c.GetClient(), MaxID),
			checkText("client_refused.address", c.GetAddress(), MaxID),
			checkText("client_refused.reason", c.GetReason(), MaxText))
	case *chatv1.ChatEvent_MessageShielded:
		return first(checkID("message_shielded.message_event_id", p.MessageShielded.GetMessageEventId(), MaxID),
			checkOptionalID("message_shielded.flag_id", p.MessageShielded.GetFlagId(), MaxID))
	}
	return nil
}

func checkMessage(m *chatv1.Message) *ValidationError {
	kind := m.GetKind()
	if kind <= chatv1.MessageKind_MESSAGE_KIND_UNSPECIFIED || kind > chatv1.MessageKind_MESSAGE_KIND_AUDIO {
		return invalid(CodeUnknownKind, "message.kind", fmt.Sprintf("unknown kind %d", int32(kind)))
	}
	if err := first(checkText("message.text", m.Text, MaxText),
		checkOptionalID("message.client_message_id", m.ClientMessageId, MaxID)); err != nil {
		return err
	}
	for _, a := range m.Attachments {
		if a.GetSize() < 0 {
			return invalid(CodeBadValue, "message.attachments.size", "negative")
		}
		for _, s := range append([]string{a.GetId(), a.GetMimeType(), a.GetSha256(), a.GetFileName()}, a.GetQrPayloads()...) {
			if err := checkText("message.attachments", s, MaxText); err != nil {
				return err
			}
		}
	}
	c := m.Card
	return first(checkText("message.card.kind", c.GetKind(), MaxID), checkText("message.card.id", c.GetId(), MaxID),
		checkText("message.card.title", c.GetTitle(), MaxText))
}

func checkRating(r *chatv1.ConversationRated) *ValidationError {
	if s := r.GetScore(); s < 1 || s > 5 {
		return invalid(CodeBadScore, "conversation_rated.score", fmt.Sprintf("%d is not 1 to 5", s))
	}
	if r.Life < 0 {
		return invalid(CodeBadValue, "conversation_rated.life", "negative")
	}
	return nil
}

func first(errs ...*ValidationError) *ValidationError {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
