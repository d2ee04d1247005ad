package queries

// Alert is a figure that someone is woken for when it is above a bound.
type Alert struct {
	ID    string
	Title Text
	// About tells the one who is woken what to do.
	About Text
	// SQL answers one number, value; it uses no variables.
	SQL string
	// Above this it fires, when it has been so for the minutes given.
	Above   float64
	Minutes int
}

// Alerts are what is worth a call.
func Alerts() []Alert {
	return []Alert{
		{
			ID: "takeover-lasting", Title: Text{"机器人接管持续过久", "A takeover lasts"},
			About: Text{"店铺由机器人接待已超过30分钟：请联系店铺", "The bot has received for a shop for more than 30 minutes: call the shop"},
			SQL:   `SELECT uniqExact(shop_id) AS value FROM takeovers WHERE takeover_end = 'lasting' AND started_at < {{now}} - INTERVAL 30 MINUTE`, Minutes: 5,
		},
		{
			ID: "heading-for-failure", Title: Text{"店铺将不达标", "A shop heads for failure"},
			About: Text{"本周期内有店铺已低于标准：见总览板的预测", "A shop misses a judged standard in the period that runs: see the forecast on the overview"},
			SQL: `SELECT uniqExact(shop_id) AS value FROM service_indicators
WHERE window_kind = 'half_month' AND verdict = 'missed' AND window_start <= {{now}} AND window_end > {{now}}`, Minutes: 30,
		},
		{
			ID: "sink-behind", Title: Text{"写入滞后", "A sink is behind"},
			About: Text{"最新入库事件已超过5分钟：检查 feige sinks 与 Kafka", "The newest stored event is older than 5 minutes: look at feige sinks and Kafka"},
			SQL:   `SELECT if(count() = 0, 0, dateDiff('second', max(time), {{now}})) AS value FROM position_index WHERE source = 'events'`, Above: 300, Minutes: 5,
		},
		{
			ID: "dead-letters", Title: Text{"出现死信", "Dead letters"},
			About: Text{"有记录无法处理：运行 feige dead-letters list", "Records could not be processed: run feige dead-letters list"},
			SQL:   `SELECT count() AS value FROM dead_letters_data FINAL WHERE resubmitted_at IS NULL`, Minutes: 1,
		},
	}
}
