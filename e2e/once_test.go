package e2e

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// The main job on the recordings that are shipped: decisions, every row, 0 differences, and a second run
// that changes nothing.
func TestOnce(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	rows := recorded(t)
	once := []string{"run", "--once", "--examples=" + absolute(t, examples)}

	first := in.must(once...)
	if first.stderr != "" {
		t.Errorf("it complains: %s", first.stderr)
	}
	contains(t, first, fmt.Sprintf("published %d events", len(rows)),
		fmt.Sprintf("%d rows of the recordings: %d are events in ClickHouse, 0 were rejected", len(rows), len(rows)))
	golden(t, "decisions.txt", decisions(t, first))

	in.onEngines(func(*process) {
		in.checkRows(examplesNamespace, rows)
		in.checkNoRepeats(examplesNamespace)
		in.audit(examplesNamespace)
	})

	again := in.must(once...)
	contains(t, again, "nothing was published again")
	if decisions(t, again) != decisions(t, first) {
		t.Errorf("a second run decides otherwise:\n%s\nthe first:\n%s", decisions(t, again), decisions(t, first))
	}
	in.onEngines(func(*process) {
		in.checkRows(examplesNamespace, rows)
		in.checkAuditCanFail(examplesNamespace)
	})
}

// checkAuditCanFail changes one row and adds another, and wants the audit to find just these.
func (in *installation) checkAuditCanFail(ns string) {
	in.t.Helper()
	in.sql(fmt.Sprintf(`INSERT INTO %[1]s.rounds_data SELECT * REPLACE ('somebody-else' AS agent_id) FROM %[1]s.rounds_data FINAL
		WHERE outcome = 'answered' ORDER BY shop_id, conversation_id, number LIMIT 1`, database(ns)))
	in.sql(fmt.Sprintf(`INSERT INTO %[1]s.takeovers_data SELECT * REPLACE (number + 1000 AS number) FROM %[1]s.takeovers_data FINAL
		ORDER BY shop_id, number LIMIT 1`, database(ns)))
	got := in.run("audit", "--namespace="+ns)
	if got.code != 1 || !strings.HasSuffix(got.stdout, "\n2 rows differ\n") {
		in.t.Errorf("exit code %d\n%s%s", got.code, tail(got.stdout), got.stderr)
	}
	contains(in.t, got, "somebody-else", "unexpected")
}

// decisions is the part of the output from the standards on, without how long it took.
func decisions(t *testing.T, got outcome) string {
	t.Helper()
	_, text, ok := strings.Cut(got.stdout, "\nStandards: ")
	text, _, ok2 := strings.Cut(text, "\nFrom start to decisions: ")
	if !ok || !ok2 {
		t.Fatalf("no decisions are printed:\n%s", got.stdout)
	}
	return "Standards: " + text
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("not what %s says (go test -run %s -update rewrites it); got:\n%s", path, t.Name(), got)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// recorded are the rows of the shipped recordings, in any order: shop, conversation, time, role, user, text.
func recorded(t *testing.T) []string {
	t.Helper()
	var rows []string
	for _, name := range []string{"irc_support_channels.csv", "irc_support_train.csv.gz"} {
		file, err := os.Open(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		var source io.Reader = file
		if strings.HasSuffix(name, ".gz") {
			if source, err = gzip.NewReader(file); err != nil {
				t.Fatal(err)
			}
		}
		records, err := csv.NewReader(source).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, record := range records[1:] {
			at, err := time.Parse(time.RFC3339, record[2])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			record[2] = at.UTC().Format("2006-01-02 15:04:05.000000")
			rows = append(rows, strings.Join(record, "\x1f"))
		}
	}
	return rows
}

// checkRows wants the events of a namespace to be these rows, each as often as it was recorded.
func (in *installation) checkRows(ns string, want []string) {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(in.t.Context(), time.Minute)
	defer cancel()
	statement := fmt.Sprintf(`SELECT e.shop_id, e.conversation_id, toString(e.time), toString(e.actor_role), e.actor_id, x.text
		FROM %[1]s.chat_events AS e LEFT JOIN %[1]s.chat_texts AS x USING (shop_id, event_id) FORMAT JSONCompactEachRow`, database(ns))
	status, text := fetch(ctx, http.MethodPost, "http://"+in.clickhouse+"/", statement)
	if status != http.StatusOK {
		in.t.Fatalf("ClickHouse answers %d: %s", status, text)
	}
	times := map[string]int{}
	for decoder := json.NewDecoder(strings.NewReader(text)); decoder.More(); {
		var row []string
		if err := decoder.Decode(&row); err != nil {
			in.t.Fatal(err)
		}
		times[strings.Join(row, "\x1f")]++
	}
	for _, row := range want {
		times[row]--
	}
	maps.DeleteFunc(times, func(_ string, n int) bool { return n == 0 })
	for i, row := range slices.Sorted(maps.Keys(times)) {
		if i == 5 {
			break
		}
		in.t.Errorf("row %q is %+d times too often in ClickHouse", row, times[row])
	}
	if len(times) > 0 {
		in.t.Errorf("%d of %d recorded rows are not as often in ClickHouse as they should", len(times), len(want))
	}
}
