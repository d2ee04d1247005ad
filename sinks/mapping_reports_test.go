package sinks

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks/deadletters"
)

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
