package queries_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
)

// crowd is many shops over a half-month and the one before it, made in ClickHouse itself in the shape of the sinks' rows. The
// shops' sizes fall as in Zipf's law; rows come in the order of the log, in inserts of chunk events, and every tenth
// insert comes twice.
type crowd struct {
	database      string
	events, shops int
	chunk         int
}

const (
	crowdDays   = 31
	crowdPerOne = 8 // events a conversation
)

var (
	crowdStart = time.Date(2026, 10, 16, 0, 0, 0, 0, shanghai)
	crowdNow   = periodEnd.Add(-2 * time.Hour)
)

func (c crowd) conversations() int { return c.events / crowdPerOne }

// biggest is the shop with the most events.
func (c crowd) biggest() string { return "shop-00001" }

// fill replaces @NAME and runs the statements.
func (c crowd) fill(ctx context.Context, conn driver.Conn) error {
	n := c.conversations()
	per := max(c.chunk/crowdPerOne, 1)
	for chunk, from := 0, 0; from < n; chunk, from = chunk+1, from+per {
		times := 1
		if chunk%10 == 9 {
			times = 2
		}
		for range times {
			if err := c.run(ctx, conn, crowdLog, from, min(per, n-from)); err != nil {
				return err
			}
		}
	}
	return c.run(ctx, conn, crowdShops, 0, n)
}

func (c crowd) run(ctx context.Context, conn driver.Conn, statements []string, from, count int) error {
	fill := strings.NewReplacer(
		"@DB", c.database, "@FROM", fmt.Sprint(from), "@COUNT", fmt.Sprint(count), "@ALL", fmt.Sprint(c.conversations()), "@SHOPS", fmt.Sprint(c.shops), "@DAYS", fmt.Sprint(crowdDays),
		"@START", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", crowdStart.UnixMicro()), "@NOW", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", crowdNow.UnixMicro()),
		"@PERIOD", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", periodStart.UnixMicro()), "@END", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", periodEnd.UnixMicro()),
		"@CHATS", strings.NewReplacer("@FROM", fmt.Sprint(from), "@COUNT", fmt.Sprint(count), "@ALL", fmt.Sprint(c.conversations()), "@SHOPS", fmt.Sprint(c.shops), "@DAYS", fmt.Sprint(crowdDays),
			"@START", fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", crowdStart.UnixMicro())).Replace(crowdChats),
	)
	for _, statement := range statements {
		if err := conn.Exec(ctx, fill.Replace(statement)); err != nil {
			return fmt.Errorf("%w\n%s", err, fill.Replace(statement))
		}
	}
	return nil
}

// crowdChats are conversations: one begins after the other, between 08:00 and 23:00.
const crowdChats = `(
    SELECT
        number AS i, cityHash64(number) AS h,
        toUInt32(floor(pow(@SHOPS, (h % 1000003) / 1000003))) AS rank,
        concat('shop-', leftPad(toString(rank), 5, '0')) AS shop_id,
        concat('c-', toString(number)) AS conversation_id,
        toUInt32(cityHash64(rank) % 8) AS log_partition,
        floor(number * @DAYS / @ALL) AS day,
        addMicroseconds(@START, toInt64((day * 86400 + 28800 + (number * @DAYS / @ALL - day) * 53400) * 1000000)) AS began,
        concat('buyer-', toString(h % 3000017)) AS consumer_id,
        concat('agent-', toString(rank), '-', toString(intDiv(h, 7) % (2 + intDiv(200, rank)))) AS agent_id,
        [10 + h % 50, 10 + intDiv(h, 64) % 400, 10 + intDiv(h, 4096) % 200] AS waits
    FROM numbers(@FROM, @COUNT)
)`

// crowdLog is what comes with the conversations.
var crowdLog = []string{
	`INSERT INTO @DB.chat_events_data (shop_id, conversation_id, event_id, time, kind, actor_role, actor_id, message_kind, text_bytes, text_runes, score, log_partition, log_offset)
SELECT shop_id, conversation_id, toString(reinterpretAsUUID(sipHash128(i, k))), addMicroseconds(began, toInt64(k * 200000000 + if(k IN (1, 3, 6), waits[multiIf(k = 1, 1, k = 3, 2, 3)] * 1000000 - 200000000, 0))),
    multiIf(k < 7, 'message', h % 5 = 0, 'conversation_rated', 'conversation_closed'), if(k IN (1, 3, 6), 'agent', 'consumer'), if(k IN (1, 3, 6), agent_id, consumer_id),
    if(k < 7, 'text', 'none'), if(k < 7, 30, 0), if(k < 7, 10, 0), if(k = 7 AND h % 5 = 0, 1 + h % 5, 0), log_partition, i * 8 + k
FROM @CHATS ARRAY JOIN range(8) AS k`,
	`INSERT INTO @DB.chat_texts_data (shop_id, conversation_id, event_id, time, actor_role, actor_id, text, log_partition, log_offset)
SELECT shop_id, conversation_id, toString(reinterpretAsUUID(sipHash128(i, 0))), began, 'consumer', consumer_id, 'is it there?', log_partition, i * 8 FROM @CHATS`,
	`INSERT INTO @DB.rounds_data (shop_id, conversation_id, number, life, number_in_life, outcome, started_at, ended_at, wait_us, agent_id, consumer_id, counted, within, log_partition, source_offset, version)
SELECT shop_id, conversation_id, r, 1, r,
    multiIf(step = 0, 'open', NOT lost, 'answered', began < addHours(@NOW, -24), 'expired', 'open') AS how,
    addMicroseconds(began, (r - 1) * 400000000) AS started_at, if(how = 'answered', addMicroseconds(started_at, waits[r] * 1000000 + h % 1000000), if(how = 'expired', addHours(started_at, 24), NULL)),
    if(how = 'answered', waits[r] * 1000000 + h % 1000000, NULL), if(how = 'answered', agent_id, ''), consumer_id, true, how = 'answered' AND waits[r] < 180, log_partition, i * 8 + r * 2 - 2 + step, (i * 8 + r * 2 - 2 + step) * 2 + 1
FROM (SELECT *, r, r = 3 AND h % 50 = 0 AS lost FROM @CHATS ARRAY JOIN [1, 2, 3] AS r) ARRAY JOIN [0, 1] AS step WHERE step = 0 OR NOT lost OR how = 'expired'`,
	`INSERT INTO @DB.conversations_data (shop_id, conversation_id, life, started_at, ended_at, life_end, consumer_id, first_agent_id, first_reply_at, rounds, log_partition, source_offset)
SELECT shop_id, conversation_id, 1, began, addSeconds(began, 1400), 'closed', consumer_id, agent_id, addSeconds(began, waits[1]), 3, log_partition, i * 8 + 7 FROM @CHATS`,
	`INSERT INTO @DB.ratings_data (shop_id, conversation_id, life, score, rated_at, consumer_id, log_partition, source_offset)
SELECT shop_id, conversation_id, 1, 1 + h % 5, addSeconds(began, 1400), consumer_id, log_partition, i * 8 + 7 FROM @CHATS WHERE intDiv(h, 11) % 5 = 0`,
	`INSERT INTO @DB.takeovers_data (shop_id, number, trigger, started_at, ended_at, takeover_end, ended_by, trigger_conversation_id, trigger_consumer_id, unreplied, consumers, log_partition, source_offset)
SELECT shop_id, i, if(h % 3 = 0, 'same_consumer', 'across_consumers'), began, if(h % 7 = 0 AND began > addHours(@NOW, -24), NULL, addSeconds(began, 60 + h % 3000)) AS until, if(until IS NULL, 'lasting', 'manual_reply'), if(until IS NULL, '', agent_id),
    conversation_id, consumer_id, 11, 1 + h % 11, log_partition, i * 8 FROM @CHATS WHERE intDiv(h, 13) % 40 = 0`,
	`INSERT INTO @DB.violation_flags_data (offender_kind, offender_id, flag_id, shop_id, conversation_id, event_id, actor_id, time, category, sub_kind, severity, confidence, auto_confirmed, detector, log_offset)
SELECT 'shop', shop_id, toString(h), shop_id, conversation_id, toString(h), agent_id, began, toInt8(1 + h % 9), 'wechat', 'high', 0.9, intDiv(h, 5) % 2, 'contacts', i FROM @CHATS WHERE intDiv(h, 17) % 60 = 0`,
	`INSERT INTO @DB.verdicts_data (offender_kind, offender_id, flag_id, verdict_id, time, ruling, reviewer_id, log_offset)
SELECT 'shop', shop_id, toString(h), toString(h), addHours(began, 1), 'confirmed', 'reviewer', i FROM @CHATS WHERE intDiv(h, 17) % 60 = 0 AND intDiv(h, 19) % 4 = 0`,
	`INSERT INTO @DB.sanctions_data (offender_kind, offender_id, sanction_id, kind, flag_id, category, shop_id, conversation_id, actor_id, time, until, points, offence, reversed, decided_at, log_offset)
SELECT 'shop', shop_id, toString(h), 'points', toString(h), toInt8(1 + h % 9), shop_id, conversation_id, agent_id, began, addDays(began, 365), 3, 1, intDiv(h, 23) % 10 = 0, began, i FROM @CHATS WHERE intDiv(h, 17) % 60 = 0 AND intDiv(h, 5) % 2 = 1`,
}

const crowdIndicators = `['manual_reply_3min_rate', 'manual_reply_3min_rate_conversation', 'manual_reply_3min_rate_round', 'manual_reply_3min_rate_message', 'manual_reply_3min_rate_conversation_strict', 'avg_response_seconds',
    'p50_response_seconds', 'p90_response_seconds', 'p99_response_seconds', 'avg_first_response_seconds', 'dissatisfaction_rate', 'unanswered_rate', 'takeovers', 'bot_seconds'],
    [rate, rate, rate, rate, rate, wait, wait, wait, wait, wait, bad, 0.05, 1, 60], arrayResize([n], 14, n),
    [0.7, NULL, NULL, NULL, NULL, 180, NULL, NULL, NULL, NULL, 0.2, NULL, NULL, NULL]::Array(Nullable(Float64)), ['>=', '>=', '>=', '>=', '>=', '<=', '<=', '<=', '<=', '<=', '<=', '<=', '<=', '<='],
    arrayMap(j -> multiIf(NOT j IN (1, 6, 11), 'reported', n < 30, 'not_judged', j = 1 AND rate < 0.7 OR j = 6 AND wait > 180 OR j = 11 AND bad > 0.2, 'missed', 'met'), range(1, 15)), arrayResize(['conversation'], 14, '')`

// crowdShops are the snapshots and decisions of every shop.
var crowdShops = []string{
	`INSERT INTO @DB.service_kpis_data (shop_id, window_kind, window_start, window_end, version, is_final, rounds, rounds_answered, rounds_within, wait_sum_us, conversations, conversations_mean_within, messages, ratings, ratings_dissatisfied, takeovers, bot_us,
    indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, indicator_verdicts, indicator_definitions, policy_version, log_offset)
SELECT concat('shop-', leftPad(toString(rank), 5, '0')) AS shop_id, kind, start, finish, v * 2, false, n, n, toInt64(n * rate), toInt64(n * wait * 1000000), n, toInt64(n * rate), n, intDiv(n, 5), intDiv(n, 25), 1, 60000000, ` + crowdIndicators + `, 'v1', v
FROM
(
    SELECT number AS i, intDiv(i, 3) AS j, i % 3 + 1 AS v, 1 + intDiv(j, 33) AS rank, j % 33 AS w, cityHash64(j) AS h, if(w < 31, 'day', 'half_month') AS kind,
        multiIf(w < 31, addDays(@START, w), w = 31, @START, @PERIOD) AS start, multiIf(w < 31, addDays(start, 1), w = 31, @PERIOD, @END) AS finish,
        toInt64(if(kind = 'day', 1, 15) * (2 + intDiv(@ALL, 300 * rank))) AS n, 0.6 + (h % 1000) / 2500 AS rate, 60. + h % 160 AS wait, (h % 250) / 1000 AS bad
    FROM numbers(@SHOPS * 33 * 3)
)`,
	`INSERT INTO @DB.restrictions_data (shop_id, period_start, period_end, revision, restricted, restrictions, restricted_from, restricted_until, missed, conversations, ratings,
    indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, indicator_verdicts, indicator_definitions, policy_version, checkpoint_seconds, source_offset)
SELECT concat('shop-', leftPad(toString(rank), 5, '0')) AS shop_id, @START, @PERIOD, v, rate < 0.7, if(rate < 0.7, ['marketing_campaigns'], []), if(rate < 0.7, @PERIOD, NULL), if(rate < 0.7, @END, NULL), if(rate < 0.7, ['manual_reply_3min_rate'], []), n, 10, ` + crowdIndicators + `, 'v1', v * 3600, v
FROM (SELECT 1 + intDiv(number, 4) AS rank, number % 4 + 1 AS v, cityHash64(number) AS h, 100 AS n, 0.6 + (h % 1000) / 2500 AS rate, 60. + h % 160 AS wait, (h % 250) / 1000 AS bad FROM numbers(@SHOPS * 4) WHERE v = 1 OR cityHash64(rank) % 5 = 0)`,
	`INSERT INTO @DB.sign_ins_data (shop_id, event_id, time, kind, account_role, account_id, client, log_offset)
SELECT concat('shop-', leftPad(toString(rank), 5, '0')), concat(toString(a), '-', toString(day), '-', kind), addHours(addDays(@START, day), if(kind = 'signed_in', 9, 18)), kind, 'agent', concat('agent-', toString(rank), '-', toString(a)), 'desk', rank * 100000 + a * 100 + day * 2
FROM (SELECT number + 1 AS rank, arrayJoin(range(2 + intDiv(200, rank))) AS a FROM numbers(@SHOPS)) ARRAY JOIN range(@DAYS) AS day ARRAY JOIN ['signed_in', 'signed_out'] AS kind WHERE day < @DAYS - 1 OR kind = 'signed_in' OR a % 2 = 0`,
	`INSERT INTO @DB.dead_letters_data (topic, log_partition, log_offset, stage, code, record_at, letter_at, letter_offset) SELECT 'chat.events', number % 8, number, 'conversations', 'decode', @START, @START, number FROM numbers(1000)`,
}

// choices are what a reader of a board with this query picks: all shops, and the biggest one.
func (c crowd) choices(q queries.Query) []queries.Values {
	board, _, _ := strings.Cut(q.ID, ".")
	span := map[string]time.Duration{"overview": 24 * time.Hour, "live": 6 * time.Hour, "pipeline": 6 * time.Hour, "violations": 7 * 24 * time.Hour}[board]
	if span == 0 {
		span = 15 * 24 * time.Hour
	}
	v := queries.Values{
		Period: period, Shop: queries.All, Agent: queries.All, Category: queries.All,
		From: crowdNow.Add(-span), To: crowdNow, Now: crowdNow, Step: span / 800, TimeZone: "Asia/Shanghai",
	}
	one := v
	one.Shop = c.biggest()
	if board == "assessment" {
		v.Period, one.Period = "2026-10-H2", "2026-10-H2"
	}
	switch uses := queries.Uses(q.SQL); {
	case board == "shop" || board == "conversation":
		return []queries.Values{one}
	case len(uses) == 0 || !strings.Contains(strings.Join(uses, " "), "shop"):
		return []queries.Values{v}
	}
	return []queries.Values{v, one}
}
