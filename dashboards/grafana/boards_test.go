package grafana

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

func builder(lang queries.Lang, prometheus string) Builder {
	return Builder{Lang: lang, Prefix: "feige", ClickHouseUID: "feige", PrometheusUID: prometheus, TimeZone: "Asia/Shanghai"}
}

var validUnits = []string{"", "locale", "percentunit", "s", "dateTimeAsIso", "bool_yes_no"}

var builtIn = []string{"__data", "__url_time_range", "__rate_interval"}

// Every board, as it is written, has what Grafana needs of it.
func TestBoardsAreSound(t *testing.T) {
	t.Parallel()
	for _, lang := range []queries.Lang{queries.English, queries.Chinese} {
		for _, prometheus := range []string{"", "prom"} {
			b := builder(lang, prometheus)
			uids := map[string]bool{}
			titles := map[string]bool{}
			var links []string
			for _, board := range b.Boards() {
				data, err := json.Marshal(board)
				if err != nil {
					t.Fatal(err)
				}
				var d map[string]any
				if err := json.Unmarshal(data, &d); err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("%s %s %q", board.UID, lang, prometheus)
				if len(board.UID) > 40 || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(board.UID) || uids[board.UID] || titles[board.Title] {
					t.Errorf("%s: uid or title is bad or used twice", name)
				}
				uids[board.UID], titles[board.Title] = true, true
				for _, problem := range problems(d, string(data), prometheus) {
					t.Errorf("%s: %s", name, problem)
				}
				links = append(links, regexp.MustCompile(`"/d/([a-z0-9-]+)\?`).FindAllString(string(data), -1)...)
			}
			if len(links) == 0 {
				t.Error("no drill-down links")
			}
			for _, link := range links {
				if uid := strings.Trim(strings.TrimPrefix(link, `"/d/`), "?"); !uids[uid] {
					t.Errorf("a link leads to board %s, which is not there", uid)
				}
			}
		}
	}
}

func problems(d map[string]any, text, prometheus string) (out []string) {
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, key := range []string{"uid", "title", "tags", "timezone", "schemaVersion", "time", "templating", "annotations", "panels"} {
		if d[key] == nil || d[key] == "" {
			bad("%s is missing", key)
		}
	}
	if d["schemaVersion"].(float64) < 39 {
		bad("schemaVersion %v", d["schemaVersion"])
	}
	defined := slices.Clone(builtIn)
	for _, v := range d["templating"].(map[string]any)["list"].([]any) {
		v := v.(map[string]any)
		defined = append(defined, v["name"].(string))
		if !slices.Contains([]string{"query", "textbox"}, v["type"].(string)) || v["label"] == "" || v["type"] == "query" && v["datasource"] == nil {
			bad("variable %v", v["name"])
		}
	}
	for _, match := range regexp.MustCompile(`\$\{([a-z_]+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(defined, match[1]) {
			bad("variable %s is used and not defined", match[1])
		}
	}
	// A link must set variables that its board has; that is looked at by name.
	for _, name := range defined[len(builtIn):] {
		if !strings.Contains(text, "${"+name+":percentencode}") {
			bad("variable %s is defined and not used", name)
		}
	}
	taken := map[[2]int]bool{}
	ids := map[float64]bool{}
	for _, p := range d["panels"].([]any) {
		p := p.(map[string]any)
		title := p["title"]
		if title == "" || p["type"] == "" || ids[p["id"].(float64)] {
			bad("panel %v: title, type, or id", title)
		}
		ids[p["id"].(float64)] = true
		g := p["gridPos"].(map[string]any)
		x, y, w, h := int(g["x"].(float64)), int(g["y"].(float64)), int(g["w"].(float64)), int(g["h"].(float64))
		if w < 1 || h < 1 || x < 0 || x+w > 24 {
			bad("panel %v: grid %v", title, g)
		}
		for i := x; i < x+w; i++ {
			for j := y; j < y+h; j++ {
				if taken[[2]int{i, j}] {
					bad("panel %v overlaps at %d,%d", title, i, j)
				}
				taken[[2]int{i, j}] = true
			}
		}
		refs := map[any]bool{}
		targets := p["targets"].([]any)
		if len(targets) == 0 {
			bad("panel %v has no target", title)
		}
		for _, target := range targets {
			target := target.(map[string]any)
			source := target["datasource"].(map[string]any)
			clickhouse := source["uid"] == "feige" && source["type"] == ClickHouseType && target["rawSql"] != ""
			metrics := prometheus != "" && source["uid"] == prometheus && source["type"] == PrometheusType && target["expr"] != ""
			if target["refId"] == "" || refs[target["refId"]] || !clickhouse && !metrics {
				bad("panel %v: target %v", title, target)
			}
			refs[target["refId"]] = true
			if clickhouse {
				// As version 4 of the data source reads it: editorType, queryType, and format must say the same.
				series := p["type"] == "timeseries"
				want := map[string]any{"editorType": "sql", "queryType": map[bool]string{true: "timeseries", false: "table"}[series], "format": map[bool]float64{true: 0, false: 1}[series], "pluginVersion": pluginVersion}
				for key, w := range want {
					if target[key] != w {
						bad("panel %v: %s is %v, want %v", title, key, target[key], w)
					}
				}
				for _, macro := range regexp.MustCompile(`\$__\w+`).FindAllString(target["rawSql"].(string), -1) {
					if !slices.Contains([]string{"$__timeFilter", "$__timeInterval", "$__fromTime", "$__toTime"}, macro) {
						bad("panel %v: macro %s", title, macro)
					}
				}
			}
			if sql, _ := target["rawSql"].(string); strings.Contains(sql, "{{") || strings.Contains(sql, "feige.") {
				bad("panel %v: SQL keeps a placeholder or names a database", title)
			}
		}
		config := p["fieldConfig"].(map[string]any)
		if unit, _ := config["defaults"].(map[string]any)["unit"].(string); !slices.Contains(validUnits, unit) {
			bad("panel %v: unit %q", title, unit)
		}
		for _, o := range config["overrides"].([]any) {
			for _, property := range o.(map[string]any)["properties"].([]any) {
				property := property.(map[string]any)
				if property["id"] == "unit" && !slices.Contains(validUnits, property["value"].(string)) {
					bad("panel %v: unit %v", title, property["value"])
				}
				if property["id"] == "displayName" && property["value"] == "" {
					bad("panel %v: a column without a title", title)
				}
			}
		}
	}
	return out
}

// The check must notice what it is for.
func TestCheckNoticesFaults(t *testing.T) {
	t.Parallel()
	spoil := func(name string, change func(*Dashboard)) {
		t.Helper()
		d := builder(queries.English, "").Boards()[0]
		change(&d)
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var generic map[string]any
		if err := json.Unmarshal(data, &generic); err != nil {
			t.Fatal(err)
		}
		if len(problems(generic, string(data), "")) == 0 {
			t.Errorf("%s: not noticed", name)
		}
	}
	spoil("overlap", func(d *Dashboard) { d.Panels[1].GridPos = d.Panels[0].GridPos })
	spoil("id twice", func(d *Dashboard) { d.Panels[1].ID = d.Panels[0].ID })
	spoil("unit", func(d *Dashboard) { d.Panels[0].FieldConfig.Defaults.Unit = "furlongs" })
	spoil("variable", func(d *Dashboard) { d.Templating.List = []Variable{} })
	spoil("title", func(d *Dashboard) { d.Title = "" })
	spoil("target", func(d *Dashboard) { d.Panels[0].Targets = []any{} })
	spoil("format", func(d *Dashboard) {
		target := d.Panels[0].Targets[0].(ClickHouseTarget)
		target.Format = 0
		d.Panels[0].Targets[0] = target
	})
	spoil("macro", func(d *Dashboard) {
		target := d.Panels[0].Targets[0].(ClickHouseTarget)
		target.RawSQL += " $__timeFrom"
		d.Panels[0].Targets[0] = target
	})
	spoil("source", func(d *Dashboard) {
		target := d.Panels[0].Targets[0].(ClickHouseTarget)
		target.Datasource.UID = "other"
		d.Panels[0].Targets[0] = target
	})
}

// Titles differ by language, and each query stands on one board.
func TestBoardsHoldEveryQuery(t *testing.T) {
	t.Parallel()
	count := 0
	for i, board := range builder(queries.English, "").Boards() {
		count += len(board.Panels)
		if chinese := builder(queries.Chinese, "").Boards()[i]; chinese.Title == board.Title || chinese.UID != board.UID {
			t.Errorf("%s: the language changes the uid or not the title", board.UID)
		}
	}
	if want := len(queries.Every()); count != want {
		t.Errorf("%d panels for %d queries", count, want)
	}
}

// Boards about a period of the past open with it; those about now do not.
func TestBoardsOpenWithAPeriod(t *testing.T) {
	t.Parallel()
	b := builder(queries.English, "")
	b.Opens = Period{Name: "2026-11-H1", From: time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 15, 16, 0, 0, 0, time.UTC)}
	past := TimeRange{From: "2026-10-31T16:00:00Z", To: "2026-11-15T15:59:59Z"}
	for i, board := range b.Boards() {
		now := builder(queries.English, "").Boards()[i].Time
		if want := map[bool]TimeRange{true: now, false: past}[strings.HasSuffix(board.UID, "live") || strings.HasSuffix(board.UID, "pipeline")]; board.Time != want {
			t.Errorf("%s opens with %v, want %v", board.UID, board.Time, want)
		}
		for _, v := range board.Templating.List {
			if v.Name == "period" && v.Current.Value != "2026-11-H1" {
				t.Errorf("%s: the period is %q", board.UID, v.Current.Value)
			}
		}
	}
}
