package sinks

import (
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// allRows are the rows of all tables of a batch, as text.
func allRows(b *batch) map[string][]row {
	all := make(map[string][]row)
	for _, table := range b.tables() {
		if table.rows() > 0 {
			all[table.name] = rowsOf(table)
		}
	}
	return all
}

// One mapper reads into the same messages over and over: the rows of many records in a batch are those that each makes
// for itself, and a batch that was used and emptied is like a new one.
func TestBatchesAreReused(t *testing.T) {
	t.Parallel()
	records := samples(t, "")
	bare := []*kgo.Record{ // the same kinds of records with little in them: nothing of the full ones may show
		recordOf(t, "", schemas.TopicEvents, "s/c", 90, &chatv1.ChatEvent{ShopId: "s", ConversationId: "c", OccurredAtUs: at(0), Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{}}}),
		recordOf(t, "", schemas.TopicFacts, "s", 91, &chatv1.Fact{ShopId: "s", Lives: []*chatv1.ConversationLife{{StartedAtUs: at(0)}}}),
		recordOf(t, "", schemas.TopicTakeovers, "s", 92, &chatv1.Takeover{ShopId: "s", StartedAtUs: at(0)}),
		recordOf(t, "", schemas.TopicKpis, "s", 93, &chatv1.Kpi{ShopId: "s", StartUs: at(5), EndUs: at(6)}),
		recordOf(t, "", schemas.TopicRestrictions, "s", 94, &chatv1.Decision{ShopId: "s", Revision: 1, PeriodStartUs: at(0), PeriodEndUs: at(1)}),
		recordOf(t, "", schemas.TopicSanctions, consumerKey, 95, &chatv1.Sanction{SanctionId: "y", Offender: consumerU, FromUs: at(0), DecidedAtUs: at(0)}),
	}
	full := append(samples(t, ""), bare...)
	apart := make(map[string][]row)
	for _, rec := range full {
		b := newBatch()
		newMapper("", testPartitions).add(b, rec, time.Unix(1, 0))
		for name, rows := range allRows(b) {
			apart[name] = append(apart[name], rows...)
		}
	}
	m, b := newMapper("", testPartitions), newBatch()
	for round := range 3 {
		for _, rec := range full {
			m.add(b, rec, time.Unix(1, 0))
		}
		if got := allRows(b); !reflect.DeepEqual(got, apart) {
			t.Errorf("round %d:\ngot  %v\nwant %v", round, got, apart)
		}
		if b.records != len(full) || len(b.refused) != 0 {
			t.Errorf("round %d: %d records, %d letters", round, b.records, len(b.refused))
		}
		b.reset()
		if !b.empty() || b.rows() != 0 || b.bytes != 0 || len(b.ends) != 0 || len(b.sources) != 0 {
			t.Fatalf("round %d: something is left in an empty batch", round)
		}
		for _, rec := range records[:round] { // and after something else
			m.add(b, rec, time.Unix(1, 0))
		}
		b.reset()
	}
}

// An empty batch holds none of the records that it held: they are large, and two batches live as long as the sink.
func TestEmptyBatchesLetGo(t *testing.T) {
	t.Parallel()
	m, b := newMapper("", testPartitions), newBatch()
	values := make(map[string]weak.Pointer[byte])
	for _, rec := range samples(t, "") {
		m.add(b, rec, time.Unix(1, 0))
		values[rec.Topic] = weak.Make(&rec.Value[0])
	}
	bad := &kgo.Record{Topic: schemas.TopicEvents, Key: []byte("s/c"), Value: []byte(strings.Repeat("\xff", 100))}
	m.add(b, bad, time.Unix(1, 0))
	values["letters"] = weak.Make(&bad.Value[0])
	if len(b.refused) != 1 {
		t.Fatalf("%d letters", len(b.refused))
	}
	runtime.GC()
	for topic, value := range values {
		if value.Value() == nil {
			t.Fatalf("%s: the bytes of a row in the batch are gone", topic)
		}
	}
	b.reset()
	for _, rec := range samples(t, "") { // the mapper itself holds on to the last record of each type
		m.add(newBatch(), rec, time.Unix(1, 0))
	}
	runtime.GC()
	for topic, value := range values {
		if value.Value() != nil {
			t.Errorf("%s: an empty batch holds on to a record", topic)
		}
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(b)
}

// What people wrote stands in the tables that are granted for it, and in no other (rules 2.1).
func TestWordsStayInTheirTables(t *testing.T) {
	t.Parallel()
	const words = "zw-words"
	flag := flagOf(func(f *chatv1.Flag) { f.Evidence = words })
	m, b := newMapper("", testPartitions), newBatch()
	event := recordOf(t, "", schemas.TopicEvents, "s/c", 1, &chatv1.ChatEvent{
		EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(0),
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Text: words, Card: &chatv1.Card{Title: words}}},
	})
	records := append(samples(t, ""), event, stepOf(t, "", consumerKey, &chatv1.Case{Step: &chatv1.Case_Flag{Flag: flag}}))
	letter := letterAbout(event, refuse(CodeInsert, "table x"))
	records = append(records, recordOf(t, "", schemas.TopicDeadLetters, letter.ID(), 2, letter))
	for _, rec := range records {
		m.add(b, rec, time.Unix(1, 0))
	}
	allowed := map[string]bool{
		"chat_texts_data.text": true, "chat_texts_data.card_title": true, "violation_evidence_data.evidence": true, "dead_letters_data.record_value": true,
	}
	found := make(map[string]bool)
	for _, table := range b.tables() {
		for _, c := range table.columns {
			name, _ := c.head()
			for i := range table.rows() {
				if strings.Contains(textOf(reflect.ValueOf(c.part(i, i+1)).Index(0)), words) {
					found[table.name+"."+name] = true
				}
			}
		}
	}
	if !reflect.DeepEqual(found, allowed) {
		t.Errorf("words stand in %v, want %v", found, allowed)
	}
	// Nor in what is said about a record that cannot be taken.
	for _, change := range []func(*chatv1.ChatEvent){
		func(ev *chatv1.ChatEvent) { ev.GetMessage().Kind = 99 },
		func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = 5 },
		func(ev *chatv1.ChatEvent) { ev.ShopId = "z" },
	} {
		ev := &chatv1.ChatEvent{
			EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(0), Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Text: words}},
		}
		change(ev)
		b := newBatch()
		m.add(b, recordOf(t, "", schemas.TopicEvents, "s/c", 1, ev), time.Unix(1, 0))
		if len(b.refused) != 1 || strings.Contains(b.refused[0].Reason, words) {
			t.Errorf("letters %v", b.refused)
		}
	}
}
