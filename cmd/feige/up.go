package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/chatrelay"
	"github.com/feigeio/feige/chatrelay/web"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
)

type upCmd struct {
	Simulate bool            `help:"Publish simulated traffic."`
	Traffic  simulateTraffic `embed:""`
}

func (c upCmd) Run(a *app) error {
	if err := c.Traffic.check(); err != nil {
		return err
	}
	r, err := a.newProcess()
	if err != nil {
		return err
	}
	defer r.close()
	set, err := r.settings.policySet()
	if err != nil {
		return err
	}
	e, err := a.startEngines(a.ctx, r)
	if err != nil {
		return err
	}
	defer e.close(r)
	conn, err := r.prepare(a.ctx, r.settings.Namespace, set)
	if err != nil {
		return err
	}
	defer conn.Close()
	live, err := a.live(r, r.group, conn, set, c.Simulate, c.Traffic)
	if err != nil {
		return err
	}
	defer live.close()
	r.addresses(a.stdout, e, live)
	return r.group.Run(a.ctx)
}

// prepare makes topics and tables of a namespace on the embedded engines.
func (r *process) prepare(ctx context.Context, ns schemas.Namespace, set *policy.Set) (driver.Conn, error) {
	if _, err := applyTopics(ctx, r.settings, ns, r.settings.Topics.policy(r.settings.Embedded.has(engineKafka))); err != nil {
		return nil, err
	}
	conn, err := r.settings.openWarehouse(ctx, ns)
	if err != nil {
		return nil, err
	}
	if _, err := r.settings.applySchema(ctx, conn, ns, set, r.logger); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// live adds every stage of the settings' namespace, the clock, and, if asked for, traffic to the group.
// The caller closes what is returned after the group has ended.
func (a *app) live(r *process, group *ops.Group, conn driver.Conn, set *policy.Set, simulate bool, traffic simulateTraffic) (*liveStages, error) {
	p := r.parts()
	sink, err := p.sink(conn)
	if err != nil {
		return nil, err
	}
	processors, err := p.processors(set)
	if err != nil {
		return nil, err
	}
	publisher, err := p.publisher()
	if err != nil {
		return nil, err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.checks.Register("clickhouse", conn.Ping)
	group.Add(sink)
	group.Add(processors...)
	shields, err := p.shielding(publisher)
	if err != nil {
		return nil, err
	}
	group.Add(p.clock(publisher), shields)
	if simulate {
		group.Add(p.simulator(traffic.config(), set))
	}
	if err := r.readings.open(p); err != nil {
		return nil, err
	}
	l := &liveStages{close: func() {
		r.readings.close()
		if err := publisher.Close(); err != nil {
			r.logger.Error("closing the publisher", "error", err)
		}
	}}
	if err := l.chat(a.ctx, p, group, publisher, conn, set); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// liveStages is what runs live, as far as people are told of it.
type liveStages struct {
	close func()
	relay *chatrelay.Relay
	// console is the URL of the platform's desks.
	console string
}

// chat adds the relay with its pages and the bot, which stop before what they rest on.
func (l *liveStages) chat(ctx context.Context, p parts, group *ops.Group, publisher *ingest.Publisher, conn driver.Conn, set *policy.Set) (err error) {
	if err := signin.CreateKeys(p.settings.relayConfig().KeysFile); err != nil {
		return err
	}
	answering, err := p.bot(publisher)
	if err != nil {
		return err
	}
	if l.relay, err = p.relay(publisher, conn, set, web.Handler()); err != nil {
		return err
	}
	p.checks.Register("relay", l.relay.Ready)
	desks, url, err := p.console(ctx, conn, set)
	if err != nil {
		l.relay.Close()
		return err
	}
	l.console = url
	group.Add(append(desks, answering, ops.Service{Name: "relay", Run: l.relay.Run})...)
	return nil
}

// addresses tells people where everything answers.
func (r *process) addresses(w io.Writer, e *engines, live *liveStages) {
	if e.clickhouse != nil {
		fmt.Fprintf(w, "\nClickHouse  http://%s   (curl 'http://%s/?query=SHOW+TABLES+FROM+%s')\n",
			e.clickhouse.Addr(), e.clickhouse.Addr(), r.settings.ClickHouse.DatabaseFor(r.settings.Namespace))
	} else {
		fmt.Fprintf(w, "\nClickHouse  %s\n", strings.Join(r.settings.ClickHouse.Addr, ", "))
	}
	fmt.Fprintf(w, "Kafka       %s\n", strings.Join(r.settings.Kafka.Brokers, ", "))
	if r.server != nil {
		addr := reachable(r.server.Addr())
		fmt.Fprintf(w, "metrics     http://%s/metrics\nhealth      http://%s/readyz\n", addr, addr)
	}
	r.chatLinks(w, live)
	fmt.Fprintf(w, "data        %s\n", r.settings.DataDir)
	fmt.Fprintln(w, "Ctrl-C stops everything cleanly.")
}
