package kafka

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// killed copies a directory as it is while its broker runs: what a kill at that moment leaves.
func killed(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func appendTo(t *testing.T, path string, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
}

func TestCommitsAfterAHalfWrittenOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Config{Dir: dir})
	c := client(t, b.Addr())
	createTopics(t, c, 1, events)
	commit(t, c, "g", events, 0, 1)
	groups := filepath.Join(killed(t, dir), "groups.log")
	entry, err := os.ReadFile(groups)
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, groups, entry[:len(entry)/2])

	b = start(t, Config{Dir: filepath.Dir(groups)})
	commit(t, client(t, b.Addr()), "g", events, 0, 2)
	again := killed(t, filepath.Dir(groups))
	b = start(t, Config{Dir: again})
	committed, err := kadm.NewClient(client(t, b.Addr())).FetchOffsets(testContext(t), "g")
	if o, ok := committed.Lookup(events, 0); err != nil || !ok || o.At != 2 {
		t.Errorf("commit %d (%v, %v), want 2", o.At, ok, err)
	}
}

// A partition is opened the same from our snapshot as by the broker's own, slower, way.
func TestSnapshotAfterAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, Config{Dir: dir})
	c := client(t, b.Addr(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	createTopics(t, c, 1, events, facts)
	put := func(from, n int) {
		var records []*kgo.Record
		for i := from; i < from+n; i++ {
			records = append(records, &kgo.Record{Topic: events, Value: fmt.Appendf(nil, "%d %s", i, make([]byte, 4<<10))})
		}
		write(t, c, records...)
	}
	put(0, 5000) // 20 MB: three segments
	write(t, c, &kgo.Record{Topic: facts, Value: []byte("x")})
	if _, err := b.keeper.truncate(testContext(t), partition{events, 0}, 0, 2500); err != nil {
		t.Fatal(err)
	}
	check := func(name, dir string, first int64, n int) {
		t.Helper()
		b := start(t, Config{Dir: dir})
		defer b.Close()
		records := contents(t, b, events, 0)
		if len(records) == 0 || records[0].Offset != first || records[len(records)-1].Offset != int64(n-1) {
			t.Fatalf("%s: %d records, want them from %d to %d", name, len(records), first, n-1)
		}
		for i, r := range records {
			if !strings.HasPrefix(string(r.Value), fmt.Sprint(first+int64(i), " ")) {
				t.Fatalf("%s: record %d is %.10q", name, r.Offset, r.Value)
			}
		}
		c := client(t, b.Addr())
		defer c.Close()
		next := &kgo.Record{Topic: events, Value: []byte("next")}
		write(t, c, next)
		if got := contents(t, b, events, 0); next.Offset != int64(n) || string(got[len(got)-1].Value) != "next" {
			t.Errorf("%s: the next record is %.10q at %d, want it at %d", name, got[len(got)-1].Value, next.Offset, n)
		}
	}
	hasSnapshot := func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "partitions", "chat.events-0", "snapshot.json"))
		return err == nil
	}
	copied := killed(t, dir)
	first := segments(t, copied)[0].BaseOffset // the log starts with a whole segment after a kill
	if hasSnapshot(copied) {
		t.Fatal("the broker writes snapshots itself by now")
	}
	if err := renewSnapshots(copied, slog.New(slog.DiscardHandler)); err != nil || !hasSnapshot(copied) {
		t.Fatalf("no snapshot was written: %v", err)
	}
	check("never stopped cleanly", copied, first, 5000)

	torn := killed(t, dir)
	segs := segments(t, torn)
	last := segmentPath(filepath.Join(torn, "partitions", "chat.events-0"), segs[len(segs)-1].BaseOffset)
	raw, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, last, raw[:1000])
	check("half a batch", torn, first, 5000)

	garbage := killed(t, dir)
	appendTo(t, segmentPath(filepath.Join(garbage, "partitions", "chat.events-0"), segs[len(segs)-1].BaseOffset), bytes.Repeat([]byte{7}, 5000))
	check("garbage", garbage, first, 5000)

	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, Config{Dir: dir})
	c = client(t, b.Addr())
	put(5000, 10)
	check("killed after a clean stop", killed(t, dir), 2500, 5010)
}

func segments(t *testing.T, dir string) []snapshotSegment {
	t.Helper()
	s, err := listSegments(filepath.Join(dir, "partitions", "chat.events-0"))
	if err != nil || len(s) < 2 {
		t.Fatalf("segments %v: %v", s, err)
	}
	return s
}

// What the broker knows better is left to it.
func TestTransactionsAreLeftToTheBroker(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), testContext(t)
	b := start(t, Config{Dir: dir})
	c := client(t, b.Addr(), kgo.TransactionalID("tx"))
	createTopics(t, client(t, b.Addr()), 1, events)
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		write(t, c, &kgo.Record{Topic: events, Value: []byte("x")})
		if err := c.EndTransaction(ctx, end); err != nil {
			t.Fatal(err)
		}
	}
	copied := killed(t, dir)
	if err := repair(copied, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(copied, "partitions", "chat.events-0", "snapshot.json")); !os.IsNotExist(err) {
		t.Errorf("a snapshot was written: %v", err)
	}
	b = start(t, Config{Dir: copied})
	r := client(t, b.Addr(), kgo.ConsumeTopics(events), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if n := len(r.PollFetches(ctx).Records()); n != 1 {
		t.Errorf("%d committed records, want 1", n)
	}
}

func TestForgetMembersKeepsTheRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "session_state.json")
	if err := forgetMembers(path); err != nil {
		t.Error("no file:", err)
	}
	if err := os.WriteFile(path, []byte(`{"shutdownAt":"2026-01-02T03:04:05Z","classicGroups":{"g":{}},"inProgressTxns":[{"pid":1}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := forgetMembers(path); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &got)
	}
	if err != nil || got["classicGroups"] != nil || got["inProgressTxns"] == nil || got["shutdownAt"] == nil {
		t.Errorf("left: %s (%v)", raw, err)
	}
	if err := os.WriteFile(path, []byte(`{"half`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := forgetMembers(path); err != nil {
		t.Error("half a file:", err)
	}
}

func FuzzRepairLog(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, 1, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := repairLog(path, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		once, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(data, once) {
			t.Fatalf("%d bytes of %d (%v)", len(once), len(data), err)
		}
		if err := repairLog(path, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if twice, _ := os.ReadFile(path); !bytes.Equal(once, twice) {
			t.Fatal("the second repair changes something")
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	f.Add([]byte("nothing like a batch"), []byte{})
	f.Add(aBatch(0, 9), aBatch(9, 3))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"0.dat": a, "9.dat": b} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_ = renewSnapshot(dir, slog.New(slog.DiscardHandler))
		raw, err := os.ReadFile(filepath.Join(dir, "snapshot.json"))
		if err != nil {
			if !os.IsNotExist(err) {
				t.Fatal(err)
			}
			return
		}
		var s snapshot
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		files, _ := fs.Glob(os.DirFS(dir), "*.dat")
		if len(s.Segments) != len(files) || s.HighWatermark < s.LogStartOffset {
			t.Fatalf("%+v", s)
		}
	})
}
