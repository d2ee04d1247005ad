package sinks

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks/deadletters"
)

// samples are good records of every topic, under the keys where they belong.
func samples(t testing.TB, ns schemas.Namespace) []*kgo.Record {
	t.Helper()
	var records []*kgo.Record
	add := func(topic, key string, m encoder) {
		records = append(records, recordOf(t, ns, topic, key, int64(len(records)), m))
	}
	add(schemas.TopicEvents, "s/c", &chatv1.ChatEvent{
		EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(0), Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: "u"},
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{
			Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: "words", Card: &chatv1.Card{Kind: "product", Id: "p", Title: "tea"},
			Attachments: []*chatv1.Attachment{{Id: "a", QrPayloads: []string{"q"}}},
		}},
	})
	add(schemas.TopicEvents, "s/", &chatv1.ChatEvent{
		EventId: "i", ShopId: "s", OccurredAtUs: at(0), Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a"},
		Payload: &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{Client: "web", SessionId: "n"}},
	})
	add(schemas.TopicFacts, "s", &chatv1.Fact{
		ShopId: "s", ConversationId: "c", SourceOffset: 1, Kind: chatv1.FactKind_FACT_KIND_MANUAL_REPLY,
		Rounds: []*chatv1.Round{{Number: 1, Outcome: chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED, StartedAtUs: at(0), EndedAtUs: at(1), WaitUs: 1, AgentId: "a"}},
		Lives:  []*chatv1.ConversationLife{{Life: 1, StartedAtUs: at(0), ConsumerId: "u"}},
		Rating: &chatv1.Rating{Life: 1, Score: 2, RatedAtUs: at(2), ConsumerId: "u"},
	})
	add(schemas.TopicTakeovers, "s", &chatv1.Takeover{ShopId: "s", Number: 1, Trigger: 1, StartedAtUs: at(0), EvidenceOffsets: []int64{1, 2}})
	indicators := []*chatv1.Indicator{{Name: "x", HasValue: true, Value: 1, HasStandard: true, Standard: 2, Verdict: chatv1.Verdict_VERDICT_MET}}
	add(schemas.TopicKpis, "s", &chatv1.Kpi{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 3, Indicators: indicators})
	add(schemas.TopicRestrictions, "s", &chatv1.Decision{ShopId: "s", Revision: 1, PeriodStartUs: at(0), PeriodEndUs: at(1), Evidence: indicators, Missed: []string{"x"}})
	add(schemas.TopicCases, consumerKey, &chatv1.Case{Step: &chatv1.Case_Flag{Flag: flagOf(func(*chatv1.Flag) {})}})
	add(schemas.TopicCases, consumerKey, &chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: &chatv1.ReviewVerdict{
		VerdictId: "v", FlagId: "f", Offender: consumerU, Ruling: 1, Note: "note", AtUs: at(0)}}})
	add(schemas.TopicCases, consumerKey, &chatv1.Case{Step: &chatv1.Case_Appeal{Appeal: &chatv1.Appeal{AppealId: "p", FlagId: "f", Offender: consumerU, Reason: "why", AtUs: at(0)}}})
	add(schemas.TopicSanctions, consumerKey, sanctionOf(func(*chatv1.Sanction) {}))
	add(schemas.TopicReads, "s/c", readOf(func(*chatv1.ReadRecord) {}))
	letter := letterAbout(records[0], refuse(CodeInsert, "table x"))
	add(schemas.TopicDeadLetters, letter.ID(), letter)
	return records
}

// Every topic that sinks read has a sample, so that tests over samples leave none out.
func TestSamplesAreOfAllTopics(t *testing.T) {
	t.Parallel()
	missing := Topics()
	for _, rec := range samples(t, "") {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == rec.Topic })
		b := newBatch()
		if newMapper("", testPartitions).add(b, rec, time.Time{}); b.rows() == 0 || len(b.refused) > 0 {
			t.Errorf("the sample of %s makes %d rows and letters %v", rec.Topic, b.rows(), b.refused)
		}
	}
	if len(missing) > 0 {
		t.Errorf("topics without a sample: %v", missing)
	}
}

// Whatever bytes stand on whatever topic: rows, or nothing, or a letter and no rows.
func FuzzRows(f *testing.F) {
	topics := Topics()
	for _, rec := range samples(f, "") {
		f.Add(slices.Index(topics, rec.Topic), string(rec.Key), rec.Value, false)
		f.Add(slices.Index(topics, rec.Topic), string(rec.Key), rec.Value[:len(rec.Value)/2], true)
	}
	f.Add(slices.Index(topics, schemas.TopicDeadLetters), "chat.events/0/0", []byte("\x0a\x0bchat.events\x3a\x05sinks"), true)
	f.Fuzz(func(t *testing.T, topic int, key string, value []byte, resubmitted bool) {
		rec := &kgo.Record{Topic: topics[uint(topic)%uint(len(topics))], Key: []byte(key), Value: value, Partition: schemas.Partition([]byte(key), testPartitions)}
		if resubmitted {
			rec.Headers = []kgo.RecordHeader{{Key: deadletters.HeaderResubmittedUS, Value: []byte("5")}}
		}
		b := newBatch()
		newMapper("", testPartitions).add(b, rec, time.Unix(1, 0))
		// A letter that is submitted again has its own row, and its record may become another letter.
		rows := b.rows() - b.deadLetters.rows()
		if len(b.refused) > 1 || len(b.refused) == 1 && rows > 0 {
			t.Fatalf("%d letters and %d rows", len(b.refused), rows)
		}
		for _, l := range b.refused {
			if _, err := l.Record(""); err != nil {
				t.Fatalf("the letter cannot be written: %v", err)
			}
		}
		if end := b.ends[rec.Topic][rec.Partition]; len(b.ends) != 1 || end.Offset != 1 {
			t.Fatalf("commits %v", b.ends)
		}
		checkColumns(t, b)
	})
}

// checkColumns wants a value in every column for every row, each from a record of the batch.
func checkColumns(t testing.TB, b *batch) {
	t.Helper()
	for _, table := range b.tables() {
		for _, c := range table.columns {
			if c.length() != table.rows() {
				name, _ := c.head()
				t.Fatalf("%s.%s: %d values for %d rows", table.name, name, c.length(), table.rows())
			}
		}
		for i, origin := range table.origins {
			if len(b.sources) <= int(origin) {
				t.Fatalf("%s: row %d comes from record %d of %d", table.name, i, origin, len(b.sources))
			}
		}
	}
}
