package deadletters

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const testNamespace = schemas.Namespace("n")

// topics is a Kafka of its own with the product's topics.
type topics struct {
	testing.TB
	deps   Dependencies
	client *kgo.Client
	kafka  *ekafka.Broker
}

func newTopics(t testing.TB) *topics {
	t.Helper()
	cfg := ekafka.DefaultConfig()
	cfg.Dir, cfg.Addr = t.TempDir(), "127.0.0.1:0"
	b, err := ekafka.Start(context.Background(), cfg, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	w := &topics{TB: t, kafka: b, deps: Dependencies{Broker: broker.DefaultConfig(), Namespace: testNamespace}}
	w.deps.Broker.Brokers = []string{b.Addr()}
	if _, err := ingest.ApplyTopics(t.Context(), w.deps.Broker, testNamespace, ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	options, err := w.deps.Broker.KGO()
	if err != nil {
		t.Fatal(err)
	}
	if w.client, err = kgo.NewClient(append(options, Producing(testNamespace)...)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

func (w *topics) produce(records ...*kgo.Record) {
	w.Helper()
	if err := w.client.ProduceSync(w.Context(), records...).FirstErr(); err != nil {
		w.Fatal(err)
	}
}

// letter publishes a letter about an event, as a stage would.
func (w *topics) letter(stage, code string, partition int32, offset int64, value string) {
	w.Helper()
	l := &Letter{DeadLetter: &chatv1.DeadLetter{
		Topic: testNamespace.Topic(schemas.TopicEvents), Partition: partition, Offset: offset, Key: []byte("s/c"), Value: []byte(value), Stage: stage, Code: code,
	}}
	rec, err := l.Record(testNamespace)
	if err != nil {
		w.Fatal(err)
	}
	w.produce(rec)
}

func (w *topics) list(f Filter) []*Letter {
	w.Helper()
	letters, err := List(w.Context(), w.deps, f)
	if err != nil {
		w.Fatal(err)
	}
	return letters
}

// brief is a list in few words.
func brief(letters []*Letter) string {
	var all []string
	for _, l := range letters {
		words := fmt.Sprintf("%d/%d %s %s", l.Partition, l.Offset, l.Stage, l.Code)
		if !l.Open() {
			words += " again"
		}
		all = append(all, words)
	}
	return strings.Join(all, ", ")
}

// records are what a topic holds, in the order of partitions and offsets.
func (w *topics) records(topic string) []*kgo.Record {
	w.Helper()
	options, err := w.deps.Broker.KGO()
	if err != nil {
		w.Fatal(err)
	}
	full := testNamespace.Topic(topic)
	spans, err := spansOf(w.Context(), options, full)
	if err != nil {
		w.Fatal(err)
	}
	var all []*kgo.Record
	if len(spans) > 0 {
		if err := read(w.Context(), options, full, spans, func(rec *kgo.Record) { all = append(all, rec) }); err != nil {
			w.Fatal(err)
		}
	}
	slices.SortFunc(all, func(a, b *kgo.Record) int { return int(a.Partition-b.Partition)*1000 + int(a.Offset-b.Offset) })
	return all
}

func TestList(t *testing.T) {
	t.Parallel()
	w := newTopics(t)
	if letters := w.list(Filter{}); len(letters) != 0 {
		t.Fatalf("on an empty topic: %s", brief(letters))
	}
	w.letter("sinks", "insert", 2, 11, "x")
	w.letter("sinks", "decode", 2, 9, "x")
	w.letter("conversations", "invalid", 2, 9, "x") // two stages about one record
	w.letter("sinks", "insert", 0, 40, "x")
	w.letter("sinks", "decode", 2, 11, "x") // a newer word
	w.produce(&kgo.Record{Topic: testNamespace.Topic(schemas.TopicDeadLetters), Key: []byte("k"), Value: []byte{0xff}},
		&kgo.Record{Topic: testNamespace.Topic(schemas.TopicDeadLetters), Key: []byte("k")})
	var said bytes.Buffer
	w.deps.Logger = slog.New(slog.NewTextHandler(&said, nil))

	is := func(name string, f Filter, want string) {
		t.Helper()
		if got := brief(w.list(f)); got != want {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
	}
	is("all, by place and stage", Filter{}, "0/40 sinks insert, 2/9 conversations invalid, 2/9 sinks decode, 2/11 sinks decode")
	if n := strings.Count(said.String(), "is no letter"); n != 2 {
		t.Errorf("%d warnings about records that are no letters: %s", n, &said)
	}
	is("by stage", Filter{Stage: "conversations"}, "2/9 conversations invalid")
	is("by code, as of the newest word", Filter{Code: "insert"}, "0/40 sinks insert")
	is("by id", Filter{IDs: []string{"n.chat.events/2/9"}}, "2/9 conversations invalid, 2/9 sinks decode")
	is("by topic", Filter{Topic: schemas.TopicFacts}, "")
	is("until now", Filter{Until: time.Now().Add(time.Hour), Since: time.Now().Add(-time.Hour)}, "0/40 sinks insert, 2/9 conversations invalid, 2/9 sinks decode, 2/11 sinks decode")
	is("from later on", Filter{Since: time.Now().Add(time.Hour)}, "")
}

// Beyond what retention has taken away there is nothing to wait for.
func TestListAfterRetention(t *testing.T) {
	t.Parallel()
	w := newTopics(t)
	for offset := range int64(5) {
		w.letter("sinks", "decode", 1, offset, "x")
	}
	admin := kadm.NewClient(w.client)
	topic := testNamespace.Topic(schemas.TopicDeadLetters)
	ends, err := admin.ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteRecords(t.Context(), ends.Offsets()); err != nil {
		t.Fatal(err)
	}
	if letters := w.list(Filter{}); len(letters) != 0 {
		t.Errorf("letters that are gone: %s", brief(letters))
	}
	w.letter("sinks", "decode", 1, 77, "x")
	if got := brief(w.list(Filter{})); got != "1/77 sinks decode" {
		t.Errorf("%s", got)
	}
}

func TestReSubmit(t *testing.T) {
	t.Parallel()
	w := newTopics(t)
	w.letter("sinks", "insert", 2, 5, "mine")
	w.letter("conversations", "invalid", 2, 6, "theirs")
	w.letter("service", "invalid", 3, 7, "") // too large to be kept
	letters := w.list(Filter{Open: true})
	report, err := ReSubmit(t.Context(), w.deps, letters)
	if err != nil {
		t.Fatal(err)
	}
	if report.Submitted != 2 || len(report.Failed) != 1 || report.Failed[0].Letter.Offset != 7 || !strings.Contains(report.Failed[0].Err.Error(), "no value") {
		t.Errorf("report %+v", report)
	}
	if got, want := brief(w.list(Filter{})), "2/5 sinks insert again, 2/6 conversations invalid again, 3/7 service invalid"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	// A stage gets its record again where it stood; what is the sinks' they take from the letter.
	published := w.records(schemas.TopicEvents)
	if len(published) != 1 || published[0].Partition != 2 || string(published[0].Key) != "s/c" || string(published[0].Value) != "theirs" {
		t.Fatalf("chat.events holds %v", published)
	}
	if h := published[0].Headers; len(h) != 1 || h[0].Key != HeaderFrom || string(h[0].Value) != "n.chat.events/2/6" {
		t.Errorf("headers %v", h)
	}

	// It fails once more: the letter is open again, and can be submitted again.
	w.letter("sinks", "insert", 2, 5, "mine")
	if got := brief(w.list(Filter{Open: true})); got != "2/5 sinks insert, 3/7 service invalid" {
		t.Errorf("open: %s", got)
	}
	if report, err := ReSubmit(t.Context(), w.deps, w.list(Filter{Open: true, Stage: StageSinks})); err != nil || report.Submitted != 1 {
		t.Errorf("report %+v, %v", report, err)
	}
	if got := brief(w.list(Filter{Open: true})); got != "3/7 service invalid" {
		t.Errorf("open: %s", got)
	}
	if n := len(w.records(schemas.TopicEvents)); n != 1 {
		t.Errorf("chat.events holds %d records", n)
	}
}

// Without Kafka nothing is done by halves: the error says where it stopped, and the letters stay open.
func TestReSubmitWithoutKafka(t *testing.T) {
	t.Parallel()
	w := newTopics(t)
	w.letter("conversations", "invalid", 2, 6, "theirs")
	letters := w.list(Filter{})
	if err := w.kafka.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := ReSubmit(ctx, w.deps, letters)
	if err == nil || !strings.Contains(err.Error(), "dead letters: submitting n.chat.events/2/6 again after 0 others") || report.Submitted != 0 {
		t.Errorf("report %+v, %v", report, err)
	}
	if _, err := List(ctx, w.deps, Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("list: %v", err)
	}
}
