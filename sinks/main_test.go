package sinks

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks/deadletters"
)

// shared is the one ClickHouse of this process, started when the first test asks for it; or why there is none.
var shared struct {
	once   sync.Once
	server *eclickhouse.Server
	dir    string
	err    error
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		fmt.Fprintln(os.Stderr, runChild(text))
		os.Exit(1)
	}
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(shared.dir)
	os.Exit(code)
}

func startShared() {
	if _, shared.err = eclickhouse.Locate(""); shared.err != nil {
		return
	}
	if shared.dir, shared.err = os.MkdirTemp("", "sinks-test-"); shared.err != nil {
		return
	}
	cfg := eclickhouse.DefaultConfig()
	cfg.Dir, cfg.Addr = shared.dir, "127.0.0.1:0"
	shared.server, shared.err = eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{})
}

// clickhouseAddr is the shared server's. Where the library cannot be had the test is skipped, but fails in CI.
func clickhouseAddr(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs engines")
	}
	shared.once.Do(startShared)
	if shared.err != nil {
		if os.Getenv("CI") == "true" || shared.dir != "" {
			t.Fatal(shared.err)
		}
		t.Skipf("no libchdb: %v", shared.err)
	}
	return shared.server.Addr()
}

var namespaces atomic.Int64

// world is a Kafka of its own, a database of its own in the shared ClickHouse, and what is needed to use them.
type world struct {
	testing.TB
	ns       schemas.Namespace
	broker   broker.Config
	kafka    *ekafka.Broker
	kafkaCfg ekafka.Config
	// conn goes to ClickHouse straight; it has the newest schema in database.
	conn     driver.Conn
	database string
	client   *kgo.Client
	cfg      Config
	// said is what its sinks log.
	said *lines
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, ns: schemas.Namespace(fmt.Sprintf("t%d", namespaces.Add(1))), cfg: quickConfig(), said: &lines{}}
	w.conn = w.open(clickhouseAddr(t))
	w.database = warehouse.Database(w.ns)
	if _, err := warehouse.Migrate(t.Context(), w.conn, warehouse.MigrateOptions{Database: w.database}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+w.database+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	w.kafkaCfg = ekafka.DefaultConfig()
	w.kafkaCfg.Dir, w.kafkaCfg.Addr = t.TempDir(), "127.0.0.1:0"
	w.startKafka()
	t.Cleanup(func() { _ = w.kafka.Close() })
	w.broker = broker.DefaultConfig()
	w.broker.Brokers = []string{w.kafka.Addr()}
	if _, err := ingest.ApplyTopics(t.Context(), w.broker, w.ns, ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	options, err := w.broker.KGO()
	if err != nil {
		t.Fatal(err)
	}
	if w.client, err = kgo.NewClient(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableIdempotentWrite())...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

// quickConfig has small batches, so that tests see many of them.
func quickConfig() Config {
	cfg := DefaultConfig()
	cfg.MaxBatchAge = 20 * time.Millisecond
	cfg.MinBackoff, cfg.MaxBackoff = 5*time.Millisecond, 50*time.Millisecond
	cfg.SessionTimeout = 10 * time.Second
	return cfg
}

func (w *world) startKafka() {
	w.Helper()
	b, err := ekafka.Start(context.Background(), w.kafkaCfg, ekafka.Dependencies{})
	if err != nil {
		w.Fatal(err)
	}
	w.kafka, w.kafkaCfg.Addr = b, b.Addr()
}

func (w *world) open(addr string) driver.Conn {
	w.Helper()
	cfg := warehouse.DefaultConfig()
	cfg.Addr = []string{addr}
	conn, err := warehouse.Open(w.Context(), cfg, w.ns)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close() })
	return conn
}

// publish writes a message to a topic (plain name) as its stage would.
func (w *world) publish(topic, key string, m encoder) {
	w.Helper()
	value, err := m.MarshalVT()
	if err != nil {
		w.Fatal(err)
	}
	w.publishBytes(topic, key, value)
}

func (w *world) publishBytes(topic, key string, value []byte) {
	w.Helper()
	rec := &kgo.Record{
		Topic: w.ns.Topic(topic), Partition: schemas.Partition([]byte(key), w.broker.Partitions), Key: []byte(key), Value: value,
	}
	if err := w.client.ProduceSync(w.Context(), rec).FirstErr(); err != nil {
		w.Fatal(err)
	}
}

// running is a sink at work.
type running struct {
	sink     *Sink
	stop     context.CancelFunc
	ended    chan error
	registry *prometheus.Registry
}

// start runs a sink on a connection, the world's own if nil. It is stopped at the latest with the test.
func (w *world) start(conn driver.Conn) *running {
	w.Helper()
	if conn == nil {
		conn = w.conn
	}
	r := &running{ended: make(chan error, 1), registry: prometheus.NewRegistry()}
	var out io.Writer = w.said
	if testing.Verbose() {
		out = io.MultiWriter(w.said, os.Stderr)
	}
	sink, err := New(w.cfg, Dependencies{
		Broker: w.broker, Namespace: w.ns, Conn: conn, Database: w.database, Registry: r.registry,
		Logger: slog.New(slog.NewTextHandler(out, nil)).With("test", w.Name()),
	})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.sink = cancel, sink
	go func() { r.ended <- sink.Run(ctx) }()
	w.Cleanup(func() { w.end(r) })
	return r
}

// end stops a sink and waits until it has.
func (w *world) end(r *running) {
	w.Helper()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			w.Errorf("the sink ended with %v", err)
		}
		r.ended <- err
	case <-time.After(30 * time.Second):
		w.Fatal("the sink does not stop")
	}
}

// metric is the sum of a metric of a sink over its labels.
func (w *world) metric(r *running, name string) float64 {
	w.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		w.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

// number asks ClickHouse for one; "db." in the query stands for the test's database.
func (w *world) number(query string) uint64 {
	w.Helper()
	var n uint64
	if err := w.conn.QueryRow(w.Context(), w.in(query)).Scan(&n); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return n
}

// text asks ClickHouse for one value as text.
func (w *world) text(query string) string {
	w.Helper()
	var s string
	if err := w.conn.QueryRow(w.Context(), w.in(query)).Scan(&s); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return s
}

// becomes waits for a number.
func (w *world) becomes(query string, want uint64) {
	w.Helper()
	w.eventually(func() bool { return w.number(query) == want }, func() string {
		return fmt.Sprintf("%s: %d, want %d", query, w.number(query), want)
	})
}

func (w *world) eventually(condition func() bool, complaint func() string) {
	w.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
		if time.Now().After(deadline) {
			w.Fatal(complaint())
		}
	}
}

// caughtUp waits until the group has committed everything that there is.
func (w *world) caughtUp() {
	w.Helper()
	w.eventually(func() bool { return w.behind() == 0 }, func() string { return fmt.Sprintf("%d records are not committed", w.behind()) })
}

// letters lists what is on dead.letters.
func (w *world) letters(filter deadletters.Filter) []*deadletters.Letter {
	w.Helper()
	letters, err := deadletters.List(w.Context(), w.letterDeps(), filter)
	if err != nil {
		w.Fatal(err)
	}
	return letters
}

func (w *world) letterDeps() deadletters.Dependencies {
	return deadletters.Dependencies{Broker: w.broker, Namespace: w.ns}
}
