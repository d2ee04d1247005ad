package ingest

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/feigeio/feige/schemas"
)

// BenchmarkReplay replays a CSV file of 200,000 rows into a broker in the same process that keeps its log
// on disk; both passes over the file are in the time.
func BenchmarkReplay(b *testing.B) {
	const rows = 200_000
	k := startKafka(b, kfake.DataDir(filepath.Join(b.TempDir(), "kafka")))
	cfg := replayConfig(b, writeCSV(b, "chats.csv", talk(rows, 100*time.Millisecond)))
	for i := 0; b.Loop(); i++ {
		deps := k.replayDeps()
		deps.Namespace = schemas.Namespace(fmt.Sprint("n", i))
		b.StopTimer()
		if _, err := ApplyTopics(b.Context(), k.cfg, deps.Namespace, EmbeddedTopics()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		rep, err := Replay(b.Context(), cfg, DefaultConfig(), deps)
		if err != nil || rep.Published != rows {
			b.Fatal(rep, err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkPublish is the latency of one event at a time.
func BenchmarkPublish(b *testing.B) {
	k := startKafka(b)
	p := newPublisher(b, DefaultConfig(), k.deps())
	for i := 0; b.Loop(); i++ {
		if err := p.Publish(b.Context(), say("shop", "c", i)); err != nil {
			b.Fatal(err)
		}
	}
}
