package ingest

import (
	"bytes"
	"encoding/csv"
	"path/filepath"
	"testing"
	"time"
)

// TestReplayExamples replays the recordings that are shipped, both together: every row must be an event,
// in order of time.
func TestReplayExamples(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	dir := filepath.Join("..", "examples", "irc_support")
	cfg := replayConfig(t, filepath.Join(dir, "irc_support_channels.csv"), filepath.Join(dir, "irc_support_train.csv.gz"))
	rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rows != 63616 || rep.Rejects != 0 || rep.Published != 63616 || !rep.Files[0].Sorted || !rep.Files[1].Sorted {
		t.Errorf("report %+v", rep)
	}
	events := 0
	for p, recs := range readLog(t, k.cfg, "") {
		var last int64
		for _, r := range recs {
			if r.event.OccurredAtUs < last {
				t.Fatalf("partition %d: time runs backwards at %s", p, r.event.EventId)
			}
			last = r.event.OccurredAtUs
			if !isTick(r.event) {
				events++
			}
		}
	}
	if events != 63616 {
		t.Errorf("%d events in the log", events)
	}
}

// TestExampleRowsAgree reads a shipped file with the standard library as well: same rows, same fields.
func TestExampleRowsAgree(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"irc_support_channels.csv", "irc_support_train.csv.gz"} {
		rec, err := newRecording(filepath.Join("..", "examples", "irc_support", name), FormatAuto, Mapping{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := rec.open()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var whole bytes.Buffer
		if _, err := whole.ReadFrom(c); err != nil {
			t.Fatal(err)
		}
		std := csv.NewReader(bytes.NewReader(whole.Bytes()))
		if _, err := std.Read(); err != nil {
			t.Fatal(err)
		}
		rows, err := newCSVRows(bytes.NewReader(whole.Bytes()), rec.mapping, newRowIDs("x"), time.Now().UnixMicro())
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; ; n++ {
			want, err := std.Read()
			got, gerr := rows.next()
			if (err == nil) != (gerr == nil) {
				t.Fatalf("%s, row %d: %v, but %v", name, n, gerr, err)
			}
			if err != nil {
				break
			}
			at, err := time.Parse(time.RFC3339, want[2])
			if err != nil {
				t.Fatal(err)
			}
			ev := got.event
			if ev.GetShopId() != want[0] || ev.GetConversationId() != want[1] || ev.GetOccurredAtUs() != at.UnixMicro() ||
				ev.GetActor().GetId() != want[4] || ev.GetMessage().GetText() != want[5] {
				t.Fatalf("%s, row %d: %v, want %q", name, n, got, want)
			}
		}
	}
}
