package queries

// Live is who waits and who receives right now.
func Live() []Query {
	const lastDay = `{{shop:shop_id}} AND started_at > {{now}} - INTERVAL 24 HOUR AND started_at <= {{now}}`
	// The newest word on every round of the last day; a round whose start was moved stands there twice.
	const open = `(
    SELECT cityHash64(shop_id, conversation_id, number) AS round, argMax(started_at, version) AS since
    FROM round_index
    WHERE ` + lastDay + `
    GROUP BY round
    HAVING argMax(outcome, version) = 'open'
)`
	longWait := []Step{{Colour: Green}, {From: 120, Colour: Yellow}, {From: 180, Colour: Red}}
	return []Query{
		{
			ID: "live.waiting_count", Title: Text{"等待中的消费者", "Consumers who wait"}, Shape: Figure,
			About: Text{"尚无人工回复的轮次", "Open rounds"}, SQL: `SELECT count() AS waiting FROM ` + open,
			Columns: []Column{colSteps("waiting", "等待", "Waiting", Count, anyIsYellow())},
		},
		{
			ID: "live.longest", Title: Text{"最长等待", "Longest wait now"}, Shape: Figure,
			About: Text{"仍在等待的轮次", "Of the rounds that are open"}, SQL: `SELECT maxOrNull(dateDiff('second', since, {{now}})) AS seconds FROM ` + open,
			Columns: []Column{colSteps("seconds", "等待时长", "Waited", Seconds, longWait)},
		},
		{
			ID: "live.bot_count", Title: Text{"机器人接待中", "In bot reception"}, Shape: Figure,
			About: Text{"此刻", "Right now"}, SQL: `SELECT count() AS shops FROM takeovers WHERE takeover_end = 'lasting' AND {{shop:shop_id}}`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsYellow())},
		},
		{
			ID: "live.bot_now", Title: Text{"机器人接待", "The bot receives"}, Shape: Table,
			About: Text{"最久的在前", "The longest first"}, SQL: botNow + `
LIMIT 500`, Columns: botColumns(),
		},
		{
			ID: "live.waiting", Title: Text{"正在等待", "Who waits"}, Shape: Table,
			About: Text{"最久的在前", "The longest first"},
			SQL: `
SELECT shop_id, conversation_id, consumer_id, started_at AS since, dateDiff('second', started_at, {{now}}) AS seconds, counted
FROM round_index FINAL
WHERE ` + lastDay + ` AND outcome = 'open' AND (cityHash64(shop_id, conversation_id, number), started_at) IN (SELECT round, since FROM ` + open + `)
ORDER BY started_at, shop_id, conversation_id
LIMIT 500`,
			Columns: []Column{shopColumn, conversationColumn, consumerColumn, col("since", "开始时间", "Since", Instant), colSteps("seconds", "已等待", "Waited", Seconds, longWait), col("counted", "计入考核", "Counts", Yes)},
		},
		{
			ID: "live.takeovers", Title: Text{"接管次数", "Takeovers"}, Shape: Series,
			About: Text{"按触发规则", "By the rule that fired"},
			SQL: `
SELECT {{bucket:started_at}} AS time, countIf(trigger = 'same_consumer') AS same_consumer, countIf(trigger = 'across_consumers') AS across_consumers
FROM takeovers
WHERE {{shop:shop_id}} AND {{in_range:started_at}}
GROUP BY time
ORDER BY time`,
			Columns: []Column{col("same_consumer", "同一消费者", "Same consumer", Count), col("across_consumers", "多位消费者", "Across consumers", Count)},
		},
		{
			ID: "live.recent", Title: Text{"最近的接管", "Recent takeovers"}, Shape: Table,
			About: Text{"所选时间内", "Of the chosen time"},
			SQL: `
SELECT shop_id, trigger_conversation_id AS conversation_id, toString(trigger) AS cause, unreplied, started_at, ended_at, toString(takeover_end) AS ended, ended_by,
    dateDiff('second', started_at, ifNull(ended_at, {{now}})) AS seconds
FROM takeovers
WHERE {{shop:shop_id}} AND {{in_range:started_at}}
ORDER BY started_at DESC, shop_id
LIMIT 200`,
			Columns: []Column{shopColumn, conversationColumn, col("cause", "触发规则", "Trigger", Word), col("unreplied", "未回复消息", "Unreplied", Count), col("started_at", "开始时间", "Began", Instant),
				col("ended_at", "结束时间", "Ended", Instant), col("ended", "结束方式", "How", Word), col("ended_by", "结束人", "Ended by", Plain), col("seconds", "时长", "Lasted", Seconds)},
		},
	}
}
