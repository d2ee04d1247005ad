package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// recording makes believable traffic of some weeks, with all that simulated traffic has in it: ratings,
// closings, absent agents, bots. The same seed and rate give the same file. It returns how many events there are.
func (in *installation) recording(seed int, rate float64) (path string, events int64) {
	in.t.Helper()
	path = in.path("recorded.jsonl.gz")
	got := in.must("simulate", "--from=2026-03-08T00:00:00+08:00", "--to=2026-03-24T00:00:00+08:00", "--shops=40", "--curve",
		fmt.Sprintf("--seed=%d", seed), fmt.Sprintf("--rate=%v", rate), "--out="+path)
	if _, err := fmt.Sscanf(got.stdout, "%d events", &events); err != nil {
		in.t.Fatalf("how many events? %q: %v", got.stdout, err)
	}
	return path, events
}

// namespace makes topics and tables of one. More are flags for the topics.
func (in *installation) namespace(ns string, more ...string) {
	in.t.Helper()
	in.must(append([]string{"topics", "apply", "--namespace=" + ns}, more...)...)
	in.must("schema", "apply", "--namespace="+ns)
}

// roles starts processors and sinks of a namespace in processes of their own and waits until they are ready.
func (in *installation) roles(ns string) (processors, sinks *role) {
	in.t.Helper()
	processors, sinks = in.supervise("processors", "--namespace="+ns), in.supervise("sinks", "--namespace="+ns)
	processors.awaitReady()
	sinks.awaitReady()
	return processors, sinks
}

// The same recording in two namespaces gives the same tables, offsets included, although one comes through live stages, and
// the other lies there whole before any stage runs, and its processors are killed on the way.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	file, _ := in.recording(1, 0.05)
	in.onEngines(func(*process) {
		in.namespace("first", "--embedded")
		in.namespace("second", "--embedded")
		processors, sinks := in.roles("first")
		in.must("replay", "--namespace=first", file)
		in.must("replay", "--namespace=second", file)
		in.audit("first")
		processors.stop()
		sinks.stop()

		other := in.start("processors", "--namespace=second")
		w := watch(t, in.kafka, "second")
		published, _, _ := w.progress()
		if !w.await(other, func(_, processed int64) bool { return processed > published/2 }) {
			t.Fatal("the processors of the second namespace ended by themselves")
		}
		other.kill()
		processors, sinks = in.roles("second")
		in.audit("second")
		processors.stop()
		sinks.stop()

		for name, how := range in.differing("first", "second") {
			t.Errorf("%s: %s", name, how)
		}
		counts := in.checkNoRepeats("second")
		for name, n := range counts {
			if n == 0 {
				t.Errorf("%s: no row was compared", name)
			}
		}
		t.Logf("rows that are the same: %v", counts)

		// One more row is found.
		in.sql("INSERT INTO feige_second.takeovers_data SELECT * REPLACE (number + 1000 AS number) FROM feige_second.takeovers_data FINAL LIMIT 1")
		if found := in.differing("first", "second"); len(found) != 1 || !strings.HasPrefix(found["takeovers"], "1 rows only in second") {
			t.Errorf("one takeover was added to the second; found was %v", found)
		}
	})
}
