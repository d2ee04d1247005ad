package sinks

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks/deadletters"
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
				for _, c := range table.columns {
					if name, _ := c.head(); c.length() != table.rows() {
						t.Errorf("%s: column %s has %d values for %d rows", table.name, name, c.length(), table.rows())
					}
				}
				for i, origin := range table.origins {
					if len(b.sources) <= int(origin) {
						t.Errorf("%s: row %d comes from record %d of %d", table.name, i, origin, len(b.sources))
					}
				}
			}
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
}

func without(a row, names ...string) row {
	b := maps.Clone(a)
	for _, n := range names {
		delete(b, n)
	}
	return b
}

func makesReports(t *testing.T, ns schemas.Namespace, makes func(string, *kgo.Record, map[string][]row)) {
	key := row{"shop_id": "s"}
	if p := schemas.Partition([]byte("s"), testPartitions); p != 0 {
		key["log_partition"] = fmt.Sprint(p)
	}
	fact := func(f *chatv1.Fact) *kgo.Record {
		f.ShopId, f.ConversationId, f.SourceOffset, f.AtUs = "s", "c", 5, at(0)
		return recordOf(t, ns, schemas.TopicFacts, "s", 8, f)
	}
	life := with(key, row{"conversation_id": "c", "source_offset": "5"})
	round := with(life, row{
		"number": "2", "life": "1", "number_in_life": "2", "started_at": us(0), "consumer_id": "u", "counted": "true", "start_offset": "4", "version": "11",
	})
	open := &chatv1.Round{Number: 2, Life: 1, NumberInLife: 2, Outcome: chatv1.RoundOutcome_ROUND_OUTCOME_OPEN, StartedAtUs: at(0), ConsumerId: "u", Counted: true, StartOffset: 4}
	answered := open.CloneVT()
	answered.Outcome, answered.EndedAtUs, answered.WaitUs, answered.AgentId, answered.Within = chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED, at(0), 0, "a", true

	makes("a fact's tick", recordOf(t, ns, schemas.TopicFacts, schemas.TickKey(0, testPartitions), 8, &chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_TICK, AtUs: at(0)}), nil)
	makes("a fact without rows", fact(&chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE, UnrepliedInRow: 3}), nil)
	makes("an open round", fact(&chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE, Rounds: []*chatv1.Round{open}}),
		map[string][]row{"rounds_data": {with(round, row{"outcome": "1"})}})
	makes("a round answered at once", fact(&chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_MANUAL_REPLY, Rounds: []*chatv1.Round{answered}}),
		map[string][]row{"rounds_data": {with(round, row{"outcome": "2", "ended_at": maybeUS(0), "wait_us": "&0", "agent_id": "a", "within": "true"})}})
	makes("lives and a rating", fact(&chatv1.Fact{
		Lives: []*chatv1.ConversationLife{
			{Life: 1, StartedAtUs: at(-9), EndedAtUs: at(-1), End: chatv1.LifeEnd_LIFE_END_LAPSED, ConsumerId: "u", FirstAgentId: "a", FirstReplyAtUs: at(-5), Rounds: 2},
			{Life: 2, StartedAtUs: at(0), ConsumerId: "u"},
		},
		Rating: &chatv1.Rating{Life: 1, Score: 4, RatedAtUs: at(0), ConsumerId: "u"},
	}), map[string][]row{
		"conversations_data": {
			with(life, row{"life": "1", "started_at": us(-9), "ended_at": maybeUS(-1), "life_end": "2", "consumer_id": "u", "first_agent_id": "a", "first_reply_at": maybeUS(-5), "rounds": "2"}),
			with(life, row{"life": "2", "started_at": us(0), "consumer_id": "u"}),
		},
		"ratings_data": {with(life, row{"life": "1", "score": "4", "rated_at": us(0), "consumer_id": "u"})},
	})

	// A shield moves a round's start from January, 1 s before its end, to February: its row there must be replaced.
	february := time.Date(2026, 2, 1, 0, 0, 5, 0, time.UTC).UnixMicro()
	moved := open.CloneVT()
	moved.StartedAtUs = february
	inFebruary := with(round, row{"outcome": "1", "started_at": fmt.Sprint(february)})
	inJanuary := with(without(inFebruary, "outcome"), row{"started_at": fmt.Sprint(february - 5_000_001), "version": "10"})
	makes("a round moved over a month's end", fact(&chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_OTHER, Rounds: []*chatv1.Round{moved}}),
		map[string][]row{"rounds_data": {inJanuary, inFebruary}})
	makes("a round that begins with a month", fact(&chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE, Rounds: []*chatv1.Round{moved}}),
		map[string][]row{"rounds_data": {inFebruary}})
	makes("a round moved within a month", fact(&chatv1.Fact{Kind: chatv1.FactKind_FACT_KIND_OTHER, Rounds: []*chatv1.Round{open}}),
		map[string][]row{"rounds_data": {with(round, row{"outcome": "1"})}})

	makes("a takeover", recordOf(t, ns, schemas.TopicTakeovers, "s", 8, &chatv1.Takeover{
		ShopId: "s", Number: 3, Trigger: chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_ACROSS_CONSUMERS, StartedAtUs: at(0), EndedAtUs: at(1),
		End: chatv1.TakeoverEnd_TAKEOVER_END_RESUMED, EndedBy: "a", TriggerEventId: "e", TriggerConversationId: "c", TriggerConsumerId: "u",
		Unreplied: 11, Consumers: 4, EvidenceOffsets: []int64{1, 2}, Limit: 10, PolicyVersion: "v1", SourceOffset: 6,
	}), map[string][]row{"takeovers_data": {with(key, row{
		"number": "3", "trigger": "2", "started_at": us(0), "ended_at": maybeUS(1), "takeover_end": "2", "ended_by": "a", "trigger_event_id": "e",
		"trigger_conversation_id": "c", "trigger_consumer_id": "u", "unreplied": "11", "consumers": "4", "evidence_offsets": "1|2",
		"unreplied_limit": "10", "policy_version": "v1", "source_offset": "6",
	})}})

	counts := &chatv1.Counts{}
	countRow := row{}
	for i, name := range countNames {
		counts.ProtoReflect().Set(counts.ProtoReflect().Descriptor().Fields().ByNumber(protoNumber(i+1)), protoInt(int64(100+i)))
		countRow[name] = fmt.Sprint(100 + i)
	}
	indicators := []*chatv1.Indicator{
		{Name: "x_rate", HasValue: true, Value: 0, Samples: 9, HasStandard: true, Standard: 0.7, Comparison: ">=", Verdict: chatv1.Verdict_VERDICT_MISSED, Definition: "d"},
		{Name: "y", Samples: 0, Verdict: chatv1.Verdict_VERDICT_REPORTED},
	}
	indicatorRow := row{
		"indicator_names": "x_rate|y", "indicator_values": "0|", "indicator_samples": "9|", "indicator_standards": "0.7|",
		"indicator_comparisons": ">=|", "indicator_verdicts": "4|1", "indicator_definitions": "d|",
	}
	makes("a snapshot", recordOf(t, ns, schemas.TopicKpis, "s", 8, &chatv1.Kpi{
		ShopId: "s", Kind: chatv1.WindowKind_WINDOW_KIND_HALF_MONTH, StartUs: at(0), EndUs: at(1), Version: 13, Final: true,
		Counts: counts, Takeovers: 2, BotUs: 77, Indicators: indicators, PolicyVersion: "v1",
	}), map[string][]row{"service_kpis_data": {with(with(with(key, countRow), indicatorRow), row{
		"window_kind": "2", "window_start": us(0), "window_end": us(1), "version": "13", "is_final": "true", "takeovers": "2", "bot_us": "77",
		"policy_version": "v1", "log_offset": "8",
	})}})
	makes("a decision", recordOf(t, ns, schemas.TopicRestrictions, "s", 8, &chatv1.Decision{
		ShopId: "s", PeriodStartUs: at(0), PeriodEndUs: at(1), Revision: 2, Restricted: true, Restrictions: []string{"campaigns", "traffic"},
		RestrictedFromUs: at(1), RestrictedUntilUs: at(2), Evidence: indicators, Missed: []string{"x_rate"}, PolicyVersion: "v1",
		SourceOffset: 6, CheckpointSeconds: 3600, Counts: counts,
	}), map[string][]row{"restrictions_data": {with(with(with(key, countRow), indicatorRow), row{
		"period_start": us(0), "period_end": us(1), "revision": "2", "restricted": "true", "restrictions": "campaigns|traffic",
		"restricted_from": maybeUS(1), "restricted_until": maybeUS(2), "missed": "x_rate", "policy_version": "v1",
		"source_offset": "6", "checkpoint_seconds": "3600",
	})}})

	letter := &chatv1.DeadLetter{
		Topic: "test.chat.events", Partition: 3, Offset: 70, Key: []byte("k"), Value: []byte{0xff, 0}, Code: "decode", Reason: "bad", Stage: "sinks", RecordAtUs: at(4),
	}
	letterRow := row{
		"topic": "test.chat.events", "log_partition": "3", "log_offset": "70", "stage": "sinks", "code": "decode", "reason": "bad",
		"record_at": us(4), "letter_at": us(9), "record_key": "k", "record_value": "\xff\x00", "letter_offset": "8",
	}
	makes("a letter", recordOf(t, ns, schemas.TopicDeadLetters, "test.chat.events/3/70", 8, letter), map[string][]row{"dead_letters_data": {letterRow}})
	wild := letter.CloneVT()
	wild.RecordAtUs = 1 << 62
	makes("a letter with a wild time", recordOf(t, ns, schemas.TopicDeadLetters, "test.chat.events/3/70", 8, wild),
		map[string][]row{"dead_letters_data": {with(letterRow, row{"record_at": "0"})}})
	others := letter.CloneVT()
	others.Stage = "conversations"
	again := recordOf(t, ns, schemas.TopicDeadLetters, "test.chat.events/3/70", 8, others)
	again.Headers = []kgo.RecordHeader{{Key: deadletters.HeaderResubmittedUS, Value: []byte(us(6))}}
	makes("another stage's letter submitted again", again,
		map[string][]row{"dead_letters_data": {with(letterRow, row{"stage": "conversations", "resubmitted_at": maybeUS(6)})}})
}

// A letter of the sinks that is submitted again makes the rows of its record, where that stands.
func TestResubmittedLetter(t *testing.T) {
	t.Parallel()
	const ns = schemas.Namespace("test")
	record := recordOf(t, ns, schemas.TopicEvents, "s/c", 70, &chatv1.ChatEvent{
		EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(0), Actor: &chatv1.Actor{},
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: "hi"}},
	})
	again := func(value []byte) *batch {
		l := letterAbout(record, refuse(CodeInsert, "table x"))
		l.Value = value
		rec, err := l.Record(ns)
		if err != nil {
			t.Fatal(err)
		}
		rec.Headers = []kgo.RecordHeader{{Key: deadletters.HeaderResubmittedUS, Value: []byte(us(6))}}
		b := newBatch()
		newMapper(ns, testPartitions).add(b, rec, time.Unix(1, 0))
		if b.deadLetters.rows() != 1 {
			t.Fatalf("%d rows of letters", b.deadLetters.rows())
		}
		return b
	}
	good := again(record.Value)
	if len(good.refused) != 0 || good.chats.rows() != 1 || good.chats.offset.values[0] != 70 || good.texts.rows() != 1 {
		t.Errorf("refused %v, rows %v", good.refused, rowsOf(good.chats.table))
	}
	bad := again([]byte{0xff})
	if len(bad.refused) != 1 || bad.refused[0].Code != CodeDecode || bad.refused[0].ID() != "test.chat.events/"+fmt.Sprint(record.Partition)+"/70" || bad.chats.rows() != 0 {
		t.Errorf("refused %v", bad.refused)
	}
	if _, ok := bad.ends["test.chat.events"]; ok {
		t.Error("an offset of a record that was not read would be committed")
	}
}

// Of a window's snapshots in one batch the newest makes the row.
func TestSnapshotsCollapse(t *testing.T) {
	t.Parallel()
	b, m := newBatch(), newMapper("", testPartitions)
	for offset, k := range []*chatv1.Kpi{
		{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 4, BotUs: 1},
		{ShopId: "s", Kind: 2, StartUs: at(0), EndUs: at(1), Version: 4, BotUs: 2},
		{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 6, BotUs: 3, Indicators: []*chatv1.Indicator{{Name: "x"}}},
		{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 6, BotUs: 4}, // the later one of equals
		{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 5, BotUs: 5}, // a repeat
		{ShopId: "s", Kind: 1, StartUs: at(2), EndUs: at(3), Version: 1, BotUs: 6},
	} {
		m.add(b, recordOf(t, "", schemas.TopicKpis, "s", int64(offset), k), time.Unix(1, 0))
	}
	if got := b.kpis.bot.values; !slices.Equal(got, []int64{4, 2, 6}) {
		t.Errorf("rows %v", rowsOf(b.kpis.table))
	}
	if source := b.sources[b.kpis.origins[0]]; source.Offset != 3 {
		t.Errorf("the first row comes from offset %d", source.Offset)
	}
	b.reset()
	m.add(b, recordOf(t, "", schemas.TopicKpis, "s", 9, &chatv1.Kpi{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 1}), time.Unix(1, 0))
	if b.kpis.rows() != 1 || b.kpis.version.values[0] != 1 {
		t.Error("a batch remembers windows of the batch before")
	}
}
