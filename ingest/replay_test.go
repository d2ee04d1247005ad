package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
)

func (k *testKafka) replayDeps() ReplayDependencies {
	return ReplayDependencies{Dependencies: k.deps(), Policy: policy.Default()}
}

func replayConfig(t testing.TB, files ...string) ReplayConfig {
	t.Helper()
	cfg := DefaultReplayConfig()
	cfg.Files = files
	cfg.RejectFile = filepath.Join(t.TempDir(), "rejects.jsonl")
	return cfg
}

// writeCSV makes a recording of rows (shop, conversation, ts, role, user, text).
func writeCSV(t testing.TB, name string, rows [][]string) string {
	t.Helper()
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	_ = w.Write([]string{"shop", "conversation", "ts", "role", "user", "text"})
	_ = w.WriteAll(rows)
	path := filepath.Join(t.TempDir(), name)
	body := buf.Bytes()
	if strings.HasSuffix(name, ".gz") {
		var z bytes.Buffer
		zw := gzip.NewWriter(&z)
		_, _ = zw.Write(body)
		_ = zw.Close()
		body = z.Bytes()
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// talk makes n rows of 20 shops, step apart, in order of time.
func talk(n int, step time.Duration) [][]string {
	start := time.Date(2023, 3, 14, 8, 0, 0, 0, time.UTC)
	rows := make([][]string, n)
	for i := range rows {
		conv := fmt.Sprint("c", i%97)
		role, user := "consumer", "user-"+conv
		if i%3 == 0 {
			role, user = "agent", fmt.Sprint("agent", i%5)
		}
		rows[i] = []string{fmt.Sprint("shop", i%20), conv, start.Add(time.Duration(i) * step).Format(time.RFC3339Nano), role, user, fmt.Sprint("text ", i)}
	}
	return rows
}

// checkLog fails unless the log holds the texts of rows, each once, every shop's in the order of rows, and
// every partition has the ticks that replayed time needs. It returns the number of ticks of a partition.
func checkLog(t *testing.T, log [][]logged, rows [][]string) int {
	t.Helper()
	want, got := map[string][]string{}, map[string][]string{}
	for _, r := range rows {
		want[r[0]] = append(want[r[0]], r[5])
	}
	var ticks [][]int64
	for p, recs := range log {
		var at []int64
		for _, r := range recs {
			if isTick(r.event) {
				at = append(at, r.event.OccurredAtUs)
				continue
			}
			got[r.event.ShopId] = append(got[r.event.ShopId], r.event.GetMessage().GetText())
			if len(at) == 0 || r.event.OccurredAtUs-at[len(at)-1] >= time.Hour.Microseconds() {
				t.Errorf("partition %d: event at %d, newest tick %v", p, r.event.OccurredAtUs, at)
			}
			if r.event.OccurredAtUs < at[len(at)-1] {
				t.Errorf("partition %d: event at %d comes after the tick of %d", p, r.event.OccurredAtUs, at[len(at)-1])
			}
		}
		if !slices.IsSorted(at) || len(slices.Compact(slices.Clone(at))) != len(at) {
			t.Errorf("partition %d: ticks %v are not strictly ascending", p, at)
		}
		ticks = append(ticks, at)
	}
	for p := range ticks {
		if !slices.Equal(ticks[p], ticks[0]) {
			t.Errorf("partition %d has other ticks than partition 0", p)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d shops in the log, want %d", len(got), len(want))
	}
	for shop := range want {
		if !slices.Equal(got[shop], want[shop]) {
			t.Errorf("%s: log differs from the recording: %d events, want %d", shop, len(got[shop]), len(want[shop]))
		}
	}
	return len(ticks[0])
}

func TestReplay(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	rows := talk(5000, 7*time.Second)
	path := writeCSV(t, "chats.csv.gz", rows)
	cfg := replayConfig(t, path)
	cfg.BatchEvents = 700
	var last Progress
	cfg.Progress = func(p Progress) { last = p }
	rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rows != 5000 || rep.Events != 5000 || rep.Published != 5000 || rep.Skipped != 0 || rep.AlreadyDone || rep.Resumed || rep.RejectFile != "" {
		t.Errorf("report %+v", rep)
	}
	if last.Done != 5000 || last.Events != 5000 || last.Checking {
		t.Errorf("last progress %+v", last)
	}
	log := readLog(t, k.cfg, "")
	// 14 March 08:00 UTC and 9.7 hours on: the closing tick ends 15 March in Shanghai, and the lateness.
	if n := checkLog(t, log, rows); int64(n) != rep.Ticks || n != 11 {
		t.Errorf("%d ticks, report says %d, want 11", n, rep.Ticks)
	}
	end := log[0][len(log[0])-1].event
	if want := time.Date(2023, 3, 15, 16, 0, 0, 0, time.UTC).Add(24 * time.Hour).UnixMicro(); end.GetTick().GetAtUs() != want || rep.ClosingTickUS != want {
		t.Errorf("closing tick %v, want %d", end, want)
	}

	again, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if !again.AlreadyDone || again.Published != 0 || again.Ticks != 0 || again.Skipped != 5000 || again.Key != rep.Key {
		t.Errorf("second run: %+v", again)
	}
	// The same content under another name, uncompressed, is the same import.
	renamed := replayConfig(t, writeCSV(t, "other.csv", rows))
	if again, err = Replay(t.Context(), renamed, DefaultConfig(), k.replayDeps()); err != nil || !again.AlreadyDone {
		t.Errorf("renamed: %+v, %v", again, err)
	}
	checkLog(t, readLog(t, k.cfg, ""), rows)

	// Another namespace gets identical records.
	if _, err := ApplyTopics(t.Context(), k.cfg, "second", EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	deps := k.replayDeps()
	deps.Namespace = "second"
	if _, err := Replay(t.Context(), renamed, DefaultConfig(), deps); err != nil {
		t.Fatal(err)
	}
	second := readLog(t, k.cfg, "second")
	for p := range log {
		if len(log[p]) != len(second[p]) {
			t.Fatalf("partition %d: %d and %d records", p, len(log[p]), len(second[p]))
		}
		for i := range log[p] {
			if !proto.Equal(log[p][i].event, second[p][i].event) || log[p][i].key != second[p][i].key {
				t.Fatalf("partition %d, record %d differs between namespaces", p, i)
			}
		}
	}
}

func TestReplayUnsorted(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	rows := talk(12000, time.Second)
	rng := rand.New(rand.NewPCG(1, 2))
	// Equal times must keep their order in the file: give every ten rows one time, then mix the tens.
	for i := range rows {
		rows[i][2] = rows[i-i%10][2]
		rows[i][5] += strings.Repeat(" …", 60)
	}
	mixed := make([][]string, 0, len(rows))
	for _, i := range rng.Perm(len(rows) / 10) {
		mixed = append(mixed, rows[10*i:10*i+10]...)
	}
	path := writeCSV(t, "mixed.csv", mixed)
	cfg := replayConfig(t, path)
	cfg.TempDir = t.TempDir()
	cfg.SortBytes = 1 << 20
	rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Files[0].Sorted || rep.Published != 12000 {
		t.Errorf("report %+v", rep)
	}
	checkLog(t, readLog(t, k.cfg, ""), rows)
	if left, err := os.ReadDir(cfg.TempDir); err != nil || len(left) != 0 {
		t.Errorf("left behind in the temporary folder: %v, %v", left, err)
	}
}

func TestReplayMergesFiles(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	rows := talk(3000, time.Second)
	var a, b [][]string
	for i, r := range rows {
		r[2] = rows[i-i%2][2] // pairs of equal time: the first goes to the first file
		if i%2 == 0 {
			a = append(a, r)
		} else {
			b = append(b, r)
		}
	}
	slices.Reverse(b) // the second file must be sorted first
	cfg := replayConfig(t, writeCSV(t, "a.csv", a), writeCSV(t, "b.csv.gz", b))
	rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if len(rep.Files) != 2 || !rep.Files[0].Sorted || rep.Files[1].Sorted || rep.Published != 3000 {
		t.Errorf("report %+v", rep)
	}
	checkLog(t, readLog(t, k.cfg, ""), rows)
	cfg.Files[1] = cfg.Files[0]
	if _, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps()); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("got %v", err)
	}
}

func TestReplayRejects(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	rows := talk(10, time.Second)
	set := func(i, col int, v string) { rows[i][col] = v }
	set(1, 2, "yesterday")
	set(2, 3, "wizard")
	set(3, 5, strings.Repeat("长", 6000))
	set(4, 5, "bad \xff bytes")
	set(5, 2, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	set(6, 4, "")
	set(7, 0, "a/b")
	rows[8] = rows[8][:5]
	cfg := replayConfig(t, writeCSV(t, "bad.csv", rows))
	rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rows != 10 || rep.Events != 2 || rep.Rejects != 8 || rep.Published != 2 || rep.RejectFile != cfg.RejectFile {
		t.Errorf("report %+v", rep)
	}
	body, err := os.ReadFile(cfg.RejectFile)
	if err != nil {
		t.Fatal(err)
	}
	var codes []Code
	for i, line := range strings.Split(strings.TrimSpace(string(body)), "\n") {
		var r reject
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, r.Code)
		if r.Line != int64(i+3) || r.Row != int64(i+2) || r.Reason == "" || r.Raw == "" || len(r.Raw) > 2*maxRaw || r.Cut != (r.Code == CodeLongText) {
			t.Errorf("reject %+v", r)
		}
	}
	if want := []Code{CodeBadTime, CodeUnknownRole, CodeLongText, CodeInvalidUTF8, CodeFutureTime, CodeEmptyID, CodeBadID, CodeColumns}; !slices.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
	checkLog(t, readLog(t, k.cfg, ""), [][]string{rows[0], rows[9]})
}

// TestReplayBrokerErrors: refusals and lost acknowledgements neither lose nor repeat nor reorder anything.
func TestReplayBrokerErrors(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]*kerr.Error{
		"refused": kerr.NotLeaderForPartition, "stored but timed out": kerr.RequestTimedOut,
		"stored, not enough replicas": kerr.NotEnoughReplicasAfterAppend,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := startKafka(t)
			rows := talk(6000, time.Second)
			cfg := replayConfig(t, writeCSV(t, "chats.csv", rows))
			cfg.BatchEvents = 1000
			n := 0
			h := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: code, Count: 5, When: func(kmsg.Request) bool { n++; return n%3 == 0 }})
			rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
			if err != nil {
				t.Fatal(err)
			}
			if h.Hits() == 0 || rep.Published != 6000 {
				t.Errorf("%d faults, report %+v", h.Hits(), rep)
			}
			checkLog(t, readLog(t, k.cfg, ""), rows)
		})
	}
}

func TestReplayProblems(t *testing.T) {
	t.Parallel()
	expect := func(name string, prepare func(t *testing.T, k *testKafka, cfg *ReplayConfig, deps *ReplayDependencies), kind error, words ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := startKafka(t)
			cfg, deps := replayConfig(t, writeCSV(t, "chats.csv", talk(500, time.Second))), k.replayDeps()
			prepare(t, k, &cfg, &deps)
			ingest := DefaultConfig()
			ingest.Timeout, ingest.AttemptTimeout = 300*time.Millisecond, 100*time.Millisecond
			cfg.Patience = 300 * time.Millisecond
			_, err := Replay(t.Context(), cfg, ingest, deps)
			if err == nil || kind != nil && !errors.Is(err, kind) {
				t.Fatalf("got %v", err)
			}
			for _, w := range words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q lacks %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q is more than a line", err)
			}
		})
	}
	expect("kafka away", func(t *testing.T, _ *testKafka, _ *ReplayConfig, d *ReplayDependencies) {
		d.Broker.Brokers = []string{deadAddr(t)}
	}, ErrUnavailable)
	expect("no topics", func(_ *testing.T, _ *testKafka, _ *ReplayConfig, d *ReplayDependencies) { d.Namespace = "none" }, ErrNoTopic, "none.chat.events")
	expect("kafka goes away", func(_ *testing.T, k *testKafka, _ *ReplayConfig, _ *ReplayDependencies) {
		k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: schemas.TopicEvents, Err: kerr.LeaderNotAvailable, Count: -1})
	}, ErrUnavailable, "chat.events/")
	expect("no such file", func(_ *testing.T, _ *testKafka, c *ReplayConfig, _ *ReplayDependencies) {
		c.Files = []string{"/nowhere/x.csv"}
	}, os.ErrNotExist, "/nowhere/x.csv")
	expect("no such column", func(_ *testing.T, _ *testKafka, c *ReplayConfig, _ *ReplayDependencies) { c.Mapping.Text = "words" }, nil, `mapping.text: no column is called "words"`, "chats.csv")
	expect("cut gzip", func(t *testing.T, _ *testKafka, c *ReplayConfig, _ *ReplayDependencies) {
		c.Files = []string{writeCSV(t, "cut.csv.gz", talk(2000, time.Second))}
		st, err := os.Stat(c.Files[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(c.Files[0], st.Size()/2); err != nil {
			t.Fatal(err)
		}
	}, nil, "cut.csv.gz: the file is cut off or damaged")
}
