package stream_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/feigeio/feige/schemas"
)

// chaosKills is how many times something is killed; FEIGE_CHAOS_KILLS asks for more.
func chaosKills(t testing.TB, normal int) int {
	t.Helper()
	text := os.Getenv("FEIGE_CHAOS_KILLS")
	if text == "" {
		return normal
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FEIGE_CHAOS_KILLS: %q is not a number of kills", text)
	}
	return n
}

// outputs are the topics that the processors write.
func outputs() (names []string) {
	for _, name := range productTopics() {
		if name != schemas.TopicEvents {
			names = append(names, name)
		}
	}
	return names
}

// background runs f until stop is called, which waits for it, or the test ends.
func background(t testing.TB, f func(ctx context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// times collects how long things took.
type times []time.Duration

func (ts *times) add(d time.Duration) {
	if d > 0 {
		*ts = append(*ts, d)
	}
}

func (ts times) log(t testing.TB, what string) {
	t.Helper()
	if len(ts) == 0 {
		return
	}
	slices.Sort(ts)
	t.Logf("%s: %d times, median %v, longest %v", what, len(ts), ts[len(ts)/2].Round(time.Millisecond), ts[len(ts)-1].Round(time.Millisecond))
}

// The processors' process is killed at random moments, some of them before it is up.
func TestProcessorsAreKilled(t *testing.T) {
	t.Parallel()
	check := func(name, instance string, kills, rate int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startDiskBroker(t)
			seed := rand.Uint64()
			d := newDriver(t, b.addr, seed)
			stop := background(t, func(ctx context.Context) { d.flow(ctx, rate) })
			killProcessors(t, role{Addr: b.addr, Instance: instance, Session: time.Second}, rand.New(rand.NewPCG(seed, 1)), kills)
			stop()
			d.close()
			settle(t, d.gen.pol, b.addr, time.Minute).mustBeExact(t)
		})
	}
	check("static membership", "i", chaosKills(t, 10), 1500)
	check("dynamic membership", "", chaosKills(t, 10), 1500)
}

// killProcessors leaves one process running in the end.
func killProcessors(t *testing.T, r role, rnd *rand.Rand, kills int) {
	t.Helper()
	var up times
	began := time.Now()
	early := 0
	for i := range kills {
		c := startChild(t, r)
		if i%4 == 3 {
			early++ // likely before it is up
			pause(t.Context(), time.Duration(rnd.Int64N(int64(900*time.Millisecond))))
		} else {
			c.awaitReady(t, 30*time.Second)
			up.add(c.took())
			pause(t.Context(), time.Duration(rnd.Int64N(int64(1200*time.Millisecond))))
		}
		c.kill()
	}
	c := startChild(t, r)
	c.awaitReady(t, 30*time.Second)
	up.add(c.took())
	t.Logf("%d kills in %v, %d of them early", kills, time.Since(began).Round(time.Second), early)
	up.log(t, "from start to all partitions recovered")
}

// Two processes share the partitions; they are killed, leave, and join.
func TestTwoInstances(t *testing.T) {
	t.Parallel()
	b := startDiskBroker(t)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := newDriver(t, b.addr, seed)
	stop := background(t, func(ctx context.Context) { d.flow(ctx, 800) })
	r := role{Addr: b.addr, Session: 2 * time.Second}
	both := []*child{startChild(t, r), startChild(t, r)}
	changes := chaosKills(t, 6)
	for i := range changes {
		which := rnd.IntN(2)
		both[which].awaitReady(t, time.Minute)
		pause(t.Context(), time.Duration(rnd.Int64N(int64(1500*time.Millisecond))))
		if i%3 == 2 {
			both[which].stop(t)
		} else {
			both[which].kill()
		}
		pause(t.Context(), time.Duration(rnd.Int64N(int64(3*time.Second))))
		both[which] = startChild(t, r)
	}
	stop()
	d.close()
	settle(t, d.gen.pol, b.addr, 90*time.Second).mustBeExact(t)
}

// A process is stopped until another one has taken its partitions, and then goes on as if nothing had been.
func TestZombie(t *testing.T) {
	t.Parallel()
	check := func(name, instance string, zombies int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startDiskBroker(t)
			seed := rand.Uint64()
			rnd := rand.New(rand.NewPCG(seed, 1))
			d := newDriver(t, b.addr, seed)
			stop := background(t, func(ctx context.Context) { d.flow(ctx, 1000) })
			r := role{Addr: b.addr, Instance: instance, Session: time.Second}
			var takeover times
			old := startChild(t, r)
			for range zombies {
				old.awaitReady(t, 30*time.Second)
				pause(t.Context(), time.Duration(rnd.Int64N(int64(time.Second))))
				old.freeze()
				young := startChild(t, r)
				young.awaitReady(t, 30*time.Second)
				takeover.add(young.took())
				pause(t.Context(), time.Duration(rnd.Int64N(int64(300*time.Millisecond))))
				old.thaw()
				pause(t.Context(), time.Duration(rnd.Int64N(int64(500*time.Millisecond))))
				old.kill()
				old = young
			}
			stop()
			d.close()
			settle(t, d.gen.pol, b.addr, time.Minute).mustBeExact(t)
			takeover.log(t, "from start to having taken over")
		})
	}
	check("static membership", "i", chaosKills(t, 4))
	check("dynamic membership", "", chaosKills(t, 3))
}

// Writes are refused and processes are killed.
func TestRefusalsAndKills(t *testing.T) {
	skipRace(t)
	t.Parallel()
	b := startDiskBroker(t)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := newDriver(t, b.addr, seed)
	stopFlow := background(t, func(ctx context.Context) { d.flow(ctx, 800) })
	stopTrouble := background(t, func(ctx context.Context) {
		t.Logf("%d windows of refused writes", b.misbehave(ctx, rand.New(rand.NewPCG(seed, 2)), 2*time.Second, outputs()))
	})
	killProcessors(t, role{Addr: b.addr, Instance: "i", Session: time.Second}, rnd, chaosKills(t, 8))
	stopTrouble()
	stopFlow()
	d.close()
	settle(t, d.gen.pol, b.addr, time.Minute).mustBeExact(t)
}
