package kafka

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

func asLogged(t testing.TB, records []*kgo.Record) (log []logged) {
	t.Helper()
	for _, r := range records {
		applied, ok := statev1.Applied(r.Value)
		if !ok {
			t.Fatalf("offset %d says no applied offset", r.Offset)
		}
		log = append(log, logged{r.Offset, applied, string(r.Key), string(r.Value)})
	}
	return log
}

// fill writes n values over the given number of keys, one per input offset.
func fill(t testing.TB, c *kgo.Client, topic string, p int32, first, n, keys int64) {
	t.Helper()
	var records []*kgo.Record
	for a := first; a < first+n; a++ {
		records = append(records, &kgo.Record{
			Topic: topic, Partition: p, Key: fmt.Appendf(nil, "k%d", a%keys),
			Value: tableValue(a, fmt.Sprint(a)), Timestamp: time.UnixMilli(1e12 + a),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}},
		})
	}
	write(t, c, records...)
}

func TestCompaction(t *testing.T) {
	t.Parallel()
	for _, ns := range []schemas.Namespace{"", "replay1"} {
		for _, dir := range []string{"", t.TempDir()} {
			t.Run(fmt.Sprintf("namespace %q on disk %v", ns, dir != ""), func(t *testing.T) {
				t.Parallel()
				b := start(t, Config{Dir: dir, SyncWrites: ns != "", Housekeeping: eager()})
				c := client(t, b.Addr())
				table, input, group := ns.Topic(conversationsTable), ns.Topic(events), ns.Topic(schemas.GroupConversations)
				createTopics(t, c, 3, table, input)
				fill(t, c, table, 2, 0, 1000, 10)
				fill(t, c, table, 1, 0, 1000, 10) // no commit
				commit(t, c, group, input, 2, 990)
				before := asLogged(t, contents(t, b, table, 2))
				if err := b.Housekeep(testContext(t)); err != nil {
					t.Fatal(err)
				}
				got := contents(t, b, table, 2)
				after := asLogged(t, got)
				for at := int64(990); at <= 1000; at++ {
					if want, got := restore(before, at), restore(after, at); !maps.Equal(want, got) {
						t.Errorf("restored to %d: %v, want %v", at, got, want)
					}
				}
				// Ten values at or beyond the commit, and the newest of each key below it.
				if len(after) != 20 {
					t.Errorf("%d records after compaction, want 20", len(after))
				}
				for _, r := range got {
					applied, _ := statev1.Applied(r.Value)
					if len(r.Headers) != 1 || r.Timestamp.UnixMilli() != 1e12+applied {
						t.Errorf("record of %d: headers %v, time %v", applied, r.Headers, r.Timestamp)
					}
				}
				if start, end := bounds(t, c, table, 1); start != 0 || end != 1000 {
					t.Errorf("partition without a commit goes from %d to %d, want 0 to 1000", start, end)
				}
				var m dto.Metric
				if err := b.keeper.metrics.deleted.WithLabelValues(table).Write(&m); err != nil {
					t.Fatal(err)
				}
				if n := m.GetCounter().GetValue(); n != 990 {
					t.Errorf("metric says %v records deleted, want 990", n)
				}
				// Nothing new: nothing to do.
				if err := b.Housekeep(testContext(t)); err != nil {
					t.Fatal(err)
				}
				if again := contents(t, b, table, 2); len(again) != 20 || again[0].Offset != got[0].Offset {
					t.Errorf("compacted again for nothing: %d records from %d", len(again), again[0].Offset)
				}
			})
		}
	}
}

func TestCompactionLeavesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Housekeeping: eager()})
	c := client(t, b.Addr())
	reception := schemas.TableOf(schemas.GroupReception)
	createTopics(t, c, 1, conversationsTable, reception, events, facts, "conversations-table.old", "UPPER."+conversationsTable)
	fill(t, c, reception, 0, 0, 100, 1)
	fill(t, c, conversationsTable, 0, 0, 100, 1)
	fill(t, c, "conversations-table.old", 0, 0, 100, 1)
	fill(t, c, "UPPER."+conversationsTable, 0, 0, 100, 1)
	write(t, c, &kgo.Record{Topic: conversationsTable, Key: []byte("k"), Value: []byte("not a state")})
	commit(t, c, schemas.GroupConversations, events, 0, 1000)
	commit(t, c, schemas.GroupReception, facts, 0, 1000)
	err := b.Housekeep(testContext(t))
	if err == nil || !strings.Contains(err.Error(), "offset 100 of conversations-table/0") {
		t.Errorf("got %v, want an error that names the record", err)
	}
	for topic, want := range map[string]int{conversationsTable: 101, reception: 1, "conversations-table.old": 100, "UPPER." + conversationsTable: 100} {
		if got := len(contents(t, b, topic, 0)); got != want {
			t.Errorf("%s has %d records, want %d", topic, got, want)
		}
	}
}

func TestCompactionLooksWhenThereIsReason(t *testing.T) {
	t.Parallel()
	k := &keeper{cfg: Housekeeping{CompactMinRecords: 100, CompactFactor: 4}}
	is := func(name string, want bool, start, end, commit int64, memo tableMemo) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := k.due(start, end, commit, memo); got != want {
				t.Errorf("got %v", got)
			}
		})
	}
	is("too few", false, 50, 149, 10, tableMemo{})
	is("enough", true, 50, 150, 10, tableMemo{})
	is("too many keys", false, 0, 100, 10, tableMemo{keys: 26})
	is("few keys", true, 0, 100, 10, tableMemo{keys: 25})
	is("the commit stands still", false, 0, 1000, 10, tableMemo{keys: 25, commit: 10, end: 100})
	is("hardly anything new", false, 0, 149, 20, tableMemo{keys: 25, commit: 10, end: 100})
	is("new records and commits", true, 0, 150, 20, tableMemo{keys: 25, commit: 10, end: 100})
}

// While a group's members come and go, its table is not cut under them.
func TestCompactionWaitsForTheGroup(t *testing.T) {
	t.Parallel()
	cfg := eager()
	cfg.Settle = 2 * time.Second
	b, ctx := start(t, Config{Housekeeping: cfg}), testContext(t)
	c := client(t, b.Addr())
	createTopics(t, c, 1, conversationsTable, events)
	fill(t, c, conversationsTable, 0, 0, 100, 1)
	commit(t, c, schemas.GroupConversations, events, 0, 100)
	compacted := func() bool {
		t.Helper()
		if err := b.Housekeep(ctx); err != nil {
			t.Fatal(err)
		}
		start, _ := bounds(t, c, conversationsTable, 0)
		return start > 0
	}
	if compacted() {
		t.Error("compacted at first sight")
	}
	if last := b.keeper.groups[schemas.GroupConversations]; last.members != "" {
		t.Errorf("members %q, want none", last.members)
	}
	write(t, c, &kgo.Record{Topic: events})
	member := client(t, b.Addr(), kgo.ConsumeTopics(events), kgo.ConsumerGroup(schemas.GroupConversations),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	for b.keeper.groups[schemas.GroupConversations].members == "" { // until it is in
		if compacted() {
			t.Fatal("compacted although a member came")
		}
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		time.Sleep(20 * time.Millisecond)
	}
	since := b.keeper.groups[schemas.GroupConversations].since
	for !compacted() {
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		time.Sleep(50 * time.Millisecond)
	}
	if waited := time.Since(since); waited < cfg.Settle {
		t.Errorf("compacted %v after a member came, want %v or more", waited, cfg.Settle)
	}
	member.Close()
}

// Housekeeping runs beside a processor that writes and commits.
func TestCompactionBesideAWriter(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, Config{Dir: t.TempDir(), Housekeeping: eager()}), testContext(t)
	c := client(t, b.Addr())
	createTopics(t, c, 1, conversationsTable, events)
	var log []logged
	const inputs, keys = 20_000, 50
	done := make(chan struct{})
	go func() {
		defer close(done)
		for a := int64(0); a < inputs; a += 200 {
			fill(t, c, conversationsTable, 0, a, 200, keys)
			commit(t, c, schemas.GroupConversations, events, 0, a+100)
		}
	}()
	for a := int64(0); a < inputs; a++ {
		log = append(log, logged{a, a, fmt.Sprintf("k%d", a%keys), string(tableValue(a, fmt.Sprint(a)))})
	}
	rounds := 0
	for running := true; running; rounds++ {
		select {
		case <-done:
			running = false
		default:
		}
		if err := b.Housekeep(ctx); err != nil {
			t.Fatal(err)
		}
	}
	after := asLogged(t, contents(t, b, conversationsTable, 0))
	for at := int64(inputs - 100); at <= inputs; at++ {
		if want, got := restore(log, at), restore(after, at); !maps.Equal(want, got) {
			t.Fatalf("restored to %d: %v, want %v", at, got, want)
		}
	}
	if len(after) > 1000 {
		t.Errorf("%d records are left after %d rounds", len(after), rounds)
	}
}

// Close ends housekeeping wherever it is, and Run with it.
func TestCloseEndsHousekeeping(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, Config{Dir: t.TempDir(), Housekeeping: eager()}), testContext(t)
	c := client(t, b.Addr())
	createTopics(t, c, 4, conversationsTable, events)
	for p := range int32(4) {
		fill(t, c, conversationsTable, p, 0, 5000, 4000)
		commit(t, c, schemas.GroupConversations, events, p, 5000)
	}
	ran := make(chan error, 1)
	go func() { ran <- b.Run(ctx) }()
	began := make(chan struct{})
	rounds := make(chan error, 1)
	go func() {
		close(began)
		for {
			if err := b.Housekeep(ctx); err != nil {
				rounds <- err
				return
			}
		}
	}()
	<-began
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]chan error{"Run": ran, "Housekeep": rounds} {
		select {
		case err := <-end:
			if (err == nil) != (name == "Run") {
				t.Errorf("%s returns %v", name, err)
			}
		case <-ctx.Done():
			t.Fatalf("%s does not return", name)
		}
	}
}

func TestMetricsFollowTopics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	b, err := Start(testContext(t), Config{Addr: "127.0.0.1:0", Housekeeping: eager()}, Dependencies{Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := client(t, b.Addr())
	series := func() (n int) {
		if err := b.Housekeep(testContext(t)); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "feige_kafka_log_end_offset" {
				n = len(f.GetMetric())
			}
		}
		return n
	}
	await := func(want int, when string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			n := series()
			if n == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d series %s, want %d", n, when, want)
			}
		}
	}
	await(0, "without a topic")
	createTopics(t, c, 3, events)
	await(3, "of three partitions")
	if _, err := kadm.NewClient(c).DeleteTopic(testContext(t), events); err != nil {
		t.Fatal(err)
	}
	await(0, "after the topic is gone")
}
