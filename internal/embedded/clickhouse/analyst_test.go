package clickhouse_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/warehouse"
)

// isolated is a database with everything in it, for the analyst to try.
const isolated = "isolated"

// An analyst reads every figure and no word that anybody wrote, whatever way is tried.
func TestAnalystReadsNoText(t *testing.T) {
	t.Parallel()
	const secret = "geheim7x9"
	cfg := warehouse.DefaultConfig()
	cfg.Addr, cfg.Database = []string{server(t).Addr()}, isolated
	conn, err := warehouse.Open(context.Background(), cfg, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := warehouse.Migrate(t.Context(), conn, warehouse.MigrateOptions{Database: isolated, TimeZone: "Asia/Shanghai"}); err != nil {
		t.Fatal(err)
	}
	for _, insert := range []string{
		"chat_texts_data (shop_id, conversation_id, event_id, time, text, card_title) VALUES ('s', 'c', 'e1', now64(6), 'geheim7x9', 'geheim7x9')",
		"chat_attachments_data (shop_id, conversation_id, event_id, position, time, file_name) VALUES ('s', 'c', 'e1', 1, now64(6), 'geheim7x9')",
		"violation_evidence_data (flag_id, time, evidence) VALUES ('f', now64(6), 'geheim7x9')",
		"appeal_steps_data (flag_id, appeal_id, step, time, note) VALUES ('f', 'a', 'filed', now64(6), 'geheim7x9')",
		"chat_events_data (shop_id, conversation_id, event_id, time, kind) VALUES ('s', 'c', 'e1', now64(6), 'message')",
		"dead_letters_data (topic, log_partition, log_offset, stage, record_value) VALUES ('t', 0, 1, 's', 'geheim7x9')",
	} {
		if err := conn.Exec(t.Context(), "INSERT INTO isolated."+insert); err != nil {
			t.Fatalf("%s: %v", insert, err)
		}
	}
	as := func(user, password, sql, method string, params ...string) (int, string) {
		t.Helper()
		values := url.Values{}
		for i := 0; i+1 < len(params); i += 2 {
			values.Set(params[i], params[i+1])
		}
		q := request{method: method, user: user, password: password, params: values, body: strings.NewReader(sql)}
		if method == http.MethodGet {
			values.Set("query", sql)
			q.body = nil
		}
		status, body, _ := send(t, q)
		return status, body
	}
	// The test can fail: who may read it does.
	if status, body := as("reader", readerPassword, "SELECT text FROM isolated.chat_texts", http.MethodPost); status != 200 || !strings.Contains(body, secret) {
		t.Fatalf("the reader: %d %s", status, body)
	}
	for _, sql := range []string{
		"SELECT count() FROM isolated.chat_events", "SELECT * FROM isolated.shop_kpis_now", "SELECT * FROM isolated.agent_performance", "SELECT * FROM isolated.decisions",
		"SELECT * FROM isolated.service_indicators", "SELECT * FROM isolated.violation_flags", "SELECT * FROM isolated.sanctions", "SELECT * FROM isolated.takeovers",
		"SELECT * FROM isolated.hourly_load", "SELECT topic, code FROM isolated.dead_letters_data", "SHOW DATABASES", "DESCRIBE TABLE isolated.rounds", "SELECT 1",
	} {
		if status, body := as("analyst", "a", sql, http.MethodPost); status != 200 {
			t.Errorf("%s: %d %s", sql, status, body)
		}
	}
	tries := []string{
		"SELECT text FROM isolated.chat_texts", "SELECT * FROM isolated.chat_texts_data", "SELECT text FROM isolated.chat_texts_data LIMIT 1", "SELECT count() FROM isolated.chat_texts",
		"SELECT file_name FROM isolated.chat_attachments", "SELECT evidence FROM isolated.violation_evidence", "SELECT note FROM isolated.appeal_steps", "SELECT record_value FROM isolated.dead_letters_data",
		"SELECT * FROM isolated.dead_letters",
		"SELECT * FROM merge('isolated', 'chat_.*')", "SELECT * FROM merge('isolated', 'chat_texts_data')", "SELECT * FROM remote('127.0.0.1', isolated.chat_texts_data)",
		"SELECT * FROM cluster('default', isolated, chat_texts_data)", "SELECT * FROM view(SELECT text FROM isolated.chat_texts_data)", "SELECT * FROM (SELECT * FROM isolated.chat_texts)",
		"WITH t AS (SELECT text FROM isolated.chat_texts) SELECT * FROM t", "SELECT e.event_id, x.text FROM isolated.chat_events AS e JOIN isolated.chat_texts AS x USING event_id",
		"SELECT event_id IN (SELECT event_id FROM isolated.chat_texts WHERE text LIKE 'g%') FROM isolated.chat_events", "SELECT (SELECT any(text) FROM isolated.chat_texts)",
		"SELECT throwIf(1, (SELECT any(text) FROM isolated.chat_texts))", "SELECT toUInt8((SELECT any(text) FROM isolated.chat_texts))", "SELECT joinGet('isolated.chat_texts_data', 'text', 'e1')",
		"SELECT dictGet('isolated.chat_texts_data', 'text', 'e1')", "SELECT hasColumnInTable('isolated', 'chat_texts_data', 'text')",
		"SELECT * FROM file('chdb.log')", "SELECT * FROM file('/etc/passwd', 'LineAsString')", "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", "SELECT * FROM s3('http://127.0.0.1:1/x')",
		"SELECT * FROM executable('cat /etc/passwd', 'LineAsString', 'x String')", "SELECT * FROM input('x String')", "SELECT * FROM sqlite('x', 'y')",
		"SELECT * FROM system.query_log", "SELECT * FROM system.processes", "SELECT * FROM system.parts", "SELECT * FROM system.parts_columns", "SELECT * FROM system.text_log", "SELECT * FROM system.tables",
		"SELECT * FROM system.columns WHERE database = 'isolated' AND table LIKE 'chat_texts%'", "SELECT * FROM system.mutations", "SELECT * FROM system.asynchronous_inserts", "SELECT * FROM system.users", "SELECT * FROM system.grants",
		"SELECT * FROM mergeTreeIndex('isolated', 'chat_texts_data')", "SELECT * FROM mergeTreeParts('isolated', 'chat_texts_data')", "SELECT * FROM mergeTreeProjection('isolated', 'chat_texts_data', 'p')",
		"EXPLAIN SELECT text FROM isolated.chat_texts_data WHERE text = 'g'", "EXPLAIN ESTIMATE SELECT text FROM isolated.chat_texts_data", "EXPLAIN indexes = 1 SELECT text FROM isolated.chat_texts", "DESCRIBE TABLE isolated.chat_texts_data",
		"SHOW CREATE TABLE isolated.chat_texts_data", "SHOW COLUMNS FROM chat_texts_data FROM isolated", "SHOW GRANTS", "SHOW PROCESSLIST", "CHECK TABLE isolated.chat_texts_data",
		"CREATE TABLE isolated.mine ENGINE = Memory AS SELECT text FROM isolated.chat_texts", "CREATE TEMPORARY TABLE mine AS SELECT text FROM isolated.chat_texts", "CREATE VIEW isolated.mine AS SELECT text FROM isolated.chat_texts",
		"CREATE FUNCTION mine AS () -> (SELECT any(text) FROM isolated.chat_texts)", "CREATE DICTIONARY isolated.mine (event_id String, text String) PRIMARY KEY event_id SOURCE(CLICKHOUSE(TABLE 'chat_texts_data' DB 'isolated')) LAYOUT(FLAT()) LIFETIME(0)",
		"INSERT INTO isolated.rounds_data SELECT * FROM isolated.chat_texts", "INSERT INTO FUNCTION file('x') SELECT text FROM isolated.chat_texts", "SELECT text FROM isolated.chat_texts INTO OUTFILE 'x'",
		"ALTER TABLE isolated.chat_texts_data MODIFY COLUMN text String DEFAULT ''", "SET ROLE admin", "SET ROLE ALL", "SET ROLE reader", "GRANT SELECT ON *.* TO default", "EXECUTE AS default SELECT text FROM isolated.chat_texts",
		"BACKUP TABLE isolated.chat_texts_data TO Memory('b')", "SYSTEM FLUSH LOGS", "KILL QUERY WHERE 1", "SELECT text FROM isolated.chat_texts SETTINGS readonly = 0", "SELECT 1; SELECT text FROM isolated.chat_texts",
		"SELECT text FROM isolated.`chat_texts`", "SELECT text FROM\nisolated/**/.chat_texts", "SELECT * FROM loop(isolated.chat_texts_data)", "SELECT * FROM format(TSV, 'x String', (SELECT any(text) FROM isolated.chat_texts))",
		"SELECT * FROM numbers(10) WHERE (SELECT any(text) FROM isolated.chat_texts) LIKE 'g%'", "SELECT viewIfPermitted(SELECT text FROM isolated.chat_texts ELSE null('text String'))", "SELECT * FROM viewIfPermitted(SELECT text FROM isolated.chat_texts ELSE null('text String'))",
	}
	harmless := map[string]bool{} // answers that give away nothing of a text
	for _, sql := range []string{"SELECT * FROM viewIfPermitted(SELECT text FROM isolated.chat_texts ELSE null('text String'))", "SHOW GRANTS", "SHOW COLUMNS FROM chat_texts_data FROM isolated", "SELECT 1; SELECT text FROM isolated.chat_texts",
		"SELECT * FROM system.columns WHERE database = 'isolated' AND table LIKE 'chat_texts%'"} {
		harmless[sql] = true
	}
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		for _, sql := range tries {
			status, body := as("analyst", "a", sql, method)
			if strings.Contains(body, secret) {
				t.Errorf("%s %s: the answer holds the text: %d %.300s", method, sql, status, body)
			}
			touches := strings.Contains(sql, "chat_texts") || strings.Contains(sql, "evidence") || strings.Contains(sql, "appeal_steps")
			if status == 200 && touches && !harmless[sql] {
				t.Errorf("%s %s: it is answered: %.300s", method, sql, body)
			}
		}
	}
	for _, params := range [][]string{{"role", "admin"}, {"role", "reader"}, {"readonly", "0"}, {"database", isolated}, {"user", "default"}, {"param_x", "isolated.chat_texts"}} {
		if status, body := as("analyst", "a", "SELECT text FROM isolated.chat_texts", http.MethodPost, params...); status == 200 || strings.Contains(body, secret) {
			t.Errorf("with %v: %d %.300s", params, status, body)
		}
	}
	if status, body := as("analyst", "a", "SELECT * FROM {x:Identifier}.chat_texts", http.MethodPost, "param_x", isolated); status == 200 || strings.Contains(body, secret) {
		t.Errorf("by a parameter: %d %.300s", status, body)
	}
}
