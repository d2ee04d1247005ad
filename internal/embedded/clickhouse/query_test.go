package clickhouse_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func TestParametersKeepNastyStrings(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	for _, text := range []string{
		"", "plain", "it's", `back\slash`, "\\", `\'`, "tab\tnewline\nreturn\r", "nul\x00inside", "`quoted` \"double\"",
		"{x:String}", "; DROP TABLE t", "-- comment", "/* */", "亲，在的 👋", "$tag$", "%s?&=+ ", "\\N", "NULL", "\xff\xfe",
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			t.Parallel()
			var got string
			if err := conn.QueryRow(context.Background(), "SELECT {s:String}", clickhouse.Named("s", text)).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != text {
				t.Errorf("named: got %q, want %q", got, text)
			}
			if text == "\xff\xfe" || text == "nul\x00inside" {
				return // the client itself cannot write these into the statement
			}
			if err := conn.QueryRow(context.Background(), "SELECT ?", text).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != text {
				t.Errorf("positional: got %q, want %q", got, text)
			}
		})
	}
}

func TestParametersOfOtherTypes(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(clickhouse.Parameters{
		"list": "['x','y\\'z']", "number": "41", "at": "2026-11-05 01:02:03.000004", "table": "one", "db": "system",
	}))
	var joined string
	var number uint64
	var at time.Time
	err := conn.QueryRow(ctx, `SELECT arrayStringConcat({list:Array(String)}, '+'), toUInt64({number:UInt8} + 1), {at:DateTime64(6, 'UTC')}
		FROM {db:Identifier}.{table:Identifier}`).Scan(&joined, &number, &at)
	if err != nil {
		t.Fatal(err)
	}
	if joined != "x+y'z" || number != 42 || at.UnixMicro() != 1793840523000004 {
		t.Errorf("got %q %d %d", joined, number, at.UnixMicro())
	}
}

func TestSettingsEndWithTheRequest(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	var value string
	ask := func(ctx context.Context) string {
		t.Helper()
		if err := conn.QueryRow(ctx, "SELECT toString(getSetting('max_block_size'))").Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	before := ask(context.Background())
	during := ask(clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 1234})))
	if after := ask(context.Background()); during != "1234" || before == "1234" || after != before {
		t.Errorf("before %s, during %s, after %s", before, during, after)
	}
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	for _, test := range []struct {
		name   string
		sql    string
		code   int32
		status int
	}{
		{"unknown table", "SELECT * FROM default.nosuch", 60, http.StatusNotFound},
		{"unknown database", "SELECT * FROM nosuch.t", 81, http.StatusNotFound},
		{"syntax", "SELEC 1", 62, http.StatusBadRequest},
		{"syntax later", "SELECT 1 FROM (SELECT", 62, http.StatusBadRequest},
		{"unknown function", "SELECT nosuch(1)", 46, http.StatusBadRequest},
		{"unknown column", "SELECT x", 47, http.StatusBadRequest},
		{"bad cast", "SELECT toUInt8('x')", 6, http.StatusBadRequest},
		{"memory", "SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 10000000", 241, http.StatusInternalServerError},
		{"time", "SELECT max(sipHash64(number)) FROM numbers(1000000000000) SETTINGS max_execution_time = 1", 159, http.StatusRequestTimeout},
		{"two statements", "SELECT 1; SELECT 2", 62, http.StatusBadRequest},
		{"empty", "  ; ", 62, http.StatusBadRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := conn.Exec(context.Background(), test.sql)
			var exception *clickhouse.Exception
			var status *clickhouse.HTTPError
			if !errors.As(err, &exception) || !errors.As(err, &status) {
				t.Fatalf("not typed: %v", err)
			}
			if exception.Code != test.code || status.StatusCode != test.status {
				t.Errorf("code %d status %d, want %d %d: %v", exception.Code, status.StatusCode, test.code, test.status, err)
			}
			rows, err := conn.Query(context.Background(), test.sql)
			if err == nil {
				_ = rows.Close()
			}
			if exception = nil; !errors.As(err, &exception) || exception.Code != test.code {
				t.Errorf("as a query: %v", err)
			}
		})
	}
}

func TestErrorInTheMiddleOfRows(t *testing.T) {
	t.Parallel()
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionGZIP} {
		t.Run(method.String(), func(t *testing.T) {
			t.Parallel()
			conn := connect(t, func(o *clickhouse.Options) {
				o.Compression = &clickhouse.Compression{Method: method, Level: 1}
				o.Settings = clickhouse.Settings{"enable_http_compression": 1}
			})
			rows, err := conn.Query(context.Background(), "SELECT throwIf(number = 300000, 'far in'), toString(number) FROM numbers(400000)")
			count := 0
			if err == nil {
				for rows.Next() {
					count++
				}
				err = rows.Err()
			}
			var exception *clickhouse.Exception
			if !errors.As(err, &exception) || exception.Code != 395 {
				t.Fatalf("after %d rows: %v", count, err)
			}
			if count == 0 || count >= 400000 {
				t.Errorf("%d rows before the error", count)
			}
		})
	}
}

func TestManyRowsStream(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	const want = 200000
	rows, err := conn.Query(context.Background(), "SELECT number, toString(number) FROM numbers({n:UInt64})", clickhouse.Named("n", want))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var count, sum, number uint64
	var text string
	for rows.Next() {
		if err := rows.Scan(&number, &text); err != nil {
			t.Fatal(err)
		}
		if text != fmt.Sprint(number) {
			t.Fatalf("row %d says %q", number, text)
		}
		count, sum = count+1, sum+number
	}
	if rows.Err() != nil || count != want || sum != want*(want-1)/2 {
		t.Errorf("%d rows, sum %d, %v", count, sum, rows.Err())
	}
}

func TestNoRows(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	var n uint16
	if err := conn.QueryRow(context.Background(), "SELECT toUInt16(1) WHERE 0").Scan(&n); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("got %v, want sql.ErrNoRows", err)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func running(t *testing.T, conn driver.Conn, mark string) uint64 {
	t.Helper()
	var n uint64
	if err := conn.QueryRow(context.Background(), "SELECT count() FROM system.processes WHERE position(query, {mark:String}) > 0 AND position(query, 'system.processes') = 0",
		clickhouse.Named("mark", mark)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCancelStopsTheStatement(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	for _, test := range []struct{ name, mark, sql string }{
		{"before the first row", "sipHash64Marked", "SELECT max(sipHash64(number, 'sipHash64Marked')) FROM numbers(1000000000000)"},
		{"between rows", "streamMarked", "SELECT number, 'streamMarked' FROM numbers(1000000000000)"},
		{"not a stream", "wholeMarked", "SELECT max(cityHash64(number, 'wholeMarked')) FROM numbers(1000000000000) SETTINGS output_format_native_encode_types_in_binary_format = 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() {
				rows, err := conn.Query(ctx, test.sql)
				if err == nil {
					for rows.Next() {
					}
					err = errors.Join(rows.Err(), rows.Close())
				}
				ended <- err
			}()
			eventually(t, "the statement runs", func() bool { return running(t, conn, test.mark) > 0 })
			cancel()
			<-ended
			eventually(t, "the statement is gone", func() bool { return running(t, conn, test.mark) == 0 })
		})
	}
}

func TestQueriesInParallel(t *testing.T) {
	t.Parallel()
	conn := connect(t, func(o *clickhouse.Options) { o.MaxOpenConns = 32 })
	var group sync.WaitGroup
	for worker := range 32 {
		group.Go(func() {
			for i := range 10 {
				var n uint64
				err := conn.QueryRow(context.Background(), "SELECT sum(number) FROM numbers({n:UInt64})", clickhouse.Named("n", 1000*worker+i)).Scan(&n)
				want := uint64(1000*worker + i)
				if want > 0 {
					want = want * (want - 1) / 2
				}
				if err != nil || n != want {
					t.Errorf("worker %d: %d, want %d, %v", worker, n, want, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestExternalTables(t *testing.T) {
	t.Parallel()
	for _, user := range []struct{ name, password string }{{"default", ""}, {"reader", readerPassword}} {
		t.Run(user.name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, func(o *clickhouse.Options) { o.Auth.Username, o.Auth.Password = user.name, user.password })
			table, err := ext.NewTable("shops", ext.Column("id", "UInt8"), ext.Column("name", "String"))
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range []string{"one", "店"} {
				if err := table.Append(uint8(i), name); err != nil {
					t.Fatal(err)
				}
			}
			var joined string
			ctx := clickhouse.Context(context.Background(), clickhouse.WithExternalTable(table))
			err = conn.QueryRow(ctx, "SELECT arrayStringConcat(groupArray(name), ',') FROM (SELECT * FROM shops ORDER BY id)").Scan(&joined)
			if err != nil || joined != "one,店" {
				t.Errorf("got %q, %v", joined, err)
			}
		})
	}
}

func TestAsyncInsertAndInlineValues(t *testing.T) {
	t.Parallel()
	conn := connect(t, nil)
	ctx, db := context.Background(), database(t, conn)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(conn.Exec(ctx, "CREATE TABLE "+db+".v (a UInt64, b String) ENGINE = MergeTree ORDER BY a"))
	must(conn.AsyncInsert(ctx, "INSERT INTO "+db+".v (a, b) VALUES (1, 'async'), (2, 'semi;colon')", true)) //nolint:staticcheck // what users call
	must(conn.Exec(ctx, "INSERT INTO "+db+".v VALUES (3, 'x''y'), (4, '-- no comment')"))
	must(conn.Exec(ctx, "INSERT INTO "+db+".v SELECT number + 10, 'selected' FROM numbers(2)"))
	must(conn.Exec(ctx, "INSERT INTO "+db+".v FORMAT JSONEachRow {\"a\": 5, \"b\": \"json\"}"))
	must(conn.Exec(ctx, "INSERT INTO "+db+".v (a, b) SETTINGS async_insert = 0 VALUES (?, ?)", 6, "bo'und"))
	var got string
	must(conn.QueryRow(ctx, "SELECT arrayStringConcat(groupArray(concat(toString(a), ':', b)), '|') FROM (SELECT * FROM "+db+".v ORDER BY a)").Scan(&got))
	if want := "1:async|2:semi;colon|3:x'y|4:-- no comment|5:json|6:bo'und|10:selected|11:selected"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
