package sinks

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks/deadletters"
)

func (w *world) exec(query string) {
	w.Helper()
	if err := w.conn.Exec(w.Context(), w.in(query)); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
}

// awaitLetters waits until dead.letters holds n chosen letters.
func (w *world) awaitLetters(n int, filter deadletters.Filter) []*deadletters.Letter {
	w.Helper()
	var letters []*deadletters.Letter
	w.eventually(func() bool {
		letters = w.letters(filter)
		return len(letters) == n
	}, func() string { return fmt.Sprintf("%d letters of %d: %v", len(letters), n, letters) })
	return letters
}

func (w *world) resubmit(letters []*deadletters.Letter) deadletters.Report {
	w.Helper()
	report, err := deadletters.ReSubmit(w.Context(), w.letterDeps(), letters)
	if err != nil {
		w.Fatal(err)
	}
	return report
}

// Rows that ClickHouse refuses become letters, the others arrive; submitted again after the cause is put right, they
// arrive as if nothing had been.
func TestRefusedRowsAreResubmitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("ALTER TABLE db.chat_events_data ADD CONSTRAINT no_elevens CHECK log_offset % 11 != 5 OR event_id = ''")
	w.exec("ALTER TABLE db.chat_texts_data ADD CONSTRAINT no_secrets CHECK text != 'text 42'")
	w.publishMessages("s", 0, 100)
	r := w.start(nil)
	w.caughtUp()

	refused := w.awaitLetters(10, deadletters.Filter{Code: CodeInsert}) // offsets 5, 16, … 93, and text 42
	if rows, texts := w.number("SELECT count() FROM db.chat_events"), w.number("SELECT count() FROM db.chat_texts"); rows != 91 || texts != 99 {
		t.Errorf("%d events and %d texts arrived", rows, texts)
	}
	for _, l := range refused {
		table := "chat_events_data"
		if l.Offset == 42 {
			table = "chat_texts_data"
		}
		if l.Stage != "sinks" || !strings.Contains(l.Reason, table) || !strings.Contains(l.Reason, "VIOLATED_CONSTRAINT") || len(l.Value) == 0 {
			t.Errorf("letter %s of %s: %s", l.ID(), l.Stage, l.Reason)
		}
		if strings.Contains(l.Reason, "text 42") {
			t.Errorf("the reason quotes chat text: %s", l.Reason)
		}
	}
	w.becomes("SELECT count() FROM db.dead_letters WHERE code = 'insert' AND resubmitted_at IS NULL AND value_bytes > 0", 10)

	// Too early: they fail again, and are open again.
	w.resubmit(refused[:1])
	w.awaitLetters(10, deadletters.Filter{Open: true})
	w.eventually(func() bool { return w.metric(r, "feige_sinks_dead_letters_total") == 11 }, func() string { return "it did not fail again" })
	w.awaitLetters(10, deadletters.Filter{Open: true})

	w.exec("ALTER TABLE db.chat_events_data DROP CONSTRAINT no_elevens")
	w.exec("ALTER TABLE db.chat_texts_data DROP CONSTRAINT no_secrets")
	if report := w.resubmit(w.letters(deadletters.Filter{Open: true})); report.Submitted != 10 || len(report.Failed) != 0 {
		t.Errorf("report %+v", report)
	}
	w.becomes("SELECT count() FROM db.chat_events", 100)
	w.becomes("SELECT count() FROM db.chat_texts", 100)
	w.becomes("SELECT count() FROM db.dead_letters WHERE resubmitted_at IS NOT NULL", 10)
	w.awaitLetters(0, deadletters.Filter{Open: true})
	if n := w.number("SELECT count() FROM db.chat_events WHERE log_partition = 0 OR log_offset >= 100"); n != 0 && schemas.Partition([]byte("s"), w.broker.Partitions) != 0 {
		t.Errorf("%d rows do not stand where their records do", n)
	}
	if end := w.records(schemas.TopicEvents); end != 100 {
		t.Errorf("chat.events holds %d records: other stages would see repeats", end)
	}
}

// A table that refuses everything is not the rows' fault: nothing becomes a letter, and the sink waits for it.
func TestTableThatRefusesEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.MaxRefusedRows = 5
	w.exec("ALTER TABLE db.chat_events_data ADD CONSTRAINT nothing CHECK event_id = ''")
	w.publishMessages("s", 0, 50)
	r := w.start(nil)
	w.eventually(func() bool { return w.metric(r, "feige_sinks_retries_total") >= 2 }, func() string { return "it does not wait" })
	if n := len(w.letters(deadletters.Filter{})); n != 0 {
		t.Errorf("%d letters", n)
	}
	w.exec("ALTER TABLE db.chat_events_data DROP CONSTRAINT nothing")
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_events"); n != 50 {
		t.Errorf("%d rows of 50", n)
	}
}

func TestMissingTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("RENAME TABLE db.chat_texts_data TO db.hidden")
	w.publishMessages("s", 0, 10)
	r := w.start(nil)
	w.eventually(func() bool { return w.metric(r, "feige_sinks_retries_total") >= 2 }, func() string { return "it does not wait" })
	if n := len(w.letters(deadletters.Filter{})); n != 0 || w.behind() == 0 {
		t.Errorf("%d letters, %d records behind", n, w.behind())
	}
	if said := w.said.changes(engineClickHouse); len(said) != 1 || !strings.Contains(said[0], "run `feige schema apply`") {
		t.Errorf("was said:\n%s", strings.Join(said, ""))
	}
	w.exec("RENAME TABLE db.hidden TO db.chat_texts_data")
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_texts"); n != 10 {
		t.Errorf("%d rows of 10", n)
	}
	w.wentAndCameBack(engineClickHouse)
}

// Records that cannot be decoded, on every topic, go to dead.letters, and the good ones around them arrive.
func TestUndecodableRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	for _, topic := range Topics() {
		w.publishBytes(topic, "s", []byte{0xff, 0xff, 0xff})
	}
	w.publishMessages("s", 0, 5)
	letters := w.awaitLetters(len(Topics()), deadletters.Filter{Code: CodeDecode, Stage: "sinks"})
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_events"); n != 5 {
		t.Errorf("%d rows of 5", n)
	}
	w.becomes("SELECT uniqExact(topic) FROM db.dead_letters", uint64(len(Topics())))
	for _, l := range letters {
		if string(l.Value) != "\xff\xff\xff" || string(l.Key) != "s" || l.RecordAtUs == 0 {
			t.Errorf("letter %v", l.DeadLetter)
		}
	}
}

// A letter of a processor is submitted again by its record, to its topic and partition; the sinks note that.
func TestResubmitForAProcessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	ev := eventOf("s", 1)
	value, err := ev.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	partition := schemas.Partition([]byte("s"), w.broker.Partitions)
	events := w.ns.Topic(schemas.TopicEvents)
	letter := &chatv1.DeadLetter{
		Topic: events, Partition: partition, Offset: 900, Key: []byte("s/c1"), Value: value, Code: "invalid", Reason: "r", Stage: "conversations", RecordAtUs: at(0),
	}
	empty := letter.CloneVT()
	empty.Offset, empty.Value = 901, nil
	w.publish(schemas.TopicDeadLetters, fmt.Sprintf("%s/%d/900", events, partition), letter)
	w.publish(schemas.TopicDeadLetters, fmt.Sprintf("%s/%d/901", events, partition), empty)
	letters := w.awaitLetters(2, deadletters.Filter{Open: true})
	report := w.resubmit(letters)
	if report.Submitted != 1 || len(report.Failed) != 1 || report.Failed[0].Letter.Offset != 901 {
		t.Errorf("report %+v", report)
	}
	w.becomes("SELECT count() FROM db.chat_events", 1)
	if end := w.records(schemas.TopicEvents); end != 1 {
		t.Errorf("chat.events holds %d records", end)
	}
	w.becomes("SELECT count() FROM db.dead_letters WHERE resubmitted_at IS NOT NULL AND log_offset = 900", 1)
	w.becomes("SELECT count() FROM db.dead_letters WHERE resubmitted_at IS NULL AND log_offset = 901", 1)
	if open := w.letters(deadletters.Filter{Open: true}); len(open) != 1 || open[0].Offset != 901 {
		t.Errorf("open letters: %v", open)
	}
}

// A record whose letter would be too large for its topic loses its value there, and nothing stops.
func TestLetterTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	w.publishBytes(schemas.TopicEvents, "s/c", append([]byte{0xff, 0xff}, make([]byte, 999_900)...))
	l := w.awaitLetters(1, deadletters.Filter{})[0]
	if len(l.Value) != 0 || !strings.Contains(l.Reason, "its value of 999902 bytes is too large for a letter") {
		t.Errorf("%d bytes: %s", len(l.Value), l.Reason)
	}
	w.caughtUp()
}

// A letter that has no row because ClickHouse refuses it does not breed letters.
func TestRefusedLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("ALTER TABLE db.dead_letters_data ADD CONSTRAINT nothing CHECK topic = ''")
	w.start(nil)
	w.publishBytes(schemas.TopicEvents, "s/c", []byte{0xff, 0xff})
	w.awaitLetters(1, deadletters.Filter{})
	w.publishMessages("s", 0, 5)
	w.caughtUp()
	if n := len(w.letters(deadletters.Filter{})); n != 1 {
		t.Errorf("%d letters", n)
	}
}

// records is how many records a topic holds.
func (w *world) records(topic string) int64 {
	w.Helper()
	ends, err := w.admin().ListEndOffsets(w.Context(), w.ns.Topic(topic))
	if err != nil {
		w.Fatal(err)
	}
	var sum int64
	for _, partition := range ends[w.ns.Topic(topic)] {
		sum += partition.Offset
	}
	return sum
}

func TestResubmittedUS(t *testing.T) {
	t.Parallel()
	is := func(name string, want int64, headers ...kgo.RecordHeader) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := deadletters.ResubmittedUS(&kgo.Record{Headers: headers}); got != want {
				t.Errorf("%d, want %d", got, want)
			}
		})
	}
	is("no header", 0)
	is("another header", 0, kgo.RecordHeader{Key: "traceparent", Value: []byte("5")})
	is("a time", 5, kgo.RecordHeader{Key: "traceparent"}, kgo.RecordHeader{Key: deadletters.HeaderResubmittedUS, Value: []byte("5")})
	is("no number", 0, kgo.RecordHeader{Key: deadletters.HeaderResubmittedUS, Value: []byte("now")})
	is("before all time", 0, kgo.RecordHeader{Key: deadletters.HeaderResubmittedUS, Value: []byte("-5")})
}
