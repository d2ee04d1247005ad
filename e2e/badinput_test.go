package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// complains wants an exit code and one line on standard error that says what and where.
func complains(t *testing.T, got outcome, code int, wants ...string) {
	t.Helper()
	if got.code != code {
		t.Errorf("feige %v: exit code %d, want %d", got.args, got.code, code)
	}
	if !strings.HasPrefix(got.stderr, "feige: ") || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("feige %v: want one line on standard error, got\n%s", got.args, got.stderr)
	}
	for _, want := range wants {
		if !strings.Contains(got.stderr, want) {
			t.Errorf("feige %v: no %q in %q", got.args, want, got.stderr)
		}
	}
}

// Exit codes, as `feige --help` tells them.
const (
	usage   = 2
	badData = 4
	inUse   = 5
)

// Rows that cannot be used are in the reject file with line and reason; all the others are in ClickHouse.
func TestBadRows(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	if err := os.Mkdir(in.path("chats"), 0o755); err != nil {
		t.Fatal(err)
	}
	const good = "tea,c-1,2026-03-02T10:00:00Z,consumer,ann,"
	long := strings.Repeat("长", 16*1024/3+1)
	future := time.Now().AddDate(0, 0, 2).UTC().Format(time.RFC3339)
	rows := []struct{ row, code, field string }{ // line 2 and on
		{good + "hello", "", ""},
		{"tea,c-1,yesterday,consumer,ann,x", "bad_time", "time"},
		{"tea,c-1,2026-03-02T10:00:01Z,wizard,ann,x", "unknown_role", "role"},
		{good + long, "long_text", "message.text"},
		{good + "caf\xe9", "invalid_utf8", "message.text"},
		{"tea,c-1," + future + ",consumer,ann,x", "future_time", "occurred_at_us"},
		{",c-1,2026-03-02T10:00:02Z,consumer,ann,x", "empty_id", "shop_id"},
		{"tea,,2026-03-02T10:00:03Z,consumer,ann,x", "empty_id", "conversation_id"},
		{"tea,c-1,2026-03-02T10:00:04Z,consumer,,x", "empty_id", "actor.id"},
		{"tea,c-1,2026-03-02T10:00:05Z,consumer,ann", "columns", ""},
		{"tea,c-1,1999-12-31T00:00:00Z,consumer,ann,x", "bad_time", "occurred_at_us"},
		{"te/a,c-1,2026-03-02T10:00:06Z,consumer,ann,x", "bad_id", "shop_id"},
		{good[:len(good)-1] + `,"两行` + "\n" + `一格"`, "", ""},
		{"tea,c-1,2026-03-02T10:01:00Z,agent,bob," + long[:16*1024/3*3], "", ""},
	}
	text := "shop,conversation,ts,role,user,text\n"
	line := 2
	type reject struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Code   string `json:"code"`
		Field  string `json:"field"`
		Reason string `json:"reason"`
	}
	var want []reject
	accepted := 0
	for _, r := range rows {
		if r.code != "" {
			want = append(want, reject{Line: line, Code: r.code, Field: r.field})
		} else {
			accepted++
		}
		line += 1 + strings.Count(r.row, "\n")
		text += r.row + "\n"
	}
	in.write("chats/rows.csv", text)
	in.write("chats/events.jsonl", strings.Join([]string{
		`{"shopId":"tea","conversationId":"c-2","occurredAtUs":"1772445600000000","actor":{"role":"ROLE_CONSUMER","id":"ann"},"message":{"kind":"MESSAGE_KIND_TEXT","text":"hi"}}`,
		`{"shopId":"tea","conversationId":"c-2","occurredAtUs":"1772445600000000","actor":{"role":"ROLE_CONSUMER","id":"ann"}}`,
		`{"shopId":"tea",`,
		`{"shopId":"tea","colour":"red"}`,
	}, "\n"))
	accepted++
	total := len(rows) + 4

	got := in.must("run", "--once", "--examples="+in.path("chats"))
	contains(t, got, fmt.Sprintf("%d rows of the recordings: %d are events in ClickHouse, %d were rejected", total, accepted, total-accepted))
	data, err := os.ReadFile(in.path("data/rejects/examples.rejects.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	byFile := map[string][]reject{}
	for line := range strings.Lines(string(data)) {
		var r reject
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if r.Reason == "" {
			t.Errorf("no reason: %s", line)
		}
		byFile[filepath.Base(r.File)] = append(byFile[filepath.Base(r.File)], r)
	}
	if rejects := byFile["rows.csv"]; len(rejects) != len(want) {
		t.Errorf("%d rows of the CSV file were rejected, want %d", len(rejects), len(want))
	} else {
		for i, r := range rejects {
			if r.Line != want[i].Line || r.Code != want[i].Code || want[i].Field != "" && r.Field != want[i].Field {
				t.Errorf("line %d: %s of %s; want line %d: %s of %s", r.Line, r.Code, r.Field, want[i].Line, want[i].Code, want[i].Field)
			}
		}
	}
	var lines []int
	for _, r := range byFile["events.jsonl"] {
		lines = append(lines, r.Line)
	}
	if fmt.Sprint(lines) != "[2 3 4]" {
		t.Errorf("lines %v of the JSONL file were rejected, want 2, 3, and 4", lines)
	}
	in.onEngines(func(*process) {
		if n := in.number("SELECT uniqExact(event_id) FROM feige_examples.chat_events"); n != accepted {
			t.Errorf("%d events in ClickHouse, want %d", n, accepted)
		}
	})
}

// Whatever a user gets wrong: the right exit code, and one line that says what and where.
func TestBadInput(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	away := freeAddr(t)
	check := func(name string, code int, wants, env []string, args ...string) {
		t.Run(name, func(t *testing.T) {
			command := in.command("127.0.0.1:0", args...)
			command.Env = append(command.Env, env...)
			complains(t, finish(t, command), code, wants...)
		})
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()
	shown := in.must("policy", "show", "--all").stdout
	hours := `working_hours: ["08:00-23:00"]`
	if !strings.Contains(shown, hours) {
		t.Fatal("the built-in policy has no such line:", hours)
	}
	overlap := in.write("overlap.yaml", strings.Replace(shown, hours, `working_hours: ["08:00-23:00", "22:00-23:30"]`, 1))
	noKafka := []string{"FEIGE_KAFKA__BROKERS=" + away, "FEIGE_KAFKA__DIAL_TIMEOUT=200ms"}
	noClickHouse := []string{"FEIGE_CLICKHOUSE__ADDR=" + away}
	kafkaAway, clickhouseAway := []string{"kafka at " + away + " does not answer"}, []string{"clickhouse at " + away + " does not answer"}
	elsewhere := []string{"FEIGE_EMBEDDED__KAFKA__ADDR=" + freeAddr(t), "FEIGE_EMBEDDED__CLICKHOUSE__ADDR=" + freeAddr(t)}

	check("config: wrong type", usage, []string{"wrong.yaml:2: kafka.partitions", "whole number"}, nil,
		"--config="+in.write("wrong.yaml", "kafka:\n  partitions: several\n"), "config")
	check("config: unknown key", usage, []string{"unknown.yaml:3: sinks.batch_size is not a key"}, nil,
		"--config="+in.write("unknown.yaml", "namespace: x\nsinks:\n  batch_size: 1\n"), "up")
	check("config: unknown variable", usage, []string{"FEIGE_SINKS__BATCH_SIZE"}, []string{"FEIGE_SINKS__BATCH_SIZE=1"}, "sinks")
	check("config: out of bounds", usage, []string{"sinks.batch_rows: 0"}, nil, "sinks", "--set=sinks.batch_rows=0")
	check("config: unknown engine", usage, []string{`embedded.engines: "redis"`}, nil, "up", "--set=embedded.engines=redis")
	check("policy: overlapping windows", usage, []string{overlap + ":", "working_hours"}, []string{"FEIGE_POLICY=" + overlap}, "up")
	check("no libchdb", 3, []string{"FEIGE_CHDB_LIB", "/nonexistent"}, append(elsewhere, "FEIGE_CHDB_LIB=/nonexistent"), "up", "--data-dir="+in.path("other"))
	check("no libchdb: run", 3, []string{"FEIGE_CHDB_LIB", "/nonexistent"}, append(elsewhere, "FEIGE_CHDB_LIB=/nonexistent"),
		"run", "--once", "--data-dir="+in.path("other"), "--examples="+absolute(t, examples))
	check("port of Kafka in use", inUse, []string{"embedded.kafka.addr", port}, append(elsewhere, "FEIGE_EMBEDDED__KAFKA__ADDR="+port), "up", "--data-dir="+in.path("other"))
	check("port of ClickHouse in use", inUse, []string{"embedded.clickhouse.addr", port}, append(elsewhere, "FEIGE_EMBEDDED__CLICKHOUSE__ADDR="+port), "up", "--data-dir="+in.path("other"))
	check("port of metrics in use", inUse, []string{"http.addr", port}, append(elsewhere, "FEIGE_HTTP__ADDR="+port), "up", "--data-dir="+in.path("other"))
	for _, args := range [][]string{{"processors"}, {"sinks"}, {"clock"}, {"simulate"}, {"topics", "apply"}, {"audit"}, {"dead-letters", "list"},
		{"replay", in.write("empty.jsonl", "")}, {"up", "--set=embedded.engines=clickhouse", "--data-dir=" + in.path("other")}} {
		check("Kafka away: "+args[0], unavailable, kafkaAway, noKafka, args...)
	}
	check("ClickHouse away: schema", unavailable, clickhouseAway, noClickHouse, "schema", "apply")

	in.onEngines(func(*process) {
		check("data directory in use", inUse, []string{"data directory data is in use by process"}, elsewhere, "up")
		check("ClickHouse away: sinks", unavailable, clickhouseAway, noClickHouse, "sinks")
		check("ClickHouse away: audit", unavailable, clickhouseAway, noClickHouse, "audit")
		check("no topics", unavailable, []string{"elsewhere.chat.events"}, nil, "replay", "--namespace=elsewhere", in.write("one.csv",
			"shop,conversation,ts,role,user,text\ntea,c,2026-03-02T10:00:00Z,consumer,ann,hi\n"))
		check("another number of partitions", usage, []string{"chat.events", "kafka.partitions is 7"}, nil, "topics", "apply", "--set=kafka.partitions=7")
		check("a recording without a column", badData, []string{"bad.csv", "time"}, nil, "replay",
			in.write("bad.csv", "shop,conversation,role,user,text\ntea,c,consumer,ann,hi\n"))
		check("a recording that is not packed", badData, []string{"bad.csv.gz"}, nil, "replay", in.write("bad.csv.gz", "shop,conversation\n"))
		check("a recording that is not there", usage, []string{"none.csv: no such file"}, nil, "replay", "none.csv")
	})
}
