package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/catchup"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/report"
	"github.com/feigeio/feige/schemas"
)

type runCmd struct {
	Once     bool            `help:"End after the decisions."`
	Examples string          `help:"Directory with the recorded chats." default:"examples/irc_support" placeholder:"DIR"`
	Newest   int             `help:"Periods to show of each shop, the newest; 0: all." default:"6"`
	Traffic  simulateTraffic `embed:""`
}

// examplesNamespace keeps replayed chats apart from live ones.
const examplesNamespace = schemas.Namespace("examples")

func (c runCmd) Run(a *app) error {
	if err := c.Traffic.check(); err != nil {
		return err
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	defaults := defaultSettings()
	defaults.Log.Level = "warn" // the output is for people
	r, err := a.newProcessWith(defaults)
	if err != nil {
		return err
	}
	defer r.close()
	set, err := r.settings.policySet()
	if err != nil {
		return err
	}
	if r.settings.Namespace == examplesNamespace {
		return withCode(codeUsage, fmt.Errorf("namespace %q is that of the examples: take another for the live traffic", examplesNamespace))
	}
	if r.settings.Embedded.has(engineClickHouse) { // set-up does not count in the time below
		if _, err := a.library(r.settings); err != nil {
			return err
		}
	}
	began := time.Now()
	e, err := a.startEngines(a.ctx, r)
	if err != nil {
		return err
	}
	defer e.close(r)
	r.checks.Register("live pipeline", func(context.Context) error { return errors.New("not started yet: the examples come first") })

	// The engines' housekeeping, metrics, and health outlive the stages of either namespace.
	ctx, base := inBackground(a.ctx, r.group)
	err = c.examples(ctx, a, r, set, files)
	if err == nil {
		fmt.Fprintf(a.stdout, "\nFrom start to decisions: %.1f s.\n", time.Since(began).Seconds())
	}
	if err == nil && !c.Once && ctx.Err() == nil {
		err = c.live(ctx, a, r, e, set)
	}
	if baseErr := base.stop(); baseErr != nil {
		return baseErr
	}
	if a.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return withCode(codeInterrupted, errors.New("interrupted before the decisions; run it again, it goes on from there"))
	}
	return err
}

// files are the recordings, found before anything starts.
func (c runCmd) files() ([]string, error) {
	var files []string
	for _, pattern := range []string{"*.csv", "*.csv.gz", "*.jsonl", "*.jsonl.gz"} {
		found, err := filepath.Glob(filepath.Join(c.Examples, pattern))
		if err != nil {
			return nil, withCode(codeUsage, fmt.Errorf("--examples %s: %w", c.Examples, err))
		}
		files = append(files, found...)
	}
	if len(files) > 0 {
		return files, nil
	}
	if _, err := os.Stat(c.Examples); errors.Is(err, fs.ErrNotExist) {
		return nil, withCode(codeUsage, fmt.Errorf("--examples %s: no such directory: run from the top of the repository, or name one", c.Examples))
	}
	return nil, withCode(codeUsage, fmt.Errorf("--examples %s: no .csv or .jsonl file in it", c.Examples))
}

// examples replays the recordings through stages of their own and prints what was decided.
func (c runCmd) examples(ctx context.Context, a *app, r *process, set *policy.Set, files []string) error {
	conn, err := r.prepare(ctx, examplesNamespace, set)
	if err != nil {
		return err
	}
	defer conn.Close()
	registry := prometheus.NewRegistry()
	r.passing.Store(registry)
	defer r.passing.Store(nil)
	p := parts{settings: r.settings, namespace: examplesNamespace, logger: r.logger, registry: registry, checks: ops.NewChecks()}
	sink, err := p.sink(conn)
	if err != nil {
		return err
	}
	processors, err := p.processors(set)
	if err != nil {
		return err
	}
	group := ops.NewGroup(r.logger, r.settings.StopTimeout)
	group.Add(sink)
	group.Add(processors...)
	ctx, stages := inBackground(ctx, group)
	err = c.replayAndReport(ctx, a, p, conn, set, files)
	if stagesErr := stages.stop(); stagesErr != nil {
		return stagesErr
	}
	return err
}

func (c runCmd) replayAndReport(ctx context.Context, a *app, p parts, conn driver.Conn, set *policy.Set, files []string) error {
	config := ingest.DefaultReplayConfig()
	config.Files = files
	config.RejectFile = filepath.Join(p.settings.DataDir, "rejects", "examples.rejects.jsonl")
	replayed, err := p.replay(ctx, config, set, a.stdout)
	if err != nil {
		return err
	}
	printReplay(a.stdout, replayed)
	if err := p.awaitCatchUp(ctx, a); err != nil {
		return err
	}
	database := p.settings.ClickHouse.DatabaseFor(p.namespace)
	if err := everyRow(ctx, a, conn, database, replayed); err != nil {
		return err
	}
	decisions, err := report.Decisions(ctx, conn, database, set.Calendar())
	if err != nil {
		return withCode(codeUnavailable, err)
	}
	width, _ := terminalWidth(a.stdout)
	fmt.Fprintln(a.stdout)
	if err := report.Print(a.stdout, decisions, report.Options{Width: width, Newest: c.Newest}); err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "\nEvery decision with its evidence: %s.restrictions; every window: %s.service_kpis.\n", database, database)
	return nil
}

// everyRow holds the rows of the recordings against those of ClickHouse.
func everyRow(ctx context.Context, a *app, conn driver.Conn, database string, replayed ingest.Report) error {
	var rows uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM "+database+".chat_events").Scan(&rows); err != nil {
		return withCode(codeUnavailable, fmt.Errorf("counting the events in ClickHouse: %w", err))
	}
	fmt.Fprintf(a.stdout, "%d rows of the recordings: %d are events in ClickHouse, %d were rejected\n", replayed.Rows, min(int64(rows), replayed.Events), replayed.Rejects)
	if int64(rows) < replayed.Events {
		return withCode(codeDifference, fmt.Errorf("%d events are missing in %s.chat_events", replayed.Events-int64(rows), database))
	}
	return nil
}

// awaitCatchUp waits until every stage of the namespace has read and written everything.
func (p parts) awaitCatchUp(ctx context.Context, a *app) error {
	return p.awaiting(ctx, a, catchup.Wait)
}

// awaitPassage waits until what the topics of the namespace hold now has passed every stage, and returns where they ended.
func (p parts) awaitPassage(ctx context.Context, a *app) (ends catchup.Ends, err error) {
	err = p.awaiting(ctx, a, func(ctx context.Context, admin *kadm.Client, stages []catchup.Stage, options catchup.Options) (err error) {
		ends, err = catchup.Pass(ctx, admin, stages, options)
		return err
	})
	return ends, err
}

func (p parts) awaiting(ctx context.Context, a *app, wait func(context.Context, *kadm.Client, []catchup.Stage, catchup.Options) error) error {
	options, err := p.settings.Kafka.KGO()
	if err != nil {
		return withCode(codeUsage, err)
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return withCode(codeUnavailable, fmt.Errorf("kafka client: %w", err))
	}
	defer client.Close()
	bar := newProgress(a.stdout, "pipeline", "records")
	err = wait(ctx, kadm.NewClient(client), stages(p.namespace), catchup.Options{
		Interval: 200 * time.Millisecond,
		// A pass over the shops after the last tick may begin that much later, and then be written.
		Quiet: 2*p.settings.Processors.VisitInterval + time.Second,
		Progress: func(lags []catchup.Lag) {
			var behind, total int64
			for _, lag := range lags {
				behind += lag.Behind
				total += lag.Total
			}
			bar.set(total-behind, total)
		},
	})
	bar.finish()
	if err != nil && ctx.Err() == nil {
		return withCode(codeUnavailable, fmt.Errorf("waiting for the pipeline: %w", err))
	}
	return err
}

// live runs the settings' namespace with simulated traffic until a signal comes.
func (c runCmd) live(ctx context.Context, a *app, r *process, e *engines, set *policy.Set) error {
	conn, err := r.prepare(ctx, r.settings.Namespace, set)
	if err != nil {
		return err
	}
	defer conn.Close()
	r.checks.Register("live pipeline", func(context.Context) error { return nil })
	group := ops.NewGroup(r.logger, r.settings.StopTimeout)
	live, err := a.live(r, group, conn, set, true, c.Traffic)
	if err != nil {
		return err
	}
	defer live.close()
	fmt.Fprintln(a.stdout, "\nSimulated live traffic is running now.")
	r.addresses(a.stdout, e, live)
	return group.Run(ctx)
}

// background is a group that runs beside what the caller does.
type background struct {
	cancel context.CancelFunc
	done   chan error
}

// inBackground starts a group. The returned context ends when the group fails or parent ends.
func inBackground(parent context.Context, group *ops.Group) (context.Context, *background) {
	// The group's own context ends only with stop, so that it outlives what the caller does with ctx.
	own, cancel := context.WithCancel(context.WithoutCancel(parent))
	ctx, end := context.WithCancel(parent)
	b := &background{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := group.Run(own)
		end()
		b.done <- err
	}()
	return ctx, b
}

// stop ends the group, waits for it, and returns its failure.
func (b *background) stop() error {
	b.cancel()
	return <-b.done
}
