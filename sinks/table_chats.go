package sinks

import (
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	kindEvent = "Enum8('message' = 10, 'conversation_opened' = 11, 'conversation_closed' = 12, 'conversation_transferred' = 13, " +
		"'conversation_read' = 14, 'conversation_rated' = 15, 'consumer_blocked' = 16, 'consumer_unblocked' = 17, 'agent_signed_in' = 18, " +
		"'agent_signed_out' = 19, 'client_refused' = 20, 'reception_resumed' = 21, 'message_shielded' = 22)"
	kindMessage = "Enum8('none' = 0, 'text' = 1, 'emoji' = 2, 'picture' = 3, 'card' = 4, 'file' = 5, 'video' = 6, 'audio' = 7)"
	kindSignIn  = "Enum8('signed_in' = 18, 'signed_out' = 19, 'refused' = 20)"
)

// Values of chat_events.kind: the numbers of the payloads in chat.v1.ChatEvent.
const (
	eventMessage int8 = iota + 10
	eventOpened
	eventClosed
	eventTransferred
	eventRead
	eventRated
	eventBlocked
	eventUnblocked
	eventSignedIn
	eventSignedOut
	eventRefused
	eventResumed
	eventShielded
)

// chatsTable is chat_events_data.
type chatsTable struct {
	*table
	shop, conversation, event          *columnOf[string]
	at                                 *columnOf[time.Time]
	kind, actorRole                    *columnOf[int8]
	actorID                            *columnOf[string]
	automatic, sanctioned              *columnOf[bool]
	messageKind                        *columnOf[int8]
	textBytes, textRunes               *columnOf[uint32]
	attachments                        *columnOf[uint16]
	attachmentBytes                    *columnOf[uint64]
	cardKind, cardID                   *columnOf[string]
	shielded                           *columnOf[bool]
	clientMessageID                    *columnOf[string]
	score                              *columnOf[uint8]
	ratedLife                          *columnOf[int64]
	consumer, fromAgent, toAgent       *columnOf[string]
	refersTo, flag, session, reasonFor *columnOf[string]
	partition                          *columnOf[int32]
	offset                             *columnOf[int64]
}

func newChatsTable() *chatsTable {
	t := newTable("chat_events_data")
	return &chatsTable{
		table:           t,
		shop:            add[string](t, "shop_id", "String"),
		conversation:    add[string](t, "conversation_id", "String"),
		event:           add[string](t, "event_id", "String"),
		at:              add[time.Time](t, "time", kindTime),
		kind:            add[int8](t, "kind", kindEvent),
		actorRole:       add[int8](t, "actor_role", kindRole),
		actorID:         add[string](t, "actor_id", "String"),
		automatic:       add[bool](t, "automatic", "Bool"),
		sanctioned:      add[bool](t, "sanctioned", "Bool"),
		messageKind:     add[int8](t, "message_kind", kindMessage),
		textBytes:       add[uint32](t, "text_bytes", "UInt32"),
		textRunes:       add[uint32](t, "text_runes", "UInt32"),
		attachments:     add[uint16](t, "attachments", "UInt16"),
		attachmentBytes: add[uint64](t, "attachment_bytes", "UInt64"),
		cardKind:        add[string](t, "card_kind", "String"),
		cardID:          add[string](t, "card_id", "String"),
		shielded:        add[bool](t, "shielded", "Bool"),
		clientMessageID: add[string](t, "client_message_id", "String"),
		score:           add[uint8](t, "score", "UInt8"),
		ratedLife:       add[int64](t, "rated_life", "Int64"),
		consumer:        add[string](t, "consumer_id", "String"),
		fromAgent:       add[string](t, "from_agent_id", "String"),
		toAgent:         add[string](t, "to_agent_id", "String"),
		refersTo:        add[string](t, "refers_to_event_id", "String"),
		flag:            add[string](t, "flag_id", "String"),
		session:         add[string](t, "session_id", "String"),
		reasonFor:       add[string](t, "reason", "String"),
		partition:       add[int32](t, "log_partition", "Int32"),
		offset:          add[int64](t, "log_offset", "Int64"),
	}
}

// chatRow is what an event's payload says, in the words of chat_events.
type chatRow struct {
	kind, messageKind                              int8
	textBytes, textRunes                           uint32
	attachmentBytes                                uint64
	attachments                                    uint16
	score                                          uint8
	shielded                                       bool
	ratedLife                                      int64
	cardKind, cardID, clientMessageID              string
	consumer, fromAgent, toAgent, refersTo, flagID string
	session, reason                                string
}

func chatRowOf(ev *chatv1.ChatEvent) (chatRow, *refusal) {
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return messageRow(p.Message)
	case *chatv1.ChatEvent_ConversationOpened:
		return chatRow{kind: eventOpened}, nil
	case *chatv1.ChatEvent_ConversationClosed:
		return chatRow{kind: eventClosed, reason: p.ConversationClosed.GetReason()}, nil
	case *chatv1.ChatEvent_ConversationTransferred:
		return chatRow{kind: eventTransferred, fromAgent: p.ConversationTransferred.GetFromAgentId(), toAgent: p.ConversationTransferred.GetToAgentId()}, nil
	case *chatv1.ChatEvent_ConversationRead:
		return chatRow{kind: eventRead, refersTo: p.ConversationRead.GetUpToEventId()}, nil
	case *chatv1.ChatEvent_ConversationRated:
		score := p.ConversationRated.GetScore()
		if score < 0 || score > 255 {
			return chatRow{}, refuse(CodeInvalid, "a score of %d", score)
		}
		return chatRow{kind: eventRated, score: uint8(score), ratedLife: p.ConversationRated.GetLife()}, nil
	case *chatv1.ChatEvent_ConsumerBlocked:
		return chatRow{kind: eventBlocked, consumer: p.ConsumerBlocked.GetConsumerId(), reason: p.ConsumerBlocked.GetReason()}, nil
	case *chatv1.ChatEvent_ConsumerUnblocked:
		return chatRow{kind: eventUnblocked, consumer: p.ConsumerUnblocked.GetConsumerId()}, nil
	case *chatv1.ChatEvent_AgentSignedIn:
		return chatRow{kind: eventSignedIn, session: p.AgentSignedIn.GetSessionId()}, nil
	case *chatv1.ChatEvent_AgentSignedOut:
		return chatRow{kind: eventSignedOut, session: p.AgentSignedOut.GetSessionId()}, nil
	case *chatv1.ChatEvent_ClientRefused:
		return chatRow{kind: eventRefused, reason: p.ClientRefused.GetReason()}, nil
	case *chatv1.ChatEvent_ReceptionResumed:
		return chatRow{kind: eventResumed}, nil
	case *chatv1.ChatEvent_MessageShielded:
		return chatRow{kind: eventShielded, refersTo: p.MessageShielded.GetMessageEventId(), flagID: p.MessageShielded.GetFlagId()}, nil
	}
	return chatRow{}, refuse(CodeInvalid, "an event of a kind that this version does not know")
}

func messageRow(m *chatv1.Message) (chatRow, *refusal) {
	if m.GetKind() < 0 || m.GetKind() > chatv1.MessageKind_MESSAGE_KIND_AUDIO {
		return chatRow{}, refuse(CodeInvalid, "a message of kind %d, which this version does not know", m.GetKind())
	}
	if len(m.GetAttachments()) > 65535 {
		return chatRow{}, refuse(CodeInvalid, "a message with %d attachments", len(m.GetAttachments()))
	}
	row := chatRow{
		kind: eventMessage, messageKind: int8(m.GetKind()),
		textBytes: uint32(len(m.GetText())), textRunes: uint32(utf8.RuneCountInString(m.GetText())),
		attachments: uint16(len(m.GetAttachments())), shielded: m.GetShielded(), clientMessageID: m.GetClientMessageId(),
		cardKind: m.GetCard().GetKind(), cardID: m.GetCard().GetId(),
	}
	for _, a := range m.GetAttachments() {
		if a.Size < 0 {
			return chatRow{}, refuse(CodeInvalid, "an attachment of %d bytes", a.Size)
		}
		row.attachmentBytes += uint64(a.Size)
	}
	return row, nil
}

func (t *chatsTable) write(origin int32, rec *kgo.Record, ev *chatv1.ChatEvent, row chatRow) {
	i := t.next(origin)
	t.shop.put(i, ev.ShopId)
	t.conversation.put(i, ev.ConversationId)
	t.event.put(i, ev.EventId)
	t.at.put(i, instant(ev.OccurredAtUs))
	t.kind.put(i, row.kind)
	t.actorRole.put(i, int8(ev.Actor.GetRole()))
	t.actorID.put(i, ev.Actor.GetId())
	t.automatic.put(i, ev.Actor.GetAutomatic())
	t.sanctioned.put(i, ev.Actor.GetSanctioned())
	t.messageKind.put(i, row.messageKind)
	t.textBytes.put(i, row.textBytes)
	t.textRunes.put(i, row.textRunes)
	t.attachments.put(i, row.attachments)
	t.attachmentBytes.put(i, row.attachmentBytes)
	t.cardKind.put(i, row.cardKind)
	t.cardID.put(i, row.cardID)
	t.shielded.put(i, row.shielded)
	t.clientMessageID.put(i, row.clientMessageID)
	t.score.put(i, row.score)
	t.ratedLife.put(i, row.ratedLife)
	t.consumer.put(i, row.consumer)
	t.fromAgent.put(i, row.fromAgent)
	t.toAgent.put(i, row.toAgent)
	t.refersTo.put(i, row.refersTo)
	t.flag.put(i, row.flagID)
	t.session.put(i, row.session)
	t.reasonFor.put(i, row.reason)
	t.partition.put(i, rec.Partition)
	t.offset.put(i, rec.Offset)
}
