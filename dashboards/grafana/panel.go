package grafana

import (
	"fmt"

	"github.com/feigeio/feige/dashboards/queries"
)

// pluginVersion is the version of the ClickHouse data source that the queries are written for.
const pluginVersion = "4.0.0"

var units = map[queries.Unit]string{
	queries.Count: "locale", queries.Share: "percentunit", queries.Seconds: "s", queries.Instant: "dateTimeAsIso", queries.Yes: "bool_yes_no",
}

var panelTypes = map[queries.Shape]string{
	queries.Figure: "stat", queries.Table: "table", queries.Series: "timeseries", queries.Bars: "barchart",
}

// panel makes a query a panel. Where it stands is for the board to say.
func (b Builder) panel(q queries.Query) Panel {
	source := b.clickHouse()
	p := Panel{
		Type: panelTypes[q.Shape], Title: q.Title.In(b.Lang), Description: q.About.In(b.Lang), Datasource: &source,
		Targets: []any{b.target("A", q.SQL, q.Shape == queries.Series)},
		Options: panelOptions(q.Shape),
		FieldConfig: FieldConfig{
			Defaults:  Field{NoValue: "–", Thresholds: thresholds(nil), Color: map[string]any{"mode": "thresholds"}},
			Overrides: []Override{},
		},
	}
	switch q.Shape {
	case queries.Figure:
		p.FieldConfig.Defaults.Unit = units[q.Columns[0].Unit]
		p.FieldConfig.Defaults.Thresholds = thresholds(q.Columns[0].Steps)
		return p
	case queries.Series, queries.Bars:
		p.FieldConfig.Defaults.Color = map[string]any{"mode": "palette-classic"}
		p.FieldConfig.Defaults.Custom = map[string]any{"fillOpacity": 10, "lineWidth": 2}
		if q.Shape == queries.Bars {
			p.FieldConfig.Defaults.Custom = map[string]any{"fillOpacity": 80, "lineWidth": 1}
		}
		p.FieldConfig.Defaults.Unit = units[q.Columns[len(q.Columns)-1].Unit]
	case queries.Table:
		p.FieldConfig.Defaults.Custom = map[string]any{"align": "auto", "filterable": true, "inspect": false, "cellOptions": map[string]any{"type": "auto"}}
	}
	for _, column := range q.Columns {
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, b.override(q.Shape, column))
	}
	return p
}

func (b Builder) target(ref, sql string, series bool) ClickHouseTarget {
	t := ClickHouseTarget{
		RefID: ref, Datasource: b.clickHouse(), EditorType: "sql", QueryType: "table", Format: 1, RawSQL: queries.ForGrafana(sql, b.TimeZone),
		Meta: map[string]any{}, PluginVer: pluginVersion,
	}
	if series {
		t.QueryType, t.Format = "timeseries", 0
	}
	return t
}

func (b Builder) override(shape queries.Shape, c queries.Column) Override {
	o := Override{Matcher: Matcher{ID: "byName", Options: c.Name}}
	set := func(id string, value any) { o.Properties = append(o.Properties, Property{ID: id, Value: value}) }
	set("displayName", c.Title.In(b.Lang))
	if unit := units[c.Unit]; unit != "" {
		set("unit", unit)
	}
	switch c.Unit {
	case queries.Share, queries.Mixed:
		set("decimals", 3)
	case queries.Indicator:
		set("mappings", b.mappings(queries.IndicatorNames(), nil))
	case queries.Verdict:
		names, colours := queries.VerdictNames()
		set("mappings", b.mappings(names, colours))
		set("custom.cellOptions", map[string]any{"type": "color-text"})
	}
	if len(c.Steps) > 0 && shape == queries.Table {
		set("thresholds", thresholds(c.Steps))
		set("custom.cellOptions", map[string]any{"type": "color-text"})
	}
	if link := b.link(c.Links); link != "" {
		set("links", []any{map[string]any{"title": b.word("打开", "Open"), "url": link, "targetBlank": false}})
	}
	return o
}

// link is where a cell leads. Values are percent-encoded by Grafana.
func (b Builder) link(to queries.Target) string {
	const shop, keep = "var-shop=${__data.fields.shop_id:percentencode}", "&${__url_time_range}"
	switch to {
	case queries.ToShop:
		return "/d/" + b.uid("shop") + "?" + shop + keep
	case queries.ToConversation:
		return "/d/" + b.uid("conversation") + "?" + shop + "&var-conversation=${__data.fields.conversation_id:percentencode}" + keep
	case queries.ToAgents:
		return "/d/" + b.uid("agents") + "?" + shop + "&var-agent=${__data.fields.agent_id:percentencode}" + keep
	}
	return ""
}

func thresholds(steps []queries.Step) *Thresholds {
	out := &Thresholds{Mode: "absolute", Steps: []ThresholdStep{}}
	for i, step := range steps {
		s := ThresholdStep{Color: string(step.Colour)}
		if i > 0 {
			s.Value = &step.From
		}
		out.Steps = append(out.Steps, s)
	}
	if len(steps) == 0 {
		out.Steps = append(out.Steps, ThresholdStep{Color: "text"})
	}
	return out
}

func panelOptions(shape queries.Shape) map[string]any {
	switch shape {
	case queries.Figure:
		return map[string]any{
			"colorMode": "background", "graphMode": "none", "justifyMode": "auto", "textMode": "auto", "orientation": "auto", "wideLayout": true, "showPercentChange": false, "percentChangeColorMode": "standard",
			"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		}
	case queries.Series:
		return map[string]any{
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
		}
	case queries.Bars:
		return map[string]any{
			"orientation": "horizontal", "showValue": "auto", "xTickLabelRotation": 0, "xTickLabelMaxLength": 0, "xTickLabelSpacing": 0, "stacking": "none", "barWidth": 0.97, "groupWidth": 0.7, "barRadius": 0, "fullHighlight": false,
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []string{}},
			"tooltip": map[string]any{"mode": "single", "sort": "none"},
		}
	}
	return map[string]any{"frameIndex": 0, "showHeader": true, "cellHeight": "sm", "footer": map[string]any{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": ""}}
}

func (b Builder) mappings(names []queries.Name, colours map[string]queries.Colour) []any {
	options := map[string]any{}
	for i, n := range names {
		option := map[string]any{"text": n.Text.In(b.Lang), "index": i}
		if colour := colours[n.Key]; colour != "" {
			option["color"] = colour
		}
		options[n.Key] = option
	}
	return []any{map[string]any{"type": "value", "options": options}}
}

func (b Builder) word(zh, en string) string { return queries.Text{ZH: zh, EN: en}.In(b.Lang) }

func (b Builder) uid(board string) string { return fmt.Sprintf("%s-%s", b.Prefix, board) }
