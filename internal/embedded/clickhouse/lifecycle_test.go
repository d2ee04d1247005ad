package clickhouse_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
)

// oneLine wants an error of one line that holds all the words.
func oneLine(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestStartRefusesClearly(t *testing.T) {
	t.Parallel()
	running := server(t)
	for _, test := range []struct {
		name   string
		change func(*eclickhouse.Config)
		words  []string
	}{
		{"a second engine", func(*eclickhouse.Config) {}, []string{"only one"}},
		{"port in use", func(c *eclickhouse.Config) { c.Addr = running.Addr() }, []string{running.Addr(), "in use", "embedded.clickhouse.addr"}},
		{"no library", func(c *eclickhouse.Config) { c.Library = filepath.Join(c.Dir, "none.so") }, []string{"none.so", "embedded.clickhouse.library"}},
		{"a directory for a library", func(c *eclickhouse.Config) { c.Library = c.Dir }, []string{"not a file"}},
		{"not loopback", func(c *eclickhouse.Config) { c.Addr = "0.0.0.0:0" }, []string{"addr", "0.0.0.0:0", "loopback"}},
		{"no users", func(c *eclickhouse.Config) { c.Users = nil }, []string{"users"}},
		{"an unknown role", func(c *eclickhouse.Config) {
			c.Users = map[string]eclickhouse.User{"x": {Role: "root"}}
		}, []string{"users.x.role", "root"}},
		{"no password file", func(c *eclickhouse.Config) {
			c.Users = map[string]eclickhouse.User{"x": {Role: "reader", PasswordFile: "/nonexistent"}}
		}, []string{"password_file", "/nonexistent"}},
		{"too many statements", func(c *eclickhouse.Config) { c.MaxConcurrent = 0 }, []string{"max_concurrent", "0"}},
		{"a query larger than all", func(c *eclickhouse.Config) { c.MaxQueryMemoryBytes = c.MaxMemoryBytes + 1 }, []string{"max_query_memory_bytes"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t.TempDir())
			test.change(&cfg)
			_, err := eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{})
			oneLine(t, err, append(test.words, "embedded clickhouse")...)
		})
	}
}

func TestDirectoryIsHeldByOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := spawn(t, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = spawn(t, dir, "")
	oneLine(t, err, dir, "in use by another process", "embedded.clickhouse.dir")
	if err := first.end(); err != nil {
		t.Fatal(err)
	}
	next, err := spawn(t, dir, "")
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if err := next.end(); err != nil {
		t.Error(err)
	}
}

func TestStartAgainInOneProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p, err := spawn(t, dir, "again")
	if err != nil {
		t.Fatal(err)
	}
	conn := p.connect(t)
	if err := conn.Exec(context.Background(), "CREATE TABLE default.kept (a UInt8) ENGINE = MergeTree ORDER BY a"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(context.Background(), "INSERT INTO default.kept VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	if p, err = spawn(t, dir, ""); err != nil {
		t.Fatal(err)
	}
	var a uint8
	if err := p.connect(t).QueryRow(context.Background(), "SELECT a FROM default.kept").Scan(&a); err != nil || a != 7 {
		t.Errorf("after a restart: %d, %v", a, err)
	}
	if err := p.end(); err != nil {
		t.Error(err)
	}
}

// TestIdleTimeout: it ends a request whose client stands still, not one whose statement is long.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	p, err := spawn(t, t.TempDir(), "impatient")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	post := func(sql string, body io.Reader) (int, string) {
		t.Helper()
		answer, err := client.Post("http://"+p.addr+"/?"+url.Values{"query": {sql}}.Encode(), "text/plain", body)
		if err != nil {
			return 0, err.Error()
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return 0, err.Error()
		}
		return answer.StatusCode, string(text)
	}
	must := func(sql, want string) {
		t.Helper()
		if status, text := post(sql, nil); status != 200 || text != want {
			t.Errorf("%s: %d %q", sql, status, text)
		}
	}
	must("CREATE TABLE default.t (a UInt8) ENGINE = MergeTree ORDER BY a", "")
	must("SELECT count() FROM (SELECT sleepEachRow(0.5) FROM numbers(5)) SETTINGS max_block_size = 1", "5\n")
	must("SELECT value FROM system.merge_tree_settings WHERE name = 'fsync_after_insert'", "1\n")
	time.Sleep(1200 * time.Millisecond) // longer than the timeout, on the same connection
	must("INSERT INTO default.t VALUES (1)", "")
	reader, writer := io.Pipe()
	go func() { _, _ = writer.Write([]byte("2\n3\n")) }() // and no more
	if status, text := post("INSERT INTO default.t FORMAT CSV", reader); status == 200 {
		t.Errorf("a body that stands still was acknowledged: %q", text)
	}
	_ = writer.Close()
	must("SELECT count() FROM default.t", "1\n")
	// Close cancels what still runs.
	endless := make(chan int, 1)
	go func() {
		answer, err := http.Post("http://"+p.addr+"/", "text/plain", strings.NewReader("SELECT max(sipHash64(number)) FROM numbers(1000000000000)"))
		if err != nil {
			endless <- 0
			return
		}
		_ = answer.Body.Close()
		endless <- answer.StatusCode
	}()
	eventually(t, "the statement runs", func() bool { return running(t, p.connect(t), "sipHash64") > 0 })
	if err := p.end(); err != nil {
		t.Errorf("closing below a running statement: %v", err)
	}
	if status := <-endless; status == 200 {
		t.Error("an endless statement had an end")
	}
}

func TestLocate(t *testing.T) {
	server(t)
	dir := t.TempDir()
	found, err := eclickhouse.Locate("")
	if err != nil || !filepath.IsAbs(found) {
		t.Fatalf("%q, %v", found, err)
	}
	given, err := eclickhouse.Locate(found)
	if err != nil || given != found {
		t.Errorf("a given path: %q, %v", given, err)
	}
	t.Setenv("XDG_CACHE_HOME", dir)
	t.Setenv(eclickhouse.LibraryVariable, found)
	if byVariable, err := eclickhouse.Locate(""); err != nil || byVariable != found {
		t.Errorf("by variable: %q, %v", byVariable, err)
	}
	t.Setenv(eclickhouse.LibraryVariable, "")
	_, err = eclickhouse.Locate("")
	oneLine(t, err, "feige setup", dir, eclickhouse.LibraryVariable)
	if !errors.Is(err, eclickhouse.ErrNoLibrary) {
		t.Errorf("%v is not ErrNoLibrary", err)
	}
}
