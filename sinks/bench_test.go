package sinks

import (
	"fmt"
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
	for b.Loop() {
		if _, err := writer.write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(records))/b.Elapsed().Seconds(), "chat_events/s")
}

// BenchmarkSink is the whole way from Kafka to ClickHouse, both embedded: one operation is one event, with
// its text.
func BenchmarkSink(b *testing.B) {
	w := newWorld(b)
	w.cfg = DefaultConfig()
	for n := 0; n < b.N; n += 50_000 {
		w.publishMany(fmt.Sprintf("shop-%d", n), min(50_000, b.N-n))
	}
	b.ResetTimer()
	w.start(nil)
	w.caughtUp()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
