package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
)

type replayCmd struct {
	Files      []string          `arg:"" help:"CSV or JSONL files, also .gz; several are merged by time." placeholder:"FILE"`
	Format     string            `help:"csv or jsonl; by the name when left out." enum:",csv,jsonl" default:""`
	Speed      float64           `help:"0: as fast as possible; 1: real time; N: N times as fast." default:"0"`
	RejectFile string            `help:"Where rows go that cannot be used (default: rejects/FILE.rejects.jsonl; -: nowhere)." placeholder:"FILE"`
	Column     map[string]string `help:"Title of a CSV column: --column text=Body. Also shop, conversation, time, role, user, kind, id, automatic, event, score; #3 is the third column." placeholder:"FIELD=TITLE" mapsep:"none"`
	Shop       string            `help:"The shop of all rows, where no column says it."`
	AllRoles   string            `help:"The role of all rows, where no column says it." name:"role"`
	Role       map[string]string `help:"What a word of the role column means: --role-word staff=agent." name:"role-word" placeholder:"WORD=ROLE" mapsep:"none"`
	TimeLayout string            `help:"auto, rfc3339, unix_s, unix_ms, unix_us, or a layout of Go's time package." placeholder:"LAYOUT"`
	TimeZone   string            `help:"Zone of times that name none (default: UTC)." placeholder:"ZONE"`
	Delimiter  string            `help:"Between columns: one character, or tab."`
	NoHeader   bool              `help:"The first row is data; columns are named #1, #2, …"`
}

func (c replayCmd) Run(a *app) error {
	mapping, err := c.mapping()
	if err != nil {
		return withCode(codeUsage, err)
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	set, err := s.policySet()
	if err != nil {
		return err
	}
	for _, file := range c.Files {
		if _, err := os.Stat(file); err != nil {
			return withCode(codeUsage, fmt.Errorf("%s: %w", file, plainCause(err)))
		}
	}
	if err := s.pingKafka(a.ctx); err != nil {
		return err
	}
	config := ingest.DefaultReplayConfig()
	config.Files, config.Format, config.Mapping = c.Files, ingest.Format(c.Format), mapping
	config.Speed, config.RejectFile = c.Speed, c.RejectFile
	p := parts{settings: s, namespace: s.Namespace, logger: ops.NewLogger(a.stderr, s.Log)}
	report, err := p.replay(a.ctx, config, set, a.stdout)
	if err != nil {
		return err
	}
	printReplay(a.stdout, report)
	return nil
}

func (c replayCmd) mapping() (ingest.Mapping, error) {
	m := ingest.Mapping{
		ShopValue: c.Shop, RoleValue: c.AllRoles, Roles: c.Role, TimeLayout: c.TimeLayout, TimeZone: c.TimeZone,
		Delimiter: c.Delimiter, NoHeader: c.NoHeader,
	}
	fields := map[string]*string{
		"shop": &m.Shop, "conversation": &m.Conversation, "time": &m.Time, "role": &m.Role, "user": &m.User, "text": &m.Text,
		"kind": &m.Kind, "id": &m.ID, "automatic": &m.Automatic, "event": &m.Event, "score": &m.Score,
	}
	for field, title := range c.Column {
		target, ok := fields[field]
		if !ok {
			return m, fmt.Errorf("--column %s=%s: %q is none of shop, conversation, time, role, user, text, kind, id, automatic, event, score", field, title, field)
		}
		*target = title
	}
	return m, nil
}

// replay publishes recordings into the namespace and shows how far it is.
func (p parts) replay(ctx context.Context, config ingest.ReplayConfig, set *policy.Set, out io.Writer) (ingest.Report, error) {
	bar := newProgress(out, "replay", "events")
	config.Progress = func(at ingest.Progress) {
		if !at.Checking {
			bar.set(at.Done, at.Events)
		}
	}
	report, err := ingest.Replay(ctx, config, p.settings.Ingest, p.replayDependencies(set))
	bar.finish()
	return report, withCode(replayCode(err), err)
}

func replayCode(err error) int {
	switch {
	case err == nil:
		return codeOK
	case errors.Is(err, ingest.ErrUnavailable), errors.Is(err, ingest.ErrNoTopic):
		return codeUnavailable
	case errors.Is(err, ingest.ErrPartitions):
		return codeUsage
	case errors.Is(err, ingest.ErrBusy):
		return codeInUse
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return codeUsage
	case errors.Is(err, context.Canceled):
		return codeFailed
	}
	return codeBadData
}

func printReplay(w io.Writer, report ingest.Report) {
	for _, file := range report.Files {
		fmt.Fprintf(w, "%s: %d rows, %d events, %d rejected\n", filepath.Base(file.Path), file.Rows, file.Events, file.Rejects)
	}
	if report.RejectFile != "" {
		fmt.Fprintf(w, "rejected rows, with line and reason: %s\n", report.RejectFile)
	}
	if report.AlreadyDone {
		fmt.Fprintln(w, "the same content was replayed before: nothing was published again")
		return
	}
	fmt.Fprintf(w, "published %d events", report.Published)
	if report.Skipped > 0 {
		fmt.Fprintf(w, " (%d were in the log already)", report.Skipped)
	}
	if report.Events > 0 {
		fmt.Fprintf(w, ", %s to %s", day(report.FirstUS), day(report.LastUS))
	}
	fmt.Fprintf(w, ", in %.1f s\n", report.Elapsed.Seconds())
}

func day(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02") }
