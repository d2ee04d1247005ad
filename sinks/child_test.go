package sinks

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
)

// childEnv holds the orders of a test binary that is to be a sink in a process of its own.
const childEnv = "FEIGE_TEST_SINK"

// childHolds is the line that the process writes when an insert is acknowledged and held back.
const childHolds = "holds"

// orders are what such a process works on, and which insert it never gets back from.
type orders struct {
	Brokers    []string
	Namespace  schemas.Namespace
	ClickHouse string
	Database   string
	HoldAt     int
}

// runChild is the process's whole life: it ends by being killed.
func runChild(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	house := warehouse.DefaultConfig()
	house.Addr = []string{o.ClickHouse}
	conn, err := warehouse.Open(context.Background(), house, o.Namespace)
	if err != nil {
		return err
	}
	cfg := quickConfig()
	cfg.Concurrency, cfg.SessionTimeout = 1, 6*time.Second
	b := broker.DefaultConfig()
	b.Brokers = o.Brokers
	sink, err := New(cfg, Dependencies{Broker: b, Namespace: o.Namespace, Conn: &holdsAt{Conn: conn, left: o.HoldAt}, Database: o.Database})
	if err != nil {
		return err
	}
	return sink.Run(context.Background())
}

// holdsAt is a connection that lets inserts through, and holds an acknowledged one for good.
type holdsAt struct {
	driver.Conn
	left int
}

func (h *holdsAt) PrepareBatch(ctx context.Context, query string, options ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := h.Conn.PrepareBatch(ctx, query, options...)
	if err != nil {
		return nil, err
	}
	return holdsAtBatch{b, h}, nil
}

type holdsAtBatch struct {
	driver.Batch
	at *holdsAt
}

func (b holdsAtBatch) Send() error {
	if err := b.Batch.Send(); err != nil {
		return err
	}
	if b.at.left--; b.at.left > 0 {
		return nil
	}
	fmt.Fprintln(os.Stdout, childHolds)
	select {}
}

// child is such a process.
type child struct {
	process *exec.Cmd
	out     *bufio.Scanner
	errors  *strings.Builder
}

func (w *world) startChild(holdAt int) *child {
	w.Helper()
	text, err := json.Marshal(orders{w.broker.Brokers, w.ns, clickhouseAddr(w), w.database, holdAt})
	if err != nil {
		w.Fatal(err)
	}
	c := &child{process: exec.Command(os.Args[0]), errors: &strings.Builder{}}
	c.process.Env = append(slices.Clone(os.Environ()), childEnv+"="+string(text))
	c.process.Stderr = c.errors
	out, err := c.process.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := c.process.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = c.process.Process.Kill() })
	c.out = bufio.NewScanner(io.LimitReader(out, 1<<20))
	return c
}

// await reads what the process writes until a line.
func (c *child) await(w *world, line string) {
	w.Helper()
	limit := time.AfterFunc(60*time.Second, func() { _ = c.process.Process.Kill() })
	defer limit.Stop()
	for c.out.Scan() {
		if c.out.Text() == line {
			return
		}
	}
	_ = c.process.Wait()
	w.Fatalf("the process ended, or took too long, before it said %q: %s", line, c.errors)
}

func (c *child) kill(w *world) {
	w.Helper()
	if err := c.process.Process.Kill(); err != nil {
		w.Fatal(err)
	}
	if err := c.process.Wait(); err == nil {
		w.Fatal("it ended by itself")
	}
}
