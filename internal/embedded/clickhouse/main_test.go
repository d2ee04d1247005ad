package clickhouse_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/warehouse"
)

// shared is the one server of this process, started when the first test asks for it; or why there is none.
var shared struct {
	once   sync.Once
	server *eclickhouse.Server
	dir    string
	err    error
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(child(dir))
	}
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(shared.dir)
	os.Exit(code)
}

func startShared() {
	if _, shared.err = eclickhouse.Locate(""); shared.err != nil {
		if _, shared.err = eclickhouse.Fetch(context.Background(), os.Stderr); shared.err != nil {
			return
		}
	}
	if shared.dir, shared.err = os.MkdirTemp("", "clickhouse-test-"); shared.err != nil {
		return
	}
	cfg := testConfig(shared.dir)
	cfg.Users = map[string]eclickhouse.User{
		"default": {Role: eclickhouse.RoleAdmin},
		"writer":  {Role: eclickhouse.RoleWriter, Password: writerPassword},
		"reader":  {Role: eclickhouse.RoleReader, Password: readerPassword},
		"analyst": {Role: eclickhouse.RoleAnalyst, Password: "a"},
		"auditor": {Role: eclickhouse.RoleAuditor, Password: "d"},
	}
	cfg.AnalystGrants = warehouse.AnalystGrants(isolated)
	shared.server, shared.err = eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)), Record: recorded.keep})
}

const (
	readerPassword = "r"
	writerPassword = "w&p%40 '\"\\:亲"
)

func testConfig(dir string) eclickhouse.Config {
	cfg := eclickhouse.DefaultConfig()
	cfg.Dir = dir
	cfg.Addr = "127.0.0.1:0"
	return cfg
}

// server is the shared server. Where the library cannot be had the test is skipped, but fails in CI.
func server(t testing.TB) *eclickhouse.Server {
	t.Helper()
	shared.once.Do(startShared)
	if shared.err != nil {
		if os.Getenv("CI") == "true" || shared.dir != "" {
			t.Fatal(shared.err)
		}
		t.Skipf("no libchdb: %v", shared.err)
	}
	return shared.server
}

// connect opens clickhouse-go on the shared server; change may alter the options.
func connect(t testing.TB, change func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	options := &clickhouse.Options{
		Addr:        []string{server(t).Addr()},
		Protocol:    clickhouse.HTTP,
		Auth:        clickhouse.Auth{Username: "default"},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		DialTimeout: 10 * time.Second,
		ReadTimeout: 2 * time.Minute,
	}
	if change != nil {
		change(options)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// database makes one for the test and drops it afterwards.
func database(t testing.TB, conn driver.Conn) string {
	t.Helper()
	name := strings.ToLower(strings.NewReplacer("/", "_", "#", "_", "-", "_", " ", "_").Replace(t.Name()))
	if err := conn.Exec(context.Background(), "CREATE DATABASE IF NOT EXISTS "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			t.Error(err)
		}
	})
	return name
}
