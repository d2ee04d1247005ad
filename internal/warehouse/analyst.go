package warehouse

// analystTables are all tables and views but those that hold what people wrote in chats. deploy/clickhouse/reader.xml
// grants the same on a server.
var analystTables = []string{
	"agent_performance", "audit_reads", "audit_reads_data", "chat_events", "chat_events_data", "conversations", "conversations_data", "decisions", "hourly_load",
	"ratings", "ratings_data", "restrictions", "restrictions_data", "rounds", "rounds_data", "sanctions", "sanctions_data", "service_indicators", "service_kpis",
	"service_kpis_data", "shop_kpis_now", "sign_ins", "sign_ins_data", "takeovers", "takeovers_data", "verdicts", "verdicts_data", "violation_flags", "violation_flags_data",
	"message_index", "position_index", "reply_index", "round_index", "sign_in_index",
}

// AnalystGrants are the rights of an analyst in a database: to read everything but chat texts. Each is what stands
// behind GRANT.
func AnalystGrants(database string) []string {
	grants := make([]string, 0, len(analystTables)+1)
	for _, table := range analystTables {
		grants = append(grants, "SELECT ON "+quoteName(database)+"."+table)
	}
	return append(grants, "SELECT(topic, log_partition, log_offset, stage, code, record_at, letter_at, resubmitted_at, letter_offset) ON "+quoteName(database)+".dead_letters_data")
}
