package e2e

import (
	"slices"
	"testing"
	"time"
)

// fault is something that happens to the engines.
type fault struct {
	name string
	do   func()
}

// hasty lets others take over early from what was killed.
const hasty = "processors: {max_restart_pause: 1s}\nsinks: {session_timeout: 6s}\n"

// underFaults replays a recording into a namespace while its processors, its sinks, and the replay are killed and the given
// faults happen, in random order at random moments, and wants no difference in the end. The flags are for the topics.
func (in *installation) underFaults(ns string, flags []string, faults []fault) {
	in.t.Helper()
	rng := random(in.t)
	in.namespace(ns, flags...)
	file, events := in.recording(2, 0.12)
	processors, sinks := in.roles(ns)
	replay := in.supervise("replay", "--namespace="+ns, "--speed=100000", file) // some 13 s
	for range 3 {
		faults = append(faults, fault{"processors are killed", processors.kill})
	}
	faults = append(faults, fault{"sinks are killed", sinks.kill}, fault{"the replay is killed", replay.kill})
	rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })

	at := make([]int64, len(faults))
	for i := range at {
		at[i] = rng.Int64N(events * 8 / 10)
	}
	slices.Sort(at)

	w := watch(in.t, in.kafka, ns)
	began, late := time.Now(), 0
	for i, fault := range faults {
		when := "during the replay"
		if !w.await(replay, func(published, _ int64) bool { return published >= at[i] }) {
			when = "after the replay"
			late++
		}
		in.t.Logf("%6.1f s, %s: %s", time.Since(began).Seconds(), when, fault.name)
		fault.do()
	}
	if late > len(faults)/2 {
		in.t.Errorf("%d of %d faults came after the replay: the test shows little", late, len(faults))
	}
	replay.wait()
	in.audit(ns)
	in.t.Logf("%6.1f s: audited; rows: %v", time.Since(began).Seconds(), in.checkNoRepeats(ns))
	in.t.Logf("started again because an engine was away: processors %d, sinks %d, the replay %d times",
		processors.restarts, sinks.restarts, replay.restarts)
	processors.stop()
	sinks.stop()
}

// The embedded engines are killed while every role runs in a process of its own.
func TestEmbeddedEngineFaults(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, hasty)
	engines := in.start("up")
	engines.awaitReady()
	kill := func() {
		engines.kill()
		engines = in.start("up")
		t.Logf("ready again after %v", engines.awaitReady())
	}
	stop := func() {
		engines.stop()
		engines = in.start("up")
		t.Logf("ready again after %v", engines.awaitReady())
	}
	in.underFaults("faults", []string{"--embedded"}, []fault{
		{"the engines are killed", kill}, {"the engines are killed", kill}, {"the engines are killed", kill}, {"the engines are stopped", stop},
	})
	engines.stop()
}
