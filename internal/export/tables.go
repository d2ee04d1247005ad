package export

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/feigeio/feige/internal/worktime"
)

// Kind of a column's values; each may be missing.
type Kind int

// Kinds.
const (
	Text Kind = iota
	Integer
	Number
	YesNo
	Instant
)

var kinds = map[Kind]string{
	Text: "Nullable(String)", Integer: "Nullable(Int64)", Number: "Nullable(Float64)", YesNo: "Nullable(Bool)", Instant: "Nullable(DateTime64(6, 'UTC'))",
}

// Column is one column of a file.
type Column struct {
	Name string
	Kind Kind
	// About says what it holds, and in which unit.
	About string
	sql   string
}

// Table is one kind of rows that can be exported.
type Table struct {
	Name, About string
	Columns     []Column
	view        string
	// where keeps the rows of the period; @FROM and @TO are its bounds.
	where string
	order string
}

func text(name, sql, about string) Column    { return Column{name, Text, about, sql} }
func integer(name, sql, about string) Column { return Column{name, Integer, about, sql} }
func number(name, sql, about string) Column  { return Column{name, Number, about, sql} }
func yesNo(name, sql, about string) Column   { return Column{name, YesNo, about, sql} }
func instant(name, sql, about string) Column { return Column{name, Instant, about, sql} }

var (
	shop         = text("shop_id", "shop_id", "Shop")
	conversation = text("conversation_id", "conversation_id", "Conversation within the shop")
)

// indicators of a window as columns, and what they are.
var indicators = []Column{
	number("manual_reply_3min_rate", "", "Share of 1, by the definition that the policy selects"),
	number("manual_reply_3min_rate_conversation", "", "Share of conversations whose mean wait is within the limit"),
	number("manual_reply_3min_rate_round", "", "Share of rounds answered within the limit"),
	number("manual_reply_3min_rate_message", "", "Share of consumer messages replied to within the limit"),
	number("manual_reply_3min_rate_conversation_strict", "", "Share of conversations whose rounds were all answered within the limit"),
	number("avg_response_seconds", "", "Mean wait of answered rounds, seconds"),
	number("p50_response_seconds", "", "Median wait, seconds"),
	number("p90_response_seconds", "", "Wait that 90 % do not exceed, seconds"),
	number("p99_response_seconds", "", "Wait that 99 % do not exceed, seconds"),
	number("avg_first_response_seconds", "", "Mean wait of answered first rounds, seconds"),
	number("dissatisfaction_rate", "", "Ratings of 1 or 2 among all, share of 1"),
	number("unanswered_rate", "", "Conversations without an answered round, share of 1"),
}

func windowColumns() []Column {
	columns := []Column{
		shop, instant("window_start", "window_start", "First instant of the window"), yesNo("is_final", "is_final", "The window no longer changes"),
		integer("conversations", "conversations", "Conversations with at least one counted round"), integer("rounds", "rounds", "Rounds whose start lies in assessed time"),
		integer("rounds_answered", "rounds_answered", "Of them, those answered within 24 h"), integer("rounds_within", "rounds_within", "Of them, those answered within the limit"),
		integer("messages", "messages", "Consumer messages sent in assessed time"), integer("ratings", "ratings", "Ratings given"), integer("ratings_dissatisfied", "ratings_dissatisfied", "Of them, the dissatisfied ones"),
		integer("takeovers", "takeovers", "Bot takeovers that began in the window"), number("bot_seconds", "bot_us / 1000000", "Assessed time during which the bot received, seconds"),
	}
	for _, i := range indicators {
		i.sql = "indicator_values[indexOf(indicator_names, '" + i.Name + "')]"
		columns = append(columns, i)
	}
	return append(columns,
		text("missed", "arrayStringConcat(arrayFilter((name, verdict) -> verdict = 'missed', indicator_names, indicator_verdicts), ', ')", "Judged indicators that miss their standards"),
		text("policy_version", "policy_version", "Version of the policy in force at the start of the window"))
}

// Tables are all that can be exported; the first is what is taken where none is named.
func Tables() []Table {
	between := func(column string) string { return column + " >= @FROM AND " + column + " < @TO" }
	return []Table{
		{
			Name: "shops", About: "A row a shop: its indicators of the period", view: "service_kpis", Columns: windowColumns(),
			where: "window_start = @FROM AND window_end = @TO", order: "shop_id",
		},
		{
			Name: "days", About: "A row a shop and day of the period", view: "service_kpis", Columns: windowColumns(),
			where: "window_kind = 'day' AND " + between("window_start"), order: "shop_id, window_start",
		},
		{
			Name: "indicators", About: "A row a shop and indicator, with its standard and verdict", view: "service_indicators",
			Columns: []Column{
				shop, instant("window_start", "window_start", "First instant of the window"), text("indicator", "name", "Name of the indicator"),
				number("value", "value", "Seconds for *_seconds, a share of 1 for *_rate"), integer("samples", "samples", "Size of the denominator"),
				number("standard", "standard", "What the value is held against; empty: reported only"), text("comparison", "comparison", "How value and standard must compare"),
				text("verdict", "verdict", "reported, not_judged, met, or missed"), text("definition", "definition", "Definition that the value follows"),
			},
			where: "window_start = @FROM AND window_end = @TO", order: "shop_id, position",
		},
		{
			Name: "decisions", About: "A row a shop: the newest revision of the decision about the period", view: "decisions",
			Columns: []Column{
				shop, instant("period_start", "period_start", "First instant of the assessed half-month"), integer("revision", "revision", "Revision of the decision, from 1"),
				yesNo("restricted", "restricted", "A judged indicator missed its standard"), text("restrictions", "arrayStringConcat(restrictions, ', ')", "What the shop is restricted from"),
				instant("restricted_from", "restricted_from", "First instant of the restriction"), instant("restricted_until", "restricted_until", "First instant after it"),
				text("missed", "arrayStringConcat(missed, ', ')", "Indicators that missed their standards"), integer("conversations", "conversations", "Conversations with at least one counted round"),
				integer("ratings", "ratings", "Ratings given"), number("manual_reply_3min_rate", "evidence['manual_reply_3min_rate']", "Share of 1"),
				number("avg_response_seconds", "evidence['avg_response_seconds']", "Mean wait of answered rounds, seconds"), number("dissatisfaction_rate", "evidence['dissatisfaction_rate']", "Share of 1"),
				integer("checkpoint_seconds", "checkpoint_seconds", "When it was issued: seconds after the end of the period"), text("policy_version", "policy_version", "Version of the policy"),
			},
			where: "period_start = @FROM AND period_end = @TO", order: "shop_id",
		},
		{
			Name: "agents", About: "A row an agent and day: rounds that the agent answered", view: "agent_performance",
			Columns: []Column{
				shop, text("agent_id", "agent_id", "Agent who sent the replies"), text("local_day", "local_day", "Day in the time zone of the policy in which the rounds began"),
				integer("rounds", "rounds", "Rounds that began in assessed time and were answered"), integer("rounds_within", "rounds_within", "Of them, those within the limit"), integer("conversations", "conversations", "Distinct conversations among them"),
				number("avg_wait_seconds", "avg_wait_seconds", "Mean wait, seconds"), number("p50_wait_seconds", "p50_wait_seconds", "Median wait, seconds"), number("p90_wait_seconds", "p90_wait_seconds", "Wait that 90 % do not exceed, seconds"),
				number("max_wait_seconds", "max_wait_seconds", "Longest wait, seconds"),
			},
			where: "agent_id != '' AND local_day >= toDate(@FROM, @ZONE) AND local_day < toDate(@TO, @ZONE)", order: "shop_id, agent_id, local_day",
		},
		{
			Name: "rounds", About: "A row a round of waiting that began in the period", view: "rounds",
			Columns: []Column{
				shop, conversation, integer("number", "number", "Number of the round within its conversation, from 1"), integer("life", "life", "Number of the life of the conversation"),
				text("outcome", "outcome", "open, answered, expired, or closed"), instant("started_at", "started_at", "Time of the first consumer message"), instant("ended_at", "ended_at", "Time of the reply, expiry, or closing"),
				number("wait_seconds", "wait_us / 1000000", "Reply minus start, seconds"), text("agent_id", "agent_id", "Agent who sent the reply"), text("consumer_id", "consumer_id", "Consumer who waited"),
				yesNo("counted", "counted", "The start lies in assessed time"), yesNo("within", "within", "Answered within the limit"),
			},
			where: between("started_at"), order: "shop_id, conversation_id, number",
		},
		{
			Name: "conversations", About: "A row a life of a conversation that began in the period, with its rating", view: "conversations",
			Columns: []Column{
				shop, conversation, integer("life", "life", "Number of the life, from 1"), instant("started_at", "started_at", "When it began"), instant("ended_at", "ended_at", "When it ended"),
				text("life_end", "life_end", "open, closed, or lapsed"), text("consumer_id", "consumer_id", "Consumer"), text("first_agent_id", "first_agent_id", "First agent who replied"),
				instant("first_reply_at", "first_reply_at", "When"), integer("rounds", "rounds", "Rounds of waiting in it"), integer("score", "score", "Rating, 1 to 5"), instant("rated_at", "rated_at", "When it was given"),
			},
			where: between("started_at"), order: "shop_id, conversation_id, life",
		},
		{
			Name: "takeovers", About: "A row a stretch of bot reception that began in the period", view: "takeovers",
			Columns: []Column{
				shop, integer("number", "number", "Number of the takeover within the shop"), text("trigger", "trigger", "Rule that fired: same_consumer or across_consumers"),
				instant("started_at", "started_at", "When it began"), instant("ended_at", "ended_at", "When a human received again"), text("takeover_end", "takeover_end", "lasting, manual_reply, or resumed"),
				text("ended_by", "ended_by", "Agent who replied or resumed"), text("conversation_id", "trigger_conversation_id", "Conversation that triggered it"), text("consumer_id", "trigger_consumer_id", "Consumer who triggered it"),
				integer("unreplied", "unreplied", "Unreplied messages counted"), integer("consumers", "consumers", "Distinct consumers among them"),
			},
			where: between("started_at"), order: "shop_id, number",
		},
		{
			Name: "violations", About: "A row a flag of an event in the period, without the words", view: "violation_flags",
			Columns: []Column{
				shop, conversation, text("flag_id", "flag_id", "Flag"), text("event_id", "event_id", "Event that was flagged"), text("offender_kind", "offender_kind", "consumer or shop"), text("offender_id", "offender_id", "Who answers for it"),
				instant("time", "time", "Time of the event"), text("category", "category", "Category (rules 2.2 to 2.10)"), text("sub_kind", "sub_kind", "What it is within the category"), text("severity", "severity", "low, medium, or high"),
				number("confidence", "confidence", "How sure the detector is, 0 to 1"), yesNo("auto_confirmed", "auto_confirmed", "Confirmed at once"),
			},
			where: between("time"), order: "shop_id, time, flag_id",
		},
		{
			Name: "sanctions", About: "A row a sanction in force from a time in the period, as it stands", view: "sanctions",
			Columns: []Column{
				shop, text("offender_kind", "offender_kind", "consumer or shop"), text("offender_id", "offender_id", "Who answers for it"), text("sanction_id", "sanction_id", "Sanction"), text("kind", "kind", "What it does"),
				text("category", "category", "Category of the violation"), text("flag_id", "flag_id", "Flag that it rests on"), instant("time", "time", "From when it is in force"), instant("until", "until", "Until when; empty: without end"),
				integer("points", "points", "Violation points"), integer("offence", "offence", "Which offence of the offender it is"), yesNo("reversed", "reversed", "Taken back"),
			},
			where: between("time"), order: "shop_id, time, sanction_id",
		},
	}
}

// Find is the tables of these names; none named: the first.
func Find(names []string) ([]Table, error) {
	all := Tables()
	if len(names) == 0 {
		return all[:1], nil
	}
	var out []Table
	for _, name := range names {
		i := slices.IndexFunc(all, func(t Table) bool { return t.Name == name })
		if i < 0 {
			var known []string
			for _, t := range all {
				known = append(known, t.Name)
			}
			return nil, fmt.Errorf("no table %q to export; there are %s", name, strings.Join(known, ", "))
		}
		if slices.ContainsFunc(out, func(t Table) bool { return t.Name == name }) {
			return nil, fmt.Errorf("table %s is named twice", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// query of a table's rows.
func (t Table) query(database string, period worktime.Span, location *time.Location, shop string) string {
	var columns []string
	for _, c := range t.Columns {
		value := "v." + c.sql
		if strings.ContainsAny(c.sql, "( [/") {
			value = c.sql
		}
		if c.Kind == Text {
			value = "toString(" + value + ")"
		}
		columns = append(columns, fmt.Sprintf("CAST(%s AS %s) AS `%s`", value, kinds[c.Kind], "out_"+c.Name))
	}
	where := t.where
	if shop != "" {
		where += " AND shop_id = " + quote(shop)
	}
	where = strings.NewReplacer(
		"@FROM", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", period.Start), "@TO", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", period.End), "@ZONE", quote(location.String()),
	).Replace(where)
	return "SELECT " + strings.Join(columns, ", ") + " FROM `" + database + "`." + t.view + " AS v WHERE " + where + " ORDER BY " + t.order
}

// quote is a ClickHouse string literal.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(text) + "'"
}
