package sheet

import (
	"fmt"
	"strings"
	"time"
)

// Language of a page.
type Language string

// Languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// words are what a page says; those with a verb are formats.
type words struct {
	title, period, made, final, running, noData                          string
	restricted, notRestricted, undecided, until, because                 string
	standards, value, standard, verdict, samples                         string
	met, missed, notJudged                                               string
	days, rate, conversations, waits, unanswered, ratings, dissatisfied  string
	agents, agent, replies, within, meanWait                             string
	more, rounds, answered, takeovers, botTime, points, violations, none string
	seconds, minutes, hours, howToRead, assessed, minimum                string
	indicators, explanations, restrictions, categories                   map[string]string
}

var english = words{
	title: "Service report", period: "Half-month %s: %s to %s", made: "made %s", final: "final", running: "may still change", noData: "Nothing was counted for this shop in this half-month.",
	restricted: "Restricted", notRestricted: "Not restricted", undecided: "Not decided yet", until: "%s to %s: %s", because: "missed: %s",
	standards: "Against the standards", value: "value", standard: "standard", verdict: "verdict", samples: "%s samples",
	met: "met", missed: "missed", notJudged: "too few to judge",
	days: "Day by day", rate: "3-minute reply rate", conversations: "conversations", waits: "How long consumers waited (rounds)", unanswered: "no reply", ratings: "Ratings", dissatisfied: "1 and 2 are dissatisfied",
	agents: "Agents with the most replies", agent: "agent", replies: "replies", within: "within 3 min", meanWait: "mean wait",
	more: "More figures", rounds: "Rounds that count", answered: "answered", takeovers: "Takeovers by the bot", botTime: "Bot reception", points: "Violation points in force", violations: "Confirmed violations", none: "none",
	seconds: "%.1f s", minutes: "%.1f min", hours: "%.1f h",
	howToRead: "A round begins with a consumer's message and ends with an agent's reply by hand.", assessed: " Rounds that begin between %s count.", minimum: " Below %d samples nothing is judged.",
	indicators:   map[string]string{"manual_reply_3min_rate": "3-minute manual reply rate", "avg_response_seconds": "Mean response time", "dissatisfaction_rate": "Dissatisfaction", "unanswered_rate": "Conversations without a reply", "avg_first_response_seconds": "Mean first response", "p90_response_seconds": "90 % are answered within", "confirmed_violations": "Confirmed violations"},
	explanations: map[string]string{"conversation": "Of your conversations, those that were answered within 3 minutes on average.", "conversation_strict": "Of your conversations, those in which every round was answered within 3 minutes.", "round": "Of all rounds, those answered within 3 minutes.", "message": "Of consumers' messages, those replied to within 3 minutes.", "avg_response_seconds": "How long consumers waited for a reply by hand, on average.", "dissatisfaction_rate": "Of the ratings, those of 1 or 2."},
	restrictions: map[string]string{"marketing_campaigns": "no marketing campaigns", "marketing_promotion": "no promotion", "traffic_weighted_down": "less traffic"},
	categories:   map[string]string{"third_party_info": "third-party information", "abuse": "abuse", "political": "political content", "obscene": "obscene content", "spam": "advertising", "fraud": "fraud", "malicious_block": "malicious blocking", "malicious_claim": "malicious claims", "misuse": "misuse of the client", "account_takeover": "account takeover"},
}

var chinese = words{
	title: "客服服务报告", period: "考核周期 %s：%s 至 %s", made: "生成于 %s", final: "最终数据", running: "数据可能还会变化", noData: "本考核周期内该店铺没有计入考核的数据。",
	restricted: "受限", notRestricted: "未受限", undecided: "尚未决定", until: "%s 至 %s：%s", because: "未达标：%s",
	standards: "达标情况", value: "当前值", standard: "标准", verdict: "结论", samples: "样本 %s",
	met: "达标", missed: "未达标", notJudged: "样本不足，不判定",
	days: "每日情况", rate: "3分钟人工回复率", conversations: "会话数", waits: "消费者等待时长（轮次）", unanswered: "未回复", ratings: "满意度评分", dissatisfied: "1分和2分为不满意",
	agents: "回复最多的客服", agent: "客服", replies: "回复轮次", within: "3分钟内", meanWait: "平均等待",
	more: "其他数据", rounds: "计入考核的轮次", answered: "已回复", takeovers: "机器人接管次数", botTime: "机器人接待时长", points: "生效中的违规积分", violations: "已确认的违规", none: "无",
	seconds: "%.1f 秒", minutes: "%.1f 分钟", hours: "%.1f 小时",
	howToRead: "一个轮次从消费者发消息开始，到客服人工回复结束。", assessed: "%s开始的轮次计入考核。", minimum: "样本少于%d个时不判定。",
	indicators:   map[string]string{"manual_reply_3min_rate": "3分钟人工回复率", "avg_response_seconds": "平均响应时长", "dissatisfaction_rate": "不满意率", "unanswered_rate": "未回复会话占比", "avg_first_response_seconds": "平均首次响应时长", "p90_response_seconds": "90%的回复不超过", "confirmed_violations": "已确认违规"},
	explanations: map[string]string{"conversation": "平均等待不超过3分钟的会话占全部会话的比例。", "conversation_strict": "每一轮都在3分钟内回复的会话占全部会话的比例。", "round": "3分钟内回复的轮次占全部轮次的比例。", "message": "3分钟内得到回复的消费者消息占全部消息的比例。", "avg_response_seconds": "消费者等到人工回复的平均时长。", "dissatisfaction_rate": "评分为1分或2分的评价占全部评价的比例。"},
	restrictions: map[string]string{"marketing_campaigns": "不得参加营销活动", "marketing_promotion": "不得营销推广", "traffic_weighted_down": "流量降权"},
	categories:   map[string]string{"third_party_info": "第三方信息", "abuse": "辱骂", "political": "涉政", "obscene": "低俗色情", "spam": "广告骚扰", "fraud": "欺诈", "malicious_block": "恶意拉黑", "malicious_claim": "恶意索赔", "misuse": "违规使用客户端", "account_takeover": "账号被盗用"},
}

func (l Language) words() words {
	if l == Chinese {
		return chinese
	}
	return english
}

// name is the word for a key, or the key where there is none.
func name(of map[string]string, key string) string {
	if text, ok := of[key]; ok {
		return text
	}
	return key
}

func names(of map[string]string, keys []string, separator string) string {
	var out []string
	for _, key := range keys {
		out = append(out, name(of, key))
	}
	return strings.Join(out, separator)
}

func (l Language) comma() string {
	if l == Chinese {
		return "、"
	}
	return ", "
}

// shown is a value as people read it: a share in percent, seconds as a length of time, a number as it is.
func (w words) shown(indicator string, value float64) string {
	switch {
	case strings.HasSuffix(indicator, "_rate"):
		return percent(value)
	case strings.HasSuffix(indicator, "_seconds"):
		return w.length(value)
	}
	return thousands(int64(value))
}

func (w words) length(seconds float64) string {
	switch {
	case seconds < 600:
		return fmt.Sprintf(w.seconds, seconds)
	case seconds < 7200:
		return fmt.Sprintf(w.minutes, seconds/60)
	}
	return fmt.Sprintf(w.hours, seconds/3600)
}

// standardOf is a standard as people read it, without decimals that say nothing.
func (w words) standardOf(indicator string, value float64) string {
	return strings.Replace(w.shown(indicator, value), ".0", "", 1)
}

// note says how the page is to be read.
func (w words) note(d Data) string {
	text := w.howToRead
	if d.AssessedTime != "" {
		text += fmt.Sprintf(w.assessed, d.AssessedTime)
	}
	if d.MinSamples > 0 {
		text += fmt.Sprintf(w.minimum, d.MinSamples)
	}
	return text
}

func (w words) verdictOf(verdict string) string {
	switch verdict {
	case "met":
		return w.met
	case "missed":
		return w.missed
	}
	return w.notJudged
}

func percent(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// lastDay is the day that ends at t.
func lastDay(t time.Time) string { return day(t.Add(-time.Microsecond)) }
