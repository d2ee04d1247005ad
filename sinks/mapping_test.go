package sinks

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const testPartitions = 4

// at is a moment in 2026, and some seconds.
func at(seconds int64) int64 { return 1_793_000_000_000_000 + seconds*1_000_000 }

type encoder interface{ MarshalVT() ([]byte, error) }

// recordOf is a record as its publisher would write it.
func recordOf(t testing.TB, ns schemas.Namespace, topic, key string, offset int64, m encoder) *kgo.Record {
	t.Helper()
	value, err := m.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{
		Topic: ns.Topic(topic), Partition: schemas.Partition([]byte(key), testPartitions), Offset: offset,
		Key: []byte(key), Value: value, Timestamp: time.UnixMicro(at(9)),
	}
}

// row is a row as text: column name to value, those with zero values left out.
type row map[string]string

func rowsOf(t *table) []row {
	rows := make([]row, t.rows())
	for i := range rows {
		rows[i] = row{}
		for _, c := range t.columns {
			name, _ := c.head()
			value := reflect.ValueOf(c.part(i, i+1)).Index(0)
			if text := textOf(value); text != "" {
				rows[i][name] = text
			}
		}
	}
	return rows
}

func textOf(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return "&" + plain(v.Elem())
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, strings.TrimPrefix(textOf(v.Index(i)), "&"))
		}
		return strings.Join(parts, "|")
	default:
		if v.IsZero() {
			return ""
		}
		return plain(v)
	}
}

func plain(v reflect.Value) string {
	if t, ok := v.Interface().(time.Time); ok {
		return fmt.Sprint(t.UnixMicro())
	}
	return fmt.Sprint(v.Interface())
}

func us(seconds int64) string { return fmt.Sprint(at(seconds)) }
func maybeUS(s int64) string  { return "&" + us(s) }
func with(a row, b row) row   { c := maps.Clone(a); maps.Copy(c, b); return c }

func TestRows(t *testing.T) {
	t.Parallel()
	const ns = schemas.Namespace("test")
	// makes has a mapper read a record and compares all rows of all tables.
	makes := func(name string, rec *kgo.Record, want map[string][]row) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBatch()
			newMapper(ns, testPartitions).add(b, rec, time.Unix(1, 0))
			for _, l := range b.refused {
				t.Errorf("refused: %s: %s", l.Code, l.Reason)
			}
			for _, table := range b.tables() {
				got := rowsOf(table)
				if len(got)+len(want[table.name]) > 0 && !reflect.DeepEqual(got, want[table.name]) {
					t.Errorf("%s:\ngot  %v\nwant %v", table.name, got, want[table.name])
				}
			}
			checkColumns(t, b)
			end := b.ends[rec.Topic][rec.Partition]
			if end.Offset != rec.Offset+1 {
				t.Errorf("commit of %d for a record at %d", end.Offset, rec.Offset)
			}
		})
	}

	partition := fmt.Sprint(schemas.Partition([]byte("s"), testPartitions))
	base := row{"shop_id": "s", "conversation_id": "c", "event_id": "e", "time": us(0), "actor_role": "2", "actor_id": "a", "log_offset": "7"}
	if partition != "0" {
		base["log_partition"] = partition
	}
	event := func(change func(*chatv1.ChatEvent)) *kgo.Record {
		ev := &chatv1.ChatEvent{
			EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(0),
			Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a"},
		}
		change(ev)
		return recordOf(t, ns, schemas.TopicEvents, schemas.EventKey(ev.ShopId, ev.ConversationId), 7, ev)
	}
	chat := func(change row) map[string][]row { return map[string][]row{"chat_events_data": {with(base, change)}} }

	text := event(func(ev *chatv1.ChatEvent) {
		ev.Actor.Automatic, ev.Actor.Sanctioned = true, true
		ev.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{
			Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: "亲,hi", ClientMessageId: "m", Shielded: true,
		}}
	})
	textRow := with(base, row{"text": "亲,hi"})
	makes("a text", text, map[string][]row{
		"chat_events_data": {with(base, row{
			"kind": "10", "message_kind": "1", "text_bytes": "6", "text_runes": "4", "client_message_id": "m",
			"automatic": "true", "sanctioned": "true", "shielded": "true",
		})},
		"chat_texts_data": {textRow},
	})
	makes("a card", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{
			Kind: chatv1.MessageKind_MESSAGE_KIND_CARD, Card: &chatv1.Card{Kind: "product", Id: "p1", Title: "tea"},
		}}
	}), map[string][]row{
		"chat_events_data": {with(base, row{"kind": "10", "message_kind": "4", "card_kind": "product", "card_id": "p1"})},
		"chat_texts_data":  {with(base, row{"card_title": "tea"})},
	})
	attachment := with(base, row{})
	delete(attachment, "actor_role")
	delete(attachment, "actor_id")
	makes("two pictures", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{
			Kind: chatv1.MessageKind_MESSAGE_KIND_PICTURE,
			Attachments: []*chatv1.Attachment{
				{Id: "b1", MimeType: "image/png", Size: 3, Sha256: "00", FileName: "a.png", QrPayloads: []string{"x", "y"}},
				{Id: "b2", MimeType: "image/gif", Size: 4},
			},
		}}
	}), map[string][]row{
		"chat_events_data": {with(base, row{"kind": "10", "message_kind": "3", "attachments": "2", "attachment_bytes": "7"})},
		"chat_attachments_data": {
			with(attachment, row{"position": "1", "attachment_id": "b1", "mime_type": "image/png", "size": "3", "sha256": "00", "file_name": "a.png", "qr_payloads": "x|y"}),
			with(attachment, row{"position": "2", "attachment_id": "b2", "mime_type": "image/gif", "size": "4"}),
		},
	})
	makes("opened", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
	}), chat(row{"kind": "11"}))
	makes("closed", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: "agent"}}
	}), chat(row{"kind": "12", "reason": "agent"}))
	makes("transferred", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{FromAgentId: "x", ToAgentId: "y"}}
	}), chat(row{"kind": "13", "from_agent_id": "x", "to_agent_id": "y"}))
	makes("read", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRead{ConversationRead: &chatv1.ConversationRead{UpToEventId: "d"}}
	}), chat(row{"kind": "14", "refers_to_event_id": "d"}))
	makes("rated", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 2, Life: 3}}
	}), chat(row{"kind": "15", "score": "2", "rated_life": "3"}))
	makes("blocked", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: "u", Reason: "rude"}}
	}), chat(row{"kind": "16", "consumer_id": "u", "reason": "rude"}))
	makes("unblocked", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: "u"}}
	}), chat(row{"kind": "17", "consumer_id": "u"}))
	makes("shielded", event(func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: "d", FlagId: "f"}}
	}), chat(row{"kind": "22", "refers_to_event_id": "d", "flag_id": "f"}))
	makes("resumed", event(func(ev *chatv1.ChatEvent) {
		ev.ConversationId = ""
		ev.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
	}), map[string][]row{"chat_events_data": {without(with(base, row{"kind": "21"}), "conversation_id")}})

	account := with(without(base, "conversation_id", "actor_role", "actor_id"), row{"account_role": "2", "account_id": "a"})
	shopWide := without(base, "conversation_id")
	makes("signed in", event(func(ev *chatv1.ChatEvent) {
		ev.ConversationId = ""
		ev.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{Client: "web", ClientVersion: "2", Address: "::1", SessionId: "n"}}
	}), map[string][]row{
		"chat_events_data": {with(shopWide, row{"kind": "18", "session_id": "n"})},
		"sign_ins_data":    {with(account, row{"kind": "18", "session_id": "n", "client": "web", "client_version": "2", "address": "::1"})},
	})
	makes("signed out", event(func(ev *chatv1.ChatEvent) {
		ev.ConversationId = ""
		ev.Payload = &chatv1.ChatEvent_AgentSignedOut{AgentSignedOut: &chatv1.AgentSignedOut{SessionId: "n"}}
	}), map[string][]row{
		"chat_events_data": {with(shopWide, row{"kind": "19", "session_id": "n"})},
		"sign_ins_data":    {with(account, row{"kind": "19", "session_id": "n"})},
	})
	makes("client refused", event(func(ev *chatv1.ChatEvent) {
		ev.ConversationId = ""
		ev.Payload = &chatv1.ChatEvent_ClientRefused{ClientRefused: &chatv1.ClientRefused{Client: "bad", Address: "::2", Reason: "not allowed"}}
	}), map[string][]row{
		"chat_events_data": {with(shopWide, row{"kind": "20", "reason": "not allowed"})},
		"sign_ins_data":    {with(account, row{"kind": "20", "client": "bad", "address": "::2", "reason": "not allowed"})},
	})
	makes("a tick", recordOf(t, ns, schemas.TopicEvents, schemas.TickKey(1, testPartitions), 7, &chatv1.ChatEvent{
		OccurredAtUs: at(0), Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at(0)}},
	}), nil)

	makesReports(t, ns, makes)
	makesCases(t, ns, makes)
}

func without(a row, names ...string) row {
	b := maps.Clone(a)
	for _, n := range names {
		delete(b, n)
	}
	return b
}
