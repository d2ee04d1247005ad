package queries

// Columns that many answers have.
var (
	shopColumn         = Column{Name: "shop_id", Title: Text{"店铺", "Shop"}, Links: ToShop}
	conversationColumn = Column{Name: "conversation_id", Title: Text{"会话", "Conversation"}, Links: ToConversation}
	consumerColumn     = Column{Name: "consumer_id", Title: Text{"消费者", "Consumer"}}
	agentColumn        = Column{Name: "agent_id", Title: Text{"客服", "Agent"}, Links: ToAgents}
	indicatorColumn    = Column{Name: "indicator", Title: Text{"指标", "Indicator"}, Unit: Indicator}
	samplesColumn      = Column{Name: "samples", Title: Text{"样本数", "Samples"}, Unit: Count}
	standardColumn     = Column{Name: "standard", Title: Text{"标准", "Standard"}, Unit: Mixed}
	valueColumn        = Column{Name: "value", Title: Text{"当前值", "Value"}, Unit: Mixed}
	verdictColumn      = Column{Name: "verdict", Title: Text{"结论", "Verdict"}, Unit: Verdict}
	missedColumn       = Column{Name: "missed", Title: Text{"未达标项", "Missed"}, Unit: WordList}
	revisionColumn     = Column{Name: "revision", Title: Text{"修订", "Revision"}, Unit: Count}
	periodColumn       = Column{Name: "period", Title: Text{"考核周期", "Period"}}
)

var (
	replyRate       = Column{Name: "reply_rate", Title: Text{"3分钟人工回复率", "3-minute reply rate"}, Unit: Share, Steps: atLeast(0.7, 0.75)}
	avgWait         = Column{Name: "avg_wait", Title: Text{"平均响应时长", "Mean response"}, Unit: Seconds, Steps: atMost(150, 180)}
	dissatisfaction = Column{Name: "dissatisfaction", Title: Text{"不满意率", "Dissatisfaction"}, Unit: Share, Steps: atMost(0.15, 0.2)}
)

// atLeast is red below the standard, yellow up to what is safe, then green.
func atLeast(standard, safe float64) []Step {
	return []Step{{Colour: Red}, {From: standard, Colour: Yellow}, {From: safe, Colour: Green}}
}

// atMost is green up to what is safe, then yellow, and red past the standard.
func atMost(safe, standard float64) []Step {
	return []Step{{Colour: Green}, {From: safe, Colour: Yellow}, {From: standard, Colour: Red}}
}

// anyIsRed is for counts that should be none.
func anyIsRed() []Step { return []Step{{Colour: Green}, {From: 1, Colour: Red}} }

// anyIsYellow is for counts that deserve a look.
func anyIsYellow() []Step { return []Step{{Colour: Green}, {From: 1, Colour: Yellow}} }

func col(name, zh, en string, unit Unit) Column {
	return Column{Name: name, Title: Text{zh, en}, Unit: unit}
}

func colSteps(name, zh, en string, unit Unit, steps []Step) Column {
	return Column{Name: name, Title: Text{zh, en}, Unit: unit, Steps: steps}
}
