package sheet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/report"
	"github.com/feigeio/feige/internal/worktime"
)

// Querier is the part of a ClickHouse connection that is needed.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Read reads what the page about a shop and period tells, as of made.
func Read(ctx context.Context, conn Querier, database, shop string, period worktime.Span, calendar *worktime.Calendar, made time.Time) (Data, error) {
	zone := calendar.Location()
	r := reader{ctx: ctx, conn: conn, data: Data{
		Shop: shop, Period: calendar.FormatPeriod(period.Start), From: time.UnixMicro(period.Start).In(zone), To: time.UnixMicro(period.End).In(zone), Made: made.In(zone),
	}}
	r.fill = strings.NewReplacer(
		"@DB", "`"+database+"`", "@SHOP", quote(shop), "@FROM", instant(period.Start), "@TO", instant(period.End), "@ZONE", quote(zone.String()),
		"@NOW", instant(min(made.UnixMicro(), period.End)),
	)
	for _, part := range []func() error{r.window, r.decision, r.days, r.waits, r.scores, r.agents, r.violations} {
		if err := part(); err != nil {
			return r.data, fmt.Errorf("report on shop %s: %w", shop, err)
		}
	}
	return r.data, nil
}

type reader struct {
	ctx  context.Context
	conn Querier
	fill *strings.Replacer
	data Data
}

func instant(us int64) string { return fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", us) }

// quote is a ClickHouse string literal.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(text) + "'"
}

// each runs a query and hands over its rows.
func (r *reader) each(sql string, scan func(driver.Rows) error) error {
	rows, err := r.conn.Query(r.ctx, r.fill.Replace(sql))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *reader) window() error {
	d := &r.data
	return r.each(`
SELECT is_final, conversations, rounds, rounds_answered, rounds_within, ratings, ratings_dissatisfied, takeovers, bot_us / 1000000,
    indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, arrayMap(v -> toString(v), indicator_verdicts), indicator_definitions[indexOf(indicator_names, 'manual_reply_3min_rate')]
FROM @DB.service_kpis
WHERE shop_id = @SHOP AND window_start = @FROM AND window_end = @TO`, func(rows driver.Rows) error {
		var (
			names, comparisons, verdicts []string
			values, standards            []*float64
			samples                      []int64
		)
		if err := rows.Scan(&d.Final, &d.Conversations, &d.Rounds, &d.Answered, &d.Within, &d.Ratings, &d.Dissatisfied, &d.Takeovers, &d.BotSeconds,
			&names, &values, &samples, &standards, &comparisons, &verdicts, &d.Definition); err != nil {
			return err
		}
		d.Known = true
		for i, name := range names {
			in := report.Indicator{Name: name, Samples: samples[i], Comparison: comparisons[i], Verdict: verdicts[i]}
			if values[i] != nil {
				in.HasValue, in.Value = true, *values[i]
			}
			if standards[i] != nil {
				in.HasStandard, in.Standard = true, *standards[i]
			}
			d.Indicators = append(d.Indicators, in)
		}
		return nil
	})
}

func (r *reader) decision() error {
	return r.each(`
SELECT toInt64(d.revision), d.restricted, d.restrictions, d.restricted_from, d.restricted_until, d.missed
FROM @DB.decisions AS d
WHERE shop_id = @SHOP AND period_start = @FROM AND period_end = @TO`, func(rows driver.Rows) error {
		var d Decision
		var from, until *time.Time
		if err := rows.Scan(&d.Revision, &d.Restricted, &d.Restrictions, &from, &until, &d.Missed); err != nil {
			return err
		}
		if from != nil && until != nil {
			d.From, d.Until = from.In(r.data.From.Location()), until.In(r.data.From.Location())
		}
		r.data.Decision = &d
		return nil
	})
}

// days has every day of the period, also those on which nothing counted.
func (r *reader) days() error {
	found := map[time.Time]Day{}
	err := r.each(`
SELECT window_start, conversations, ifNull(indicator_values[indexOf(indicator_names, 'manual_reply_3min_rate')], -1)
FROM @DB.service_kpis
WHERE shop_id = @SHOP AND window_kind = 'day' AND window_start >= @FROM AND window_start < @TO
ORDER BY window_start`, func(rows driver.Rows) error {
		var d Day
		if err := rows.Scan(&d.Start, &d.Conversations, &d.Rate); err != nil {
			return err
		}
		d.Start = d.Start.In(r.data.From.Location())
		found[d.Start] = d
		return nil
	})
	for at := r.data.From; at.Before(r.data.To) && len(found) > 0; at = at.AddDate(0, 0, 1) {
		d, ok := found[at]
		if !ok {
			d = Day{Start: at, Rate: -1}
		}
		r.data.Days = append(r.data.Days, d)
	}
	return err
}

func (r *reader) waits() error {
	bounds := ""
	for i, b := range waitBounds {
		bounds += fmt.Sprintf("wait_us <= %d000000, %d, ", b, i)
	}
	return r.each(`
SELECT toUInt8(multiIf(wait_us IS NULL, 5, `+bounds+`4)) AS bar, count()
FROM @DB.rounds
WHERE shop_id = @SHOP AND counted AND started_at >= @FROM AND started_at < @TO
GROUP BY bar`, func(rows driver.Rows) error {
		var bar uint8
		var n uint64
		if err := rows.Scan(&bar, &n); err != nil {
			return err
		}
		r.data.Waits[bar] = int64(n)
		return nil
	})
}

func (r *reader) scores() error {
	return r.each(`
SELECT score, count()
FROM @DB.ratings
WHERE shop_id = @SHOP AND score BETWEEN 1 AND 5 AND rated_at >= @FROM AND rated_at < @TO
GROUP BY score`, func(rows driver.Rows) error {
		var score uint8
		var n uint64
		if err := rows.Scan(&score, &n); err != nil {
			return err
		}
		r.data.Scores[score-1] = int64(n)
		return nil
	})
}

// maxAgents are shown, those with the most replies.
const maxAgents = 6

func (r *reader) agents() error {
	return r.each(fmt.Sprintf(`
SELECT agent_id, toInt64(count()) AS replies, countIf(within) / replies, avg(wait_us) / 1000000
FROM @DB.rounds
WHERE shop_id = @SHOP AND counted AND outcome = 'answered' AND started_at >= @FROM AND started_at < @TO
GROUP BY agent_id
ORDER BY replies DESC, agent_id
LIMIT %d`, maxAgents), func(rows driver.Rows) error {
		var a Agent
		var wait *float64
		if err := rows.Scan(&a.ID, &a.Replies, &a.Within, &wait); err != nil {
			return err
		}
		if wait != nil {
			a.MeanWait = *wait
		}
		r.data.Agents = append(r.data.Agents, a)
		return nil
	})
}

func (r *reader) violations() error {
	err := r.each(`
SELECT toInt64(sum(s.points))
FROM @DB.sanctions AS s
WHERE offender_kind = 'shop' AND offender_id = @SHOP AND s.kind = 'points' AND NOT reversed AND s.time <= @NOW AND (until IS NULL OR until > @NOW)`, func(rows driver.Rows) error {
		return rows.Scan(&r.data.Points)
	})
	if err != nil {
		return err
	}
	return r.each(`
SELECT toString(s.category) AS name, toInt64(count())
FROM @DB.sanctions AS s
WHERE offender_kind = 'shop' AND offender_id = @SHOP AND s.kind = 'points' AND NOT reversed AND s.time >= @FROM AND s.time < @TO
GROUP BY name
ORDER BY count() DESC, name`, func(rows driver.Rows) error {
		var f Flags
		if err := rows.Scan(&f.Category, &f.Count); err != nil {
			return err
		}
		r.data.Flags = append(r.data.Flags, f)
		return nil
	})
}
