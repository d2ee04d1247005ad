package main

import (
	"fmt"

	"github.com/feigeio/feige/internal/audit"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
)

type auditCmd struct {
	Period string `help:"Only this half-month (2026-11-H1) or day (2026-11-05)." placeholder:"PERIOD"`
	Show   int    `help:"Differences to print; all are counted." default:"50"`
	Wait   bool   `help:"Wait until what the log holds now has passed the whole pipeline, and audit up to there; more may be published meanwhile."`
}

func (c auditCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	set, err := s.policySet()
	if err != nil {
		return err
	}
	config := audit.DefaultConfig()
	config.Show = c.Show
	if c.Period != "" {
		if config.Period, err = period(set.Calendar(), c.Period); err != nil {
			return err
		}
	}
	if err := config.Validate(); err != nil {
		return withCode(codeUsage, err)
	}
	if err := s.pingKafka(a.ctx); err != nil {
		return err
	}
	conn, err := s.openWarehouse(a.ctx, s.Namespace)
	if err != nil {
		return err
	}
	defer conn.Close()
	logger := ops.NewLogger(a.stderr, s.Log)
	if c.Wait {
		p := parts{settings: s, namespace: s.Namespace, logger: logger}
		if config.Until, err = p.awaitPassage(a.ctx, a); err != nil {
			return err
		}
	}
	report, err := audit.Run(a.ctx, config, audit.Dependencies{
		Broker: s.Kafka, Namespace: s.Namespace, Conn: conn, Database: s.ClickHouse.DatabaseFor(s.Namespace), Policy: set, Logger: logger,
	})
	if err != nil {
		return withCode(codeUnavailable, err)
	}
	if err := report.Write(a.stdout); err != nil {
		return err
	}
	if !report.OK() {
		return silent(codeDifference)
	}
	return nil
}

// about reads the settings, the policy, and a period by its calendar.
func (a *app) about(name string) (s settings, set *policy.Set, span worktime.Span, err error) {
	if s, err = a.settings(); err != nil {
		return s, nil, span, err
	}
	if set, err = s.policySet(); err != nil {
		return s, nil, span, err
	}
	span, err = period(set.Calendar(), name)
	return s, set, span, err
}

func period(calendar *worktime.Calendar, text string) (worktime.Span, error) {
	span, err := calendar.ParsePeriod(text)
	if err != nil {
		return span, withCode(codeUsage, fmt.Errorf("--period: %w", err))
	}
	return span, nil
}
