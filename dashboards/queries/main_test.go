package queries_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/warehouse"
)

// shared is the one engine of this process with two databases: seeded, and empty.
var shared struct {
	once          sync.Once
	server        *eclickhouse.Server
	dir           string
	seeded, empty driver.Conn
	err           error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		_ = shared.seeded.Close()
		_ = shared.empty.Close()
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(shared.dir)
	os.Exit(code)
}

func start() error {
	ctx := context.Background()
	var err error
	if _, err = eclickhouse.Locate(""); err != nil {
		if _, err = eclickhouse.Fetch(ctx, os.Stderr); err != nil {
			return err
		}
	}
	if shared.dir, err = os.MkdirTemp("", "boards-test-"); err != nil {
		return err
	}
	dir := shared.dir
	if kept := os.Getenv("FEIGE_BOARDS_DIR"); kept != "" {
		dir = kept
	}
	cfg := eclickhouse.DefaultConfig()
	cfg.Dir, cfg.Addr = dir, "127.0.0.1:0"
	if addr := os.Getenv("FEIGE_BOARDS_ADDR"); addr != "" {
		cfg.Addr = addr
	}
	cfg.AnalystGrants = warehouse.AnalystGrants("seeded")
	if shared.server, err = eclickhouse.Start(ctx, cfg, eclickhouse.Dependencies{}); err != nil {
		return err
	}
	admin, err := open("default")
	if err != nil {
		return err
	}
	defer admin.Close()
	for _, database := range []string{"seeded", "empty"} {
		if _, err := warehouse.Migrate(ctx, admin, warehouse.MigrateOptions{Database: database, Retention: warehouse.Retention{}}); err != nil {
			return err
		}
	}
	if shared.seeded, err = open("seeded"); err != nil {
		return err
	}
	if shared.empty, err = open("empty"); err != nil {
		return err
	}
	return plant(ctx, shared.seeded)
}

// open connects to a database of the engine.
func open(database string) (driver.Conn, error) { return openAs("default", database) }

func openAs(user, database string) (driver.Conn, error) {
	return clickhouse.Open(&clickhouse.Options{
		Addr: []string{shared.server.Addr()}, Protocol: clickhouse.HTTP, DialTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute,
		Auth: clickhouse.Auth{Username: user, Database: database},
	})
}

// engine gives the seeded and the empty database. Where the library cannot be had the test is skipped, but fails in CI.
func engine(t testing.TB) (seeded, empty driver.Conn) {
	t.Helper()
	shared.once.Do(func() { shared.err = start() })
	if shared.err != nil {
		if os.Getenv("CI") == "true" || shared.dir != "" {
			t.Fatal(shared.err)
		}
		t.Skipf("no libchdb: %v", shared.err)
	}
	return shared.seeded, shared.empty
}

// ask runs a statement and shows every value as text.
func ask(t testing.TB, conn driver.Conn, sql string) (columns []string, rows [][]string) {
	t.Helper()
	answer, err := conn.Query(context.Background(), sql)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	defer answer.Close()
	types := answer.ColumnTypes()
	for answer.Next() {
		row := make([]any, len(types))
		for i, kind := range types {
			row[i] = newOf(kind)
		}
		if err := answer.Scan(row...); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		text := make([]string, len(row))
		for i, v := range row {
			text[i] = show(v)
		}
		rows = append(rows, text)
	}
	if err := answer.Err(); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return answer.Columns(), rows
}
