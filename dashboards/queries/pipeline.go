package queries

// Pipeline is how the data arrives, as far as ClickHouse can tell. Dead letters are read from their storage, so that an
// account needs rights to just these columns, and none to the records' bytes, which may hold what was written.
func Pipeline() []Query {
	behind := []Step{{Colour: Green}, {From: 60, Colour: Yellow}, {From: 300, Colour: Red}}
	return []Query{
		{
			ID: "pipeline.behind", Title: Text{"最新事件距今", "Age of the newest event"}, Shape: Figure,
			About:   Text{"最新入库聊天事件的时间", "By the time of the newest chat event that was stored"},
			SQL:     `SELECT if(count() = 0, NULL, dateDiff('second', max(time), {{now}})) AS seconds FROM position_index WHERE source = 'events'`,
			Columns: []Column{colSteps("seconds", "时长", "Age", Seconds, behind)},
		},
		{
			ID: "pipeline.rate", Title: Text{"事件量", "Events"}, Shape: Series,
			About: Text{"已入库的聊天事件", "Chat events that were stored"},
			SQL: `
SELECT {{bucket:time}} AS time, count() AS events
FROM (SELECT time FROM message_index FINAL WHERE {{in_range:time}})
GROUP BY time
ORDER BY time`,
			Columns: []Column{col("events", "事件", "Events", Count)},
		},
		{
			ID: "pipeline.partitions", Title: Text{"分区", "Partitions"}, Shape: Table,
			About: Text{"已入库的位置；事实落后表示处理器或写入滞后", "How far rows are stored; facts that stand behind mean that processors or sinks do"},
			SQL: `
SELECT log_partition, maxIf(log_offset, source = 'events') AS newest_offset, maxIf(time, source = 'events') AS newest, maxOrNullIf(log_offset, source = 'facts') AS fact_offset
FROM position_index
GROUP BY log_partition
ORDER BY log_partition`,
			Columns: []Column{col("log_partition", "分区", "Partition", Count), col("newest_offset", "事件位置", "Offset of events", Count),
				col("newest", "最新事件", "Newest event", Instant), col("fact_offset", "事实位置", "Offset of facts", Count)},
		},
		{
			ID: "pipeline.dead", Title: Text{"死信", "Dead letters"}, Shape: Figure,
			About: Text{"未重新提交的", "Not submitted again"}, SQL: `SELECT count() AS letters FROM dead_letters_data FINAL WHERE resubmitted_at IS NULL`,
			Columns: []Column{colSteps("letters", "死信", "Letters", Count, anyIsRed())},
		},
		{
			ID: "pipeline.dead_letters", Title: Text{"死信明细", "Dead letters by kind"}, Shape: Table,
			About: Text{"feige dead-letters 可列出并重新提交", "feige dead-letters lists and re-submits them"},
			SQL: `
SELECT topic, stage, code, count() AS letters, countIf(resubmitted_at IS NOT NULL) AS resubmitted, max(letter_at) AS newest
FROM dead_letters_data FINAL
GROUP BY topic, stage, code
ORDER BY letters DESC, topic, stage, code`,
			Columns: []Column{col("topic", "主题", "Topic", Plain), col("stage", "环节", "Stage", Plain), col("code", "原因", "Code", Plain), col("letters", "死信", "Letters", Count),
				col("resubmitted", "已重新提交", "Submitted again", Count), col("newest", "最新", "Newest", Instant)},
		},
	}
}
