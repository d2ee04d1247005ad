package oracle

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// DifferenceKind says how a row differs.
type DifferenceKind string

// Kinds of differences.
const (
	Missing    DifferenceKind = "missing"    // wanted, but not there
	Unexpected DifferenceKind = "unexpected" // there, but not wanted
	Different  DifferenceKind = "different"  // there, with another value in a field
	Duplicate  DifferenceKind = "duplicate"  // there more than once
)

// Difference is one disagreement between two results.
type Difference struct {
	Kind DifferenceKind
	// Table is the view that holds such rows.
	Table string
	// Key names the row.
	Key string
	// Field, Want, and Got are set where a field differs.
	Field, Want, Got string
}

func (d Difference) String() string {
	if d.Kind == Different {
		return fmt.Sprintf("%s %s: %s: want %s, got %s", d.Table, d.Key, d.Field, d.Want, d.Got)
	}
	return fmt.Sprintf("%s %s: %s", d.Table, d.Key, d.Kind)
}

// Tables of a result, by the names of their views.
const (
	TableRounds     = "rounds"
	TableLives      = "conversations"
	TableRatings    = "ratings"
	TableTakeovers  = "takeovers"
	TableKpis       = "service_kpis"
	TableIndicators = "service_indicators"
	TableDecisions  = "restrictions"
)

// quantileTolerance is how far a percentile may be off: the share of it, and microseconds.
const (
	quantileTolerance   = 0.01
	quantileToleranceUS = 1
	// Other figures may differ by the rounding of a division.
	figureTolerance = 1e-9
)

// row is one comparable row.
type row struct {
	table, key string
	fields     []field
}

// field is a text, or a number with a tolerance.
type field struct {
	name      string
	text      string
	number    float64
	tolerance float64
	numeric   bool
}

// Compare lists where got disagrees with want, by table and in the order of want; unexpected rows come last in
// their table. Fields that the oracle does not compute are not compared. A withdrawn round is as if it had
// not been: it is not looked for on either side. Of the definition of an indicator only that of
// manual_reply_3min_rate is compared.
func Compare(want, got *Result) []Difference {
	var out []Difference
	w, g := want.rows(), got.rows()
	for _, table := range []string{
		TableRounds, TableLives, TableRatings, TableTakeovers, TableKpis, TableIndicators, TableDecisions,
	} {
		out = append(out, compareRows(w[table], g[table])...)
	}
	return out
}

func compareRows(want, got []row) []Difference {
	var out []Difference
	there := make(map[string]row, len(got))
	for _, r := range got {
		if _, twice := there[r.key]; twice {
			out = append(out, Difference{Kind: Duplicate, Table: r.table, Key: r.key})
			continue
		}
		there[r.key] = r
	}
	wanted := make(map[string]bool, len(want))
	for _, w := range want {
		wanted[w.key] = true
		g, ok := there[w.key]
		if !ok {
			out = append(out, Difference{Kind: Missing, Table: w.table, Key: w.key})
			continue
		}
		for i, f := range w.fields {
			if !f.same(g.fields[i]) {
				out = append(out, Difference{
					Kind: Different, Table: w.table, Key: w.key, Field: f.name, Want: f.String(), Got: g.fields[i].String(),
				})
			}
		}
	}
	for _, g := range got {
		if !wanted[g.key] {
			wanted[g.key] = true
			out = append(out, Difference{Kind: Unexpected, Table: g.table, Key: g.key})
		}
	}
	return out
}

func (f field) same(o field) bool {
	if !f.numeric {
		return f.text == o.text
	}
	return math.Abs(f.number-o.number) <= f.tolerance
}

func (f field) String() string {
	if f.numeric {
		return fmt.Sprintf("%v", f.number)
	}
	if f.text == "" {
		return "nothing"
	}
	return f.text
}

func text(name string, value any) field { return field{name: name, text: fmt.Sprint(value)} }

// instant writes a time so that people can read it, to the microsecond; 0 is no time.
func instant(name string, us int64) field {
	if us == 0 {
		return field{name: name}
	}
	return field{name: name, text: Instant(us)}
}

// Instant writes UTC microseconds as people read them.
func Instant(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.000000Z") }

// rows are the result's rows by table.
func (r *Result) rows() map[string][]row {
	out := map[string][]row{}
	add := func(table, key string, fields ...field) {
		out[table] = append(out[table], row{table, key, fields})
	}
	for _, o := range r.Rounds {
		if o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN {
			continue
		}
		add(TableRounds, fmt.Sprintf("%s/%s round %d", o.ShopID, o.ConversationID, o.Number),
			text("life", o.Life), text("number_in_life", o.NumberInLife), text("outcome", o.Outcome),
			instant("started_at", o.StartedAtUs), instant("ended_at", o.EndedAtUs), text("wait_us", o.WaitUs),
			text("agent_id", o.AgentId), text("counted", o.Counted), text("within", o.Within),
			text("consumer_id", o.ConsumerId), text("start_offset", o.StartOffset))
	}
	for _, l := range r.Lives {
		add(TableLives, fmt.Sprintf("%s/%s life %d", l.ShopID, l.ConversationID, l.Life),
			instant("started_at", l.StartedAtUs), instant("ended_at", l.EndedAtUs), text("end", l.End),
			text("consumer_id", l.ConsumerId), text("first_agent_id", l.FirstAgentId),
			instant("first_reply_at", l.FirstReplyAtUs), text("rounds", l.Rounds))
	}
	for _, o := range r.Ratings {
		add(TableRatings, fmt.Sprintf("%s/%s life %d", o.ShopID, o.ConversationID, o.Life),
			text("score", o.Score), instant("rated_at", o.RatedAtUs), text("consumer_id", o.ConsumerId))
	}
	for _, t := range r.Takeovers {
		add(TableTakeovers, fmt.Sprintf("%s takeover %d", t.ShopId, t.Number),
			text("trigger", t.Trigger), instant("started_at", t.StartedAtUs), instant("ended_at", t.EndedAtUs),
			text("end", t.End), text("ended_by", t.EndedBy), text("trigger_event_id", t.TriggerEventId),
			text("trigger_conversation_id", t.TriggerConversationId), text("trigger_consumer_id", t.TriggerConsumerId),
			text("unreplied", t.Unreplied), text("consumers", t.Consumers), text("evidence_offsets", t.EvidenceOffsets),
			text("limit", t.Limit), text("policy_version", t.PolicyVersion))
	}
	for _, k := range r.Kpis {
		key := fmt.Sprintf("%s %s from %s", k.ShopId, windowName(k.Kind), Instant(k.StartUs))
		fields := []field{
			instant("end", k.EndUs), text("final", k.Final), text("takeovers", k.Takeovers),
			text("bot_us", k.BotUs), text("policy_version", k.PolicyVersion),
		}
		add(TableKpis, key, append(fields, countFields(k.Counts)...)...)
		for _, i := range k.Indicators {
			add(TableIndicators, key+" "+i.Name, indicatorFields("", i)...)
		}
	}
	for _, d := range r.Decisions {
		fields := []field{
			instant("period_end", d.PeriodEndUs), text("restricted", d.Restricted),
			text("restrictions", strings.Join(d.Restrictions, ",")),
			instant("restricted_from", d.RestrictedFromUs), instant("restricted_until", d.RestrictedUntilUs),
			text("missed", strings.Join(d.Missed, ",")), text("policy_version", d.PolicyVersion),
			text("checkpoint_seconds", d.CheckpointSeconds), text("indicators", indicatorNames(d.Evidence)),
		}
		fields = append(fields, countFields(d.Counts)...)
		for _, name := range indicatorOrder {
			i := &chatv1.Indicator{}
			if at := slices.IndexFunc(d.Evidence, func(i *chatv1.Indicator) bool { return i.Name == name }); at >= 0 {
				i = d.Evidence[at]
			}
			fields = append(fields, indicatorFields(name+" ", i)...)
		}
		add(TableDecisions, fmt.Sprintf("%s period from %s revision %d", d.ShopId, Instant(d.PeriodStartUs), d.Revision), fields...)
	}
	return out
}

func windowName(kind chatv1.WindowKind) string {
	if kind == chatv1.WindowKind_WINDOW_KIND_DAY {
		return "day"
	}
	return "half-month"
}

// indicatorOrder is the order of chat.v1.Indicator.
var indicatorOrder = []string{
	"manual_reply_3min_rate", "manual_reply_3min_rate_conversation", "manual_reply_3min_rate_round",
	"manual_reply_3min_rate_message", "manual_reply_3min_rate_conversation_strict", "avg_response_seconds",
	"p50_response_seconds", "p90_response_seconds", "p99_response_seconds", "avg_first_response_seconds",
	"dissatisfaction_rate", "unanswered_rate", "takeovers", "bot_seconds", "confirmed_violations",
}

func indicatorNames(all []*chatv1.Indicator) string {
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return strings.Join(names, ",")
}

func indicatorFields(prefix string, i *chatv1.Indicator) []field {
	value := field{name: prefix + "value", number: i.Value, numeric: true, tolerance: figureTolerance * max(1, math.Abs(i.Value))}
	switch i.Name {
	case "p50_response_seconds", "p90_response_seconds", "p99_response_seconds":
		value.tolerance = quantileTolerance*i.Value + quantileToleranceUS/secondUS
	}
	if !i.HasValue {
		value.number = 0 // means nothing
	}
	definition := i.Definition
	if i.Name != "manual_reply_3min_rate" {
		definition = ""
	}
	return []field{
		text(prefix+"has_value", i.HasValue), value, text(prefix+"samples", i.Samples),
		text(prefix+"has_standard", i.HasStandard), {name: prefix + "standard", number: i.Standard, numeric: true},
		text(prefix+"comparison", i.Comparison), text(prefix+"verdict", i.Verdict), text(prefix+"definition", definition),
	}
}

func countFields(k *chatv1.Counts) []field {
	if k == nil {
		k = &chatv1.Counts{}
	}
	return []field{
		text("rounds", k.Rounds), text("rounds_answered", k.RoundsAnswered), text("rounds_within", k.RoundsWithin),
		text("wait_sum_us", k.WaitSumUs), text("first_answered", k.FirstAnswered),
		text("first_wait_sum_us", k.FirstWaitSumUs), text("conversations", k.Conversations),
		text("conversations_mean_within", k.ConversationsMeanWithin),
		text("conversations_strict_within", k.ConversationsStrictWithin),
		text("conversations_unanswered", k.ConversationsUnanswered), text("messages", k.Messages),
		text("messages_within", k.MessagesWithin), text("ratings", k.Ratings),
		text("ratings_dissatisfied", k.RatingsDissatisfied), text("ratings_sum", k.RatingsSum),
	}
}
