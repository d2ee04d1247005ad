package queries

// Name is what a value that stands for something is called.
type Name struct {
	Key  string
	Text Text
}

// IndicatorNames are the indicators, in the order in which people look at them.
func IndicatorNames() []Name {
	return []Name{
		{"manual_reply_3min_rate", Text{"3分钟人工回复率", "3-minute manual reply rate"}},
		{"manual_reply_3min_rate_conversation", Text{"3分钟人工回复率（按会话）", "3-minute rate by conversation"}},
		{"manual_reply_3min_rate_round", Text{"3分钟人工回复率（按轮次）", "3-minute rate by round"}},
		{"manual_reply_3min_rate_message", Text{"3分钟人工回复率（按消息）", "3-minute rate by message"}},
		{"manual_reply_3min_rate_conversation_strict", Text{"3分钟人工回复率（严格）", "3-minute rate, strict"}},
		{"avg_response_seconds", Text{"平均响应时长（秒）", "Mean response, seconds"}},
		{"p50_response_seconds", Text{"响应时长P50（秒）", "Median response, seconds"}},
		{"p90_response_seconds", Text{"响应时长P90（秒）", "90th percentile, seconds"}},
		{"p99_response_seconds", Text{"响应时长P99（秒）", "99th percentile, seconds"}},
		{"avg_first_response_seconds", Text{"平均首次响应时长（秒）", "Mean first response, seconds"}},
		{"dissatisfaction_rate", Text{"不满意率", "Dissatisfaction rate"}},
		{"unanswered_rate", Text{"未回复率", "Unanswered rate"}},
		{"takeovers", Text{"机器人接管次数", "Bot takeovers"}},
		{"bot_seconds", Text{"机器人接待时长（秒）", "Bot reception, seconds"}},
		{"confirmed_violations", Text{"确认违规次数", "Confirmed violations"}},
	}
}

// VerdictNames are the verdicts on an indicator, with the colour that says good or bad, if any.
func VerdictNames() ([]Name, map[string]Colour) {
	return []Name{
		{"met", Text{"达标", "met"}}, {"missed", Text{"未达标", "missed"}},
		{"not_judged", Text{"样本不足", "too few samples"}}, {"reported", Text{"仅展示", "reported"}},
	}, map[string]Colour{"met": Green, "missed": Red}
}

// Words are what the values of Word and WordList columns are called.
func Words() map[string]Text {
	words := map[string]Text{
		"same_consumer": {"同一消费者", "same consumer"}, "across_consumers": {"多位消费者", "across consumers"},
		"lasting": {"仍在持续", "lasting"}, "manual_reply": {"人工回复", "manual reply"}, "resumed": {"手动恢复", "resumed"},
		"open": {"进行中", "open"}, "answered": {"已回复", "answered"}, "expired": {"已超时", "expired"}, "closed": {"已关闭", "closed"}, "lapsed": {"已失效", "lapsed"},
		"moved": {"已移动", "moved"}, "withdrawn": {"已撤回", "withdrawn"},
		"consumer": {"消费者", "consumer"}, "agent": {"客服", "agent"}, "bot": {"机器人", "bot"}, "system": {"系统", "system"}, "shop": {"店铺", "shop"}, "unspecified": {"–", "–"},
		"none": {"–", "–"}, "text": {"文字", "text"}, "emoji": {"表情", "emoji"}, "picture": {"图片", "picture"}, "card": {"卡片", "card"}, "file": {"文件", "file"}, "video": {"视频", "video"}, "audio": {"语音", "audio"},
		"message": {"消息", "message"}, "conversation_opened": {"会话开始", "opened"}, "conversation_closed": {"会话关闭", "closed"}, "conversation_transferred": {"会话转接", "transferred"},
		"conversation_read": {"已读", "read"}, "conversation_rated": {"评价", "rated"}, "consumer_blocked": {"拉黑", "blocked"}, "consumer_unblocked": {"取消拉黑", "unblocked"},
		"agent_signed_in": {"登录", "signed in"}, "agent_signed_out": {"退出", "signed out"}, "client_refused": {"客户端被拒", "client refused"}, "reception_resumed": {"恢复人工接待", "reception resumed"},
		"message_shielded": {"消息屏蔽", "message shielded"},
		"third_party_info": {"第三方信息", "third-party information"}, "abuse": {"辱骂", "abuse"}, "political": {"涉政", "political"}, "obscene": {"色情低俗", "obscene"}, "spam": {"滥发信息", "spam"}, "fraud": {"欺诈", "fraud"},
		"malicious_block": {"恶意拉黑", "malicious block"}, "malicious_claim": {"恶意索赔", "malicious claim"}, "misuse": {"不当使用", "misuse"}, "account_takeover": {"账号异常", "account taken over"},
		"low": {"低", "low"}, "medium": {"中", "medium"}, "high": {"高", "high"},
		"shield": {"屏蔽", "shield"}, "mute": {"禁言", "mute"}, "ban": {"封禁", "ban"}, "points": {"扣分", "points"}, "milestone": {"节点处理", "milestone"}, "order_flag": {"订单关注", "order flagged"},
		"marketing_campaigns": {"不得参加营销活动", "no marketing campaigns"}, "traffic_weighted_down": {"流量降权", "traffic weighted down"}, "marketing_promotion": {"停止营销推广", "no marketing promotion"}, "shop_closed": {"关闭店铺", "shop closed"},
	}
	for _, n := range IndicatorNames() {
		words[n.Key] = n.Text
	}
	return words
}
