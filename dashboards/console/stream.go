package console

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/feigeio/feige/dashboards/queries"
)

// maxChoice bounds what a viewer may choose, bytes.
const maxChoice = 512

// choose reads what a viewer chose of a page and turns it into questions. A viewer of one shop asks about it, whatever is said.
func (c *Console) choose(r *http.Request, p page, who viewer) (of question, bad *problem) {
	get := r.URL.Query()
	value := func(name, otherwise string) string {
		text := get.Get(name)
		if len(text) > maxChoice || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			bad = problemf(http.StatusBadRequest, "bad_request", "%s cannot be", name)
		}
		if text == "" {
			return otherwise
		}
		return text
	}
	of = question{period: value("period", ""), shop: value("shop", queries.All), agent: value("agent", queries.All), conversation: value("conversation", ""), category: value("category", queries.All), span: value("span", p.span)}
	if bad != nil {
		return of, bad
	}
	if of.period != "" {
		if _, err := c.deps.Calendar.ParsePeriod(of.period); err != nil || !strings.Contains(of.period, "-H") {
			return of, problemf(http.StatusBadRequest, "bad_request", "period: want such as 2026-11-H1")
		}
	}
	if _, known := length(of.span); !known && of.span != spanOfPeriod {
		return of, problemf(http.StatusBadRequest, "bad_request", "span is not known")
	}
	if who.shop != "" {
		of.shop = who.shop
	}
	return of, nil
}

func length(span string) (time.Duration, bool) {
	for _, s := range spans {
		if s.name == span {
			return s.length, true
		}
	}
	return 0, false
}

// newest is the period that a page begins with; empty where there is none.
func (c *Console) newest(ctx context.Context, ended bool) (string, error) {
	names, err := c.choices(ctx, question{id: listPrefix + "period"})
	if err != nil {
		return "", err
	}
	for _, name := range names {
		span, err := c.deps.Calendar.ParsePeriod(name)
		if err == nil && (!ended || span.End <= c.deps.NowUS()) {
			return name, nil
		}
	}
	if len(names) > 0 {
		return names[0], nil
	}
	return "", nil
}

// only leaves of a question what its query uses, so that equal ones are one.
func (c *Console) only(q question, id string) question {
	out := question{id: id}
	for _, name := range c.all.uses[id] {
		switch name {
		case "period":
			out.period = q.period
		case "shop":
			out.shop = q.shop
		case "agent":
			out.agent = q.agent
		case "conversation":
			out.conversation = q.conversation
		case "category":
			out.category = q.category
		}
	}
	if usesTime(c.all.queries[id].SQL) {
		out.span = q.span
		if q.span == spanOfPeriod {
			out.period = q.period
		}
	}
	return out
}

func usesTime(sql string) bool {
	return strings.Contains(sql, "{{in_range") || strings.Contains(sql, "{{bucket") || strings.Contains(sql, "{{from") || strings.Contains(sql, "{{to")
}

// values binds a question to the present moment.
func (c *Console) values(q question) queries.Values {
	now := time.UnixMicro(c.deps.NowUS())
	v := queries.Values{Period: q.period, Shop: q.shop, Agent: q.agent, Conversation: q.conversation, Category: q.category, From: now, To: now, Now: now, Step: time.Second, TimeZone: c.deps.Calendar.Location().String()}
	if whole, ok := length(q.span); ok {
		v.From = now.Add(-whole)
	} else if span, err := c.deps.Calendar.ParsePeriod(q.period); err == nil {
		v.From, v.To = time.UnixMicro(span.Start), time.UnixMicro(span.End-1)
	}
	v.Step = step(v.To.Sub(v.From))
	return v
}

// step makes about a hundred buckets.
func step(of time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour} {
		if of/s <= 150 {
			return s
		}
	}
	return 6 * time.Hour
}

// answer asks a question; the hub calls it.
func (c *Console) answer(ctx context.Context, q question) (data []byte, sum uint64, err error) {
	query, v := c.all.queries[q.id], c.values(q)
	began := time.Now()
	rows, err := ask(ctx, c.deps.Conn, queries.Bind(query.SQL, v))
	if err != nil {
		return nil, 0, err
	}
	if len(rows.Columns) == 0 { // an answer without rows may come without names
		rows.Columns = []string{}
		for _, column := range query.Columns {
			rows.Columns = append(rows.Columns, column.Name)
		}
	}
	body, err := json.Marshal(rows)
	if err != nil {
		return nil, 0, fmt.Errorf("console: %s: %w", q.id, err)
	}
	same := fnv.New64a()
	_, _ = same.Write(body) // it cannot fail
	head := fmt.Sprintf(`{"id":%q,"atUs":%d,"tookMs":%d,"fromUs":%d,"toUs":%d,"stepS":%d,`, q.id, v.Now.UnixMicro(), time.Since(began).Milliseconds(), v.From.UnixMicro(), v.To.UnixMicro(), int64(v.Step.Seconds()))
	return append([]byte(head), body[1:]...), same.Sum64(), nil
}

// stream tells a page its figures as they come.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	who, p := c.viewer(r)
	if p != nil {
		c.refuse(w, p)
		return
	}
	shown, known := c.all.page(r.URL.Query().Get("page"))
	if !known {
		c.refuse(w, problemf(http.StatusNotFound, "not_found", "there is no such page"))
		return
	}
	of, p := c.choose(r, shown, who)
	if p != nil {
		c.refuse(w, p)
		return
	}
	select {
	case c.viewers <- struct{}{}:
		c.looking.Inc()
		defer func() { <-c.viewers; c.looking.Dec() }()
	default:
		c.refuse(w, problemf(http.StatusServiceUnavailable, "too_many", "too many look already"))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // where the server has none, none is to be lifted
	write := func(format string, args ...any) bool {
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && out.Flush() == nil
	}
	if !write("retry: 2000\n\n") {
		return
	}
	for of.period == "" && c.asksPeriod(shown, who) {
		period, err := c.newest(r.Context(), shown.ended)
		if err == nil {
			of.period = period
			break
		}
		if r.Context().Err() != nil || !write("event: away\ndata: {}\n\n") {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(2 * time.Second):
		}
	}
	chosen, _ := json.Marshal(map[string]string{"period": of.period, "span": of.span, "shop": of.shop}) //nolint:errchkjson // strings
	if write("event: chosen\ndata: %s\n\n", chosen) {
		c.follow(r, who, c.questions(shown, of, who), c.every(shown), write)
	}
}

func (c *Console) every(p page) time.Duration {
	if p.live {
		return c.cfg.LiveRefresh
	}
	return c.cfg.Refresh
}

func (c *Console) asksPeriod(p page, who viewer) bool {
	return slices.ContainsFunc(c.all.panels(p, who), func(each panel) bool { return slices.Contains(c.all.uses[each.id], "period") })
}

func (c *Console) questions(p page, of question, who viewer) []question {
	var all []question
	for _, each := range c.all.panels(p, who) {
		all = append(all, c.only(of, each.id))
	}
	return append(all, question{id: listPrefix + "period"})
}

// follow writes what is new until the viewer leaves, or is no longer one.
func (c *Console) follow(r *http.Request, who viewer, all []question, every time.Duration, write func(string, ...any) bool) {
	seen := c.hub.look(all, every)
	defer c.hub.leave(seen)
	beat := time.NewTicker(c.cfg.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-seen.wake:
			for _, each := range c.hub.take(seen) {
				if !write("event: panel\ndata: %s\n\n", each.data) {
					return
				}
			}
			if !write("event: at\ndata: %d\n\n", c.deps.NowUS()) {
				return
			}
		case <-beat.C:
			if now, p := c.viewer(r); p != nil || now.Key() != who.Key() {
				write("event: signout\ndata: {}\n\n")
				return
			}
			if !write(": beat\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
