package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/feigeio/feige/dashboards/grafana"
)

type dashboardsCmd struct {
	Apply  dashboardsApplyCmd  `cmd:"" help:"Bring folder, data source, boards, and alerts to Grafana. A second run changes nothing."`
	Diff   dashboardsDiffCmd   `cmd:"" help:"Show how Grafana's differ from ours. Exit code 1: they do."`
	Delete dashboardsDeleteCmd `cmd:"" help:"Take away what apply made."`
	Export dashboardsExportCmd `cmd:"" help:"Write the files that a Grafana provisions itself from."`
}

// dashboardsFlags outweigh the section grafana of the configuration.
type dashboardsFlags struct {
	URL      *string `help:"Grafana's URL." placeholder:"URL"`
	Language *string `help:"Language of titles: en or zh." placeholder:"LANG"`
	Period   string  `help:"Half-month that the boards open with, such as 2026-11-H1, for what was replayed; without it, the newest and up to now." placeholder:"PERIOD"`
}

func (f dashboardsFlags) provisioner(a *app) (*grafana.Provisioner, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	set, err := s.policySet()
	if err != nil {
		return nil, err
	}
	cfg := s.Grafana
	if f.URL != nil {
		cfg.URL = *f.URL
	}
	if f.Language != nil {
		cfg.Language = *f.Language
	}
	var opens grafana.Period
	if f.Period != "" {
		span, err := period(set.Calendar(), f.Period)
		if err != nil {
			return nil, err
		}
		opens = grafana.Period{Name: f.Period, From: time.UnixMicro(span.Start), To: time.UnixMicro(span.End)}
	}
	p, err := grafana.New(cfg, grafana.Dependencies{
		Database: s.ClickHouse.DatabaseFor(s.Namespace), TimeZone: set.Calendar().Location().String(), Opens: opens,
	})
	return p, withCode(codeUsage, err)
}

// report runs one of the provisioner's tasks and prints what came of it.
func (f dashboardsFlags) report(a *app, task func(*grafana.Provisioner, context.Context) ([]grafana.Change, error)) ([]grafana.Change, error) {
	p, err := f.provisioner(a)
	if err != nil {
		return nil, err
	}
	changes, err := task(p, a.ctx)
	for _, change := range changes {
		fmt.Fprintf(a.stdout, "%-10s %-18s %s\n", change.Action, change.Kind, change.Name)
		for _, line := range change.Differences {
			fmt.Fprintf(a.stdout, "           %s\n", line)
		}
	}
	for _, unavailable := range []error{grafana.ErrUnreachable, grafana.ErrTooOld, grafana.ErrNoPlugin} {
		if errors.Is(err, unavailable) {
			err = withCode(codeUnavailable, err)
		}
	}
	if errors.Is(err, grafana.ErrSignIn) || errors.Is(err, grafana.ErrForbidden) {
		err = withCode(codeUsage, err)
	}
	return changes, err
}

type dashboardsApplyCmd struct{ dashboardsFlags }

func (c dashboardsApplyCmd) Run(a *app) error {
	_, err := c.report(a, (*grafana.Provisioner).Apply)
	return err
}

type dashboardsDiffCmd struct{ dashboardsFlags }

func (c dashboardsDiffCmd) Run(a *app) error {
	changes, err := c.report(a, (*grafana.Provisioner).Diff)
	if err != nil {
		return err
	}
	for _, change := range changes {
		if change.Action != grafana.Unchanged && change.Action != grafana.Provided {
			return silent(codeDifference)
		}
	}
	return nil
}

type dashboardsDeleteCmd struct{ dashboardsFlags }

func (c dashboardsDeleteCmd) Run(a *app) error {
	_, err := c.report(a, (*grafana.Provisioner).Delete)
	return err
}

type dashboardsExportCmd struct {
	dashboardsFlags
	Dir string `arg:"" help:"Directory to write to; it stands for /etc/grafana/provisioning." placeholder:"DIR"`
}

func (c dashboardsExportCmd) Run(a *app) error {
	p, err := c.provisioner(a)
	if err != nil {
		return err
	}
	files, err := p.Export(c.Dir)
	for _, name := range files {
		fmt.Fprintln(a.stdout, name)
	}
	return err
}
