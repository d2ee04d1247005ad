package clickhouse_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/zstd"
)

func TestPingNeedsNoUser(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/ping", "/"} {
		answer, err := http.Get("http://" + server(t).Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != 200 || string(text) != "Ok.\n" {
			t.Errorf("%s: %d %q", path, answer.StatusCode, text)
		}
	}
	answer, err := http.Get("http://" + server(t).Addr() + "/nosuch")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != 404 {
		t.Errorf("an unknown path: %d", answer.StatusCode)
	}
	if status, _, _ := send(t, request{method: http.MethodDelete}); status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", status)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	const sql = "SELECT 1 AS a, 'x' AS b"
	for _, test := range []struct {
		name string
		request
		want, format, kind string
	}{
		{"default", request{body: strings.NewReader(sql)}, "1\tx\n", "TabSeparated", "text/tab-separated-values; charset=UTF-8"},
		{"clause", request{body: strings.NewReader(sql + " FORMAT CSV")}, "1,\"x\"\n", "CSV", "text/csv; charset=UTF-8"},
		{"clause after settings", request{body: strings.NewReader(sql + " SETTINGS max_threads = 1 FORMAT CSV;\n-- end")}, "1,\"x\"\n", "CSV", "text/csv; charset=UTF-8"},
		{"parameter", request{body: strings.NewReader(sql), params: url.Values{"default_format": {"JSONEachRow"}}}, "{\"a\":1,\"b\":\"x\"}\n", "JSONEachRow", "application/x-ndjson; charset=UTF-8"},
		{"header", request{body: strings.NewReader(sql), header: http.Header{"X-Clickhouse-Format": {"TSVWithNames"}}}, "a\tb\n1\tx\n", "TSVWithNames", "text/tab-separated-values; charset=UTF-8"},
		{"in the URL", request{method: http.MethodGet, params: url.Values{"query": {sql}}}, "1\tx\n", "TabSeparated", "text/tab-separated-values; charset=UTF-8"},
		{"half in the URL", request{params: url.Values{"query": {"SELECT 1 AS a,"}}, body: strings.NewReader("'x' AS b")}, "1\tx\n", "TabSeparated", "text/tab-separated-values; charset=UTF-8"},
		{"in a form", request{
			header: http.Header{"Content-Type": {"multipart/form-data; boundary=b"}},
			body:   strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\n" + sql + "\r\n--b--\r\n"),
		}, "1\tx\n", "TabSeparated", "text/tab-separated-values; charset=UTF-8"},
		{"whole at the end", request{body: strings.NewReader(sql), params: url.Values{"wait_end_of_query": {"1"}}}, "1\tx\n", "TabSeparated", "text/tab-separated-values; charset=UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, text, header := send(t, test.request)
			if status != 200 || text != test.want {
				t.Errorf("%d %q, want %q", status, text, test.want)
			}
			if got := header.Get("X-ClickHouse-Format"); got != test.format {
				t.Errorf("format %q, want %q", got, test.format)
			}
			if got := header.Get("Content-Type"); got != test.kind {
				t.Errorf("content type %q, want %q", got, test.kind)
			}
		})
	}
	_, text := ask(t, sql+" FORMAT JSON")
	var parsed struct{ Data []map[string]any }
	if err := json.Unmarshal([]byte(text), &parsed); err != nil || len(parsed.Data) != 1 || parsed.Data[0]["b"] != "x" {
		t.Errorf("JSON: %q, %v", text, err)
	}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	t.Parallel()
	db := database(t, connect(t, nil))
	if status, text := ask(t, "CREATE TABLE "+db+".t (a UInt64) ENGINE = MergeTree ORDER BY a"); status != 200 {
		t.Fatal(text)
	}
	_, _, header := send(t, request{params: url.Values{"query_id": {"my-id"}, "query": {"INSERT INTO " + db + ".t FORMAT CSV"}}, body: strings.NewReader("1\n2\n3\n")})
	if header.Get("X-ClickHouse-Query-Id") != "my-id" || header.Get("X-ClickHouse-Timezone") == "" {
		t.Errorf("headers %v", header)
	}
	var summary map[string]string
	if err := json.Unmarshal([]byte(header.Get("X-ClickHouse-Summary")), &summary); err != nil || summary["written_rows"] != "3" {
		t.Errorf("summary of the INSERT: %q", header.Get("X-ClickHouse-Summary"))
	}
	_, _, header = send(t, request{body: strings.NewReader("SELECT sum(a) FROM " + db + ".t"), params: url.Values{"database": {db}}})
	if err := json.Unmarshal([]byte(header.Get("X-ClickHouse-Summary")), &summary); err != nil || summary["read_rows"] != "3" {
		t.Errorf("summary of the SELECT: %q", header.Get("X-ClickHouse-Summary"))
	}
	status, _, header := send(t, request{body: strings.NewReader("SELECT nosuch")})
	if status != 400 || header.Get("X-ClickHouse-Exception-Code") != "47" {
		t.Errorf("an error: %d %v", status, header)
	}
	if status, text := ask(t, "SELECT count() FROM t", "database", db); status != 200 || text != "3\n" {
		t.Errorf("by database: %d %q", status, text)
	}
}

func packed(t *testing.T, kind, text string) io.Reader {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "zstd":
		var err error
		if w, err = zstd.NewWriter(&out); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return &out
}

func TestCompressedByEncoding(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"gzip", "deflate", "zstd"} {
		status, text, header := send(t, request{
			params: url.Values{"enable_http_compression": {"1"}},
			header: http.Header{"Content-Encoding": {kind}, "Accept-Encoding": {kind}},
			body:   packed(t, kind, "SELECT repeat('x', 1000)"),
		})
		var plain io.Reader = strings.NewReader(text)
		var err error
		switch header.Get("Content-Encoding") {
		case "gzip":
			plain, err = gzip.NewReader(plain)
		case "deflate":
			plain, err = zlib.NewReader(plain)
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(plain)
		if status != 200 || err != nil || string(got) != strings.Repeat("x", 1000)+"\n" {
			t.Errorf("%s: %d %q %v", kind, status, got, err)
		}
	}
	for _, test := range []struct{ kind, body string }{{"gzip", "not gzip"}, {"deflate", "no"}, {"zstd", "no"}, {"br", "no"}} {
		status, text, _ := send(t, request{header: http.Header{"Content-Encoding": {test.kind}}, body: strings.NewReader(test.body)})
		if status < 400 || status >= 500 {
			t.Errorf("%s of %q: %d %q", test.kind, test.body, status, text)
		}
	}
}

// TestBrokenBodyInsertsNothing cuts the body of an INSERT short in each way that it can be: what came must not
// be taken for all.
func TestBrokenBodyInsertsNothing(t *testing.T) {
	t.Parallel()
	db := database(t, connect(t, nil))
	if status, text := ask(t, "CREATE TABLE "+db+".t (a UInt64) ENGINE = MergeTree ORDER BY a"); status != 200 {
		t.Fatal(text)
	}
	rows := func() string {
		_, text := ask(t, "SELECT count() FROM "+db+".t")
		return text
	}
	frame := compress.NewWriter(0, compress.LZ4)
	if err := frame.Compress([]byte("1\n2\n3\n")); err != nil {
		t.Fatal(err)
	}
	whole := string(frame.Data)
	wrong := []byte(whole)
	wrong[3]++
	zipped, _ := io.ReadAll(packed(t, "gzip", strings.Repeat("1\n", 5000)))
	for _, test := range []struct {
		name   string
		params url.Values
		header string
		body   string
	}{
		{"chunked, cut after a row", nil, "Transfer-Encoding: chunked\r\n", "4\r\n1\n2\n\r\n"},
		{"chunked, cut in a row", nil, "Transfer-Encoding: chunked\r\n", "5\r\n1\n2\n3\r\n"},
		{"a length that never comes", nil, "Content-Length: 100\r\n", "1\n2\n3\n"},
		{"a frame cut after its header", url.Values{"decompress": {"1"}}, fmt.Sprintf("Content-Length: %d\r\n", len(whole)+25), whole + whole[:25]},
		{"a frame cut in its header", url.Values{"decompress": {"1"}}, fmt.Sprintf("Content-Length: %d\r\n", len(whole)+9), whole + whole[:9]},
		{"a frame with a wrong checksum", url.Values{"decompress": {"1"}}, fmt.Sprintf("Content-Length: %d\r\n", 2*len(whole)), whole + string(wrong)},
		{"no frame at all", url.Values{"decompress": {"1"}}, "Content-Length: 6\r\n", "1\n2\n3\n"},
		{"gzip cut short", nil, fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(zipped)-6), string(zipped[:len(zipped)-6])},
		{"a row of another type", nil, "Content-Length: 8\r\n", "1\n2\nxyz\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			params := url.Values{"query": {"INSERT INTO " + db + ".t FORMAT CSV"}}
			for key, value := range test.params {
				params[key] = value
			}
			conn, err := net.Dial("tcp", server(t).Addr())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprintf(conn, "POST /?%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n%s", params.Encode(), test.header, test.body)
			_ = conn.(*net.TCPConn).CloseWrite()
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				text, _ := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode == 200 {
					t.Errorf("acknowledged: %q", text)
				}
			}
			_ = conn.Close()
			eventually(t, "the INSERT is over", func() bool { return running(t, connect(t, nil), db+".t") == 0 })
			if got := rows(); got != "0\n" {
				t.Errorf("rows: %q", got)
			}
		})
	}
	status, text, _ := send(t, request{params: url.Values{"query": {"INSERT INTO " + db + ".t FORMAT CSV"}, "decompress": {"1"}}, body: strings.NewReader(whole + whole)})
	if status != 200 || rows() != "6\n" {
		t.Errorf("the whole frames: %d %q %q", status, text, rows())
	}
}

func TestLongBodies(t *testing.T) {
	t.Parallel()
	db := database(t, connect(t, nil))
	if status, text := ask(t, "CREATE TABLE "+db+".t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"); status != 200 {
		t.Fatal(text)
	}
	line := "7,\"" + strings.Repeat("x", 100) + "\"\n"
	const lines = 30000 // 3 MB: more than a statement may have
	if status, text := ask(t, "INSERT INTO "+db+".t FORMAT CSV\n"+strings.Repeat(line, lines)); status != 200 {
		t.Errorf("data behind the statement: %d %.200q", status, text)
	}
	values := strings.Repeat("(7,'"+strings.Repeat("x", 100)+"'),", lines)
	if status, text := ask(t, "INSERT INTO "+db+".t VALUES "+values[:len(values)-1]); status != 200 {
		t.Errorf("values behind the statement: %d %.200q", status, text)
	}
	if _, text := ask(t, "SELECT count() FROM "+db+".t WHERE a = 7 AND length(b) = 100"); text != fmt.Sprintln(2*lines) {
		t.Errorf("rows: %q", text)
	}
	for name, sql := range map[string]string{
		"a long SELECT":        "SELECT '" + strings.Repeat("x", 2<<20) + "'",
		"a long head":          "INSERT INTO " + db + ".t (" + strings.Repeat("a, ", 1<<20) + "a) FORMAT CSV\n1\n",
		"a comment to the end": "SELECT 1 /*" + strings.Repeat("x", 2<<20),
	} {
		if status, text := ask(t, sql); status != 400 || !strings.Contains(text, "Code: 62") {
			t.Errorf("%s: %d %.200q", name, status, text)
		}
	}
}

// TestValuesInAStreamAreNoExpressions: what this server cannot look at first must not be run.
func TestValuesInAStreamAreNoExpressions(t *testing.T) {
	t.Parallel()
	db := database(t, connect(t, nil))
	if status, text := ask(t, "CREATE TABLE "+db+".t (a String) ENGINE = MergeTree ORDER BY a"); status != 200 {
		t.Fatal(text)
	}
	for _, test := range []struct {
		values  string
		inQuery bool
		want    int
	}{
		{"('plain'), ('it''s')", true, 200}, {"('plain')", false, 200},
		{"(concat('a', 'b'))", true, 200}, {"(concat('a', 'b'))", false, 500},
		{"(file('/etc/hostname'))", true, 403}, {"(file('/etc/hostname'))", false, 500},
		{"((SELECT 'x'))", true, 403}, {"((SELECT 'x'))", false, 500},
	} {
		params, body := url.Values{}, "INSERT INTO "+db+".t VALUES "+test.values
		if !test.inQuery {
			params.Set("query", "INSERT INTO "+db+".t VALUES")
			body = test.values
		}
		if status, text, _ := send(t, request{params: params, body: strings.NewReader(body)}); status != test.want {
			t.Errorf("%s (in the statement: %t): %d, want %d: %q", test.values, test.inQuery, status, test.want, text)
		}
	}
}

func TestFormsAreBounded(t *testing.T) {
	t.Parallel()
	part := func(name, text string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"\"\r\n\r\n" + text + "\r\n"
	}
	for _, test := range []struct {
		name, form string
		params     url.Values
		want       int
		answer     string
	}{
		{"a table", part("ext", "1\n2\n") + part("query", "SELECT sum(a) FROM ext"), url.Values{"ext_structure": {"a UInt8"}}, 200, "3\n"},
		{"types only", part("ext", "1\tx\n2\ty\n") + part("query", "SELECT sum(_1), max(_2) FROM ext"), url.Values{"ext_types": {"UInt8,Nullable(String)"}}, 200, "3\ty\n"},
		{"another format", part("ext", "1\n2\n") + part("query", "SELECT sum(a) FROM ext"), url.Values{"ext_structure": {"a UInt8"}, "ext_format": {"CSV"}}, 200, "3\n"},
		{"no structure", part("ext", "1\n") + part("query", "SELECT 1"), nil, 400, "needs its columns"},
		{"an expression", part("ext", "1\n") + part("query", "SELECT 1"), url.Values{"ext_structure": {"a String DEFAULT file('/etc/hostname')"}}, 400, "names and types only"},
		{"a way out", part("ext", "1\n") + part("query", "SELECT 1"), url.Values{"ext_structure": {"a String) ENGINE = File(CSV, '/etc/hostname') --"}}, 400, "Code: 62"},
		{"a query for a structure", part("ext", "1\n") + part("query", "SELECT 1"), url.Values{"ext_structure": {"a String) AS (SELECT 1"}}, 400, "Code: 62"},
		{"an odd name", part("a b", "1\n") + part("query", "SELECT 1"), nil, 400, "no name"},
		{"too many", strings.Repeat(part("ext", ""), 200), nil, 413, "external tables"},
		{"cut short", strings.TrimSuffix(part("query", "SELECT 1"), "\r\n"), nil, 400, "cannot be read"},
		{"a long statement", part("query", strings.Repeat("x", 2<<20)), nil, 413, "larger than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, text, _ := send(t, request{
				params: test.params, header: http.Header{"Content-Type": {"multipart/form-data; boundary=b"}},
				body: strings.NewReader(test.form + "--b--\r\n"),
			})
			if status != test.want || !strings.Contains(text, test.answer) {
				t.Errorf("%d %q, want %d %q", status, text, test.want, test.answer)
			}
		})
	}
}

// TestPanicsArePanics: the engine's own signal handlers would turn a nil dereference into a hang, and the one
// for stack traces would run on the stacks of goroutines.
func TestPanicsArePanics(t *testing.T) {
	t.Parallel()
	for range 20 {
		if status, text := ask(t, "SELECT count() > 0 FROM system.stack_trace"); status != 200 || text != "1\n" {
			t.Fatalf("%d %q", status, text)
		}
	}
	caught := func() (cause any) {
		defer func() { cause = recover() }()
		var nothing *request
		_ = nothing.method
		return nil
	}()
	if caught == nil {
		t.Error("no panic")
	}
	if err := connect(t, nil).Ping(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestDeepNestingIsAnError: the engine's parsers recurse on the stack of whichever thread calls them.
func TestDeepNestingIsAnError(t *testing.T) {
	t.Parallel()
	const depth = 100000
	for name, sql := range map[string]string{
		"brackets":   "SELECT " + strings.Repeat("(", depth) + "1" + strings.Repeat(")", depth),
		"arrays":     "SELECT " + strings.Repeat("[", depth) + "1" + strings.Repeat("]", depth),
		"subqueries": "SELECT * FROM " + strings.Repeat("(SELECT * FROM ", 20000) + "(SELECT 1)" + strings.Repeat(")", 20000),
		"functions":  "SELECT " + strings.Repeat("toString(", 50000) + "1" + strings.Repeat(")", 50000),
		"not":        "SELECT " + strings.Repeat("NOT ", depth) + "1",
	} {
		for _, params := range [][]string{nil, {"max_parser_depth", "1000000", "max_ast_depth", "1000000", "max_parser_backtracks", "100000000"}} {
			if status, text := ask(t, sql, params...); status < 400 || len(text) > 10000 {
				t.Errorf("%s %v: %d, %d bytes", name, params, status, len(text))
			}
		}
	}
	if status, text := ask(t, "SELECT 1"); status != 200 {
		t.Errorf("afterwards: %d %q", status, text)
	}
}
