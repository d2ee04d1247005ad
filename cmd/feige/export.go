package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/feigeio/feige/internal/export"
)

type exportCmd struct {
	Period   string   `help:"Half-month (2026-11-H1) or day (2026-11-05) whose rows are written." placeholder:"PERIOD" required:""`
	Out      string   `help:"File to write; it appears when it is whole." placeholder:"FILE" required:"" type:"path"`
	Format   string   `help:"csv, xlsx, or parquet (default: by the file's name)." placeholder:"FORMAT"`
	Table    []string `help:"Table: shops, days, indicators, decisions, agents, rounds, conversations, takeovers, violations, sanctions (default: shops). Several go into one xlsx; all takes all." placeholder:"TABLE"`
	Shop     string   `help:"Only this shop." placeholder:"SHOP"`
	BOM      bool     `name:"bom" help:"Begin a CSV file with a byte order mark, so that Excel reads it as UTF-8."`
	Verbatim bool     `help:"In CSV, leave text as it is that a spreadsheet would take for a formula."`
}

// Help is what feige export --help says more.
func (exportCmd) Help() string {
	var out strings.Builder
	out.WriteString("None of the tables holds chat text.\n")
	for _, t := range export.Tables() {
		fmt.Fprintf(&out, "\n%s: %s.\n", t.Name, t.About)
	}
	return out.String()
}

func (c exportCmd) Run(a *app) error {
	s, set, span, err := a.about(c.Period)
	if err != nil {
		return err
	}
	if len(c.Table) == 1 && c.Table[0] == "all" {
		c.Table = nil
		for _, t := range export.Tables() {
			c.Table = append(c.Table, t.Name)
		}
	}
	tables, err := export.Find(c.Table)
	if err != nil {
		return withCode(codeUsage, fmt.Errorf("--table: %w", err))
	}
	if c.Format == "" {
		c.Format = strings.TrimPrefix(filepath.Ext(c.Out), ".")
	}
	options := export.Options{
		Format: export.Format(c.Format), Tables: tables, Database: s.ClickHouse.DatabaseFor(s.Namespace), Period: span, PeriodName: c.Period,
		Location: set.Calendar().Location(), Shop: c.Shop, BOM: c.BOM, Verbatim: c.Verbatim,
	}
	if err := options.Validate(); err != nil {
		return withCode(codeUsage, fmt.Errorf("export: %w", err))
	}
	conn, err := s.openWarehouse(a.ctx, s.Namespace)
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := export.File(a.ctx, conn, c.Out, options)
	if err != nil {
		if errors.Is(err, a.ctx.Err()) {
			return err
		}
		return withCode(codeUnavailable, err)
	}
	fmt.Fprintf(a.stdout, "%s: %d rows\n", c.Out, rows)
	return nil
}
