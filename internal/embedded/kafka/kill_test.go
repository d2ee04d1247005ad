package kafka

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// childDir is the variable that turns the test binary into child, on that directory.
const childDir = "FEIGE_KAFKA_TEST_DIR"

const (
	childBatch = 25
	childLag   = 60   // how far the commit stays behind
	childCycle = 7000 // within so many inputs every key is written
)

// child runs a broker, a processor's writes to its table, and housekeeping that never rests, until it is
// killed. It goes on where it finds the log. What is acknowledged it prints: "write N", all values below N
// are in the table; "commit N".
func child(dir string) error {
	ctx := context.Background()
	b, err := Start(ctx, Config{Dir: dir, Addr: "127.0.0.1:0", Housekeeping: eager()},
		Dependencies{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	defer b.Close()
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	small := map[string]*string{"segment.bytes": kadm.StringPtr("10000")} // so that files come and go
	if _, err := admin.CreateTopics(ctx, 1, 1, small, conversationsTable, events); err != nil {
		return err
	}
	committed, err := admin.FetchOffsets(ctx, schemas.GroupConversations)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return err
	}
	next := int64(0)
	if at, ok := committed.Lookup(events, 0); ok {
		next = at.At // as a processor does: back to the commit, and on from there
	}
	last := next // commits never go back
	fmt.Println("up", next)
	failed := make(chan error, 1)
	go func() {
		for {
			if err := b.Housekeep(ctx); err != nil {
				failed <- err
				return
			}
		}
	}()
	for {
		select {
		case err := <-failed:
			return err
		default:
		}
		var records []*kgo.Record
		for range childBatch {
			records = append(records, childRecord(next))
			next++
		}
		if err := c.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
		fmt.Println("write", next)
		if next-childLag <= last {
			continue
		}
		last = next - childLag
		var o kadm.Offsets
		o.AddOffset(events, 0, last, -1)
		resp, err := admin.CommitOffsets(ctx, schemas.GroupConversations, o)
		if err == nil {
			err = resp.Error()
		}
		if err != nil {
			return err
		}
		fmt.Println("commit", last)
	}
}

// childRecord is a value of a busy key, or now and then of one that is written rarely.
func childRecord(applied int64) *kgo.Record {
	key := fmt.Appendf(nil, "busy%d", applied%10)
	if applied%7 == 0 {
		key = fmt.Appendf(nil, "rare%d", applied/7%1000)
	}
	return &kgo.Record{
		Topic: conversationsTable, Key: key,
		Value: tableValue(applied, fmt.Sprintf("%0200d", applied)),
	}
}

// runChild starts a child, lets it live for a while once it works, kills it, and returns what it said last.
func runChild(t *testing.T, dir string, life time.Duration) (written, committed int64) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(testContext(t), exe, "-test.run=^$")
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { _ = cmd.Process.Kill() })
	defer kill()
	lines := bufio.NewScanner(out)
	up := false
	for lines.Scan() {
		var what string
		var n int64
		if _, err := fmt.Sscan(lines.Text(), &what, &n); err != nil {
			t.Fatalf("the child says %q", lines.Text())
		}
		switch what {
		case "up":
			up = true
			time.AfterFunc(life, kill) // a kill at a random moment is the point
		case "write":
			written = n
		case "commit":
			committed = n
		}
	}
	if err := cmd.Wait(); !up || err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the child was not killed, but ended by itself: %v", err)
	}
	return written, committed
}

// Whatever moment the process is killed at, during appending, deleting, writing or committing: every
// acknowledged value that restoring to a possible commit needs is there, and so is the newest commit.
func TestKillDuringHousekeeping(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kills := 12
	if testing.Short() {
		kills = 3
	}
	var written, committed, compactions int64
	for i := range kills {
		w, c := runChild(t, dir, time.Duration(rand.IntN(400))*time.Millisecond)
		written, committed = max(written, w), max(committed, c)
		log, at := afterKill(t, dir)
		if at < committed {
			t.Fatalf("kill %d: the commit is %d, but %d was acknowledged", i, at, committed)
		}
		want := map[string]string{}
		for a := max(0, at-childCycle-10); ; a++ {
			if a >= at {
				if got := restore(log, a); !maps.Equal(got, want) {
					t.Fatalf("kill %d, committed %d, written %d: restored to %d, %d keys of %d or other values", i, at, w, a, len(got), len(want))
				}
			}
			if a >= w {
				break
			}
			r := childRecord(a)
			want[string(r.Key)] = string(r.Value)
		}
		if len(log) > 0 && log[0].offset > 0 {
			compactions++
		}
	}
	if written < 1000 || compactions == 0 {
		t.Errorf("too little happened to say anything: %d values written, %d of %d logs were compacted", written, compactions, kills)
	}
}

// afterKill opens the directory and returns the table and the commit.
func afterKill(t *testing.T, dir string) (log []logged, at int64) {
	t.Helper()
	b := start(t, Config{Dir: dir})
	defer b.Close()
	c := client(t, b.Addr())
	defer c.Close()
	committed, err := kadm.NewClient(c).FetchOffsets(testContext(t), schemas.GroupConversations)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		t.Fatal(err)
	}
	if o, ok := committed.Lookup(events, 0); ok {
		at = o.At
	}
	return asLogged(t, contents(t, b, conversationsTable, 0)), at
}
