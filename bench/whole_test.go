package bench

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/broker"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks"
)

// startClickHouse starts the embedded engine and makes the tables; one a process.
func startClickHouse(b *testing.B) (driver.Conn, string) {
	b.Helper()
	lib, err := eclickhouse.Locate("")
	if err != nil {
		b.Skip(err)
	}
	cfg := eclickhouse.DefaultConfig()
	cfg.Dir, cfg.Addr, cfg.Library = b.TempDir(), "127.0.0.1:0", lib
	srv, err := eclickhouse.Start(b.Context(), cfg, eclickhouse.Dependencies{Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = srv.Close() })
	wh := warehouse.DefaultConfig()
	wh.Addr = []string{srv.Addr()}
	conn, err := warehouse.Open(b.Context(), wh, "")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	db := wh.DatabaseFor("")
	if _, err := warehouse.Migrate(b.Context(), conn, warehouse.MigrateOptions{Database: db, TimeZone: "Asia/Shanghai", Logger: quiet}); err != nil {
		b.Fatal(err)
	}
	return conn, db
}

func startSink(b *testing.B, cfg broker.Config, conn driver.Conn, db string) (stop func()) {
	b.Helper()
	s, err := sinks.New(sinks.DefaultConfig(), sinks.Dependencies{Broker: cfg, Conn: conn, Database: db, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			b.Error(err)
		}
	}()
	return func() { cancel(); <-done }
}

// rss is the process's resident memory in MiB.
func rss() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kb) / 1024
		}
	}
	return 0
}

// groupsOf is every group with a topic it reads, for waitDrained.
var groupsOf = map[string]string{
	schemas.GroupConversations: schemas.TopicEvents, schemas.GroupReception: schemas.TopicFacts,
	schemas.GroupService: schemas.TopicFacts, sinks.Group: schemas.TopicEvents,
}

// BenchmarkWhole is everything in one process: embedded broker, three processors, sinks, embedded
// ClickHouse, over preloaded events. FEIGE_BENCH_EVENTS sets their number.
func BenchmarkWhole(b *testing.B) {
	n := 1_000_000
	if v, err := strconv.Atoi(os.Getenv("FEIGE_BENCH_EVENTS")); err == nil {
		n = v
	}
	for range b.N {
		b.StopTimer()
		conn, db := startClickHouse(b)
		cfg := startBroker(b)
		preload(b, cfg, newTraffic(5, 2000, 50), n)
		runtime.GC()
		b.StartTimer()
		began, used := time.Now(), cpu()
		stopProcessors := startProcessors(b, cfg)
		stopSink := startSink(b, cfg, conn, db)
		waitDrained(b, cfg, groupsOf, schemas.GroupConversations, schemas.GroupReception, schemas.GroupService, sinks.Group)
		took, work := time.Since(began), cpu()-used
		b.StopTimer()
		var rows uint64
		if err := conn.QueryRow(b.Context(), "SELECT count() FROM "+db+".chat_events").Scan(&rows); err != nil || rows != uint64(n) {
			b.Fatalf("%d rows of %d events: %v", rows, n, err)
		}
		b.ReportMetric(float64(n)/took.Seconds(), "events/s")
		b.ReportMetric(float64(work.Microseconds())/float64(n), "cpu-µs/event")
		b.ReportMetric(rss(), "rss-MiB")
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.ReportMetric(float64(mem.Sys-mem.HeapReleased)/(1<<20), "go-MiB")
		b.ReportMetric(float64(mem.HeapAlloc)/(1<<20), "go-heap-MiB")
		stopSink()
		stopProcessors()
	}
}
