package queries

// Shop is everything about one shop.
func Shop() []Query {
	return []Query{
		{
			ID: "shop.indicators", Title: Text{"本期指标", "Indicators of the period"}, Shape: Table,
			About: Text{"所有指标及其标准", "Every indicator with its standard"},
			SQL: `
SELECT toString(name) AS indicator, value, samples, standard, toString(verdict) AS verdict
FROM service_indicators
WHERE shop_id = {{shop}} AND window_kind = 'half_month' AND window_start = {{period_start}}
ORDER BY position`,
			Columns: []Column{indicatorColumn, valueColumn, samplesColumn, standardColumn, verdictColumn},
		},
		{
			ID: "shop.daily", Title: Text{"每日情况", "Day by day"}, Shape: Table,
			About: Text{"本期每一天", "Every day of the period"},
			SQL: `
SELECT toDate(window_start, {{tz}}) AS day, conversations, rounds, rounds_answered,
    indicator_values[indexOf(indicator_names, 'manual_reply_3min_rate')] AS reply_rate,
    indicator_values[indexOf(indicator_names, 'avg_response_seconds')] AS avg_wait,
    indicator_values[indexOf(indicator_names, 'dissatisfaction_rate')] AS dissatisfaction,
    takeovers, bot_us / 1000000 AS bot_seconds
FROM service_kpis
WHERE shop_id = {{shop}} AND window_kind = 'day' AND window_start >= {{period_start}} AND window_start < {{period_end}}
ORDER BY day`,
			Columns: []Column{col("day", "日期", "Day", Plain), col("conversations", "会话数", "Conversations", Count), col("rounds", "轮次", "Rounds", Count),
				col("rounds_answered", "已回复轮次", "Answered", Count), replyRate, avgWait, dissatisfaction,
				colSteps("takeovers", "接管次数", "Takeovers", Count, anyIsYellow()), col("bot_seconds", "机器人接待时长", "Bot time", Seconds)},
		},
		{
			ID: "shop.trend", Title: Text{"回复率走势", "Reply rate by day"}, Shape: Series,
			About: Text{"每日3分钟人工回复率", "The 3-minute reply rate of each day"},
			SQL: `
SELECT window_start AS time, indicator_values[indexOf(indicator_names, 'manual_reply_3min_rate')] AS reply_rate
FROM service_kpis
WHERE shop_id = {{shop}} AND window_kind = 'day' AND {{in_range:window_start}}
ORDER BY time`,
			Columns: []Column{replyRate},
		},
		{
			ID: "shop.waits", Title: Text{"等待时长分布", "How long consumers waited"}, Shape: Bars,
			About: Text{"计入考核的轮次", "Rounds that count"},
			SQL: `
SELECT multiIf(wait_us IS NULL, '6 unanswered', wait_us <= 30000000, '1 ≤ 30 s', wait_us <= 60000000, '2 ≤ 1 min', wait_us <= 180000000, '3 ≤ 3 min', wait_us <= 600000000, '4 ≤ 10 min', '5 > 10 min') AS wait,
    count() AS rounds
FROM rounds
WHERE shop_id = {{shop}} AND counted AND started_at >= {{period_start}} AND started_at < {{period_end}}
GROUP BY wait
ORDER BY wait`,
			Columns: []Column{col("wait", "等待", "Wait", Plain), col("rounds", "轮次", "Rounds", Count)},
		},
		{
			ID: "shop.slowest", Title: Text{"等待最久的轮次", "Longest waits"}, Shape: Table,
			About: Text{"计入考核、未及时回复的轮次", "Rounds that count and were not answered within the limit"},
			SQL: `
SELECT shop_id, conversation_id, consumer_id, agent_id, started_at, toString(outcome) AS outcome,
    ifNull(wait_us / 1000000, toFloat64(dateDiff('second', started_at, ifNull(ended_at, {{now}})))) AS waited
FROM rounds
WHERE shop_id = {{shop}} AND counted AND NOT within AND started_at >= {{period_start}} AND started_at < {{period_end}}
ORDER BY waited DESC, conversation_id, started_at
LIMIT 100`,
			Columns: []Column{shopColumn, conversationColumn, consumerColumn, agentColumn, col("started_at", "开始时间", "Began", Instant), col("outcome", "结果", "Outcome", Word), col("waited", "等待时长", "Waited", Seconds)},
		},
		{
			ID: "shop.ratings", Title: Text{"满意度评分", "Ratings"}, Shape: Bars,
			About: Text{"1分和2分为不满意", "1 and 2 are dissatisfied"},
			SQL: `
SELECT toString(score) AS score_given, count() AS ratings
FROM ratings
WHERE shop_id = {{shop}} AND rated_at >= {{period_start}} AND rated_at < {{period_end}}
GROUP BY score_given
ORDER BY score_given`,
			Columns: []Column{col("score_given", "评分", "Score", Plain), col("ratings", "次数", "Ratings", Count)},
		},
		{
			ID: "shop.dissatisfied", Title: Text{"不满意的会话", "Dissatisfied conversations"}, Shape: Table,
			About: Text{"最近的在前", "The newest first"},
			SQL: `
SELECT shop_id, conversation_id, consumer_id, first_agent_id AS agent_id, score, rated_at
FROM conversations
WHERE shop_id = {{shop}} AND score <= 2 AND rated_at >= {{period_start}} AND rated_at < {{period_end}}
ORDER BY rated_at DESC, conversation_id
LIMIT 100`,
			Columns: []Column{shopColumn, conversationColumn, consumerColumn, agentColumn, col("score", "评分", "Score", Count), col("rated_at", "评价时间", "Rated", Instant)},
		},
		{
			ID: "shop.takeovers", Title: Text{"机器人接管记录", "Takeovers by the bot"}, Shape: Table,
			About: Text{"本期开始的接管", "Takeovers that began in the period"},
			SQL: `
SELECT shop_id, trigger_conversation_id AS conversation_id, toString(trigger) AS cause, unreplied, consumers, started_at, ended_at, ended_by,
    dateDiff('second', started_at, ifNull(ended_at, {{now}})) AS seconds
FROM takeovers
WHERE shop_id = {{shop}} AND started_at >= {{period_start}} AND started_at < {{period_end}}
ORDER BY started_at DESC
LIMIT 200`,
			Columns: []Column{shopColumn, conversationColumn, col("cause", "触发规则", "Trigger", Word), col("unreplied", "未回复消息", "Unreplied", Count), col("consumers", "涉及消费者", "Consumers", Count),
				col("started_at", "开始时间", "Began", Instant), col("ended_at", "结束时间", "Ended", Instant), col("ended_by", "结束人", "Ended by", Plain), col("seconds", "时长", "Lasted", Seconds)},
		},
	}
}

// Conversation is one conversation, without its text.
func Conversation() []Query {
	return []Query{
		{
			ID: "conversation.lives", Title: Text{"会话", "Lives of the conversation"}, Shape: Table,
			About: Text{"每次会话及评价", "Every life with its rating"},
			SQL: `
SELECT life, started_at, ended_at, toString(life_end) AS ended, consumer_id, first_agent_id AS agent, rounds, score
FROM conversations
WHERE shop_id = {{shop}} AND conversation_id = {{conversation}}
ORDER BY life`,
			Columns: []Column{col("life", "序号", "Life", Count), col("started_at", "开始时间", "Began", Instant), col("ended_at", "结束时间", "Ended", Instant), col("ended", "结束方式", "How", Word),
				consumerColumn, col("agent", "首位客服", "First agent", Plain), col("rounds", "轮次", "Rounds", Count), col("score", "评分", "Score", Count)},
		},
		{
			ID: "conversation.rounds", Title: Text{"轮次", "Rounds"}, Shape: Table,
			About: Text{"每一轮等待", "Every round of waiting"},
			SQL: `
SELECT number, started_at, ended_at, toString(outcome) AS outcome, wait_us / 1000000 AS waited, agent_id AS agent, counted, within
FROM rounds
WHERE shop_id = {{shop}} AND conversation_id = {{conversation}}
ORDER BY number`,
			Columns: []Column{col("number", "序号", "Round", Count), col("started_at", "开始时间", "Began", Instant), col("ended_at", "结束时间", "Ended", Instant), col("outcome", "结果", "Outcome", Word),
				{Name: "waited", Title: Text{"等待时长", "Waited"}, Unit: Seconds, Steps: atMost(120, 180)}, col("agent", "客服", "Agent", Plain), col("counted", "计入考核", "Counts", Yes), col("within", "及时", "In time", Yes)},
		},
		{
			ID: "conversation.events", Title: Text{"事件", "Events"}, Shape: Table,
			About: Text{"不含消息内容", "Without what was written"},
			// As chat_events, of repeats the first in the log; but only the rows of the conversation are looked at.
			SQL: `
SELECT time, toString(kind) AS event, toString(actor_role) AS role, actor_id, toString(message_kind) AS message, text_runes, automatic, shielded, log_offset
FROM
(
    SELECT time, kind, actor_role, actor_id, message_kind, text_runes, automatic, shielded, log_offset
    FROM chat_events_data
    WHERE shop_id = {{shop}} AND conversation_id = {{conversation}}
    ORDER BY log_offset
    LIMIT 1 BY event_id
)
ORDER BY log_offset
LIMIT 1000`,
			Columns: []Column{col("time", "时间", "Time", Instant), col("event", "事件", "Event", Word), col("role", "角色", "Role", Word), col("actor_id", "账号", "Account", Plain), col("message", "消息类型", "Message", Word),
				col("text_runes", "字数", "Characters", Count), col("automatic", "自动", "Automatic", Yes), col("shielded", "已屏蔽", "Shielded", Yes), col("log_offset", "日志位置", "Offset", Count)},
		},
	}
}
