package queries_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

func chosen(shop string) queries.Values {
	return queries.Values{
		Period: period, Shop: shop, Agent: queries.All, Conversation: conversation(1, 0, 0), Category: queries.All,
		From: periodStart, To: periodEnd, Now: now, Step: time.Hour, TimeZone: "Asia/Shanghai",
	}
}

// grafana is the SQL that Grafana would send, with the present moment set.
func grafana(sql string, v queries.Values) string {
	return strings.ReplaceAll(queries.ExpandGrafana(queries.ForGrafana(sql, v.TimeZone), v), "now64(6, 'UTC')",
		fmt.Sprintf("fromUnixTimestamp64Micro(%d, 'UTC')", v.Now.UnixMicro()))
}

// Every query runs, as Grafana sends it and as Bind writes it, gives the same rows, and has the columns that it declares; for
// every shop, all shops, a shop that is not there, no choice at all, and a database without rows.
func TestEveryQueryRuns(t *testing.T) {
	seeded, empty := engine(t)
	choices := []queries.Values{chosen(queries.All), chosen("nobody"), {TimeZone: "Asia/Shanghai", From: now, To: now, Now: now}}
	for _, s := range shops {
		choices = append(choices, chosen(s.id))
	}
	before := chosen(queries.All)
	before.Period = "2026-10-H2"
	choices = append(choices, before)
	for _, q := range queries.Every() {
		t.Run(q.ID, func(t *testing.T) {
			rowsSeen := 0
			for _, v := range choices {
				names, rows := ask(t, seeded, grafana(q.SQL, v))
				_, bound := ask(t, seeded, queries.Bind(q.SQL, v))
				if !reflect.DeepEqual(rows, bound) {
					t.Errorf("shop %q: as Grafana sends it %v, bound %v", v.Shop, rows, bound)
				}
				rowsSeen += len(rows)
				if len(rows) == 0 {
					continue // an answer without rows names no columns
				}
				for _, column := range q.Columns {
					if !slices.Contains(names, column.Name) {
						t.Errorf("column %s is declared, the answer has %v", column.Name, names)
					}
				}
				for _, name := range names {
					if !slices.ContainsFunc(q.Columns, func(c queries.Column) bool { return c.Name == name }) && (q.Shape != queries.Series || name != "time") {
						t.Errorf("column %s is in the answer, but not declared", name)
					}
				}
				if q.Shape == queries.Figure && len(rows) > 1 {
					t.Errorf("a figure has %d rows", len(rows))
				}
			}
			if rowsSeen == 0 {
				t.Error("no choice gives a row")
			}
			_, rows := ask(t, empty, grafana(q.SQL, chosen("shop-a")))
			if q.Shape != queries.Figure && len(rows) > 0 {
				t.Errorf("rows from an empty database: %v", rows)
			}
		})
	}
}

// The account that boards read with, which may not read chats, sees every panel, list, and alert as everybody does.
func TestAnalystSeesEveryPanel(t *testing.T) {
	seeded, _ := engine(t)
	analyst, err := openAs("analyst", "seeded")
	if err != nil {
		t.Fatal(err)
	}
	defer analyst.Close()
	if rows, err := analyst.Query(t.Context(), "SELECT text FROM chat_texts"); err == nil {
		_ = rows.Close()
		t.Error("the analyst may read texts")
	}
	all := map[string]string{}
	for _, q := range queries.Every() {
		all[q.ID] = q.SQL
	}
	for name, sql := range queries.Lists() {
		all["list "+name] = sql
	}
	for _, a := range queries.Alerts() {
		all["alert "+a.ID] = a.SQL
	}
	for id, sql := range all {
		sql = grafana(sql, chosen(quoted))
		_, want := ask(t, seeded, sql)
		if _, got := ask(t, analyst, sql); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
}

func TestAlertsRun(t *testing.T) {
	seeded, empty := engine(t)
	want := map[string]string{"takeover-lasting": "2", "heading-for-failure": strconv.Itoa(countShops(func(s shopSeed) bool { return len(s.misses()) > 0 })), "dead-letters": "2"}
	for _, a := range queries.Alerts() {
		_, rows := ask(t, seeded, grafana(a.SQL, chosen("")))
		if w, ok := want[a.ID]; len(rows) != 1 || ok && rows[0][0] != w {
			t.Errorf("%s: %v, want %s", a.ID, rows, w)
		}
		if _, rows := ask(t, empty, grafana(a.SQL, chosen(""))); len(rows) != 1 || rows[0][0] != "0" {
			t.Errorf("%s on an empty database: %v", a.ID, rows)
		}
	}
}

func countShops(is func(shopSeed) bool) (n int) {
	for _, s := range shops {
		if is(s) {
			n++
		}
	}
	return n
}

// column takes one column of a query's answer for one choice.
func column(t *testing.T, id, name string, v queries.Values) []string {
	t.Helper()
	seeded, _ := engine(t)
	i := slices.IndexFunc(queries.Every(), func(q queries.Query) bool { return q.ID == id })
	if i < 0 {
		t.Fatalf("no query %s", id)
	}
	names, rows := ask(t, seeded, grafana(queries.Every()[i].SQL, v))
	if len(rows) == 0 {
		return nil
	}
	at := slices.Index(names, name)
	if at < 0 {
		t.Fatalf("%s has no column %s: %v", id, name, names)
	}
	out := []string{}
	for _, row := range rows {
		out = append(out, row[at])
	}
	return out
}

func TestFigures(t *testing.T) {
	check := func(id, name, shop string, want ...string) {
		t.Helper()
		if got := column(t, id, name, chosen(shop)); !slices.Equal(got, want) {
			t.Errorf("%s.%s of %q: %q, want %q", id, name, shop, got, want)
		}
	}
	number := func(n int) string { return strconv.Itoa(n) }
	check("overview.shops", "shops", queries.All, number(len(shops)))
	check("overview.missing", "shops", queries.All, number(countShops(func(s shopSeed) bool { return len(s.misses()) > 0 })))
	check("overview.in_bot", "shops", queries.All, number(countShops(func(s shopSeed) bool { return s.lasting })))
	check("overview.restricted", "shops", queries.All, number(countShops(func(s shopSeed) bool { return s.restricted })))
	check("overview.bot_now", "seconds", queries.All, "3600", "3600")
	check("live.bot_count", "shops", quoted, "1")
	check("live.waiting_count", "waiting", queries.All, number(waiting(shops...)))
	check("live.longest", "seconds", "shop-a", number(int(now.Sub(noon(days-1).Add(19*time.Minute))/time.Second)))
	check("assessment.decided", "shops", "", "0")
	check("assessment.in_force", "shop_id", queries.All, quoted)
	check("assessment.in_force", "period", queries.All, "2026-10-H2")
	check("violations.waiting", "flags", queries.All, "1")
	check("violations.points", "points", queries.All, "12")
	check("violations.sanctions", "sanction", queries.All, "points")
	check("pipeline.dead", "letters", "", "2")
	for _, s := range shops {
		check("shop.indicators", "value", s.id, show(s.rate()), show(s.wait()), show(s.dissatisfaction()))
		check("shop.indicators", "verdict", s.id, s.verdicts()[0], s.verdicts()[1], s.verdicts()[2])
		check("live.waiting_count", "waiting", s.id, number(waiting(s)))
		if got := column(t, "shop.daily", "rounds", chosen(s.id)); len(got) != days || got[0] != number(s.perDay) {
			t.Errorf("%q day by day: %v", s.id, got)
		}
		total := 0
		for _, n := range column(t, "agents.table", "rounds", chosen(s.id)) {
			k, _ := strconv.Atoi(n)
			total += k
		}
		if want := (s.good + s.late) * days; total != want {
			t.Errorf("%q: agents answered %d rounds, want %d", s.id, total, want)
		}
		if got, want := len(column(t, "shop.slowest", "waited", chosen(s.id))), min((s.perDay-s.good)*days, 100); got != want {
			t.Errorf("%q: %d slow rounds, want %d", s.id, got, want)
		}
		check("shop.takeovers", "seconds", s.id, slices.Repeat([]string{"3600"}, s.takeovers+map[bool]int{true: 1}[s.lasting])...)
	}
	old := chosen(queries.All)
	old.Period = "2026-10-H2"
	for name, want := range map[string]string{"assessment.decided": "5", "assessment.restricted": "1", "assessment.revised": "1"} {
		if got := column(t, name, "shops", old); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	if got := column(t, "assessment.revisions", "revision", old); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("revisions: %v", got)
	}
}

func waiting(of ...shopSeed) (n int) {
	for _, s := range of {
		n += s.perDay - s.good - s.late
	}
	return n
}

// The spare and the forecast against the same figures worked out here.
func TestDistanceAndForecast(t *testing.T) {
	seeded, _ := engine(t)
	find := func(id string) queries.Query {
		return queries.Every()[slices.IndexFunc(queries.Every(), func(q queries.Query) bool { return q.ID == id })]
	}
	names, rows := ask(t, seeded, grafana(find("overview.distance").SQL, chosen(queries.All)))
	at := func(name string) int { return slices.Index(names, name) }
	checked := 0
	for _, row := range rows {
		if row[at("indicator")] != indicators[0] {
			continue
		}
		s := shops[slices.IndexFunc(shops, func(s shopSeed) bool { return s.id == row[at("shop_id")] })]
		good, n, spare := s.good*days, s.conversations(), 0
		if s.rate() >= 0.7 {
			for float64(good)/float64(n+spare+1) >= 0.7 {
				spare++
			}
		} else {
			for float64(good-spare)/float64(n-spare) < 0.7 {
				spare--
			}
		}
		if row[at("spare")] != strconv.Itoa(spare) {
			t.Errorf("%q: spare %s, want %d", s.id, row[at("spare")], spare)
		}
		checked++
	}
	if checked != len(shops) {
		t.Errorf("%d shops have a distance, want %d", checked, len(shops))
	}
	names, rows = ask(t, seeded, grafana(find("overview.forecast").SQL, chosen(queries.All)))
	checked = 0
	for _, row := range rows {
		if row[at("indicator")] != indicators[0] {
			continue
		}
		s := shops[slices.IndexFunc(shops, func(s shopSeed) bool { return s.id == row[at("shop_id")] })]
		n := float64(s.conversations())
		coming := n/(10./15) - n
		p := (s.rate()*n + 1) / (n + 2)
		expected := (s.rate()*n + coming*p) / (n + coming)
		deviation := math.Sqrt(coming*p*(1-p)*(1+coming/n)) / (n + coming)
		chance := 0.5 * (1 + math.Erf((0.7-expected)/deviation/math.Sqrt2))
		for name, want := range map[string]float64{"expected": expected, "chance": chance, "low": math.Max(0, expected-1.96*deviation), "high": math.Min(1, expected+1.96*deviation)} {
			if got, _ := strconv.ParseFloat(row[at(name)], 64); math.Abs(got-want) > 1e-3 {
				t.Errorf("%q: %s %v, want %v", s.id, name, got, want)
			}
		}
		checked++
	}
	if checked != len(shops) {
		t.Errorf("%d shops have a forecast, want %d", checked, len(shops))
	}
}

// The choices of every variable can be asked for, and each choice finds what it names.
func TestLists(t *testing.T) {
	seeded, empty := engine(t)
	for name, sql := range queries.Lists() {
		_, rows := ask(t, seeded, grafana(sql, chosen(queries.All)))
		if len(rows) == 0 {
			t.Errorf("%s: no choices", name)
		}
		if _, rows := ask(t, empty, grafana(sql, chosen(queries.All))); len(rows) > 0 {
			t.Errorf("%s: choices from an empty database: %v", name, rows)
		}
		if name == "shop" {
			var got, want []string
			for _, row := range rows {
				got = append(got, row[0])
			}
			for _, s := range shops {
				want = append(want, s.id)
			}
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("shops %q, want %q", got, want)
			}
		}
		if name == "period" && rows[0][0] != period {
			t.Errorf("periods %v", rows)
		}
	}
}

func FuzzQuoteAndEncode(f *testing.F) {
	for _, s := range shops {
		f.Add(s.id)
	}
	f.Add("%27\x00\n\\")
	f.Fuzz(func(t *testing.T, text string) {
		quoted := queries.Quote(text)
		inside := quoted[1 : len(quoted)-1]
		for i := 0; i < len(inside); i++ {
			switch inside[i] {
			case '\\':
				i++
				if i == len(inside) {
					t.Fatalf("%q ends in a lone backslash", quoted)
				}
			case '\'':
				t.Fatalf("%q has a bare quote", quoted)
			}
		}
		if text == queries.All {
			return
		}
		sql := queries.ExpandGrafana(queries.ForGrafana("{{shop}}", "UTC"), queries.Values{Shop: text})
		middle := strings.TrimSuffix(strings.TrimPrefix(sql, "decodeURLComponent('"), "')")
		if strings.Trim(middle, "%ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~") != "" {
			t.Fatalf("%q has a character that could end the literal", sql)
		}
	})
}
