package clickhouse_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/warehouse"
)

// records are what the shared server was given to keep; while refusing, it takes none.
type records struct {
	mu       sync.Mutex
	all      []eclickhouse.Reading
	refusing bool
}

var recorded records

func (r *records) keep(_ context.Context, reading eclickhouse.Reading) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refusing {
		return errors.New("no room")
	}
	r.all = append(r.all, reading)
	return nil
}

func (r *records) take() []eclickhouse.Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.all
	r.all = nil
	return out
}

func (r *records) refuse(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusing = yes
}

// Whatever an auditor reads, by whatever way, was recorded before, without what the statement compares with; what cannot be
// recorded is not read. Only this test signs in as the auditor.
func TestAuditorIsRecorded(t *testing.T) {
	t.Parallel()
	const secret = "geheim5y2"
	db := database(t, connect(t, nil))
	for _, sql := range []string{"CREATE TABLE " + db + ".words (id UInt8, text String) ENGINE = MergeTree ORDER BY id", "CREATE VIEW " + db + ".seen AS SELECT * FROM " + db + ".words",
		"INSERT INTO " + db + ".words VALUES (1, '" + secret + "')"} {
		if err := connect(t, nil).Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(sql, method string, params ...string) (int, string) {
		values := url.Values{}
		for i := 0; i+1 < len(params); i += 2 {
			values.Set(params[i], params[i+1])
		}
		q := request{method: method, user: "auditor", password: "d", params: values, body: strings.NewReader(sql)}
		if method == http.MethodGet {
			values.Set("query", sql)
			q.body = nil
		}
		status, body, _ := send(t, q)
		return status, body
	}
	if status, body := ask("SELECT text FROM "+db+".words WHERE id = 1 AND text != 'anything' -- why", http.MethodPost); status != 200 || !strings.Contains(body, secret) {
		t.Fatalf("an auditor reads texts: %d %s", status, body)
	}
	got := recorded.take()
	if len(got) != 1 || got[0].Account != "auditor" || got[0].ID == "" || got[0].Address != "127.0.0.1" || got[0].At.IsZero() || got[0].Statement != "SELECT text FROM "+db+".words WHERE id = ? AND text != '?'" {
		t.Fatalf("the record is %+v", got)
	}
	ways := []string{
		"SELECT text FROM DB.words", "SELECT * FROM DB.seen", "SELECT * FROM (SELECT text FROM DB.words)", "WITH t AS (SELECT text FROM DB.words) SELECT * FROM t", "SELECT (SELECT any(text) FROM DB.words)",
		"SELECT * FROM merge('DB', '.*')", "SELECT * FROM view(SELECT text FROM DB.words)", "SELECT throwIf(1, (SELECT any(text) FROM DB.words))", "SELECT toUInt8((SELECT any(text) FROM DB.words))",
		"SELECT text FROM DB.words SETTINGS log_queries = 0", "SELECT text FROM DB.words FORMAT JSON", "SELECT text FROM DB.`words`", "SELECT text\nFROM/**/DB.words", "EXPLAIN SELECT text FROM DB.words WHERE text = 'geheim5y2'",
		"DESCRIBE TABLE DB.words", "SHOW CREATE TABLE DB.words", "SELECT * FROM viewIfPermitted(SELECT text FROM DB.words ELSE null('text String'))", "SELECT * FROM loop(DB.words) LIMIT 1",
		"CREATE TABLE DB.mine ENGINE = Memory AS SELECT text FROM DB.words", "CREATE TEMPORARY TABLE mine AS SELECT text FROM DB.words", "CREATE VIEW DB.mine AS SELECT text FROM DB.words", "INSERT INTO DB.words SELECT 2, text FROM DB.words",
		"SELECT 1; SELECT text FROM DB.words", "SELECT text FROM DB.words INTO OUTFILE 'x'", "SELECT * FROM remote('127.0.0.1', DB.words)", "SELECT * FROM system.query_log", "SET log_queries = 0", "KILL QUERY WHERE 1",
	}
	for _, way := range ways {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			status, body := ask(strings.ReplaceAll(way, "DB", db), method)
			kept := recorded.take()
			if strings.Contains(body, secret) && len(kept) != 1 {
				t.Errorf("%s %s: read with %d records", method, way, len(kept))
			}
			if status == 200 && len(kept) != 1 {
				t.Errorf("%s %s: answered with %d records: %.200s", method, way, len(kept), body)
			}
			for _, r := range kept {
				if strings.Contains(r.Statement, secret) {
					t.Errorf("%s: the record holds what was compared with: %s", way, r.Statement)
				}
			}
			verb, _, _ := strings.Cut(way, " ")
			if status == 200 && (verb == "CREATE" || verb == "INSERT" || verb == "KILL") {
				t.Errorf("%s %s: an auditor changes something", method, way)
			}
		}
	}
	for _, params := range [][]string{{"log_queries", "0"}, {"role", "admin"}, {"readonly", "0"}, {"database", db}, {"query_id", "x"}, {"param_x", db}, {"default_format", "JSON"}} {
		status, body := ask("SELECT text FROM "+db+".words", http.MethodPost, params...)
		if kept := recorded.take(); (status == 200 || strings.Contains(body, secret)) && len(kept) != 1 {
			t.Errorf("with %v: %d with %d records", params, status, len(kept))
		}
	}
	recorded.refuse(true)
	defer recorded.refuse(false)
	if status, body := ask("SELECT text FROM "+db+".words", http.MethodPost); status == 200 || strings.Contains(body, secret) || !strings.Contains(body, "cannot be recorded") {
		t.Errorf("without a record: %d %s", status, body)
	}
}

// Every statement for a server's roles is one that ClickHouse's own parser takes.
func TestRoleStatementsParse(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	for _, cluster := range []string{"", "all nodes"} {
		for _, statement := range warehouse.RoleStatements("feige", cluster) {
			var text string
			if err := conn.QueryRow(t.Context(), "SELECT formatQuerySingleLine(?)", statement).Scan(&text); err != nil {
				t.Errorf("%.120s: %v", statement, err)
			} else if cluster != "" && !strings.Contains(text, "ON CLUSTER") {
				t.Errorf("not for the cluster: %.120s", text)
			}
		}
	}
}
