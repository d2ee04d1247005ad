package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/worktime"
)

// Format of a file.
type Format string

// Formats.
const (
	CSV     Format = "csv"
	XLSX    Format = "xlsx"
	Parquet Format = "parquet"
)

// Querier is the part of a ClickHouse connection that is needed.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Options of an export.
type Options struct {
	Format Format
	Tables []Table
	// Database to read from.
	Database string
	// Period whose rows are taken, and its name.
	Period     worktime.Span
	PeriodName string
	// Location is the time zone in which CSV and XLSX tell times.
	Location *time.Location
	// Shop whose rows are taken; empty: all.
	Shop string
	// BOM begins a CSV file with the mark by which Excel knows UTF-8.
	BOM bool
	// Verbatim leaves text as it is in CSV. Otherwise text that a spreadsheet would take for a formula begins with an
	// apostrophe.
	Verbatim bool
}

// Validate says what cannot be done.
func (o Options) Validate() error {
	switch {
	case o.Format != CSV && o.Format != XLSX && o.Format != Parquet:
		return fmt.Errorf("format %q: want csv, xlsx, or parquet", string(o.Format))
	case len(o.Tables) == 0:
		return errors.New("no table is named")
	case len(o.Tables) > 1 && o.Format != XLSX:
		return fmt.Errorf("a %s file holds one table, %d are named; write one file a table, or take xlsx", o.Format, len(o.Tables))
	case o.Period.End <= o.Period.Start:
		return errors.New("the period is empty")
	case o.Location == nil:
		return errors.New("no time zone is given")
	}
	return nil
}

// sink takes the rows of one table after the other.
type sink interface {
	begin(t Table) error
	// row takes a value a column: nil, string, int64, float64, bool, or time.Time.
	row(values []any) error
	end() error
}

// File writes the export to a path and returns how many rows it has. The file appears under its name when it is whole.
func File(ctx context.Context, conn Querier, path string, o Options) (rows int64, err error) {
	if err := o.Validate(); err != nil {
		return 0, err
	}
	out, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, fmt.Errorf("export to %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = out.Close()
			_ = os.Remove(out.Name())
		}
	}()
	if rows, err = Write(ctx, conn, out, o); err != nil {
		return rows, err
	}
	if err = errors.Join(out.Chmod(0o644), out.Sync(), out.Close()); err != nil {
		return rows, fmt.Errorf("export to %s: %w", path, err)
	}
	if err = os.Rename(out.Name(), path); err != nil {
		return rows, fmt.Errorf("export: %w", err)
	}
	return rows, nil
}

// Write writes the export and returns how many rows it has.
func Write(ctx context.Context, conn Querier, out io.Writer, o Options) (int64, error) {
	if err := o.Validate(); err != nil {
		return 0, err
	}
	var to sink
	switch o.Format {
	case CSV:
		to = newCSV(out, o)
	case XLSX:
		to = newXLSX(out, o)
	case Parquet:
		to = newParquet(out, o)
	}
	var rows int64
	for _, t := range o.Tables {
		n, err := table(ctx, conn, to, t, o)
		rows += n
		if err != nil {
			return rows, fmt.Errorf("export of %s: %w", t.Name, err)
		}
	}
	if err := to.end(); err != nil {
		return rows, fmt.Errorf("export: %w", err)
	}
	return rows, nil
}

func table(ctx context.Context, conn Querier, to sink, t Table, o Options) (n int64, err error) {
	if err := to.begin(t); err != nil {
		return 0, err
	}
	answer, err := conn.Query(ctx, t.query(o.Database, o.Period, o.Location, o.Shop))
	if err != nil {
		return 0, err
	}
	defer answer.Close()
	cells := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		cells[i] = newCell(c.Kind)
	}
	values := make([]any, len(cells))
	for answer.Next() {
		if err := answer.Scan(cells...); err != nil {
			return n, err
		}
		for i, c := range cells {
			values[i] = held(c)
		}
		if err := to.row(values); err != nil {
			return n, err
		}
		n++
	}
	return n, answer.Err()
}

func newCell(k Kind) any {
	switch k {
	case Integer:
		return new(*int64)
	case Number:
		return new(*float64)
	case YesNo:
		return new(*bool)
	case Instant:
		return new(*time.Time)
	}
	return new(*string)
}

// held is what a cell holds; nil: nothing.
func held(cell any) any {
	switch p := cell.(type) {
	case **string:
		return value(*p)
	case **int64:
		return value(*p)
	case **float64:
		return value(*p)
	case **bool:
		return value(*p)
	case **time.Time:
		return value(*p)
	}
	return nil
}

func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
