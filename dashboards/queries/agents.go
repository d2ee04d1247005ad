package queries

// Agents is how the people of a shop answer.
func Agents() []Query {
	const inPeriod = `{{shop:r.shop_id}} AND {{agent:r.agent_id}} AND local_day >= toDate({{period_start}}, {{tz}}) AND local_day < toDate({{period_end}}, {{tz}})`
	return []Query{
		{
			ID: "agents.table", Title: Text{"客服表现", "Agents"}, Shape: Table,
			About: Text{"轮次归回复的客服", "A round belongs to the agent who sent the reply"},
			SQL: `
SELECT any(r.shop_id) AS shop_id, any(r.agent_id) AS agent_id, count() AS rounds, countIf(within) / count() AS within_share, sum(wait_us) / count() / 1000000 AS avg_wait,
    max(wait_us) / 1000000 AS longest
FROM reply_index AS r FINAL
WHERE ` + inPeriod + `
GROUP BY agent_key
ORDER BY within_share, rounds DESC, shop_id, agent_id
LIMIT 500`,
			Columns: []Column{shopColumn, agentColumn, col("rounds", "回复轮次", "Rounds answered", Count),
				colSteps("within_share", "3分钟内占比", "Within 3 minutes", Share, atLeast(0.7, 0.8)), avgWait, col("longest", "最长等待", "Longest wait", Seconds)},
		},
		{
			ID: "agents.trend", Title: Text{"每日平均响应时长", "Mean response by day"}, Shape: Series,
			About: Text{"回复最多的20位客服，每位一条线", "A curve for each of the 20 agents with the most replies"},
			SQL: `
SELECT toDateTime(day.1, {{tz}}) AS time, agent_id, sum(day.3) / sum(day.2) / 1000000 AS avg_wait
FROM
(
    SELECT agent AS agent_id, groupArray((local_day, n, waited)) AS days
    FROM
    (
        SELECT local_day, any(r.agent_id) AS agent, count() AS n, sum(wait_us) AS waited
        FROM reply_index AS r FINAL
        WHERE ` + inPeriod + `
        GROUP BY local_day, agent_key
    )
    GROUP BY agent_id
    ORDER BY sum(n) DESC, agent_id
    LIMIT 20
)
ARRAY JOIN days AS day
GROUP BY time, agent_id
ORDER BY time, agent_id`,
			Columns: []Column{col("agent_id", "客服", "Agent", Plain), avgWait},
		},
		{
			ID: "agents.signed_in", Title: Text{"在线客服", "Signed in now"}, Shape: Table,
			About: Text{"最后一次登录后未退出的账号", "Accounts whose newest event is a sign-in"},
			SQL: `
SELECT shop_id, account_id AS agent_id, time AS since, client AS application
FROM sign_in_index FINAL
WHERE {{shop:shop_id}} AND {{agent:account_id}} AND kind = 'signed_in'
ORDER BY since, shop_id, agent_id
LIMIT 500`,
			Columns: []Column{shopColumn, agentColumn, col("since", "登录时间", "Since", Instant), col("application", "客户端", "Client", Plain)},
		},
		{
			ID: "agents.slowest", Title: Text{"回复最慢的轮次", "Slowest replies"}, Shape: Table,
			About: Text{"计入考核的轮次", "Rounds that count"},
			// A reply may stand more than once in the inner list, which is longer than what is shown; then each is taken once.
			SQL: `
SELECT shop_id, agent_id, conversation_id, consumer_id, started_at, wait_us / 1000000 AS waited
FROM
(
    SELECT shop_id, agent_id, conversation_id, consumer_id, started_at, wait_us, local_day, agent_key, source_offset
    FROM reply_index AS r
    WHERE ` + inPeriod + `
    ORDER BY wait_us DESC
    LIMIT 400
)
ORDER BY waited DESC, shop_id, conversation_id, started_at
LIMIT 1 BY local_day, agent_key, source_offset
LIMIT 100`,
			Columns: []Column{shopColumn, agentColumn, conversationColumn, consumerColumn, col("started_at", "开始时间", "Began", Instant), col("waited", "等待时长", "Waited", Seconds)},
		},
		{
			ID: "agents.messages", Title: Text{"客服消息量", "Messages of agents"}, Shape: Series,
			About: Text{"手工发送的消息", "Messages sent by hand"},
			SQL: `
SELECT {{bucket:time}} AS time, count() AS messages
FROM (SELECT time FROM message_index FINAL WHERE actor_role = 'agent' AND message AND NOT automatic AND {{shop:shop_id}} AND {{agent:agent_id}} AND {{in_range:time}})
GROUP BY time
ORDER BY time`,
			Columns: []Column{col("messages", "消息", "Messages", Count)},
		},
	}
}
