package clickhouse_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// request is one raw request to the shared server.
type request struct {
	method, user, password string
	params                 url.Values
	header                 http.Header
	body                   io.Reader
}

// send gives the status, the body, and the headers of the answer.
func send(t *testing.T, q request) (int, string, http.Header) {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(context.Background(), q.method, "http://"+server(t).Addr()+"/?"+q.params.Encode(), q.body)
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range q.header {
		r.Header[key] = values
	}
	if host := q.header.Get("Host"); host != "" {
		r.Host = host
	}
	if q.user != "" {
		r.SetBasicAuth(q.user, q.password)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Logf("the answer breaks off: %v", err)
	}
	return answer.StatusCode, string(text), answer.Header
}

// ask runs a statement as the user without password.
func ask(t *testing.T, sql string, params ...string) (int, string) {
	t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	status, text, _ := send(t, request{body: strings.NewReader(sql), params: values})
	return status, text
}

func as(name, password string) func(*clickhouse.Options) {
	return func(o *clickhouse.Options) { o.Auth.Username, o.Auth.Password = name, password }
}

func TestEvasionsAreRefused(t *testing.T) {
	t.Parallel()
	const secret = "the-secret-in-the-file"
	dir := t.TempDir()
	read, write := filepath.Join(dir, "secret.txt"), filepath.Join(dir, "written")
	if err := os.WriteFile(read, []byte(secret+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	db := database(t, connect(t, nil))
	if status, text := ask(t, "CREATE TABLE "+db+".t (a String) ENGINE = MergeTree ORDER BY a"); status != 200 {
		t.Fatal(text)
	}
	fill := strings.NewReplacer("@READ", read, "@WRITE", write, "@DB", db, "@DIR", dir)
	for _, sql := range []string{
		// Reading files.
		"SELECT * FROM file('@READ', 'LineAsString')",
		"SELECT * FROM FILE('@READ', 'LineAsString', 'a String')",
		"SELECT * FROM `file`('@READ', 'LineAsString')",
		"SELECT * FROM \"file\"('@READ', 'LineAsString')",
		"SELECT * FROM `f\\x69le`('@READ', 'LineAsString')",
		"SELECT * FROM /* x */ file /* y */ ('@READ', 'LineAsString')",
		"SELECT * FROM file -- x\n ('@READ', 'LineAsString')",
		"SELECT * FROM file # x\n ('@READ', 'LineAsString')",
		"SELECT 1 /* /* */ , file('@READ') /* */ */",
		"SELECT file('@READ')",
		"SELECT `file`('@READ')",
		"WITH file('@READ') AS x SELECT x",
		"WITH x AS (SELECT * FROM file('@READ', 'LineAsString')) SELECT * FROM x",
		"SELECT (SELECT * FROM file('@READ', 'LineAsString') LIMIT 1)",
		"SELECT 1 IN (SELECT file('@READ'))",
		"SELECT arrayMap(x -> file(x), ['@READ'])",
		"SELECT * FROM view(SELECT * FROM file('@READ', 'LineAsString'))",
		"SELECT * FROM loop(file('@READ', 'LineAsString'))",
		"SELECT * FROM `@READ`",
		"SELECT * FROM default.`@READ`",
		"SELECT * FROM \"default\".\"@READ\"",
		"SELECT * FROM '@READ'",
		"FROM file('@READ', 'LineAsString') SELECT *",
		"DESCRIBE file('@READ')",
		"DESCRIBE TABLE file('@READ', 'LineAsString')",
		"EXPLAIN SELECT file('@READ')",
		"CREATE VIEW @DB.v1 AS SELECT * FROM file('@READ', 'LineAsString')",
		"CREATE VIEW @DB.v2 AS SELECT file('@READ')",
		"CREATE MATERIALIZED VIEW @DB.v3 ENGINE = Memory AS SELECT file('@READ') FROM @DB.t",
		"CREATE TABLE @DB.t1 ENGINE = Memory AS SELECT * FROM file('@READ', 'LineAsString')",
		"CREATE TABLE @DB.t2 AS file('@READ', 'LineAsString')",
		"CREATE TABLE @DB.t3 (a String) ENGINE = File('LineAsString', '@READ')",
		"CREATE TABLE @DB.t4 (a String) ENGINE File(LineAsString, '@READ')",
		"CREATE TABLE @DB.t5 (a String) ENGINE = `File`('LineAsString', '@READ')",
		"CREATE TABLE @DB.t6 (a String DEFAULT file('@READ')) ENGINE = Memory",
		"CREATE TEMPORARY TABLE t7 (a String) ENGINE = File('LineAsString', '@READ')",
		"CREATE OR REPLACE TABLE @DB.t8 (a String) ENGINE = File('LineAsString', '@READ')",
		"ALTER TABLE @DB.t ADD COLUMN b String DEFAULT file('@READ')",
		"ALTER TABLE @DB.t UPDATE a = file('@READ') WHERE 1",
		"INSERT INTO @DB.t SELECT file('@READ')",
		"INSERT INTO @DB.t SELECT * FROM file('@READ', 'LineAsString')",
		"INSERT INTO @DB.t (a) VALUES (file('@READ'))",
		"INSERT INTO @DB.t VALUES ((SELECT file('@READ')))",
		"INSERT INTO @DB.t FROM INFILE '@READ' FORMAT LineAsString",
		"INSERT INTO @DB.t (a) FROM /**/ INFILE '@READ' FORMAT LineAsString",
		"INSERT INTO @DB.t SETTINGS async_insert=0 FROM INFILE '@READ' FORMAT LineAsString",
		"CREATE DATABASE d1 ENGINE = Filesystem('@DIR')",
		"CREATE DATABASE d2 ENGINE = `Filesystem`('@DIR')",
		"CREATE DICTIONARY @DB.dict (a String) PRIMARY KEY a SOURCE(FILE(path '@READ' format 'LineAsString')) LAYOUT(flat()) LIFETIME(0)",
		"CREATE OR REPLACE DICTIONARY @DB.dict (a String) PRIMARY KEY a SOURCE(FILE(path '@READ' format 'LineAsString')) LAYOUT(flat()) LIFETIME(0)",
		"ATTACH TABLE @DB.a1 FROM '@DIR' (a String) ENGINE = MergeTree ORDER BY a",
		"ATTACH TABLE @DB.a2 UUID '7b2c2f9e-0000-4000-8000-000000000001' (a String) ENGINE = File('LineAsString', '@READ')",
		"SELECT 1 FORMAT Template SETTINGS format_template_resultset = '@READ'",
		"SELECT 1 SETTINGS format_template_row = '@READ' FORMAT Template",
		"SELECT 1 SETTINGS `format_template_resultset` = '@READ' FORMAT Template",
		"SELECT 1 SETTINGS format_schema = '@READ:x' FORMAT Protobuf",
		"SELECT * FROM sqlite('@READ', 'x')",
		"SELECT * FROM icebergLocal('@DIR')",
		"SELECT * FROM deltaLakeLocal('@DIR')",
		"SELECT catboostEvaluate('@READ', 1)",
		"SELECT * FROM filesystem('@DIR')",
		"SELECT * FROM fileCluster('default', '@READ', 'LineAsString')",
		"SELECT * APPLY file FROM (SELECT '@READ')",
		"SELECT * APPLY(file) FROM (SELECT '@READ')",
		"SELECT COLUMNS('x') APPLY `file` FROM (SELECT '@READ' AS x)",
		"SELECT arrayMap(file, ['@READ'])",
		"SELECT * FROM format(JSONEachRow, 'a String, b String DEFAULT file(\\'@READ\\')', '{\"a\":1}')",
		"SELECT * FROM format('JSONEachRow', 'a String, b String DEFAULT file(\\'@READ\\')', '{\"a\":1}')",
		"SELECT * FROM `format`(concat('JSON', 'EachRow'), 'a String', '{}')",
		"SELECT * FROM format(Values, 'a String', '(file(\\'@READ\\'))')",
		"SELECT * FROM eval('SELECT file(\\'@READ\\')')",
		"INSERT INTO @DB.t SELECT b FROM input('a String, b String DEFAULT file(\\'@READ\\')') FORMAT JSONEachRow {\"a\":1}",
		"INSERT INTO @DB.t SETTINGS input_format_values_interpret_expressions = 1 FORMAT Values (concat('a', 'b'))",
		"SELECT 1 SETTINGS additional_result_filter = 'throwIf(1, file(\\'@READ\\'))'",
		"SELECT 1 SETTINGS `additional_result_filter` = 'throwIf(1, file(\\'@READ\\'))'",
		"SELECT * FROM @DB.t SETTINGS additional_table_filters = {'@DB.t': 'file(\\'@READ\\') = 1'}",
		"SELECT 1 SETTINGS schema_inference_hints = 'a String DEFAULT file(\\'@READ\\')'",
		"SELECT * FROM dictionary('@DB.t')",
		// Writing files.
		"SELECT * FROM @DB.t SETTINGS input_format_record_errors_file_path = '@WRITE'",
		"SELECT 1 AS a SETTINGS output_format_schema = '@WRITE' FORMAT Protobuf",
		"SELECT 1 INTO OUTFILE '@WRITE'",
		"SELECT 1 into/**/outfile '@WRITE'",
		"SELECT 1 INTO\nOUTFILE '@WRITE' FORMAT CSV",
		"(SELECT 1) INTO OUTFILE '@WRITE'",
		"SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '@WRITE' TRUNCATE",
		"SHOW TABLES INTO OUTFILE '@WRITE'",
		"EXPLAIN SELECT 1 INTO OUTFILE '@WRITE'",
		"DESCRIBE TABLE @DB.t INTO OUTFILE '@WRITE'",
		"EXISTS TABLE @DB.t INTO OUTFILE '@WRITE'",
		"WITH 1 AS x SELECT x INTO OUTFILE '@WRITE'",
		"INSERT INTO FUNCTION file('@WRITE', 'CSV') SELECT 1",
		"INSERT INTO TABLE FUNCTION file('@WRITE', 'CSV', 'a UInt8') VALUES (1)",
		"INSERT INTO FUNCTION `file`('@WRITE', 'CSV', 'a UInt8') FORMAT CSV 1",
		"CREATE TABLE @DB.w1 (a String, b String) ENGINE = EmbeddedRocksDB(0, '@WRITE') PRIMARY KEY a",
		"CREATE TABLE @DB.w2 (a String) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '@WRITE/')",
		"CREATE TABLE @DB.w3 (a String) ENGINE = MergeTree ORDER BY a SETTINGS disk = `disk`(type = local, path = '@WRITE/')",
		"CREATE TABLE @DB.w4 (a String) ENGINE = SQLite('@WRITE', 't')",
		"CREATE TABLE @DB.w5 (a Int32) ENGINE = IcebergLocal('@WRITE/')",
		"CREATE TABLE @DB.w6 (a String) ENGINE = FileLog('@DIR', 'LineAsString')",
		"CREATE DATABASE w7 ENGINE = SQLite('@WRITE')",
		"BACKUP DATABASE @DB TO File('@WRITE')",
		"BACKUP TABLE @DB.t TO Disk('default', 'x')",
		"RESTORE DATABASE @DB FROM File('@READ')",
		// Other machines and programs.
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT * FROM URL ('http://127.0.0.1:1/', LineAsString)",
		"SELECT * FROM s3('http://127.0.0.1:1/b/k', 'LineAsString')",
		"SELECT * FROM remote('127.0.0.1', system.one)",
		"SELECT * FROM remoteSecure('127.0.0.1', system, one)",
		"SELECT * FROM cluster('default', system.one)",
		"SELECT * FROM clusterAllReplicas('default', system, one)",
		"SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"SELECT * FROM mongodb('127.0.0.1:1', 'a', 'b', 'c', 'd', 'e String')",
		"SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
		"SELECT * FROM odbc('DSN=x', 'a', 'b')",
		"SELECT * FROM jdbc('x', 'a', 'b')",
		"SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'LineAsString', 'a String')",
		"SELECT * FROM azureBlobStorage('x', 'y', 'z')",
		"SELECT * FROM executable('true', 'TSV', 'a String')",
		"CREATE TABLE @DB.n1 (a String) ENGINE = URL('http://127.0.0.1:1/', 'CSV')",
		"CREATE TABLE @DB.n2 (a String) ENGINE = S3('http://127.0.0.1:1/b/k', 'CSV')",
		"CREATE TABLE @DB.n3 AS @DB.t ENGINE = Distributed('default', '@DB', 't')",
		"CREATE TABLE @DB.n4 (a String) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'CSV')",
		"CREATE TABLE @DB.n5 (a String) ENGINE = MySQL('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"CREATE TABLE @DB.n6 (a String) ENGINE = PostgreSQL('127.0.0.1:1', 'a', 'b', 'c', 'd')",
		"CREATE TABLE @DB.n7 (a String) ENGINE = Executable('true', 'TSV')",
		"CREATE TABLE @DB.n8 (a String) ENGINE = ExecutablePool('true', 'TSV')",
		"CREATE TABLE @DB.n9 AS remote('127.0.0.1', system.one)",
		"CREATE DATABASE n10 ENGINE = MySQL('127.0.0.1:1', 'a', 'b', 'c')",
		"CREATE DATABASE n11 ENGINE = PostgreSQL('127.0.0.1:1', 'a', 'b', 'c')",
		"CREATE DATABASE n12 ENGINE = Remote('127.0.0.1')",
		"CREATE DICTIONARY @DB.d3 (a UInt64, b String) PRIMARY KEY a SOURCE(EXECUTABLE(command 'touch @WRITE' format 'TSV')) LAYOUT(flat()) LIFETIME(0)",
		"CREATE/**/DICTIONARY @DB.d4 (a UInt64) PRIMARY KEY a SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'TSV')) LAYOUT(flat()) LIFETIME(0)",
		"CREATE NAMED COLLECTION c AS url = 'http://127.0.0.1:1/'",
		"CREATE FUNCTION f AS (x) -> file(x)",
		"CREATE FUNCTION g AS (x) -> x",
		"SELECT 1 SETTINGS format_avro_schema_registry_url = 'http://127.0.0.1:1/'",
		// Rights.
		"CREATE USER eve", "CREATE ROLE eve", "GRANT ALL ON *.* TO default", "REVOKE SELECT ON *.* FROM default",
		"ALTER USER default IDENTIFIED BY 'x'", "SET ROLE admin", "SET DEFAULT ROLE NONE TO default", "EXECUTE AS default SELECT 1", "DROP USER default",
		"CREATE ROW POLICY p ON @DB.t USING 1 TO ALL", "CREATE QUOTA q TO default", "CREATE SETTINGS PROFILE p",
		// The process.
		"SYSTEM SHUTDOWN", "system/**/kill", "SYSTEM RELOAD CONFIG", "SYSTEM SUSPEND FOR 1 SECOND", "SYSTEM STOP LISTEN HTTP", "SYSTEM RELOAD USERS",
		"SYSTEM DROP REPLICA 'x'", "SYSTEM UNFREEZE WITH NAME 'x'", "SYSTEM RELOAD DICTIONARIES",
		// Another grammar, more statements, odd bytes.
		"SET dialect = 'kusto'", "SELECT 1 SETTINGS dialect = 'prql'", "SELECT 1 SETTINGS implicit_select = 1",
		"SELECT 1; SELECT file('@READ')", "SELECT 1;;SELECT 2", "INSERT INTO @DB.t SELECT 'x'; DROP TABLE @DB.t",
		"SELECT $$x$$, file('@READ')", "SELECT $a$ ' $a$, file('@READ')", "SELECT 'a\\', file('@READ'), '",
		"SELECT “file”('@READ')", "SELECT\u00a0file('@READ')", "SELECT 1\x00 FROM file('@READ')", "SELECT 1 \\G",
		"exit", "quit", "\\q", "help", "file('@READ')",
	} {
		status, text := ask(t, fill.Replace(sql))
		if status < 400 {
			t.Errorf("%s: answered with %d: %q", sql, status, text)
		}
		if strings.Contains(text, secret) {
			t.Errorf("%s: gave the file away: %q", sql, text)
		}
		if strings.HasPrefix(text, "Code: 1002.") {
			t.Errorf("%s: an error without a code: %q", sql, text)
		}
		if _, err := os.Stat(write); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s: wrote a file", sql)
		}
	}
	if status, text := ask(t, "SELECT count() FROM "+db+".t"); status != 200 || text != "0\n" {
		t.Errorf("something was inserted or the table is gone: %d %q", status, text)
	}
}

func TestSettingsInTheURLAreGuarded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ user, key, value string }{
		{"default", "dialect", "kusto"}, {"default", "implicit_select", "1"}, {"default", "format_template_resultset", "/etc/hostname"},
		{"default", "format_schema", "x:y"}, {"default", "max_memory_usage", "900000000000"}, {"default", "bad-name", "1"}, {"default", "a b", "1"},
		{"default", "no_such_setting_at_all", "1"}, {"reader", "readonly", "0"}, {"reader", "allow_ddl", "1"}, {"reader", "max_memory_usage", "1"},
		{"reader", "output_format_schema", "/tmp/x"}, {"default", "output_format_schema", "/tmp/x"},
	} {
		password := ""
		if test.user == "reader" {
			password = readerPassword
		}
		status, text, _ := send(t, request{user: test.user, password: password, body: strings.NewReader("SELECT 1"), params: url.Values{test.key: {test.value}}})
		if status < 400 {
			t.Errorf("%s may set %s to %s: %q", test.user, test.key, test.value, text)
		}
	}
	status, text, _ := send(t, request{user: "reader", password: readerPassword, body: strings.NewReader("SELECT getSetting('max_execution_time')"), params: url.Values{"max_execution_time": {"17"}}})
	if status != 200 || text != "17\n" {
		t.Errorf("the reader's harmless setting: %d %q", status, text)
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	admin := connect(t, nil)
	ctx, db := context.Background(), database(t, admin)
	for _, sql := range []string{
		"CREATE TABLE " + db + ".t (a UInt64) ENGINE = MergeTree ORDER BY a",
		"INSERT INTO " + db + ".t VALUES (1)",
		"CREATE VIEW " + db + ".v AS SELECT a + 1 AS b FROM " + db + ".t",
	} {
		if err := admin.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	conns := map[string]driver.Conn{"reader": connect(t, as("reader", readerPassword)), "writer": connect(t, as("writer", writerPassword))}
	for _, test := range []struct {
		sql            string
		reader, writer bool
	}{
		{"SELECT * FROM @DB.t", true, true},
		{"SELECT b FROM @DB.v", true, true},
		{"SELECT a FROM @DB.t SETTINGS max_threads = 1", false, true},
		{"SELECT format('{}-{}', a, b) FROM (SELECT 1 AS a, 2 AS b)", true, true},
		{"SELECT * FROM format(JSONEachRow, 'a String', '{}')", false, false},
		{"SHOW TABLES FROM @DB", true, true},
		{"SHOW CREATE TABLE @DB.t", true, true},
		{"DESCRIBE TABLE @DB.t", true, true},
		{"EXPLAIN SELECT * FROM @DB.t", true, true},
		{"SELECT count() FROM system.parts", true, true},
		{"INSERT INTO @DB.t VALUES (2)", false, true},
		{"INSERT INTO @DB.t SELECT 3", false, true},
		{"CREATE TABLE @DB.x (a UInt8) ENGINE = Memory", false, false},
		{"CREATE TEMPORARY TABLE x (a UInt8)", false, false},
		{"CREATE VIEW @DB.x AS SELECT 1", false, false},
		{"CREATE DATABASE " + db + "_x", false, false},
		{"DROP TABLE @DB.t", false, false},
		{"TRUNCATE TABLE @DB.t", false, false},
		{"ALTER TABLE @DB.t ADD COLUMN c UInt8", false, false},
		{"ALTER TABLE @DB.t DELETE WHERE 1", false, false},
		{"DELETE FROM @DB.t WHERE 1", false, false},
		{"RENAME TABLE @DB.t TO @DB.u", false, false},
		{"OPTIMIZE TABLE @DB.t FINAL", false, false},
		{"KILL QUERY WHERE 1", false, false},
		{"SYSTEM STOP MERGES", false, false},
		{"SELECT 1 SETTINGS readonly = 0", false, false},
		{"SELECT 1 SETTINGS allow_ddl = 1", false, false},
		{"SET readonly = 0", false, false},
		{"SET ROLE admin", false, false},
		{"DETACH TABLE @DB.t", false, false},
		{"EXCHANGE TABLES @DB.t AND @DB.u", false, false},
	} {
		sql := strings.ReplaceAll(test.sql, "@DB", db)
		for name, allowed := range map[string]bool{"reader": test.reader, "writer": test.writer} {
			err := conns[name].Exec(ctx, sql)
			var exception *clickhouse.Exception
			switch {
			case allowed && err != nil:
				t.Errorf("the %s may not %s: %v", name, test.sql, err)
			case !allowed && err == nil:
				t.Errorf("the %s may %s", name, test.sql)
			case !allowed && !errors.As(err, &exception):
				t.Errorf("%s as %s: not typed: %v", test.sql, name, err)
			}
		}
	}
	var sum uint64
	if err := admin.QueryRow(ctx, "SELECT sum(a) FROM "+db+".t").Scan(&sum); err != nil || sum != 6 {
		t.Errorf("sum %d, want 6 (1, and the writer's 2 and 3); %v", sum, err)
	}
}

func TestReadingByGetHasNoEffect(t *testing.T) {
	t.Parallel()
	db := database(t, connect(t, nil))
	for sql, allowed := range map[string]bool{"SELECT 1": true, "CREATE TABLE " + db + ".g (a UInt8) ENGINE = Memory": false, "DROP DATABASE " + db: false} {
		status, text, _ := send(t, request{method: http.MethodGet, params: url.Values{"query": {sql}}})
		if (status == 200) != allowed {
			t.Errorf("%s: %d %q", sql, status, text)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	key := func(user, key string) http.Header {
		return http.Header{"X-Clickhouse-User": {user}, "X-Clickhouse-Key": {key}}
	}
	for _, test := range []struct {
		name string
		request
		want int
	}{
		{"nobody is default", request{}, 200},
		{"basic", request{user: "reader", password: readerPassword}, 200},
		{"odd bytes in the password", request{user: "writer", password: writerPassword}, 200},
		{"headers", request{header: key("reader", readerPassword)}, 200},
		{"parameters", request{params: url.Values{"user": {"reader"}, "password": {readerPassword}}}, 200},
		{"wrong password", request{user: "reader", password: "x"}, 403},
		{"no password", request{user: "reader"}, 403},
		{"longer password", request{user: "reader", password: readerPassword + "x"}, 403},
		{"password for default", request{user: "default", password: "x"}, 403},
		{"unknown user", request{user: "eve"}, 403},
		{"headers win over parameters", request{header: key("reader", "x"), params: url.Values{"user": {"default"}}}, 403},
		{"another host", request{header: http.Header{"Host": {"evil.example"}}}, 403},
		{"localhost", request{header: http.Header{"Host": {"localhost:8123"}}}, 200},
		{"a page from elsewhere", request{header: http.Header{"Origin": {"http://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.body = strings.NewReader("SELECT 1")
			status, text, _ := send(t, test.request)
			if status != test.want {
				t.Errorf("status %d, want %d: %q", status, test.want, text)
			}
		})
	}
}
