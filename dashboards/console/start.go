package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

// Texts are in both languages, so that a page changes its language by itself.
type (
	textShape struct {
		ZH string `json:"zh"`
		EN string `json:"en"`
	}
	stepShape struct {
		From   *float64 `json:"from,omitempty"`
		Colour string   `json:"colour"`
	}
	columnShape struct {
		Name  string      `json:"name"`
		Title textShape   `json:"title"`
		Unit  string      `json:"unit,omitempty"`
		Steps []stepShape `json:"steps,omitempty"`
		Links string      `json:"links,omitempty"`
	}
	panelShape struct {
		ID      string        `json:"id"`
		Shape   string        `json:"shape"`
		Wide    int           `json:"wide"`
		Title   textShape     `json:"title"`
		About   textShape     `json:"about"`
		Columns []columnShape `json:"columns"`
	}
	pageShape struct {
		Name   string       `json:"name"`
		Title  textShape    `json:"title"`
		About  textShape    `json:"about"`
		Span   string       `json:"span"`
		Hidden bool         `json:"hidden,omitempty"`
		Uses   []string     `json:"uses"`
		Panels []panelShape `json:"panels"`
	}
)

func shapeText(t queries.Text) textShape { return textShape{t.ZH, t.EN} }

func shapePanel(q queries.Query, wide int) panelShape {
	p := panelShape{ID: q.ID, Shape: string(q.Shape), Wide: wide, Title: shapeText(q.Title), About: shapeText(q.About), Columns: []columnShape{}}
	for _, column := range q.Columns {
		shape := columnShape{Name: column.Name, Title: shapeText(column.Title), Unit: string(column.Unit), Links: string(column.Links)}
		for i, s := range column.Steps {
			step := stepShape{Colour: string(s.Colour)}
			if i > 0 {
				step.From = &s.From
			}
			shape.Steps = append(shape.Steps, step)
		}
		p.Columns = append(p.Columns, shape)
	}
	return p
}

// start is what a page needs before its first figure: who looks, what there is to see, and what things are called.
func (c *Console) start(w http.ResponseWriter, r *http.Request) {
	who, p := c.viewer(r)
	if p != nil {
		c.refuse(w, p)
		return
	}
	out := struct {
		Account  string               `json:"account"`
		Role     string               `json:"role"`
		Shop     string               `json:"shop,omitempty"`
		TimeZone string               `json:"timeZone"`
		NowUS    int64                `json:"nowUs"`
		Spans    []string             `json:"spans"`
		Pages    []pageShape          `json:"pages"`
		Verdicts map[string]string    `json:"verdicts"`
		Words    map[string]textShape `json:"words"`
	}{Account: who.Account, Role: string(who.Role), Shop: who.shop, TimeZone: c.deps.Calendar.Location().String(), NowUS: c.deps.NowUS(), Verdicts: map[string]string{}, Words: map[string]textShape{}}
	for _, s := range spans {
		out.Spans = append(out.Spans, s.name)
	}
	for _, each := range c.all.pages {
		shape := pageShape{Name: each.name, Title: shapeText(each.title), About: shapeText(each.about), Span: each.span, Hidden: each.hidden, Uses: []string{}, Panels: []panelShape{}}
		used := map[string]bool{}
		for _, panel := range c.all.panels(each, who) {
			q := c.all.queries[panel.id]
			shape.Panels = append(shape.Panels, shapePanel(q, panel.columns))
			for _, name := range c.all.uses[panel.id] {
				used[name] = true
			}
			used["span"] = used["span"] || usesTime(q.SQL)
		}
		if len(shape.Panels) == 0 {
			continue
		}
		for _, name := range append(queries.Variables(), "span") {
			if used[name] {
				shape.Uses = append(shape.Uses, name)
			}
		}
		out.Pages = append(out.Pages, shape)
	}
	for key, text := range queries.Words() {
		out.Words[key] = shapeText(text)
	}
	names, colours := queries.VerdictNames()
	for _, n := range names {
		out.Words[n.Key], out.Verdicts[n.Key] = shapeText(n.Text), string(colours[n.Key])
	}
	c.json(w, out)
}

// choices is the first column of a list.
func (c *Console) choices(ctx context.Context, q question) ([]string, error) {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	r, err := c.hub.get(limited, q, time.Minute)
	if err != nil {
		return nil, err
	}
	var list struct {
		Rows [][]string `json:"rows"`
	}
	if err := json.Unmarshal(r.data, &list); err != nil {
		return nil, fmt.Errorf("console: %s: %w", q.id, err)
	}
	names := make([]string, len(list.Rows))
	for i, row := range list.Rows {
		names[i] = row[0]
	}
	return names, nil
}

// maxChoices is how many choices one answer holds.
const maxChoices = 50

// list gives the choices of a variable that hold a text, those that begin with it first.
func (c *Console) list(w http.ResponseWriter, r *http.Request) {
	who, p := c.viewer(r)
	if p != nil {
		c.refuse(w, p)
		return
	}
	name := r.PathValue("name")
	if _, known := c.all.queries[listPrefix+name]; !known {
		c.refuse(w, problemf(http.StatusNotFound, "not_found", "there is no list of that name"))
		return
	}
	of, p := c.choose(r, page{span: spanOfPeriod}, who)
	if p != nil {
		c.refuse(w, p)
		return
	}
	q := question{id: listPrefix + name}
	if name == "agent" {
		q.shop = of.shop
	}
	names, err := c.choices(r.Context(), q)
	if err != nil {
		c.refuse(w, problemf(http.StatusServiceUnavailable, "try_again", "the choices cannot be read now"))
		return
	}
	wanted := strings.ToLower(r.URL.Query().Get("q"))
	first, then := []string{}, []string{}
	for _, each := range names {
		switch at := strings.Index(strings.ToLower(each), wanted); {
		case who.shop != "" && name == "shop" && each != who.shop:
		case at == 0 && len(first) < maxChoices:
			first = append(first, each)
		case at > 0 && len(then) < maxChoices:
			then = append(then, each)
		}
	}
	all := append(first, then...)
	c.json(w, map[string]any{"choices": all[:min(len(all), maxChoices)], "of": len(names)})
}
