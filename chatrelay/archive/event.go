package archive

import (
	"strings"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// event is the event that a row was made of; nil for kinds that are none of a conversation.
func (r *row) event(shop, conversation string) *chatv1.ChatEvent {
	ev := &chatv1.ChatEvent{
		EventId: r.eventID, ShopId: shop, ConversationId: conversation, OccurredAtUs: r.at.UnixMicro(),
		Actor: &chatv1.Actor{Role: chatv1.Role(chatv1.Role_value["ROLE_"+strings.ToUpper(r.actorRole)]), Id: r.actorID, Automatic: r.automatic, Sanctioned: r.sanctioned},
	}
	switch r.kind {
	case "message":
		m := &chatv1.Message{Kind: chatv1.MessageKind(chatv1.MessageKind_value["MESSAGE_KIND_"+strings.ToUpper(r.messageKind)]),
			ClientMessageId: r.clientMessageID, Shielded: r.shielded}
		if r.cardKind != "" || r.cardID != "" {
			m.Card = &chatv1.Card{Kind: r.cardKind, Id: r.cardID}
		}
		ev.Payload = &chatv1.ChatEvent_Message{Message: m}
	case "conversation_opened":
		ev.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
	case "conversation_closed":
		ev.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: r.why}}
	case "conversation_transferred":
		ev.Payload = &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{FromAgentId: r.from, ToAgentId: r.to}}
	case "conversation_read":
		ev.Payload = &chatv1.ChatEvent_ConversationRead{ConversationRead: &chatv1.ConversationRead{UpToEventId: r.refers}}
	case "conversation_rated":
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: int32(r.score), Life: r.life}}
	case "consumer_blocked":
		ev.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: r.consumer, Reason: r.why}}
	case "consumer_unblocked":
		ev.Payload = &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: r.consumer}}
	case "message_shielded":
		ev.Payload = &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: r.refers, FlagId: r.flag}}
	default:
		return nil
	}
	return ev
}

// quoted is a list of string literals.
func quoted(ids []string) string {
	var out strings.Builder
	replacer := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for i, id := range ids {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\'')
		_, _ = replacer.WriteString(&out, id) // a Builder takes everything
		out.WriteByte('\'')
	}
	return out.String()
}
