package stream_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/schemas"
)

// Shops that have gone quiet get their last snapshots and their decisions when time moves on, with no
// event of their own any more.
func TestQuietShopsAreDecided(t *testing.T) {
	t.Parallel()
	b := startBroker(t, productTopics()...)
	d := newDriver(t, b.addr, rand.Uint64())
	inProcess(t, role{Addr: b.addr, Session: 2 * time.Second}, prometheus.NewRegistry())
	d.publish(3000)
	d.drained(30 * time.Second)
	if n := d.end(schemas.TopicRestrictions); n != 0 {
		t.Fatalf("%d decisions before the period's end", n)
	}
	d.close()
	v := settle(t, d.gen.pol, b.addr, 30*time.Second)
	v.mustBeExact(t)
	if v.decisions < 14 {
		t.Errorf("%d decisions, want at least one for each of the 14 shops", v.decisions)
	}
}

// The same when the process is killed after the ticks have been committed and before any pass has looked
// at what they make due.
func TestQuietShopsAreDecidedAfterAKill(t *testing.T) {
	t.Parallel()
	b := startBroker(t, productTopics()...)
	d := newDriver(t, b.addr, rand.Uint64())
	// The one pass of a minute is that after the assignment.
	r := role{Addr: b.addr, Instance: "i", Session: 2 * time.Second, VisitInterval: time.Minute}
	c := startChild(t, r)
	c.awaitReady(t, 30*time.Second)
	d.publish(3000)
	d.close()
	d.drained(30 * time.Second)
	c.kill()
	if n := d.end(schemas.TopicRestrictions); n > 0 {
		t.Errorf("%d decisions were told before the kill: the test is not about what it says", n)
	}
	startChild(t, r)
	v := settle(t, d.gen.pol, b.addr, 30*time.Second)
	v.mustBeExact(t)
	if v.decisions < 14 {
		t.Errorf("%d decisions, want at least one for each of the 14 shops", v.decisions)
	}
}

// The same when the process is killed while what a pass has to tell is on its way.
func TestQuietShopsAreDecidedAfterAKillInAPass(t *testing.T) {
	t.Parallel()
	check := func(name string, held string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, productTopics()...)
			d := newDriver(t, b.addr, rand.Uint64())
			r := role{Addr: b.addr, Instance: "i", Session: 2 * time.Second, ProduceTimeout: time.Minute}
			c := startChild(t, r)
			d.publish(3000)
			settle(t, d.gen.pol, b.addr, 30*time.Second).mustBeExact(t)
			release := b.hold(t, held)
			d.close()
			await(t, 30*time.Second, "something due that waits to be told", func() bool { return b.holding.Load() > 0 })
			c.kill()
			release()
			startChild(t, r)
			settle(t, d.gen.pol, b.addr, 30*time.Second).mustBeExact(t)
		})
	}
	check("snapshots", schemas.TopicKpis)
	check("decisions", schemas.TopicRestrictions)
}
