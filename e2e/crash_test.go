package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kills is how often TestCrash kills: FEIGE_TEST_KILLS, or 20.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FEIGE_TEST_KILLS")
	if text == "" {
		return 20
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FEIGE_TEST_KILLS: %q is not a number from 1", text)
	}
	return n
}

// TestCrash kills the main job at random moments and starts it again each time, until it gets through.
// What is then in ClickHouse is what the log amounts to, each row once, and the decisions are those of an undisturbed
// run. With many kills it gets through several times, each time on a new data directory.
func TestCrash(t *testing.T) {
	t.Parallel()
	left, rng, rows := kills(t), random(t), recorded(t)
	moments, generations := map[string]int{}, 0
	var contact []time.Duration
	for left > 0 {
		c := &crashes{installation: newInstallation(t), rng: rng, events: len(rows), moments: moments}
		c.interrupt()
		left = c.untilItGetsThrough(left)
		generations++
		c.check(rows)
		contact = append(contact, c.contact...)
		if t.Failed() {
			return
		}
		_ = os.RemoveAll(c.dir) // only to save space
	}
	for _, moment := range slices.Sorted(maps.Keys(moments)) {
		t.Logf("killed %3d times: %s", moments[moment], moment)
	}
	t.Logf("%d data directories; from a start to its first progress: %s", generations, spread(contact))
}

// crashes are what happens to one data directory.
type crashes struct {
	*installation
	rng     *rand.Rand
	events  int
	moments map[string]int
	// contact is how long starts after a kill took to the first progress of the replay or a stage.
	contact []time.Duration
}

// interrupt ends the job cleanly in the middle of the replay.
func (c *crashes) interrupt() {
	c.t.Helper()
	p := c.start("run", "--once", "--examples="+absolute(c.t, examples))
	if !watch(c.t, c.kafka, examplesNamespace).await(p, func(published, _ int64) bool { return published > 0 }) {
		c.t.Fatalf("exit code %d before anything was published", p.code())
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // the exit code tells whether it was still there
	if code := p.wait(); code != interrupted || !strings.HasSuffix(p.output(), "feige: interrupted before the decisions; run it again, it goes on from there\n") {
		c.t.Errorf("a clean stop in the middle: exit code %d", code)
	}
}

// untilItGetsThrough starts and kills the main job until one run is faster than its kill, or none is left: then a last
// one is let through. It returns how many kills are left.
func (c *crashes) untilItGetsThrough(left int) int {
	c.t.Helper()
	for watch := watch(c.t, c.kafka, examplesNamespace); left > 0; left-- {
		p := c.start("run", "--once", "--examples="+absolute(c.t, examples))
		moment := c.killAtRandom(p, watch)
		if code := p.wait(); code == 0 {
			golden(c.t, "decisions.txt", decisions(c.t, outcome{stdout: p.output()}))
			return left
		} else if code != killed {
			c.t.Fatalf("exit code %d after %v", code, c.moments)
		}
		c.moments[moment]++
	}
	last := c.must("run", "--once", "--examples="+absolute(c.t, examples))
	golden(c.t, "decisions.txt", decisions(c.t, last))
	return 0
}

// Exit codes of what a signal ended, and of what ended itself because of one.
const (
	killed      = -1
	interrupted = 130
)

// killAtRandom kills by the clock or by how far the job has come since its start, so that short phases are hit
// as often as long ones, and returns what it was doing.
func (c *crashes) killAtRandom(p *process, w *watcher) string {
	kinds := []struct {
		after                time.Duration // from the start of the process
		published, processed int64         // records since then; 0: does not matter
	}{
		{after: upTo(c.rng, 2*time.Second)},
		{after: upTo(c.rng, 7*time.Second)},
		{after: 2*time.Second + upTo(c.rng, 4*time.Second), published: 1 + c.rng.Int64N(int64(c.events)/6)},
		{after: 2*time.Second + upTo(c.rng, 4*time.Second), processed: 1 + c.rng.Int64N(int64(c.events))},
	}
	kind := kinds[c.rng.IntN(len(kinds))]
	answered, progressed := false, false
	var published, processed int64
	for p.running() && time.Since(p.began) < kind.after {
		ends, commits, ok := w.progress()
		switch {
		case !ok:
		case !answered:
			answered, published, processed = true, ends, commits
		default:
			if !progressed && (ends > published || commits > processed) {
				progressed = true
				c.contact = append(c.contact, time.Since(p.began))
			}
			if kind.published > 0 && ends-published >= kind.published || kind.processed > 0 && commits-processed >= kind.processed {
				kind.after = 0
			}
		}
		select {
		case <-p.exited:
		case <-time.After(min(3*time.Millisecond, kind.after)):
		}
	}
	p.kill()
	switch out := p.output(); {
	case strings.Contains(out, "Standards: "):
		return "while it printed and stopped"
	case strings.Contains(out, "published"): // also: nothing was published
		return "after the replay, while the stages caught up"
	case progressed:
		return "during the replay"
	case answered:
		return "while topics, tables, stages, and the replay started"
	}
	return "while the engines started"
}

// check is what must hold after all of it.
func (c *crashes) check(rows []string) {
	c.t.Helper()
	c.onEngines(func(*process) {
		c.checkRows(examplesNamespace, rows)
		if counts := c.checkNoRepeats(examplesNamespace); counts["chat_events"] != len(rows) {
			c.t.Errorf("%d events in ClickHouse, %d rows were recorded", counts["chat_events"], len(rows))
		}
		c.audit(examplesNamespace)
	})
}

// spread says how measured times lie.
func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "not measured"
	}
	slices.Sort(all)
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("median %v, least %v, most %v (%d times)", ms(all[len(all)/2]), ms(all[0]), ms(all[len(all)-1]), len(all))
}

// TestRestart measures how long it takes until everything is ready again, and until new rows are in ClickHouse, after a clean
// stop and after a kill. It fails only when that never comes.
func TestRestart(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	up := in.start("up", "--simulate", "--rate=500")
	first := up.awaitReady()
	var ready, flowing [2][]time.Duration // after a clean stop, after a kill
	for i := range 4 {
		in.awaitRows(in.rows() + 1000)
		had := in.rows()
		if i%2 == 0 {
			up.stop()
		} else {
			up.kill()
		}
		up = in.start("up", "--simulate", "--rate=500")
		ready[i%2] = append(ready[i%2], up.awaitReady())
		in.awaitRows(had + 1000) // more than a batch that was on its way
		flowing[i%2] = append(flowing[i%2], time.Since(up.began))
	}
	up.stop()
	t.Logf("the first start: ready in %v", first)
	for i, after := range []string{"a clean stop", "a kill"} {
		t.Logf("after %s: ready: %s; 1000 new rows: %s", after, spread(ready[i]), spread(flowing[i]))
	}
}

func (in *installation) rows() int { return in.number("SELECT count() FROM feige.chat_events") }

func (in *installation) awaitRows(n int) {
	in.t.Helper()
	eventually(in.t, fmt.Sprintf("%d rows in ClickHouse", n), func() bool { return in.rows() >= n })
}
