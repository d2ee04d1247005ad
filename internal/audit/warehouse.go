package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/oracle"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// warehouse reads the views of one database.
type warehouse struct {
	conn     driver.Conn
	database string
	cfg      Config
}

// view is the quoted name of one.
func (w warehouse) view(name string) string {
	return "`" + strings.ReplaceAll(w.database, "`", "``") + "`." + name
}

// within limits a query to the period by a time column.
func (w warehouse) within(column string) (string, []any) {
	if !w.cfg.limited() {
		return "", nil
	}
	at := "fromUnixTimestamp64Micro(toInt64(?), 'UTC')"
	return fmt.Sprintf(" AND %s >= %s AND %s < %s", column, at, column, at), []any{w.cfg.Period.Start, w.cfg.Period.End}
}

// each runs a query over one partition and scans its rows.
func (w warehouse) each(ctx context.Context, view, columns, timeColumn, where string, partition int32, scan func(driver.Rows) error) error {
	limit, args := w.within(timeColumn)
	query := "SELECT " + columns + " FROM " + w.view(view) + " WHERE log_partition = ?" + where + limit
	rows, err := w.conn.Query(ctx, query, append([]any{partition}, args...)...)
	if err != nil {
		return fmt.Errorf("audit: query %s of partition %d: %w", view, partition, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("audit: read a row of %s: %w", view, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("audit: read %s of partition %d: %w", view, partition, err)
	}
	return nil
}

func micros(column string) string { return "toUnixTimestamp64Micro(" + column + ")" }

func maybeMicros(column string) string { return "ifNull(toUnixTimestamp64Micro(" + column + "), 0)" }

const countColumns = "rounds, rounds_answered, rounds_within, wait_sum_us, first_answered, first_wait_sum_us, conversations, " +
	"conversations_mean_within, conversations_strict_within, conversations_unanswered, messages, messages_within, ratings, " +
	"ratings_dissatisfied, ratings_sum"

func countTargets(c *chatv1.Counts) []any {
	return []any{
		&c.Rounds, &c.RoundsAnswered, &c.RoundsWithin, &c.WaitSumUs, &c.FirstAnswered, &c.FirstWaitSumUs, &c.Conversations,
		&c.ConversationsMeanWithin, &c.ConversationsStrictWithin, &c.ConversationsUnanswered, &c.Messages, &c.MessagesWithin,
		&c.Ratings, &c.RatingsDissatisfied, &c.RatingsSum,
	}
}

// read gives all rows of a partition. derived is false where only the events are wanted.
func (w warehouse) read(ctx context.Context, partition int32, derived bool) (*stored, error) {
	out := &stored{}
	reads := []func(context.Context, int32, *stored) error{w.events}
	if derived {
		reads = append(reads, w.rounds, w.gone, w.lives, w.ratings, w.takeovers, w.kpis, w.indicators, w.decisions)
	}
	for _, read := range reads {
		if err := read(ctx, partition, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w warehouse) events(ctx context.Context, p int32, out *stored) error {
	columns := "shop_id, event_id, conversation_id, " + micros("time") + ", toInt8(kind), toInt8(actor_role), log_offset"
	return w.each(ctx, tableEvents, columns, "time", "", p, func(r driver.Rows) error {
		var e event
		var kind, role int8
		if err := r.Scan(&e.shop, &e.id, &e.conversation, &e.atUS, &kind, &role, &e.offset); err != nil {
			return err
		}
		e.kind, e.role = int32(kind), int32(role)
		out.events = append(out.events, e)
		return nil
	})
}

func (w warehouse) rounds(ctx context.Context, p int32, out *stored) error {
	columns := "shop_id, conversation_id, number, life, number_in_life, toInt8(outcome), " + micros("started_at") + ", " + maybeMicros("ended_at") +
		", ifNull(wait_us, 0), agent_id, consumer_id, counted, within, start_offset, source_offset"
	return w.each(ctx, oracle.TableRounds, columns, "started_at", "", p, func(r driver.Rows) error {
		o := &chatv1.Round{}
		v := versioned[oracle.Round]{row: oracle.Round{Round: o}}
		var outcome int8
		if err := r.Scan(&v.row.ShopID, &v.row.ConversationID, &o.Number, &o.Life, &o.NumberInLife, &outcome, &o.StartedAtUs, &o.EndedAtUs,
			&o.WaitUs, &o.AgentId, &o.ConsumerId, &o.Counted, &o.Within, &o.StartOffset, &v.source); err != nil {
			return err
		}
		o.Outcome = chatv1.RoundOutcome(outcome)
		out.rounds = append(out.rounds, v)
		return nil
	})
}

// gone reads which rounds were withdrawn last; their view leaves them out.
func (w warehouse) gone(ctx context.Context, p int32, out *stored) error {
	return w.each(ctx, "rounds_data FINAL", "shop_id, conversation_id, number, source_offset", "started_at",
		" AND outcome IN ('moved', 'withdrawn')", p, func(r driver.Rows) error {
			o := &chatv1.Round{}
			v := versioned[oracle.Round]{row: oracle.Round{Round: o}}
			if err := r.Scan(&v.row.ShopID, &v.row.ConversationID, &o.Number, &v.source); err != nil {
				return err
			}
			out.gone = append(out.gone, v)
			return nil
		})
}

func (w warehouse) lives(ctx context.Context, p int32, out *stored) error {
	columns := "shop_id, conversation_id, life, " + micros("started_at") + ", " + maybeMicros("ended_at") +
		", toInt8(life_end), consumer_id, first_agent_id, " + maybeMicros("first_reply_at") + ", rounds, source_offset"
	return w.each(ctx, oracle.TableLives, columns, "started_at", "", p, func(r driver.Rows) error {
		l := &chatv1.ConversationLife{}
		v := versioned[oracle.Life]{row: oracle.Life{ConversationLife: l}}
		var end int8
		if err := r.Scan(&v.row.ShopID, &v.row.ConversationID, &l.Life, &l.StartedAtUs, &l.EndedAtUs, &end, &l.ConsumerId,
			&l.FirstAgentId, &l.FirstReplyAtUs, &l.Rounds, &v.source); err != nil {
			return err
		}
		l.End = chatv1.LifeEnd(end)
		out.lives = append(out.lives, v)
		return nil
	})
}

func (w warehouse) ratings(ctx context.Context, p int32, out *stored) error {
	columns := "shop_id, conversation_id, life, toInt32(score), " + micros("rated_at") + ", consumer_id, source_offset"
	return w.each(ctx, oracle.TableRatings, columns, "rated_at", "", p, func(r driver.Rows) error {
		o := &chatv1.Rating{}
		v := versioned[oracle.Rating]{row: oracle.Rating{Rating: o}}
		if err := r.Scan(&v.row.ShopID, &v.row.ConversationID, &o.Life, &o.Score, &o.RatedAtUs, &o.ConsumerId, &v.source); err != nil {
			return err
		}
		out.ratings = append(out.ratings, v)
		return nil
	})
}

func (w warehouse) takeovers(ctx context.Context, p int32, out *stored) error {
	columns := "shop_id, number, toInt8(trigger), " + micros("started_at") + ", " + maybeMicros("ended_at") +
		", toInt8(takeover_end), ended_by, trigger_event_id, trigger_conversation_id, trigger_consumer_id, unreplied, consumers, " +
		"evidence_offsets, unreplied_limit, toString(policy_version), source_offset"
	return w.each(ctx, oracle.TableTakeovers, columns, "started_at", "", p, func(r driver.Rows) error {
		o := &chatv1.Takeover{}
		v := versioned[*chatv1.Takeover]{row: o}
		var trigger, end int8
		if err := r.Scan(&o.ShopId, &o.Number, &trigger, &o.StartedAtUs, &o.EndedAtUs, &end, &o.EndedBy, &o.TriggerEventId,
			&o.TriggerConversationId, &o.TriggerConsumerId, &o.Unreplied, &o.Consumers, &o.EvidenceOffsets, &o.Limit, &o.PolicyVersion,
			&v.source); err != nil {
			return err
		}
		o.Trigger, o.End = chatv1.TakeoverTrigger(trigger), chatv1.TakeoverEnd(end)
		out.takeovers = append(out.takeovers, v)
		return nil
	})
}

func (w warehouse) kpis(ctx context.Context, p int32, out *stored) error {
	columns := "shop_id, toInt8(window_kind), " + micros("window_start") + ", " + micros("window_end") +
		", version, is_final, takeovers, bot_us, toString(policy_version), " + countColumns
	return w.each(ctx, oracle.TableKpis, columns, "window_start", "", p, func(r driver.Rows) error {
		k := &chatv1.Kpi{Counts: &chatv1.Counts{}}
		var kind int8
		var version uint64
		targets := []any{&k.ShopId, &kind, &k.StartUs, &k.EndUs, &version, &k.Final, &k.Takeovers, &k.BotUs, &k.PolicyVersion}
		if err := r.Scan(append(targets, countTargets(k.Counts)...)...); err != nil {
			return err
		}
		k.Kind, k.Version = chatv1.WindowKind(kind), int64(version)
		out.kpis = append(out.kpis, versioned[oracle.Kpi]{row: oracle.Kpi{Kpi: k}, source: k.Version / 2})
		return nil
	})
}

// indicators reads the view of the indicators, which names no partition, for the shops of one.
func (w warehouse) indicators(ctx context.Context, p int32, out *stored) error {
	limit, args := w.within("window_start")
	query := "SELECT shop_id, toInt8(window_kind), " + micros("window_start") + ", version, toString(name), value, samples, standard, " +
		"toString(comparison), toInt8(verdict), toString(definition) FROM " + w.view(oracle.TableIndicators) +
		" WHERE shop_id IN (SELECT shop_id FROM " + w.view(oracle.TableKpis) + " WHERE log_partition = ?)" + limit +
		" ORDER BY shop_id, window_kind, window_start, position"
	rows, err := w.conn.Query(ctx, query, append([]any{p}, args...)...)
	if err != nil {
		return fmt.Errorf("audit: query %s of partition %d: %w", oracle.TableIndicators, p, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		i := indicator{Indicator: &chatv1.Indicator{}}
		var kind, verdict int8
		var value, standard *float64
		if err := rows.Scan(&i.shop, &kind, &i.startUS, &i.version, &i.Name, &value, &i.Samples, &standard, &i.Comparison, &verdict,
			&i.Definition); err != nil {
			return fmt.Errorf("audit: read a row of %s: %w", oracle.TableIndicators, err)
		}
		i.kind, i.Verdict = chatv1.WindowKind(kind), chatv1.Verdict(verdict)
		setNumber(&i.HasValue, &i.Value, value)
		setNumber(&i.HasStandard, &i.Standard, standard)
		out.indicators = append(out.indicators, i)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("audit: read %s of partition %d: %w", oracle.TableIndicators, p, err)
	}
	return nil
}

func setNumber(has *bool, to *float64, from *float64) {
	if from != nil {
		*has, *to = true, *from
	}
}

func (w warehouse) decisions(ctx context.Context, p int32, out *stored) error {
	texts := func(column string) string { return "arrayMap(x -> toString(x), " + column + ")" }
	columns := "shop_id, " + micros("period_start") + ", " + micros("period_end") + ", toInt32(revision), restricted, " + texts("restrictions") + ", " +
		maybeMicros("restricted_from") + ", " + maybeMicros("restricted_until") + ", " + texts("missed") + ", checkpoint_seconds, " +
		"toString(policy_version), source_offset, " + texts("indicator_names") + ", indicator_values, indicator_samples, indicator_standards, " +
		texts("indicator_comparisons") + ", arrayMap(x -> toInt32(toInt8(x)), indicator_verdicts), " + texts("indicator_definitions") + ", " + countColumns
	return w.each(ctx, oracle.TableDecisions, columns, "period_start", "", p, func(r driver.Rows) error {
		d := &chatv1.Decision{Counts: &chatv1.Counts{}}
		v := versioned[*chatv1.Decision]{row: d}
		var names, comparisons, definitions []string
		var values, standards []*float64
		var samples []int64
		var verdicts []int32
		targets := []any{
			&d.ShopId, &d.PeriodStartUs, &d.PeriodEndUs, &d.Revision, &d.Restricted, &d.Restrictions, &d.RestrictedFromUs, &d.RestrictedUntilUs,
			&d.Missed, &d.CheckpointSeconds, &d.PolicyVersion, &v.source, &names, &values, &samples, &standards, &comparisons, &verdicts, &definitions,
		}
		if err := r.Scan(append(targets, countTargets(d.Counts)...)...); err != nil {
			return err
		}
		n := len(names)
		if len(values) != n || len(samples) != n || len(standards) != n || len(comparisons) != n || len(verdicts) != n || len(definitions) != n {
			return fmt.Errorf("decision about %s from %s: its lists of indicators are not equally long", d.ShopId, oracle.Instant(d.PeriodStartUs))
		}
		for j, name := range names {
			i := &chatv1.Indicator{
				Name: name, Samples: samples[j], Comparison: comparisons[j], Verdict: chatv1.Verdict(verdicts[j]), Definition: definitions[j],
			}
			setNumber(&i.HasValue, &i.Value, values[j])
			setNumber(&i.HasStandard, &i.Standard, standards[j])
			d.Evidence = append(d.Evidence, i)
		}
		out.decisions = append(out.decisions, v)
		return nil
	})
}

// strays counts rows of partitions that the topic does not have, by view.
func (w warehouse) strays(ctx context.Context, partitions int32) (map[string]int64, error) {
	out := map[string]int64{}
	for _, view := range []string{
		tableEvents, oracle.TableRounds, oracle.TableLives, oracle.TableRatings, oracle.TableTakeovers, oracle.TableKpis, oracle.TableDecisions,
		oracle.TableFlags, oracle.TableEvidence, oracle.TableVerdicts, oracle.TableAppealSteps, oracle.TableSanctions,
	} {
		var n uint64
		query := "SELECT count() FROM " + w.view(view) + " WHERE log_partition < 0 OR log_partition >= ?"
		if err := w.conn.QueryRow(ctx, query, partitions).Scan(&n); err != nil {
			return nil, fmt.Errorf("audit: query %s: %w", view, err)
		}
		if n > 0 {
			out[view] = int64(n)
		}
	}
	return out, nil
}

// deadLetters counts records of the topic that some stage gave up on.
func (w warehouse) deadLetters(ctx context.Context, topic string) (int64, error) {
	var n uint64
	query := "SELECT uniqExact(log_partition, log_offset) FROM " + w.view("dead_letters") + " WHERE topic = ?"
	if err := w.conn.QueryRow(ctx, query, topic).Scan(&n); err != nil {
		return 0, fmt.Errorf("audit: query dead_letters: %w", err)
	}
	return int64(n), nil
}
