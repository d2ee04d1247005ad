package main

import (
	"context"
	"fmt"
	"time"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
)

// simulateTraffic are the flags of live traffic that several commands share.
type simulateTraffic struct {
	Seed  uint64  `help:"The same seed makes the same traffic." default:"1"`
	Shops int     `help:"Shops, of very unequal size." default:"50"`
	Rate  float64 `help:"Events a second, on average." default:"20"`
	Curve bool    `help:"Let the rate rise and fall with the hours of the day in Asia/Shanghai, and agents work in shifts."`
}

func (t simulateTraffic) config() ingest.SimulateConfig {
	c := ingest.DefaultSimulateConfig()
	c.Seed, c.Shops, c.Rate, c.Curve = t.Seed, t.Shops, t.Rate, t.Curve
	return c
}

func (t simulateTraffic) check() error { return withCode(codeUsage, t.config().Validate()) }

type simulateCmd struct {
	Traffic simulateTraffic `embed:""`
	From    time.Time       `help:"With --to: a stretch of the past, as fast as possible, with its ticks." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	To      time.Time       `help:"See --from." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Out     string          `help:"With --from and --to: into this JSONL file (.gz packs it) in place of Kafka." placeholder:"FILE"`
}

func (c simulateCmd) Run(a *app) error {
	config := c.Traffic.config()
	config.From, config.To, config.File = c.From, c.To, c.Out
	if err := config.Validate(); err != nil {
		return withCode(codeUsage, err)
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
	if config.File == "" {
		if err := r.settings.pingKafka(a.ctx); err != nil {
			return err
		}
	}
	if config.From.IsZero() {
		if err := r.serve(); err != nil {
			return err
		}
		r.checks.Register("kafka", r.settings.Kafka.Ping)
		r.group.Add(r.parts().simulator(config, set))
		return r.group.Run(a.ctx)
	}
	report, err := ingest.Simulate(a.ctx, config, r.settings.Ingest, r.parts().replayDependencies(set))
	if err != nil {
		return withCode(replayCode(err), err)
	}
	fmt.Fprintf(a.stdout, "%d events and %d ticks, %s to %s\n", report.Events, report.Ticks, day(report.FirstUS), day(report.LastUS))
	return nil
}

func (p parts) replayDependencies(set *policy.Set) ingest.ReplayDependencies {
	return ingest.ReplayDependencies{Dependencies: p.ingestDependencies(), Policy: set}
}

// simulator publishes live traffic until its context ends.
func (p parts) simulator(config ingest.SimulateConfig, set *policy.Set) ops.Service {
	return ops.Service{Name: "simulated traffic", Run: func(ctx context.Context) error {
		_, err := ingest.Simulate(ctx, config, p.settings.Ingest, p.replayDependencies(set))
		return err
	}}
}
