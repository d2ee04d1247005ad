package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/worktime"
)

// Querier is the part of a ClickHouse connection that is needed.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Decisions reads the newest revision of every decision, by shop and period. Periods are named, and days
// counted, by the calendar.
func Decisions(ctx context.Context, conn Querier, database string, calendar *worktime.Calendar) ([]Decision, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(`
		SELECT shop_id, period_start, revision, restricted, restrictions, restricted_from, restricted_until, missed, conversations,
			indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons,
			arrayMap(v -> toString(v), indicator_verdicts) AS verdicts
		FROM %s.restrictions
		ORDER BY shop_id, period_start, revision DESC
		LIMIT 1 BY shop_id, period_start`, database))
	if err != nil {
		return nil, fmt.Errorf("reading the decisions: %w", err)
	}
	defer rows.Close()
	var all []Decision
	for rows.Next() {
		d, err := scan(rows, calendar)
		if err != nil {
			return nil, fmt.Errorf("reading the decisions: %w", err)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the decisions: %w", err)
	}
	return all, nil
}

func scan(rows driver.Rows, calendar *worktime.Calendar) (Decision, error) {
	var (
		d                            Decision
		start                        time.Time
		revision                     uint32
		from, until                  *time.Time
		names, comparisons, verdicts []string
		values, standards            []*float64
		samples                      []int64
	)
	if err := rows.Scan(&d.Shop, &start, &revision, &d.Restricted, &d.Restrictions, &from, &until, &d.Missed, &d.Conversations,
		&names, &values, &samples, &standards, &comparisons, &verdicts); err != nil {
		return d, err
	}
	for _, n := range []int{len(values), len(samples), len(standards), len(comparisons), len(verdicts)} {
		if n != len(names) {
			return d, fmt.Errorf("decision about shop %s from %s: its indicators are of unequal number", d.Shop, start)
		}
	}
	d.Period = calendar.FormatPeriod(start.UnixMicro())
	d.Revision = int32(revision)
	if from != nil && until != nil {
		d.From, d.Until = from.In(calendar.Location()), until.In(calendar.Location())
	}
	for i, name := range names {
		in := Indicator{Name: name, Samples: samples[i], Comparison: comparisons[i], Verdict: verdicts[i]}
		if values[i] != nil {
			in.HasValue, in.Value = true, *values[i]
		}
		if standards[i] != nil {
			in.HasStandard, in.Standard = true, *standards[i]
		}
		d.Evidence = append(d.Evidence, in)
	}
	return d, nil
}
