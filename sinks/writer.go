package sinks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/feigeio/feige/sinks/deadletters"
)

// writer puts batches into ClickHouse. It is safe for concurrent use.
type writer struct {
	cfg      Config
	conn     driver.Conn
	database string
	settings clickhouse.Settings
	metrics  *metrics
	engine   *engine
}

func newWriter(cfg Config, conn driver.Conn, database string, m *metrics, e *engine) *writer {
	settings := make(clickhouse.Settings, len(cfg.InsertSettings))
	for name, value := range cfg.InsertSettings {
		settings[name] = value
	}
	return &writer{cfg: cfg, conn: conn, database: database, settings: settings, metrics: m, engine: e}
}

// refusedRow is a row that ClickHouse does not take, and why.
type refusedRow struct {
	row    int
	reason string
}

// write inserts all rows of a batch and returns letters about the records whose rows ClickHouse refuses. It tries
// until it is done; its only error is that of the context.
func (w *writer) write(ctx context.Context, b *batch) ([]*deadletters.Letter, error) {
	tables := b.tables()
	refused := make([][]refusedRow, len(tables))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.cfg.Concurrency)
	for i, t := range tables {
		if t.rows() == 0 {
			continue
		}
		group.Go(func() (err error) {
			refused[i], err = w.insist(ctx, t)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	w.engine.worked() // not at each table: one may be taken while another is not
	var letters []*deadletters.Letter
	told := make(map[int32]bool)
	for i, t := range tables {
		for _, r := range refused[i] {
			if origin := t.origins[r.row]; !told[origin] {
				told[origin] = true
				letters = append(letters, letterAbout(b.sources[origin], refuse(CodeInsert, "table %s: %s", t.name, r.reason)))
			}
		}
	}
	return letters, nil
}

// insist inserts a table's rows, over and over while ClickHouse is away.
func (w *writer) insist(ctx context.Context, t *table) ([]refusedRow, error) {
	pause := backoff{least: w.cfg.MinBackoff, most: w.cfg.MaxBackoff}
	for {
		refused, err := w.divide(ctx, t, 0, t.rows(), nil)
		if err == nil {
			return refused, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		w.engine.failed(err)
		w.metrics.retries.WithLabelValues("insert").Inc()
		if err := pause.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// divide inserts rows from..to. When ClickHouse refuses them for their data it inserts each half for itself, until single
// rows are found out, which it adds to the refused. An error means that nothing is known about the rest.
func (w *writer) divide(ctx context.Context, t *table, from, to int, refused []refusedRow) ([]refusedRow, error) {
	err := w.insert(ctx, t, from, to)
	if err == nil || !aboutData(err) {
		return refused, err
	}
	if to-from == 1 {
		if len(refused) == w.cfg.MaxRefusedRows {
			return nil, fmt.Errorf("table %s: more than %d of %d rows are refused, so that the table and not the rows must be wrong: %w",
				t.name, w.cfg.MaxRefusedRows, t.rows(), err)
		}
		return append(refused, refusedRow{from, brief(err)}), nil
	}
	middle := from + (to-from)/2
	if refused, err = w.divide(ctx, t, from, middle, refused); err != nil {
		return nil, err
	}
	return w.divide(ctx, t, middle, to, refused)
}

// insert sends rows from..to as one block; no error means that ClickHouse has acknowledged all of them.
func (w *writer) insert(ctx context.Context, t *table, from, to int) error {
	begun := time.Now()
	err := w.send(ctx, t, from, to)
	switch {
	case err == nil:
		w.metrics.inserts.WithLabelValues(t.name, "done").Inc()
		w.metrics.insertSeconds.WithLabelValues(t.name).Observe(time.Since(begun).Seconds())
		w.metrics.insertRows.WithLabelValues(t.name).Observe(float64(to - from))
		w.metrics.rows.WithLabelValues(t.name).Add(float64(to - from))
	case aboutData(err):
		w.metrics.inserts.WithLabelValues(t.name, "refused").Inc()
	default:
		w.metrics.inserts.WithLabelValues(t.name, "failed").Inc()
	}
	return err
}

func (w *writer) send(ctx context.Context, t *table, from, to int) (err error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.InsertTimeout)
	defer cancel()
	var (
		columns []column
		names   []string
		heads   []clickhouse.ColumnNameAndType
	)
	for _, c := range t.columns {
		if c.needless(from, to) {
			continue
		}
		name, kind := c.head()
		columns = append(columns, c)
		names = append(names, "`"+name+"`")
		heads = append(heads, clickhouse.ColumnNameAndType{Name: name, Type: kind})
	}
	ctx = clickhouse.Context(ctx,
		clickhouse.WithSettings(w.settings),
		clickhouse.WithColumnNamesAndTypes(heads), // else every insert would ask for them first
	)
	into := fmt.Sprintf("INSERT INTO `%s`.`%s` (%s)", w.database, t.name, strings.Join(names, ", "))
	block, err := w.conn.PrepareBatch(ctx, into)
	if err != nil {
		return fmt.Errorf("table %s: beginning an insert: %w", t.name, err)
	}
	defer func() { err = errors.Join(err, closed(block)) }()
	for i, c := range columns {
		if err := block.Column(i).Append(c.part(from, to)); err != nil {
			return unfit{fmt.Errorf("table %s: column %s: %w", t.name, names[i], err)}
		}
	}
	if err := block.Send(); err != nil {
		return fmt.Errorf("table %s: inserting %d rows: %w", t.name, to-from, err)
	}
	return nil
}

// closed gives a block's connection back; a block that was sent has done so.
func closed(block driver.Batch) error {
	if block.IsSent() {
		return nil
	}
	return block.Close()
}
