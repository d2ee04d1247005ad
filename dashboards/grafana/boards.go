package grafana

import (
	"slices"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

// Builder makes boards for one installation.
type Builder struct {
	// Lang of titles.
	Lang queries.Lang
	// Prefix of uids.
	Prefix string
	// ClickHouseUID and PrometheusUID name the data sources; an empty PrometheusUID leaves out what needs one.
	ClickHouseUID, PrometheusUID string
	// TimeZone of the policy.
	TimeZone string
	// Opens is what the boards open with; zero: the newest, up to now.
	Opens Period
}

// Period is a half-month, its first instant and the first one after it.
type Period struct {
	Name     string
	From, To time.Time
}

func (b Builder) clickHouse() Ref { return Ref{Type: ClickHouseType, UID: b.ClickHouseUID} }

type board struct {
	name    string
	title   queries.Text
	about   queries.Text
	queries []queries.Query
	span    string // the time range that it opens with
	refresh string
}

func all() []board {
	return []board{
		{"overview", queries.Text{ZH: "飞鸽 · 总览", EN: "Feige · Overview"}, queries.Text{ZH: "哪些店铺将不达标，为什么，谁在等待", EN: "Which shops are about to fail, why, and who waits"}, queries.Overview(), "now-24h", "1m"},
		{"shop", queries.Text{ZH: "飞鸽 · 店铺", EN: "Feige · Shop"}, queries.Text{ZH: "一家店铺的全部指标", EN: "Everything about one shop"}, queries.Shop(), "now-15d", ""},
		{"agents", queries.Text{ZH: "飞鸽 · 客服", EN: "Feige · Agents"}, queries.Text{ZH: "客服的响应情况", EN: "How agents answer"}, queries.Agents(), "now-15d", ""},
		{"live", queries.Text{ZH: "飞鸽 · 实时接待", EN: "Feige · Live reception"}, queries.Text{ZH: "此刻谁在等待、由谁接待", EN: "Who waits and who receives right now"}, queries.Live(), "now-6h", "10s"},
		{"assessment", queries.Text{ZH: "飞鸽 · 考核与决定", EN: "Feige · Assessment and decisions"}, queries.Text{ZH: "决定、依据、修订和生效中的限制", EN: "Decisions, their evidence and revisions, restrictions in force"}, queries.Assessment(), "now-30d", ""},
		{"violations", queries.Text{ZH: "飞鸽 · 违规与处罚", EN: "Feige · Violations and penalties"}, queries.Text{ZH: "标记、审核和处罚", EN: "Flags, reviews, and sanctions"}, queries.Violations(), "now-7d", "1m"},
		{"pipeline", queries.Text{ZH: "飞鸽 · 数据管道", EN: "Feige · Pipeline"}, queries.Text{ZH: "延迟、速率、死信、重启", EN: "Lag, rates, dead letters, restarts"}, queries.Pipeline(), "now-6h", "30s"},
		{"conversation", queries.Text{ZH: "飞鸽 · 会话", EN: "Feige · Conversation"}, queries.Text{ZH: "一个会话的轮次和事件，不含内容", EN: "Rounds and events of one conversation, without text"}, queries.Conversation(), "now-30d", ""},
	}
}

// Boards are all boards.
func (b Builder) Boards() []Dashboard {
	var out []Dashboard
	for _, each := range all() {
		out = append(out, b.board(each))
	}
	return out
}

func (b Builder) board(from board) Dashboard {
	d := Dashboard{
		UID: b.uid(from.name), Title: from.title.In(b.Lang), Description: from.about.In(b.Lang), Tags: []string{b.Prefix},
		Timezone: b.TimeZone, Editable: true, GraphTooltip: 1, Refresh: from.refresh, SchemaVersion: SchemaVersion,
		Time:  TimeRange{From: from.span, To: "now"},
		Links: []DashboardLink{{Title: b.word("看板", "Boards"), Type: "dashboards", Tags: []string{b.Prefix}, AsDropdown: true, IncludeVars: false, KeepTime: true, Icon: "external link"}},
	}
	// Who waits and how the pipeline does are asked about now.
	if from.name != "live" && from.name != "pipeline" && b.Opens.Name != "" {
		d.Time = TimeRange{From: b.Opens.From.UTC().Format(time.RFC3339), To: b.Opens.To.Add(-time.Second).UTC().Format(time.RFC3339)}
	}
	d.Annotations.List = []any{}
	d.Templating.List = b.variables(from.queries, from.name)
	for _, q := range from.queries {
		d.Panels = append(d.Panels, b.panel(q))
	}
	if from.name == "pipeline" && b.PrometheusUID != "" {
		d.Panels = append(d.Panels, b.prometheusPanels()...)
	}
	place(d.Panels)
	return d
}

// place fills rows of 24 columns from the left: figures share a row, curves and bars stand two in a row, tables fill one.
func place(panels []Panel) {
	figures := 0
	for _, p := range panels {
		if p.Type == "stat" {
			figures++
		}
	}
	figureWidth := 24 / max(figures, 1)
	figureWidth = min(figureWidth, 8)
	slices.SortStableFunc(panels, func(x, y Panel) int { return rank(x) - rank(y) })
	x, y, height := 0, 0, 0
	for i := range panels {
		w, h := 24, 10
		switch panels[i].Type {
		case "stat":
			w, h = figureWidth, 4
		case "timeseries", "barchart":
			w, h = 12, 9
		}
		if x+w > 24 || i > 0 && rank(panels[i]) != rank(panels[i-1]) {
			x, y, height = 0, y+height, 0
		}
		panels[i].ID = i + 1
		panels[i].GridPos = GridPos{H: h, W: w, X: x, Y: y}
		x, height = x+w, max(height, h)
	}
}

// rank puts figures first, then tables, then curves and bars.
func rank(p Panel) int {
	switch p.Type {
	case "stat":
		return 0
	case "table":
		return 1
	}
	return 2
}

// variables are those that a board's queries use.
func (b Builder) variables(of []queries.Query, boardName string) []Variable {
	used := map[string]bool{}
	for _, q := range of {
		for _, name := range queries.Uses(q.SQL) {
			used[name] = true
		}
	}
	var list []Variable
	for _, name := range queries.Variables() {
		if used[name] {
			list = append(list, b.variable(name, boardName))
		}
	}
	if list == nil {
		list = []Variable{}
	}
	return list
}

func (b Builder) variable(name, boardName string) Variable {
	source := b.clickHouse()
	query := func(label, sql string, sorted int) Variable {
		return Variable{
			Name: name, Label: label, Type: "query", Datasource: &source, Refresh: 2, Sort: sorted, Options: []any{},
			Query: map[string]any{"refId": "Variable-" + name, "queryType": "table", "format": 1, "editorType": "sql", "rawSql": queries.ForGrafana(sql, b.TimeZone), "pluginVersion": pluginVersion, "meta": map[string]any{}},
		}
	}
	withAll := func(v Variable) Variable {
		v.IncludeAll, v.AllValue, v.Current = true, queries.All, Current{Text: "All", Value: "$__all"}
		return v
	}
	lists := queries.Lists()
	switch name {
	case "period":
		v := query(b.word("考核周期", "Period"), lists[name], 0)
		v.Current = Current{Text: b.Opens.Name, Value: b.Opens.Name}
		return v
	case "shop":
		v := query(b.word("店铺", "Shop"), lists[name], 0)
		if boardName == "shop" || boardName == "conversation" {
			return v
		}
		return withAll(v)
	case "agent":
		return withAll(query(b.word("客服", "Agent"), lists[name], 0))
	case "category":
		return withAll(query(b.word("违规类别", "Category"), lists[name], 0))
	}
	return Variable{Name: name, Label: b.word("会话", "Conversation"), Type: "textbox", Query: "", Options: []any{}}
}
