package queries

// Assessment is what was decided, on what evidence.
func Assessment() []Query {
	const periodLabel = `concat(formatDateTime(local_start, '%Y-%m'), if(toDayOfMonth(local_start) = 1, '-H1', '-H2')) AS period`
	return []Query{
		{
			ID: "assessment.decided", Title: Text{"已决定", "Decisions"}, Shape: Figure,
			About: Text{"本期已有决定的店铺", "Shops that the period was decided for"}, SQL: `SELECT count() AS shops FROM decisions WHERE period_start = {{period_start}}`,
			Columns: []Column{col("shops", "店铺", "Shops", Count)},
		},
		{
			ID: "assessment.restricted", Title: Text{"决定限制", "Restricted"}, Shape: Figure,
			About: Text{"本期决定为限制的店铺", "Shops that the period's decision restricts"}, SQL: `SELECT count() AS shops FROM decisions WHERE restricted AND period_start = {{period_start}}`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsRed())},
		},
		{
			ID: "assessment.revised", Title: Text{"修订过的决定", "Revised"}, Shape: Figure,
			About: Text{"迟到的事件改变了决定", "Late events changed the decision"}, SQL: `SELECT count() AS shops FROM decisions WHERE revision > 1 AND period_start = {{period_start}}`,
			Columns: []Column{colSteps("shops", "店铺", "Shops", Count, anyIsYellow())},
		},
		{
			ID: "assessment.in_force", Title: Text{"生效中的限制", "Restrictions in force"}, Shape: Table,
			About: Text{"此刻", "Right now"},
			SQL: `
SELECT shop_id, ` + periodLabel + `, arrayStringConcat(restrictions, ', ') AS restriction, arrayStringConcat(missed, ', ') AS missed_names, restricted_from, restricted_until
FROM decisions
WHERE {{shop:shop_id}} AND restricted AND restricted_from <= {{now}} AND restricted_until > {{now}}
ORDER BY shop_id, period_start
LIMIT 1000`,
			Columns: []Column{shopColumn, periodColumn, col("restriction", "限制", "Restrictions", WordList), col("missed_names", "未达标项", "Missed", WordList), col("restricted_from", "开始", "From", Instant), col("restricted_until", "结束", "Until", Instant)},
		},
		{
			ID: "assessment.decisions", Title: Text{"本期决定", "Decisions of the period"}, Shape: Table,
			About: Text{"最新修订", "The newest revision"},
			SQL: `
SELECT shop_id, revision, restricted, arrayStringConcat(missed, ', ') AS missed_names, conversations, ratings,
    evidence['manual_reply_3min_rate'] AS reply_rate, evidence['avg_response_seconds'] AS avg_wait, evidence['dissatisfaction_rate'] AS dissatisfaction,
    checkpoint_seconds, policy_version
FROM decisions
WHERE {{shop:shop_id}} AND period_start = {{period_start}}
ORDER BY restricted DESC, shop_id
LIMIT 1000`,
			Columns: []Column{shopColumn, revisionColumn, col("restricted", "限制", "Restricted", Yes), col("missed_names", "未达标项", "Missed", WordList), col("conversations", "会话数", "Conversations", Count), col("ratings", "评价数", "Ratings", Count),
				replyRate, avgWait, dissatisfaction, col("checkpoint_seconds", "期末后", "After the end", Seconds), col("policy_version", "规则版本", "Policy", Plain)},
		},
		{
			ID: "assessment.evidence", Title: Text{"依据", "Evidence"}, Shape: Table,
			About: Text{"每次修订的每项指标", "Every indicator of every revision"},
			SQL: `
SELECT shop_id, revision, indicator, value, samples, standard, toString(outcome) AS verdict
FROM restrictions
ARRAY JOIN indicator_names AS indicator, indicator_values AS value, indicator_samples AS samples, indicator_standards AS standard, indicator_verdicts AS outcome
WHERE {{shop:shop_id}} AND period_start = {{period_start}} AND standard IS NOT NULL
ORDER BY shop_id, revision, indicator
LIMIT 1000`,
			Columns: []Column{shopColumn, revisionColumn, indicatorColumn, valueColumn, samplesColumn, standardColumn, verdictColumn},
		},
		{
			ID: "assessment.revisions", Title: Text{"修订记录", "Revisions"}, Shape: Table,
			About: Text{"同一周期有多次修订的店铺", "Shops with more than one revision of the period"},
			SQL: `
SELECT shop_id, revision, restricted, arrayStringConcat(missed, ', ') AS missed_names, conversations, ratings, checkpoint_seconds, source_offset
FROM restrictions
WHERE {{shop:shop_id}} AND period_start = {{period_start}} AND shop_id IN (SELECT shop_id FROM restrictions WHERE period_start = {{period_start}} AND revision > 1)
ORDER BY shop_id, revision
LIMIT 1000`,
			Columns: []Column{shopColumn, revisionColumn, col("restricted", "限制", "Restricted", Yes), col("missed_names", "未达标项", "Missed", WordList), col("conversations", "会话数", "Conversations", Count), col("ratings", "评价数", "Ratings", Count),
				col("checkpoint_seconds", "期末后", "After the end", Seconds), col("source_offset", "日志位置", "Offset", Count)},
		},
		{
			ID: "assessment.missed", Title: Text{"未达标原因", "What was missed"}, Shape: Bars,
			About: Text{"各指标的未达标店铺数", "Shops by the indicator that they missed"},
			SQL: `
SELECT indicator, count() AS shops
FROM decisions
ARRAY JOIN missed AS indicator
WHERE period_start = {{period_start}}
GROUP BY indicator
ORDER BY shops DESC, indicator`,
			Columns: []Column{indicatorColumn, col("shops", "店铺", "Shops", Count)},
		},
	}
}
