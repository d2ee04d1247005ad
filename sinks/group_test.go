package sinks

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// shops are names of shops, one in every partition.
func (w *world) shops() []string {
	shops := make([]string, w.broker.Partitions)
	for n, found := 0, 0; found < len(shops); n++ {
		name := fmt.Sprintf("shop%d", n)
		if p := schemas.Partition([]byte(name), w.broker.Partitions); shops[p] == "" {
			shops[p] = name
			found++
		}
	}
	return shops
}

// arrived wants every event of every shop once.
func (w *world) arrived(shops []string, each int) {
	w.Helper()
	for _, shop := range shops {
		for _, view := range []string{"chat_events", "chat_texts"} {
			query := fmt.Sprintf("SELECT concat(toString(count()), ' ', toString(uniqExact(event_id))) FROM db.%s WHERE shop_id = '%s'", view, shop)
			if got, want := w.text(query), fmt.Sprintf("%d %d", each, each); got != want {
				w.Errorf("shop %s in %s: rows and events %s, want %s", shop, view, got, want)
			}
		}
	}
}

// Sinks that come and go share the work, and nothing is lost or seen twice.
func TestRebalances(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	shops := w.shops()
	const each = 150
	for n := 0; n < each; n += 50 {
		other := w.start(nil)
		for _, shop := range shops {
			w.publishMessages(shop, n, n+50)
		}
		w.end(other)
	}
	w.caughtUp()
	w.arrived(shops, each)
	w.saidNothingOf(engineKafka)
}

// Two sinks share the partitions; one dies with something that is not committed, inserted or not. The other takes over
// from the last commit on: nothing is skipped, and nothing is there twice.
func TestOneOfTwoSinksDies(t *testing.T) {
	t.Parallel()
	dies := func(name string, stuck func(h *held, g *gate) (isStuck func(w *world, r *running) bool)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.cfg.StopTimeout = 100 * time.Millisecond
			g := newGate(w, clickhouseAddr(t))
			shops, n := w.shops(), 0
			publish := func() {
				for _, shop := range shops {
					w.publishMessages(shop, n, n+10)
				}
				n += 10
			}
			stays := w.start(nil)
			publish()
			w.caughtUp()
			h := hold(w.open(g.addr))
			h.holding.Store(false)
			one := w.start(h)
			records := func(r *running) float64 { return w.metric(r, "feige_sinks_records_total") }
			w.eventually(func() bool { publish(); return records(one) > 0 }, func() string { return "the second sink gets nothing to do" })
			w.caughtUp()
			isStuck := stuck(h, g)
			before := records(stays)
			publish()
			w.eventually(func() bool { return records(stays) > before && isStuck(w, one) }, func() string { return "not both have something to do" })
			w.end(one)
			if w.behind() == 0 {
				t.Error("nothing was left uncommitted: the test does not test what it should")
			}
			publish()
			w.caughtUp()
			w.arrived(shops, n)
			w.saidNothingOf(engineKafka)
		})
	}
	dies("inserted", func(h *held, _ *gate) func(*world, *running) bool {
		h.holding.Store(true)
		before := h.count()
		return func(*world, *running) bool { return h.count() > before }
	})
	dies("not inserted", func(_ *held, g *gate) func(*world, *running) bool {
		g.shut()
		return func(w *world, r *running) bool { return w.metric(r, "feige_sinks_engine_away") == 1 }
	})
}

// What a process leaves behind that dies after ClickHouse has acknowledged and before Kafka has the commit.
func TestKilledBetweenInsertAndCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.StopTimeout = 100 * time.Millisecond
	w.publishMessages("s", 0, 300)
	for range 3 {
		h := hold(w.conn)
		r := w.start(h)
		w.eventually(func() bool { return h.count() > 0 }, func() string { return "nothing is inserted" })
		w.end(r)
		if w.behind() == 0 {
			t.Fatal("it committed: the test does not test what it should")
		}
	}
	if w.number("SELECT count() FROM db.chat_events_data") == 0 {
		t.Fatal("nothing was left behind")
	}
	w.start(nil)
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.chat_events"); n != 300 {
		t.Errorf("%d events of 300", n)
	}
	if n := w.number("SELECT count() FROM db.chat_texts"); n != 300 {
		t.Errorf("%d texts of 300", n)
	}
}

// The same with a process of its own and SIGKILL: nothing of it can say goodbye to Kafka or end an insert.
func TestSinkProcessIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shops := w.shops()
	for _, shop := range shops {
		w.publishMessages(shop, 0, 60)
	}
	for _, inserts := range []int{1, 2} { // with one of a batch's two tables inserted, and with both
		c := w.startChild(inserts)
		c.await(w, childHolds)
		c.kill(w)
		if w.behind() == 0 {
			t.Error("everything is committed: the test does not test what it should")
		}
	}
	if n := w.number("SELECT count() FROM db.chat_events_data"); n == 0 {
		t.Error("nothing was left behind")
	}
	w.start(nil)
	w.caughtUp()
	w.arrived(shops, 60)
}

// Offsets of partitions that were given away are not committed: the new owner reads on from the last commit.
func TestOwnership(t *testing.T) {
	t.Parallel()
	at := func(offsets map[string]map[int32]int64) map[string]map[int32]kgo.EpochOffset {
		all := make(map[string]map[int32]kgo.EpochOffset)
		for topic, partitions := range offsets {
			all[topic] = make(map[int32]kgo.EpochOffset)
			for p, offset := range partitions {
				all[topic][p] = kgo.EpochOffset{Offset: offset}
			}
		}
		return all
	}
	read := at(map[string]map[int32]int64{"a": {0: 5, 1: 6}, "b": {0: 7}})
	o := newOwnership()
	is := func(when string, want map[string]map[int32]int64) {
		t.Helper()
		if got := o.of(read); !reflect.DeepEqual(got, at(want)) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	is("nothing owned", nil)
	o.gain(map[string][]int32{"a": {0, 1}})
	is("one topic", map[string]map[int32]int64{"a": {0: 5, 1: 6}})
	o.gain(map[string][]int32{"b": {0, 2}})
	o.lose(map[string][]int32{"a": {0}, "c": {0}})
	is("one partition lost", map[string]map[int32]int64{"a": {1: 6}, "b": {0: 7}})
	o.gain(map[string][]int32{"a": {0}})
	is("and won back", map[string]map[int32]int64{"a": {0: 5, 1: 6}, "b": {0: 7}})
}
