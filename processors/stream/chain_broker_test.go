package stream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"

	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/schemas"
)

// inProcess runs the three processors here until the test ends.
func inProcess(t *testing.T, r role, registry *prometheus.Registry) (all processors, stop func()) {
	t.Helper()
	all, err := newProcessors(r, quiet(), registry)
	if err != nil {
		t.Fatal(err)
	}
	return all, background(t, all.run)
}

func logMetrics(t *testing.T, registry *prometheus.Registry) {
	t.Helper()
	t.Logf("restarts %v, table records rolled back %v", metric(t, registry, "feige_processor_restarts_total"), metric(t, registry, "feige_processor_rolled_back_total"))
}

// The broker refuses writes to one topic after the other, in several ways and for longer than the
// processors try.
func TestBrokerRefusesWrites(t *testing.T) {
	skipRace(t)
	t.Parallel()
	b := startDiskBroker(t)
	seed := rand.Uint64()
	d := newDriver(t, b.addr, seed)
	registry := prometheus.NewRegistry()
	inProcess(t, role{Addr: b.addr, Session: 2 * time.Second}, registry)
	stopFlow := background(t, func(ctx context.Context) { d.flow(ctx, 800) })
	length := 15 * time.Second
	if n := chaosKills(t, 0); n > 0 {
		length = time.Duration(n) * 3 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	windows := b.misbehave(ctx, rand.New(rand.NewPCG(seed, 2)), 3500*time.Millisecond, outputs())
	release := b.refuse(schemas.TopicFacts, kerr.NotLeaderForPartition)
	await(t, 30*time.Second, "a processor that gives up and restarts", func() bool { return metric(t, registry, "feige_processor_restarts_total") > 0 })
	release()
	stopFlow()
	d.close()
	settle(t, d.gen.pol, b.addr, time.Minute).mustBeExact(t)
	t.Logf("%d windows of refused writes in %v", windows, length)
	logMetrics(t, registry)
}

// The broker's process is killed and started again on the same port and directory.
func TestBrokerIsKilled(t *testing.T) {
	skipRace(t)
	t.Parallel()
	r := role{Broker: true, Port: freePort(t), Dir: t.TempDir()}
	addr := fmt.Sprintf("127.0.0.1:%d", r.Port)
	br := startChild(t, r)
	br.awaitReady(t, 30*time.Second)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	d := newDriver(t, addr, seed)
	d.createTopics()
	registry := prometheus.NewRegistry()
	all, _ := inProcess(t, role{Addr: addr, Session: 2 * time.Second}, registry)
	stopFlow := background(t, func(ctx context.Context) { d.flow(ctx, 800) })
	var back times
	for i := range chaosKills(t, 6) {
		if i%3 != 2 { // else perhaps while they recover
			await(t, time.Minute, "processors", all.ready)
		}
		pause(t.Context(), 100*time.Millisecond+time.Duration(rnd.Int64N(int64(1500*time.Millisecond))))
		br.kill()
		pause(t.Context(), time.Duration(rnd.Int64N(int64(700*time.Millisecond))))
		br = startChild(t, r)
		br.awaitReady(t, 30*time.Second)
		if i%3 != 1 {
			continue
		}
		began, before := time.Now(), d.commits(schemas.GroupService, schemas.TopicFacts)
		await(t, time.Minute, "the last stage to go on", func() bool { return d.commits(schemas.GroupService, schemas.TopicFacts) > before })
		back.add(time.Since(began))
	}
	stopFlow()
	d.close()
	settle(t, d.gen.pol, addr, time.Minute).mustBeExact(t)
	back.log(t, "from the broker's return to the first commit of the last stage")
	logMetrics(t, registry)
}

// Tables are compacted all the time, also while they are read back, and processors are killed.
func TestTablesAreCompacted(t *testing.T) {
	t.Parallel()
	cfg := ekafka.Config{Dir: t.TempDir(), Addr: "127.0.0.1:0", Housekeeping: ekafka.DefaultHousekeeping()}
	cfg.Housekeeping.Settle, cfg.Housekeeping.CompactMinRecords, cfg.Housekeeping.CompactFactor = 0, 200, 1.2
	b, err := ekafka.Start(t.Context(), cfg, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	seed := rand.Uint64()
	d := newDriver(t, b.Addr(), seed)
	d.createTopics()
	stopFlow := background(t, func(ctx context.Context) { d.flow(ctx, 800) })
	stopHousekeeping := background(t, func(ctx context.Context) {
		for ; ctx.Err() == nil; pause(ctx, 100*time.Millisecond) {
			if err := b.Housekeep(ctx); err != nil && ctx.Err() == nil {
				t.Errorf("housekeeping: %v", err)
			}
		}
	})
	killProcessors(t, role{Addr: b.Addr(), Instance: "i", Session: 2 * time.Second}, rand.New(rand.NewPCG(seed, 1)), chaosKills(t, 5))
	stopFlow()
	d.close()
	stopHousekeeping()
	v := settle(t, d.gen.pol, b.Addr(), time.Minute)
	v.mustBeExact(t)
	if v.compacted == 0 {
		t.Error("no table was compacted")
	}
}
