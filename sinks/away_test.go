package sinks

import (
	"encoding/hex"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks/deadletters"
)

func TestClickHouseGoesAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGate(w, clickhouseAddr(t))
	r := w.start(w.open(g.addr))
	w.publishMessages("s", 0, 20)
	w.becomes("SELECT count() FROM db.chat_events", 20)
	g.shut()
	w.publishMessages("s", 20, 60)
	w.eventually(func() bool {
		return w.metric(r, "feige_sinks_retries_total") >= 3 && w.metric(r, "feige_sinks_engine_away") == 1
	}, func() string { return "it does not try again" })
	if w.behind() == 0 {
		t.Error("it committed what it could not write")
	}
	g.open(w)
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_events"); n != 60 {
		t.Errorf("%d rows of 60", n)
	}
	w.eventually(func() bool { return w.metric(r, "feige_sinks_engine_away") == 0 }, func() string { return "it is still said to be away" })
	w.wentAndCameBack(engineClickHouse)
	if letters := w.letters(deadletters.Filter{}); len(letters) != 0 {
		t.Errorf("%d letters", len(letters))
	}
}

// While ClickHouse is away nothing is lost, and memory stays bounded: the sink stops reading.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGate(w, clickhouseAddr(t))
	conn := w.open(g.addr)
	g.shut()
	w.cfg.BatchRows, w.cfg.MaxBatchRows = 10, 20
	w.cfg.MaxBatchBytes = 64 << 10
	const events = 6 * maxPoll
	w.publishMany("s", events)
	r := w.start(conn)
	w.eventually(func() bool { return w.metric(r, "feige_sinks_retries_total") >= 20 }, func() string { return "it does not try again" })
	// Two batches, each at most one poll above its bound.
	if read := w.metric(r, "feige_sinks_records_total"); read > 2*maxPoll+40 {
		t.Errorf("%.0f records are in memory", read)
	}
	g.open(w)
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_events"); n != events {
		t.Errorf("%d rows of %d", n, events)
	}
}

// The same by size: large records stop the reading as well as many.
func TestBackPressureOfLargeRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGate(w, clickhouseAddr(t))
	conn := w.open(g.addr)
	g.shut()
	w.cfg.MaxBatchBytes, w.cfg.FetchBytes = 256<<10, 256<<10
	const size, events = 16 << 10, 400
	random := rand.NewChaCha8([32]byte{1}) // what a producer cannot compress: fetches are bounded by what they carry
	var records []*kgo.Record
	for n := range events {
		ev := eventOf("s", n)
		text := make([]byte, size/2)
		_, _ = random.Read(text)
		ev.GetMessage().Text = hex.EncodeToString(text)
		rec := recordOf(w, w.ns, schemas.TopicEvents, schemas.EventKey(ev.ShopId, ev.ConversationId), 0, ev)
		rec.Partition = schemas.Partition(rec.Key, w.broker.Partitions)
		records = append(records, rec)
	}
	for some := range slices.Chunk(records, 10) { // a fetch gives whole batches of the producer
		if err := w.client.ProduceSync(t.Context(), some...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	r := w.start(conn)
	w.eventually(func() bool { return w.metric(r, "feige_sinks_retries_total") >= 20 }, func() string { return "it does not try again" })
	// Two batches, each at most one poll above its bound; a poll gives what one fetch brought, and that may be a batch of the
	// producer more than was asked for. Half of hexadecimal can be compressed away.
	most := 2 * (w.cfg.MaxBatchBytes + 2*int64(w.cfg.FetchBytes) + 10*size)
	if held := int64(w.metric(r, "feige_sinks_records_total")) * size; held > most || held == 0 {
		t.Errorf("%d bytes are in memory, want at most %d", held, most)
	}
	g.open(w)
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_texts WHERE length(text) = 16384"); n != events {
		t.Errorf("%d rows of %d", n, events)
	}
}

// A port that accepts and says nothing, as a forwarder does whose broker is gone, is not a broker that is back.
func TestKafkaGoesAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.start(nil)
	w.publishMessages("s", 0, 20)
	w.caughtUp()
	if err := w.kafka.Close(); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() bool { return w.metric(r, "feige_sinks_engine_away") == 1 }, func() string { return "it does not notice" })
	w.answerNothing(w.kafkaCfg.Addr, 5)
	if said := w.said.changes(engineKafka); len(said) != 1 {
		t.Errorf("while it was away was said:\n%s", strings.Join(said, ""))
	}
	w.startKafka()
	w.publishMessages("s", 20, 60)
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_events"); n != 60 {
		t.Errorf("%d rows of 60", n)
	}
	w.wentAndCameBack(engineKafka)
	w.eventually(func() bool { return w.metric(r, "feige_sinks_engine_away") == 0 }, func() string { return "it is still said to be away" })
}

// answerNothing accepts n connections at an address, one after the other, and closes each.
func (w *world) answerNothing(addr string, n int) {
	w.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		w.Fatal(err)
	}
	defer listener.Close()
	for range n {
		conn, err := listener.Accept()
		if err != nil {
			w.Fatal(err)
		}
		_ = conn.Close()
	}
}

// A stop does not wait for an engine that is away, and what could not be finished is read again.
func TestStopWhileAnEngineIsAway(t *testing.T) {
	t.Parallel()
	stops := func(name string, leave func(w *world, g *gate), comeBack func(w *world, g *gate)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cfg.StopTimeout = 200 * time.Millisecond
			g := newGate(w, clickhouseAddr(t))
			conn := w.open(g.addr)
			first := hold(conn)
			r := w.start(first)
			w.publishMessages("s", 0, 50)
			w.eventually(func() bool { return first.count() > 0 }, func() string { return "nothing is inserted" })
			leave(w, g)
			close(first.release)
			w.eventually(func() bool { return w.metric(r, "feige_sinks_engine_away") == 1 }, func() string { return "it does not notice" })
			w.end(r)
			if len(w.said.with("stopped before everything", notCommitted)) == 0 { // the group may be lost before the stop
				t.Error("it was not said that something is left")
			}
			comeBack(w, g)
			w.start(conn)
			w.caughtUp()
			if n := w.number("SELECT count() FROM db.chat_events"); n != 50 {
				t.Errorf("%d rows of 50", n)
			}
		})
	}
	stops("clickhouse", func(w *world, g *gate) {
		g.shut()
		w.publishMessages("s", 0, 50) // repeats, for there to be something to insert
	}, func(w *world, g *gate) { g.open(w) })
	stops("kafka", func(w *world, _ *gate) {
		if err := w.kafka.Close(); err != nil {
			w.Fatal(err)
		}
	}, func(w *world, _ *gate) { w.startKafka() })
}
