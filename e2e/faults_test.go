package e2e

import (
	"testing"
	"time"
)

// fault is something that happens to the engines.
type fault struct {
	name string
	do   func()
}

// underFaults replays a recording into a namespace while its processors, its sinks, and the replay are killed and the given
// faults happen, in random order at random moments, and wants no difference in the end. The flags are for the topics.
func (in *installation) underFaults(ns string, flags []string, faults []fault) {
	in.t.Helper()
	rng := random(in.t)
	in.namespace(ns, flags...)
	file := in.recording(2, 0.15)
	processors, sinks := in.roles(ns)
	replay := in.start("replay", "--namespace="+ns, file)
	again := func(p **process, args ...string) func() {
		return func() {
			(*p).kill()
			*p = in.start(append(args, "--namespace="+ns)...)
		}
	}
	for range 3 {
		faults = append(faults, fault{"processors are killed", again(&processors, "processors")})
	}
	faults = append(faults, fault{"sinks are killed", again(&sinks, "sinks")}, fault{"the replay is killed", again(&replay, "replay", file)})
	rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })

	w := watch(in.t, in.kafka, ns)
	began, late := time.Now(), 0
	for _, fault := range faults {
		when := "during the replay"
		target, known := rng.Int64N(25_000), false
		if !w.await(replay, func(published, _ int64) bool {
			if !known {
				target, known = target+published, true
			}
			return published >= target
		}) {
			when = "after the replay"
			late++
		}
		in.t.Logf("%6.1f s, %s: %s", time.Since(began).Seconds(), when, fault.name)
		fault.do()
	}
	if late > len(faults)/2 {
		in.t.Errorf("%d of %d faults came after the replay: the test shows little", late, len(faults))
	}
	if code := replay.wait(); code != 0 {
		in.t.Fatalf("the replay ended with exit code %d", code)
	}
	in.audit(ns)
	in.t.Logf("%6.1f s: audited; rows: %v", time.Since(began).Seconds(), in.checkNoRepeats(ns))
	for _, p := range []*process{processors, sinks} {
		if !p.running() {
			in.t.Errorf("%s ended by itself with exit code %d", p.name, p.code())
			continue
		}
		p.stop()
	}
}

// The embedded engines are killed while every role runs in a process of its own.
func TestEmbeddedEngineFaults(t *testing.T) {
	t.Parallel()
	in := newInstallation(t, "processors: {max_restart_pause: 1s}")
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
