package queries

// standing is every judged standard of every shop in the chosen period.
const standing = `
SELECT shop_id, toString(name) AS indicator, value, standard, toString(comparison) AS comparison, samples, toString(verdict) AS verdict, window_start, window_end
FROM service_indicators
WHERE {{shop:shop_id}} AND window_kind = 'half_month' AND window_start = {{period_start}} AND standard IS NOT NULL AND value IS NOT NULL`

// forecast extrapolates each standard to the end of the period. What is still to come is taken to behave as what came. A
// share: beta-binomial, so that few samples make a wide interval. The mean wait: by the spread of the days' means.
const forecast = `
SELECT
    shop_id, indicator, value, standard, comparison, samples, verdict, elapsed,
    if(rate, (value * n + coming * p) / (n + coming), value) AS expected,
    if(rate, sqrt(coming * p * (1 - p) * (1 + coming / n)) / (n + coming),
        if(days < 2 OR left_days < 0.001, 0., spread * left_days / (days + left_days) * sqrt(1 / left_days + 1 / days))) AS deviation,
    greatest(expected - 1.96 * deviation, 0.) AS low,
    if(rate, least(expected + 1.96 * deviation, 1.), expected + 1.96 * deviation) AS high,
    if(deviation < 1e-9,
        toFloat64(if(comparison = '>=', expected < standard, expected > standard)),
        0.5 * (1 + if(comparison = '>=', 1, -1) * erf((standard - expected) / deviation / sqrt(2)))) AS chance
FROM
(
    SELECT
        s.shop_id AS shop_id, indicator, assumeNotNull(s.value) AS value, assumeNotNull(s.standard) AS standard, comparison, samples, verdict,
        endsWith(indicator, '_rate') AS rate,
        toFloat64(samples) AS n,
        greatest(0.001, least(1., dateDiff('second', window_start, {{now}}) / dateDiff('second', window_start, window_end))) AS elapsed,
        n / elapsed - n AS coming,
        (value * n + 1) / (n + 2) AS p,
        toFloat64(d.days) AS days,
        d.spread AS spread,
        dateDiff('day', window_start, window_end) * (1 - elapsed) AS left_days
    FROM (` + standing + `) AS s
    LEFT JOIN
    (
        SELECT shop_id, count() AS days, stddevSamp(wait_sum_us / rounds_answered / 1000000) AS spread
        FROM service_kpis
        WHERE {{shop:shop_id}} AND window_kind = 'day' AND window_start >= {{period_start}} AND window_start < {{period_end}} AND rounds_answered > 0
        GROUP BY shop_id
    ) AS d ON s.shop_id = d.shop_id
    WHERE samples > 0
)`

// botNow is every shop that the bot receives for.
const botNow = `
SELECT shop_id, trigger_conversation_id AS conversation_id, trigger_consumer_id AS consumer_id, toString(trigger) AS cause,
    unreplied, consumers, started_at AS since, dateDiff('second', started_at, {{now}}) AS seconds
FROM takeovers
WHERE {{shop:shop_id}} AND takeover_end = 'lasting'
ORDER BY started_at, shop_id`

func botColumns() []Column {
	return []Column{shopColumn, conversationColumn, consumerColumn,
		col("cause", "触发规则", "Trigger", Word), col("unreplied", "未回复消息", "Unreplied", Count), col("consumers", "涉及消费者", "Consumers", Count),
		col("since", "开始时间", "Since", Instant), colSteps("seconds", "已持续", "For", Seconds, []Step{{Colour: Green}, {From: 300, Colour: Yellow}, {From: 1800, Colour: Red}})}
}

// Overview is what a manager looks at first.
func Overview() []Query {
	return []Query{
		{
			ID: "overview.shops", Title: Text{"本期考核店铺", "Shops assessed"}, Shape: Figure,
			About:   Text{"本考核周期内有数据的店铺数", "Shops with anything counted in the period"},
			SQL:     `SELECT count() AS shops FROM service_kpis WHERE {{shop:shop_id}} AND window_kind = 'half_month' AND window_start = {{period_start}}`,
			Columns: []Column{col("shops", "店铺", "Shops", Count)},
		},
		{
			ID: "overview.missing", Title: Text{"当前未达标店铺", "Shops that miss a standard"}, Shape: Figure,
			About:   Text{"至少一项已判定指标低于标准", "At least one judged indicator misses its standard so far"},
			SQL:     `SELECT uniqExact(shop_id) AS shops FROM (` + standing + `) WHERE verdict = 'missed'`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsRed())},
		},
		{
			ID: "overview.at_risk", Title: Text{"有失败风险的店铺", "Shops at risk"}, Shape: Figure,
			About:   Text{"目前达标，但期末未达标概率不低于20%", "Meets its standards now, but misses one at the period's end with a chance of 20 % or more"},
			SQL:     `SELECT count() AS shops FROM (SELECT shop_id FROM (` + forecast + `) GROUP BY shop_id HAVING max(chance) >= 0.2 AND countIf(verdict = 'missed') = 0)`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsYellow())},
		},
		{
			ID: "overview.in_bot", Title: Text{"机器人接待中", "In bot reception"}, Shape: Figure,
			About:   Text{"此刻由机器人接待的店铺数", "Shops that the bot receives for right now"},
			SQL:     `SELECT uniqExact(shop_id) AS shops FROM takeovers WHERE {{shop:shop_id}} AND takeover_end = 'lasting'`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsYellow())},
		},
		{
			ID: "overview.restricted", Title: Text{"受限店铺", "Shops restricted"}, Shape: Figure,
			About:   Text{"限制措施此刻生效的店铺数", "Shops under a restriction that is in force now"},
			SQL:     `SELECT uniqExact(shop_id) AS shops FROM decisions WHERE {{shop:shop_id}} AND restricted AND restricted_from <= {{now}} AND restricted_until > {{now}}`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsRed())},
		},
		{
			ID: "overview.standards", Title: Text{"各店铺达标情况", "Shops against the standards"}, Shape: Table,
			About: Text{"未达标的在前；样本少于30个时不判定", "Those that miss come first; below 30 samples nothing is judged"},
			SQL: `
SELECT k.shop_id AS shop_id, conversations, ratings,
    indicator_values[indexOf(indicator_names, 'manual_reply_3min_rate')] AS reply_rate,
    indicator_values[indexOf(indicator_names, 'avg_response_seconds')] AS avg_wait,
    indicator_values[indexOf(indicator_names, 'dissatisfaction_rate')] AS dissatisfaction,
    takeovers, bot_us / 1000000 AS bot_seconds,
    arrayStringConcat(arrayFilter((name, verdict) -> verdict = 'missed', indicator_names, indicator_verdicts), ', ') AS missed
FROM service_kpis AS k
WHERE {{shop:k.shop_id}} AND window_kind = 'half_month' AND window_start = {{period_start}}
ORDER BY missed = '', reply_rate ASC NULLS LAST, shop_id
LIMIT 1000`,
			Columns: []Column{shopColumn, col("conversations", "会话数", "Conversations", Count), col("ratings", "评价数", "Ratings", Count), replyRate, avgWait, dissatisfaction,
				colSteps("takeovers", "接管次数", "Takeovers", Count, anyIsYellow()), col("bot_seconds", "机器人接待时长", "Bot time", Seconds), missedColumn},
		},
		{
			ID: "overview.distance", Title: Text{"距离不达标", "Distance to failing"}, Shape: Table,
			About: Text{"余量：还能再有多少个不合格样本；负数：还需多少个合格样本", "Spare: how many more bad samples the standard bears; negative: how many good ones are needed"},
			SQL: `
SELECT shop_id, indicator, value, standard, samples, verdict,
    if(comparison = '>=', value - standard, standard - value) / standard AS margin,
    multiIf(NOT endsWith(indicator, '_rate'), NULL,
        comparison = '>=' AND value >= standard, floor(value * samples / standard - samples + 1e-6),
        comparison = '>=', -ceil((standard * samples - value * samples) / (1 - standard) - 1e-6),
        value <= standard, floor((standard * samples - value * samples) / (1 - standard) + 1e-6),
        -ceil(value * samples / standard - samples - 1e-6)) AS spare
FROM (` + standing + `)
ORDER BY verdict = 'not_judged', margin, shop_id, indicator
LIMIT 500`,
			Columns: []Column{shopColumn, indicatorColumn, valueColumn, standardColumn, samplesColumn, verdictColumn,
				colSteps("margin", "相对余量", "Margin", Share, []Step{{Colour: Red}, {From: 0, Colour: Yellow}, {From: 0.1, Colour: Green}}), col("spare", "余量", "Spare", Count)},
		},
		{
			ID: "overview.forecast", Title: Text{"期末预测", "Forecast for the end of the period"}, Shape: Table,
			About: Text{"假设其余时间与目前一致；区间为95%", "What is still to come is taken to behave as what came; the interval is 95 %"},
			SQL: `SELECT shop_id, indicator, value, standard, expected, low, high, chance, elapsed FROM (` + forecast + `)
ORDER BY chance DESC, shop_id, indicator
LIMIT 500`,
			Columns: []Column{shopColumn, indicatorColumn, valueColumn, standardColumn, col("expected", "预测值", "Expected", Mixed), col("low", "下限", "Low", Mixed), col("high", "上限", "High", Mixed),
				colSteps("chance", "未达标概率", "Chance to miss", Share, []Step{{Colour: Green}, {From: 0.2, Colour: Yellow}, {From: 0.5, Colour: Red}}), col("elapsed", "周期进度", "Elapsed", Share)},
		},
		{
			ID: "overview.bot_now", Title: Text{"正在由机器人接待的店铺", "Shops in bot reception now"}, Shape: Table,
			About: Text{"最久的在前", "The longest first"}, SQL: botNow, Columns: botColumns(),
		},
		{
			ID: "overview.messages", Title: Text{"消息量", "Messages"}, Shape: Series,
			About: Text{"按发送方统计的消息数", "Messages by who sent them"},
			SQL: `
SELECT {{bucket:time}} AS time, countIf(actor_role = 'consumer') AS consumer, countIf(actor_role = 'agent') AS agent, countIf(actor_role = 'bot') AS bot
FROM (SELECT time, actor_role FROM message_index FINAL WHERE message AND {{shop:shop_id}} AND {{in_range:time}})
GROUP BY time
ORDER BY time`,
			Columns: []Column{col("consumer", "消费者", "Consumers", Count), col("agent", "客服", "Agents", Count), col("bot", "机器人", "Bot", Count)},
		},
	}
}
