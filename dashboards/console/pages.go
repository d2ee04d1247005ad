package console

import (
	"slices"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

// panel is a query's place on a page.
type panel struct {
	id string
	// columns of twelve on a wide screen.
	columns int
}

// page is one of the console, made of queries of any boards.
type page struct {
	name   string
	title  queries.Text
	about  queries.Text
	panels []panel
	// span that curves show at first; "period": that of the chosen period.
	span string
	// live pages are refreshed more often.
	live bool
	// ended pages begin with the newest period that has ended.
	ended bool
	// hidden pages are reached from others.
	hidden bool
}

// spans are the lengths of time that may be chosen.
var spans = []struct {
	name   string
	length time.Duration
}{
	{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"15d", 15 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour},
}

const spanOfPeriod = "period"

func pages() []page {
	return []page{
		{name: "overview", title: queries.Text{ZH: "总览", EN: "Overview"}, about: queries.Text{ZH: "哪些店铺将不达标，为什么，谁在等待", EN: "Which shops are about to fail, why, and who waits"}, span: "24h",
			panels: []panel{{"overview.shops", 0}, {"overview.missing", 0}, {"overview.at_risk", 0}, {"overview.restricted", 0}, {"overview.in_bot", 0}, {"live.waiting_count", 0}, {"live.longest", 0},
				{"overview.forecast", 12}, {"overview.standards", 12}, {"overview.bot_now", 12}, {"overview.distance", 12}, {"overview.messages", 12}}},
		{name: "live", title: queries.Text{ZH: "实时接待", EN: "Live reception"}, about: queries.Text{ZH: "此刻谁在等待、由谁接待", EN: "Who waits and who receives right now"}, span: "6h", live: true,
			panels: []panel{{"live.waiting_count", 0}, {"live.longest", 0}, {"live.bot_count", 0}, {"live.waiting", 5}, {"live.bot_now", 7}, {"live.takeovers", 12}, {"live.recent", 12}}},
		{name: "shop", title: queries.Text{ZH: "店铺", EN: "Shop"}, about: queries.Text{ZH: "一家店铺的全部指标", EN: "Everything about one shop"}, span: spanOfPeriod,
			panels: []panel{{"shop.indicators", 6}, {"shop.trend", 6}, {"overview.forecast", 12}, {"overview.distance", 12}, {"shop.waits", 6}, {"shop.ratings", 6}, {"shop.daily", 12}, {"shop.slowest", 12}, {"shop.takeovers", 7}, {"shop.dissatisfied", 5},
				{"assessment.in_force", 12}}},
		{name: "agents", title: queries.Text{ZH: "客服", EN: "Agents"}, about: queries.Text{ZH: "客服的响应情况", EN: "How agents answer"}, span: spanOfPeriod,
			panels: []panel{{"agents.table", 12}, {"agents.trend", 6}, {"agents.messages", 6}, {"agents.slowest", 7}, {"agents.signed_in", 5}}},
		{name: "assessment", title: queries.Text{ZH: "考核与决定", EN: "Decisions"}, about: queries.Text{ZH: "决定、依据、修订和生效中的限制", EN: "Decisions, their evidence and revisions, restrictions in force"}, span: "30d", ended: true,
			panels: []panel{{"assessment.decided", 0}, {"assessment.restricted", 0}, {"assessment.revised", 0}, {"assessment.in_force", 8}, {"assessment.missed", 4}, {"assessment.decisions", 12}, {"assessment.evidence", 12}, {"assessment.revisions", 12}}},
		{name: "violations", title: queries.Text{ZH: "违规与处罚", EN: "Violations"}, about: queries.Text{ZH: "标记、审核和处罚", EN: "Flags, reviews, and sanctions"}, span: "7d",
			panels: []panel{{"violations.waiting", 0}, {"violations.flags", 7}, {"violations.categories", 5}, {"violations.newest", 12}, {"violations.sanctions", 8}, {"violations.points", 4}}},
		{name: "pipeline", title: queries.Text{ZH: "数据管道", EN: "Pipeline"}, about: queries.Text{ZH: "延迟、速率、死信", EN: "Lag, rates, dead letters"}, span: "6h", live: true,
			panels: []panel{{"pipeline.behind", 0}, {"pipeline.dead", 0}, {"pipeline.rate", 12}, {"pipeline.partitions", 5}, {"pipeline.dead_letters", 7}}},
		{name: "conversation", title: queries.Text{ZH: "会话", EN: "Conversation"}, about: queries.Text{ZH: "一个会话的轮次和事件，不含内容", EN: "Rounds and events of one conversation, without text"}, span: "30d", hidden: true,
			panels: []panel{{"conversation.lives", 12}, {"conversation.rounds", 12}, {"conversation.events", 12}}},
	}
}

// listPrefix begins the names of queries that give the choices of a variable.
const listPrefix = "list."

// catalogue is every page and query by name, the lists of choices included.
type catalogue struct {
	pages   []page
	queries map[string]queries.Query
	// uses are the variables of each query.
	uses map[string][]string
}

func newCatalogue() *catalogue {
	c := &catalogue{pages: pages(), queries: map[string]queries.Query{}, uses: map[string][]string{}}
	every := queries.Every()
	for name, sql := range queries.Lists() {
		every = append(every, queries.Query{ID: listPrefix + name, SQL: sql})
	}
	for _, q := range every {
		c.queries[q.ID], c.uses[q.ID] = q, queries.Uses(q.SQL)
	}
	return c
}

func (c *catalogue) page(name string) (page, bool) {
	i := slices.IndexFunc(c.pages, func(p page) bool { return p.name == name })
	if i < 0 {
		return page{}, false
	}
	return c.pages[i], true
}

// open tells whether someone may ask a query: one who is bound to a shop only what can be asked about one shop.
func (c *catalogue) open(id string, who viewer) bool {
	return who.shop == "" || slices.Contains(c.uses[id], "shop")
}

// panels of a page that someone may see.
func (c *catalogue) panels(p page, who viewer) []panel {
	return slices.DeleteFunc(slices.Clone(p.panels), func(each panel) bool { return !c.open(each.id, who) })
}
