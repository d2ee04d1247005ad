package sinks

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// benchRecords are records as a poll gives them.
func benchRecords(b *testing.B, ns schemas.Namespace, n int) []*kgo.Record {
	b.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		ev := eventOf("shop", i)
		records[i] = recordOf(b, ns, schemas.TopicEvents, schemas.EventKey(ev.ShopId, ev.ConversationId), int64(i), ev)
	}
	return records
}

// BenchmarkMap is decoding and making rows of chat events, without any engine.
func BenchmarkMap(b *testing.B) {
	records := benchRecords(b, "", 20_000)
	m, batch := newMapper("", testPartitions), newBatch()
	b.ReportAllocs()
	for b.Loop() {
		batch.reset()
		for _, rec := range records {
			m.add(batch, rec, time.Time{})
		}
	}
	b.ReportMetric(float64(b.N*len(records))/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkInsert is inserting chat events and their texts into the embedded ClickHouse, 100,000 a batch.
func BenchmarkInsert(b *testing.B) {
	w := newWorld(b)
	metrics, err := newMetrics(nil)
	if err != nil {
		b.Fatal(err)
	}
	writer := newWriter(DefaultConfig(), w.conn, w.database, metrics, newEngine(engineClickHouse, nil, metrics))
	records := benchRecords(b, w.ns, 100_000)
	m, batch := newMapper(w.ns, testPartitions), newBatch()
	for _, rec := range records {
		m.add(batch, rec, time.Time{})
	}
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		if _, err := writer.write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(records))/b.Elapsed().Seconds(), "chat_events/s")
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N*len(records)), "cpu-µs/event")
}

// cpuTime is what this process has used, its engines included.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// sinkEvents is how many events one operation of BenchmarkSink takes from Kafka to ClickHouse.
const sinkEvents = 500_000

// BenchmarkSink is the whole way from Kafka to ClickHouse, both embedded, of events that wait there: each makes a row of
// chat_events and one of chat_texts. The CPU time is that of the broker's reading and of ClickHouse as well.
func BenchmarkSink(b *testing.B) {
	var used time.Duration
	var rows uint64
	for range b.N {
		b.StopTimer()
		w := newWorld(b)
		w.cfg = DefaultConfig()
		for n := range sinkEvents / 50_000 {
			w.publishMany(fmt.Sprintf("shop-%d", n), 50_000)
		}
		before := cpuTime(b)
		b.StartTimer()
		r := w.start(nil)
		w.caughtUp()
		b.StopTimer()
		used += cpuTime(b) - before
		w.end(r)
		if n := w.number("SELECT count() FROM db.chat_events"); n != sinkEvents {
			b.Fatalf("%d rows of %d", n, sinkEvents)
		}
		rows += w.number("SELECT count() FROM db.chat_events_data") + w.number("SELECT count() FROM db.chat_texts_data")
	}
	events := float64(b.N) * sinkEvents
	b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(used.Microseconds())/events, "cpu-µs/event")
	b.ReportMetric(float64(used.Microseconds())/float64(rows), "cpu-µs/row")
}
