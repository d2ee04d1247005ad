package queries

// Violations is what was flagged, judged, and sanctioned, without the words.
func Violations() []Query {
	category := col("category", "类别", "Category", Word)
	offender := col("offender_id", "责任方", "Offender", Plain)
	return []Query{
		{
			ID: "violations.flags", Title: Text{"疑似违规", "Flags"}, Shape: Series,
			About: Text{"按是否自动确认", "By whether they were confirmed at once"},
			SQL: `
SELECT {{bucket:time}} AS time, countIf(auto_confirmed) AS confirmed_at_once, countIf(NOT auto_confirmed) AS for_review
FROM (SELECT time, auto_confirmed FROM violation_flags WHERE {{shop:shop_id}} AND {{category:category}} AND {{in_range:time}})
GROUP BY time
ORDER BY time`,
			Columns: []Column{col("confirmed_at_once", "自动确认", "Confirmed at once", Count), col("for_review", "待审核", "For review", Count)},
		},
		{
			ID: "violations.waiting", Title: Text{"待审核", "Waiting for review"}, Shape: Figure,
			About:   Text{"未自动确认且无人裁定", "Not confirmed at once, and nobody has ruled"},
			SQL:     `SELECT count() AS flags FROM violation_flags WHERE {{shop:shop_id}} AND {{category:category}} AND NOT auto_confirmed AND flag_id NOT IN (SELECT flag_id FROM verdicts)`,
			Columns: []Column{colSteps("flags", "标记", "Flags", Count, anyIsYellow())},
		},
		{
			ID: "violations.categories", Title: Text{"按类别", "By category"}, Shape: Bars,
			About: Text{"所选时间内的标记", "Flags of the chosen time"},
			SQL: `
SELECT toString(category) AS kind, count() AS flags
FROM violation_flags
WHERE {{shop:shop_id}} AND {{category:category}} AND {{in_range:time}}
GROUP BY kind
ORDER BY flags DESC, kind`,
			Columns: []Column{col("kind", "类别", "Category", Word), col("flags", "标记", "Flags", Count)},
		},
		{
			ID: "violations.newest", Title: Text{"最新标记", "Newest flags"}, Shape: Table,
			About: Text{"不含消息内容", "Without what was written"},
			SQL: `
SELECT time, shop_id, conversation_id, offender_id, toString(f.category) AS category, sub_kind, toString(severity) AS grave, confidence, auto_confirmed, detector
FROM violation_flags AS f
WHERE {{shop:shop_id}} AND {{category:f.category}} AND {{in_range:time}}
ORDER BY time DESC, flag_id
LIMIT 200`,
			Columns: []Column{col("time", "时间", "Time", Instant), shopColumn, conversationColumn, offender, category, col("sub_kind", "细类", "Kind", Plain), col("grave", "严重程度", "Severity", Word),
				col("confidence", "置信度", "Confidence", Share), col("auto_confirmed", "自动确认", "At once", Yes), col("detector", "检测器", "Detector", Plain)},
		},
		{
			ID: "violations.sanctions", Title: Text{"生效中的处罚", "Sanctions in force"}, Shape: Table,
			About: Text{"禁言、封禁、积分和里程碑", "Mutes, bans, points, and milestones"},
			SQL: `
SELECT toString(offender_kind) AS who, offender_id, toString(s.kind) AS sanction, toString(s.category) AS category, shop_id, conversation_id, s.time AS since, until, points, offence
FROM sanctions AS s
WHERE {{shop:shop_id}} AND {{category:s.category}} AND NOT reversed AND s.kind IN ('mute', 'ban', 'points', 'milestone') AND s.time <= {{now}} AND (until IS NULL OR until > {{now}})
ORDER BY since DESC, sanction_id
LIMIT 500`,
			Columns: []Column{col("who", "对象", "Who", Word), offender, col("sanction", "处罚", "Sanction", Word), category, shopColumn, conversationColumn,
				col("since", "开始", "From", Instant), col("until", "结束", "Until", Instant), col("points", "积分", "Points", Count), col("offence", "第几次", "Offence", Count)},
		},
		{
			ID: "violations.points", Title: Text{"店铺违规积分", "Points of shops"}, Shape: Table,
			About: Text{"此刻生效的积分", "Points in force now"},
			SQL: `
SELECT offender_id AS shop_id, sum(s.points) AS points, count() AS offences, max(s.time) AS newest
FROM sanctions AS s
WHERE offender_kind = 'shop' AND s.kind = 'points' AND NOT reversed AND {{shop:offender_id}} AND s.time <= {{now}} AND (until IS NULL OR until > {{now}})
GROUP BY shop_id
ORDER BY points DESC, shop_id
LIMIT 500`,
			Columns: []Column{shopColumn, colSteps("points", "积分", "Points", Count, []Step{{Colour: Green}, {From: 12, Colour: Yellow}, {From: 24, Colour: Red}}), col("offences", "违规次数", "Offences", Count), col("newest", "最近一次", "Newest", Instant)},
		},
	}
}
