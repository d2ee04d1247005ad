package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fetch sends one request as curl would; status 0: no answer.
func fetch(ctx context.Context, method, address, body string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// sql asks the installation's ClickHouse and returns rows of text.
func (in *installation) sql(statement string) [][]string {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(in.t.Context(), time.Minute)
	defer cancel()
	status, text := fetch(ctx, http.MethodPost, "http://"+in.clickhouse+"/?"+url.Values{"default_format": {"TSV"}}.Encode(), statement)
	if status != http.StatusOK {
		in.t.Fatalf("ClickHouse answers %d to %s: %s", status, statement, text)
	}
	var rows [][]string
	for line := range strings.Lines(text) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

// number asks for one.
func (in *installation) number(statement string) int {
	in.t.Helper()
	rows := in.sql(statement)
	if len(rows) != 1 || len(rows[0]) != 1 {
		in.t.Fatalf("%s: %v is not one number", statement, rows)
	}
	n, err := strconv.Atoi(rows[0][0])
	if err != nil {
		in.t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// database is that of a namespace.
func database(ns string) string {
	if ns == "" {
		return "feige"
	}
	return "feige_" + ns
}

// view is one that people read, what makes a row one of its kind, and what may differ between two replays.
type view struct{ name, identity, except string }

var views = []view{
	{"chat_events", "shop_id, event_id", ""},
	{"chat_texts", "shop_id, event_id", ""},
	{"rounds", "shop_id, conversation_id, number", ""},
	{"conversations", "shop_id, conversation_id, life", ""},
	{"ratings", "shop_id, conversation_id, life", ""},
	{"takeovers", "shop_id, number", ""},
	// How many snapshots were told before the newest one depends on when the ticks were looked at.
	{"service_kpis", "shop_id, window_kind, window_start", "log_offset"},
	{"service_indicators", "shop_id, window_kind, window_start, name", ""},
	{"restrictions", "shop_id, period_start, revision", ""},
	{"decisions", "shop_id, period_start", ""},
	// Where a flag stands in the log of cases depends on which partition was read first.
	{"violation_flags", "offender_kind, offender_id, flag_id", "log_offset"},
	{"violation_evidence", "flag_id", "log_offset"},
	{"sanctions", "offender_kind, offender_id, sanction_id", "log_offset"},
}

// checkNoRepeats wants every row of every view to be there once, and returns how many there are.
func (in *installation) checkNoRepeats(ns string) map[string]int {
	in.t.Helper()
	counts := map[string]int{}
	for _, v := range views {
		row := in.sql(fmt.Sprintf("SELECT count(), uniqExact(%s) FROM %s.%s", v.identity, database(ns), v.name))[0]
		if row[0] != row[1] {
			in.t.Errorf("%s.%s: %s rows, %s different ones", database(ns), v.name, row[0], row[1])
		}
		counts[v.name], _ = strconv.Atoi(row[0])
	}
	return counts
}

// differing says, by view, what one namespace holds and the other does not.
func (in *installation) differing(one, other string) map[string]string {
	in.t.Helper()
	found := map[string]string{}
	for _, v := range views {
		columns := "*"
		if v.except != "" {
			columns = "* EXCEPT (" + v.except + ")"
		}
		rows := func(ns string) string { return fmt.Sprintf("SELECT %s FROM %s.%s", columns, database(ns), v.name) }
		for _, pair := range [][2]string{{one, other}, {other, one}} {
			only := rows(pair[0]) + " EXCEPT ALL " + rows(pair[1])
			if n := in.number("SELECT count() FROM (" + only + ")"); n > 0 {
				found[v.name] += fmt.Sprintf("%d rows only in %s, such as\n%v\n", n, pair[0], in.sql(only+" ORDER BY ALL LIMIT 2"))
			}
		}
	}
	return found
}

// audit waits until the namespace is caught up and wants no difference.
func (in *installation) audit(ns string) {
	in.t.Helper()
	got := in.run("audit", "--wait", "--namespace="+ns)
	if got.code != 0 || !strings.HasSuffix(got.stdout, "\n0 differences\n") {
		in.t.Errorf("audit of %q: exit code %d\n%s%s", ns, got.code, tail(got.stdout), tail(got.stderr))
	}
}

// onEngines runs what needs the engines of a data directory, and stops them cleanly.
func (in *installation) onEngines(do func(up *process)) {
	in.t.Helper()
	up := in.start("up")
	up.awaitReady()
	do(up)
	if in.t.Failed() {
		return
	}
	up.stop()
}

func contains(t *testing.T, got outcome, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("feige %v: no %q in\n%s", got.args, want, got.stdout)
		}
	}
}
