package queries

// Lists give the choices of each variable, the first being the default. A conversation is typed or linked to.
func Lists() map[string]string {
	return map[string]string{
		"period": `
SELECT DISTINCT concat(formatDateTime(toTimeZone(window_start, {{tz}}), '%Y-%m'), if(toDayOfMonth(toTimeZone(window_start, {{tz}})) = 1, '-H1', '-H2')) AS period
FROM service_kpis
WHERE window_kind = 'half_month'
ORDER BY period DESC
LIMIT 200`,
		"shop":     `SELECT DISTINCT shop_id FROM service_kpis ORDER BY shop_id LIMIT 20000`,
		"agent":    `SELECT DISTINCT agent_id FROM reply_index WHERE {{shop:shop_id}} ORDER BY agent_id LIMIT 20000`,
		"category": `SELECT DISTINCT toString(category) AS name FROM violation_flags ORDER BY name`,
	}
}
