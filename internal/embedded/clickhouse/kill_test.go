package clickhouse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
)

// A child is this test binary again, with an engine of its own: one that may be killed.
const (
	childVariable = "FEIGE_TEST_CLICKHOUSE_DIR"
	childMode     = "FEIGE_TEST_CLICKHOUSE_MODE"
)

// child runs in the other process and returns its exit code.
func child(dir string) int {
	if err := childMain(dir, os.Getenv(childMode)); err != nil {
		fmt.Println("error:", err)
		return 1
	}
	return 0
}

func childMain(dir, mode string) error {
	start := func(dir string) (*eclickhouse.Server, error) {
		cfg := testConfig(dir)
		if mode == "impatient" {
			cfg.IdleTimeout, cfg.CloseTimeout, cfg.MaxConcurrent = time.Second, 0, 2
			cfg.Fsync = true
		}
		return eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{})
	}
	server, err := start(dir)
	if err != nil {
		return err
	}
	if mode == "again" {
		for _, next := range []string{dir, dir + "-other", dir} {
			if err := server.Close(); err != nil {
				return err
			}
			if server, err = start(next); err != nil {
				return fmt.Errorf("start again in %s: %w", next, err)
			}
		}
	}
	fmt.Println("addr:", server.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent lets go
	return server.Close()
}

// process is a running child.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
}

// spawn starts a child on dir; without an address, the error that it printed is returned.
func spawn(t *testing.T, dir, mode string) (*process, error) {
	t.Helper()
	server(t) // the library is there, or the test ends
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+dir, childMode+"="+mode)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin}
	t.Cleanup(p.kill)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if addr, ok := strings.CutPrefix(lines.Text(), "addr: "); ok {
			p.addr = addr
			return p, nil
		}
		if text, ok := strings.CutPrefix(lines.Text(), "error: "); ok {
			return nil, errors.New(text)
		}
	}
	t.Fatal("the child ended without a word")
	return nil, nil
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// end lets the child close its server and returns how that went.
func (p *process) end() error {
	_ = p.stdin.Close()
	return p.cmd.Wait()
}

func (p *process) connect(t *testing.T) driver.Conn {
	t.Helper()
	return connect(t, func(o *clickhouse.Options) { o.Addr = []string{p.addr} })
}

const batchRows = 2000

func sendBatch(conn driver.Conn, number uint64) error {
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplication_token": fmt.Sprint("batch-", number), "deduplicate_blocks_in_dependent_materialized_views": 1,
	}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO k.t (batch, n, text)")
	if err != nil {
		return err
	}
	for i := range batchRows {
		if err := batch.Append(number, uint64(i), fmt.Sprintf("text %d of %d", i, number)); err != nil {
			return err
		}
	}
	return batch.Send()
}

// TestKillLosesNothing kills the process while batches go in: what was acknowledged is there, whole; what was
// not may be there, whole, or not at all; and sending it again does not double it, in the table or in the
// view that counts.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged, next := map[uint64]bool{}, uint64(0)
	const rounds = 4
	for round := range rounds {
		p, err := spawn(t, dir, "")
		if err != nil {
			t.Fatal(err)
		}
		conn := p.connect(t)
		if round == 0 {
			prepareKill(t, conn)
		} else {
			checkKill(t, conn, acknowledged)
		}
		if next > 0 {
			next-- // the last one may be in or not: send it again, as the sinks do
		}
		var sent atomic.Int64
		done := make(chan error, 1)
		go func() {
			for {
				if err := sendBatch(conn, next); err != nil {
					done <- err
					return
				}
				acknowledged[next] = true
				next++
				sent.Add(1)
			}
		}()
		eventually(t, "some batches were sent", func() bool { return sent.Load() >= int64(3+2*round) })
		time.Sleep(time.Duration(round) * 7 * time.Millisecond) // somewhere in the next ones
		p.kill()
		if err := <-done; err == nil {
			t.Error("a batch was acknowledged by nobody")
		}
	}
	p, err := spawn(t, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	checkKill(t, p.connect(t), acknowledged)
	if err := p.end(); err != nil {
		t.Errorf("a clean end after the kills: %v", err)
	}
}

func prepareKill(t *testing.T, conn driver.Conn) {
	t.Helper()
	for _, sql := range []string{
		"CREATE DATABASE k",
		"CREATE TABLE k.t (batch UInt64, n UInt64, text String) ENGINE = MergeTree ORDER BY (batch, n) SETTINGS non_replicated_deduplication_window = 1000",
		"CREATE TABLE k.counts (batch UInt64, rows SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY batch SETTINGS non_replicated_deduplication_window = 1000",
		"CREATE MATERIALIZED VIEW k.counting TO k.counts AS SELECT batch, count()::UInt64 AS rows FROM k.t GROUP BY batch",
	} {
		if err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

func checkKill(t *testing.T, conn driver.Conn, acknowledged map[uint64]bool) {
	t.Helper()
	rows, err := conn.Query(context.Background(), `SELECT batch, count(), uniqExact(n), (SELECT sum(rows) FROM k.counts WHERE batch = t.batch)
		FROM k.t AS t GROUP BY batch SETTINGS allow_experimental_correlated_subqueries = 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[uint64]bool{}
	for rows.Next() {
		var batch, count, distinct uint64
		var counted *uint64
		if err := rows.Scan(&batch, &count, &distinct, &counted); err != nil {
			t.Fatal(err)
		}
		found[batch] = true
		if count != batchRows || distinct != batchRows {
			t.Errorf("batch %d has %d rows, %d of them distinct, want %d", batch, count, distinct, batchRows)
		}
		if acknowledged[batch] && (counted == nil || *counted != batchRows) {
			t.Errorf("batch %d was counted otherwise by the view: %v", batch, counted)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for batch := range acknowledged {
		if !found[batch] {
			t.Errorf("batch %d was acknowledged and is lost", batch)
		}
	}
}
