package clickhouse_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
)

// shared is the one server of this process; nil when there is no library (and why not).
var shared struct {
	server  *eclickhouse.Server
	missing error
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := eclickhouse.Fetch(context.Background(), os.Stderr); err != nil {
		if _, located := eclickhouse.Locate(""); located != nil {
			shared.missing = err
			return m.Run()
		}
	}
	dir, err := os.MkdirTemp("", "clickhouse-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cfg := testConfig(dir)
	cfg.Users = map[string]eclickhouse.User{
		"default": {Role: eclickhouse.RoleAdmin},
		"writer":  {Role: eclickhouse.RoleWriter, Password: writerPassword},
		"reader":  {Role: eclickhouse.RoleReader, Password: readerPassword},
	}
	shared.server, err = eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
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

// server is the shared server, or the end of the test.
func server(t testing.TB) *eclickhouse.Server {
	t.Helper()
	if shared.missing != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(shared.missing)
		}
		t.Skipf("no libchdb: %v", shared.missing)
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
