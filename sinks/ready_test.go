package sinks

import (
	"context"
	"strings"
	"testing"
)

// A sink is ready when what was there at its start is in ClickHouse; what comes later does not take that back.
func TestReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publishMessages("s", 0, 20)
	h := hold(w.conn)
	r := w.start(h)
	ready := func(r *running) string {
		if err := r.sink.Ready(context.Background()); err != nil {
			return err.Error()
		}
		return ""
	}
	w.eventually(func() bool { return strings.Contains(ready(r), "20 records to catch up with") }, func() string { return "it says " + ready(r) })
	w.publishMessages("s", 20, 30)
	h.holding.Store(false)
	close(h.release)
	w.eventually(func() bool { return ready(r) == "" }, func() string { return "it never becomes ready: " + ready(r) })
	if n := w.number("SELECT count() FROM db.chat_events"); n < 20 {
		t.Errorf("ready with %d of 20 events in ClickHouse", n)
	}
	// One more than there are partitions has none, and nothing to catch up with.
	others := []*running{w.start(nil), w.start(nil)}
	for _, o := range others {
		w.eventually(func() bool { return ready(o) == "" }, func() string { return "another never becomes ready: " + ready(o) })
	}
}
