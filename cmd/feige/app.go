package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"

	"github.com/feigeio/feige/internal/ops"
)

// app is what every subcommand gets: the command line, the streams, and a context that ends with a signal.
type app struct {
	ctx            context.Context
	line           *commandLine
	environ        []string
	stdout, stderr io.Writer
}

// settings reads and checks the configuration.
func (a *app) settings() (settings, error) { return loadSettings(defaultSettings(), a.line, a.environ) }

// process is what long-running subcommands share.
type process struct {
	settings settings
	logger   *slog.Logger
	registry *prometheus.Registry
	// passing, if set, is shown with the registry: metrics of stages that end before the process does.
	passing atomic.Pointer[prometheus.Registry]
	checks  *ops.Checks
	server  *ops.Server
	group   *ops.Group
	// readings of auditors in the embedded ClickHouse.
	readings readings
}

// newProcess reads the settings. Nothing is taken or started yet.
func (a *app) newProcess() (*process, error) { return a.newProcessWith(defaultSettings()) }

// newProcessWith takes other defaults, which file, environment, and flags outweigh.
func (a *app) newProcessWith(defaults settings) (*process, error) {
	s, err := loadSettings(defaults, a.line, a.environ)
	if err != nil {
		return nil, err
	}
	r := &process{
		settings: s,
		logger:   ops.NewLogger(a.stderr, s.Log),
		registry: prometheus.NewRegistry(),
		checks:   ops.NewChecks(),
	}
	r.group = ops.NewGroup(r.logger, s.StopTimeout)
	r.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo())
	return r, nil
}

// serve takes the address of metrics and health, before anything else listens.
func (r *process) serve() (err error) {
	addr := r.settings.HTTP.Addr
	if addr == "" {
		return nil
	}
	if err := portFree("http.addr", addr); err != nil {
		return err
	}
	if r.server, err = ops.Listen(r.settings.HTTP, prometheus.GathererFunc(r.gather), r.checks); err != nil {
		return withCode(codeInUse, err)
	}
	r.group.Add(ops.Service{Name: "metrics and health", Run: r.server.Run})
	return nil
}

func (r *process) gather() ([]*dto.MetricFamily, error) {
	gatherers := prometheus.Gatherers{r.registry}
	if passing := r.passing.Load(); passing != nil {
		gatherers = append(gatherers, passing)
	}
	return gatherers.Gather()
}

// close gives back what serve took, for commands that fail before their group runs.
func (r *process) close() {
	if r.server != nil {
		r.server.Close()
	}
}

func buildInfo() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "feige_build_info", Help: "1, labelled with the version.", ConstLabels: prometheus.Labels{"version": version},
	}, func() float64 { return 1 })
}
