package queries

// Agents is how the people of a shop answer.
func Agents() []Query {
	inPeriod := `{{shop:shop_id}} AND {{agent:agent_id}} AND agent_id != '' AND local_day >= toDate({{period_start}}, {{tz}}) AND local_day < toDate({{period_end}}, {{tz}})`
	return []Query{
		{
			ID: "agents.table", Title: Text{"客服表现", "Agents"}, Shape: Table,
			About: Text{"轮次归回复的客服", "A round belongs to the agent who sent the reply"},
			SQL: `
SELECT shop_id, agent_id, rounds, rounds_within / rounds AS within_share, waited / rounds AS avg_wait, longest
FROM
(
    SELECT shop_id, agent_id, sum(a.rounds) AS rounds, sum(a.rounds_within) AS rounds_within, sum(a.avg_wait_seconds * a.rounds) AS waited, max(a.max_wait_seconds) AS longest
    FROM agent_performance AS a
    WHERE ` + inPeriod + `
    GROUP BY shop_id, agent_id
)
ORDER BY within_share, rounds DESC, shop_id, agent_id
LIMIT 500`,
			Columns: []Column{shopColumn, agentColumn, col("rounds", "回复轮次", "Rounds answered", Count),
				colSteps("within_share", "3分钟内占比", "Within 3 minutes", Share, atLeast(0.7, 0.8)), avgWait, col("longest", "最长等待", "Longest wait", Seconds)},
		},
		{
			ID: "agents.trend", Title: Text{"每日平均响应时长", "Mean response by day"}, Shape: Series,
			About: Text{"每位客服一条线", "A curve for each agent"},
			SQL: `
SELECT toDateTime(local_day, {{tz}}) AS time, agent_id, sum(a.avg_wait_seconds * a.rounds) / sum(a.rounds) AS avg_wait
FROM agent_performance AS a
WHERE ` + inPeriod + ` AND agent_id IN (
    SELECT agent_id FROM agent_performance WHERE ` + inPeriod + ` GROUP BY agent_id ORDER BY sum(rounds) DESC, agent_id LIMIT 20)
GROUP BY time, agent_id
ORDER BY time, agent_id`,
			Columns: []Column{col("agent_id", "客服", "Agent", Plain), avgWait},
		},
		{
			ID: "agents.signed_in", Title: Text{"在线客服", "Signed in now"}, Shape: Table,
			About: Text{"最后一次登录后未退出的账号", "Accounts whose newest event is a sign-in"},
			SQL: `
SELECT shop_id, account_id AS agent_id, max(time) AS since, argMax(client, time) AS application
FROM sign_ins
WHERE {{shop:shop_id}} AND {{agent:account_id}} AND account_role = 'agent' AND kind != 'refused'
GROUP BY shop_id, agent_id
HAVING argMax(kind, (time, log_offset)) = 'signed_in'
ORDER BY since, shop_id, agent_id
LIMIT 500`,
			Columns: []Column{shopColumn, agentColumn, col("since", "登录时间", "Since", Instant), col("application", "客户端", "Client", Plain)},
		},
		{
			ID: "agents.slowest", Title: Text{"回复最慢的轮次", "Slowest replies"}, Shape: Table,
			About: Text{"计入考核的轮次", "Rounds that count"},
			SQL: `
SELECT shop_id, agent_id, conversation_id, consumer_id, started_at, wait_us / 1000000 AS waited
FROM rounds
WHERE {{shop:shop_id}} AND {{agent:agent_id}} AND counted AND outcome = 'answered' AND started_at >= {{period_start}} AND started_at < {{period_end}}
ORDER BY waited DESC, shop_id, conversation_id, started_at
LIMIT 100`,
			Columns: []Column{shopColumn, agentColumn, conversationColumn, consumerColumn, col("started_at", "开始时间", "Began", Instant), col("waited", "等待时长", "Waited", Seconds)},
		},
		{
			ID: "agents.messages", Title: Text{"客服消息量", "Messages of agents"}, Shape: Series,
			About: Text{"手工发送的消息", "Messages sent by hand"},
			SQL: `
SELECT {{bucket:time}} AS time, count() AS messages, uniqExact(shop_id, actor_id) AS writing
FROM (SELECT time, shop_id, actor_id FROM chat_events WHERE kind = 'message' AND actor_role = 'agent' AND NOT automatic AND {{shop:shop_id}} AND {{agent:actor_id}} AND {{in_range:time}})
GROUP BY time
ORDER BY time`,
			Columns: []Column{col("messages", "消息", "Messages", Count), col("writing", "发言客服", "Agents writing", Count)},
		},
	}
}
