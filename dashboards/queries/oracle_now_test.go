package queries_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// moment is what stands at an instant within a period, all of it worked out from the oracle's word.
type moment struct {
	*foretold
	t          *testing.T
	conn       driver.Conn
	v          queries.Values
	start, end int64
	compared   map[string]int
}

func (m *moment) same(id string, got, want []string) {
	m.t.Helper()
	m.compared[id] += len(want)
	if !slices.Equal(got, want) {
		m.t.Errorf("%s at %s: %d rows, the oracle has %d\ngot  %.900q\nwant %.900q", id, m.v.Now.UTC(), len(got), len(want), got, want)
	}
}

func (m *moment) check(id string, want []string, columns ...string) {
	m.t.Helper()
	m.same(id, picked(m.t, m.conn, id, m.v, columns...), want)
}

// Panels that depend on the present moment show what follows from the oracle's word: who the bot receives for, what is in force,
// how far each shop is from failing, and where its period will end.
func TestPanelsOfTheMoment(t *testing.T) {
	f, conn := oracles(t)
	periods := f.periods()
	compared := map[string]int{}
	for _, period := range slices.Sorted(maps.Keys(periods)) {
		start, end := periods[period][0], periods[period][1]
		for _, part := range []float64{0.4, 1.2} {
			at := start + int64(part*float64(end-start))/1e6*1e6
			m := &moment{foretold: f, t: t, conn: conn, start: start, end: end, compared: compared, v: queries.Values{
				Period: period, Shop: queries.All, Agent: queries.All, Category: queries.All, From: time.UnixMicro(start), To: time.UnixMicro(end).Add(-time.Second),
				Now: time.UnixMicro(at), Step: time.Hour, TimeZone: "Asia/Shanghai",
			}}
			m.bot()
			m.force()
			m.distance()
			m.forecast()
		}
	}
	f.trend(t, conn, compared)
	for _, id := range []string{"overview.in_bot", "overview.bot_now", "live.bot_now", "live.recent", "overview.restricted", "assessment.in_force", "overview.distance", "overview.forecast", "overview.at_risk", "agents.trend", "conversation.events"} {
		if compared[id] == 0 {
			t.Errorf("%s: nothing was compared", id)
		}
	}
}

func (m *moment) bot() {
	var lasting, recent []*chatv1.Takeover
	receives := map[string]bool{}
	for _, o := range m.takeovers {
		if o.End == chatv1.TakeoverEnd_TAKEOVER_END_UNSPECIFIED {
			lasting, receives[o.ShopId] = append(lasting, o), true
		}
		if o.StartedAtUs >= m.v.From.UnixMicro() && o.StartedAtUs <= m.v.To.UnixMicro() {
			recent = append(recent, o)
		}
	}
	cause := []string{"", "same_consumer", "across_consumers"}
	slices.SortStableFunc(lasting, func(a, b *chatv1.Takeover) int {
		return cmp.Or(cmp.Compare(a.StartedAtUs, b.StartedAtUs), cmp.Compare(a.ShopId, b.ShopId))
	})
	var rows []string
	for _, o := range lasting {
		rows = append(rows, line(o.ShopId, o.TriggerConversationId, o.TriggerConsumerId, cause[o.Trigger], o.Unreplied, o.Consumers, time.UnixMicro(o.StartedAtUs).UTC(), m.v.Now.Unix()-o.StartedAtUs/1e6))
	}
	columns := []string{"shop_id", "conversation_id", "consumer_id", "cause", "unreplied", "consumers", "since", "seconds"}
	m.check("overview.in_bot", []string{line(len(receives))}, "shops")
	m.check("overview.bot_now", rows, columns...)
	m.check("live.bot_now", rows, columns...)
	slices.SortStableFunc(recent, func(a, b *chatv1.Takeover) int {
		return cmp.Or(cmp.Compare(b.StartedAtUs, a.StartedAtUs), cmp.Compare(a.ShopId, b.ShopId))
	})
	rows = nil
	for _, o := range recent[:min(len(recent), 200)] {
		rows = append(rows, line(o.ShopId, o.TriggerConversationId, cause[o.Trigger], o.Unreplied, maybeInstant(o.EndedAtUs), []string{"lasting", "manual_reply", "resumed"}[o.End], o.EndedBy))
	}
	m.check("live.recent", rows, "shop_id", "conversation_id", "cause", "unreplied", "ended_at", "ended", "ended_by")
}

func (m *moment) force() {
	at := m.v.Now.UnixMicro()
	newest := map[string]*chatv1.Decision{}
	for _, d := range m.decisions {
		key := fmt.Sprintf("%s\x00%20d", d.ShopId, d.PeriodStartUs)
		if newest[key] == nil || newest[key].Revision < d.Revision {
			newest[key] = d
		}
	}
	var rows []string
	shops := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		if d := newest[key]; d.Restricted && d.RestrictedFromUs <= at && at < d.RestrictedUntilUs {
			rows = append(rows, line(d.ShopId, strings.Join(d.Restrictions, ", "), strings.Join(d.Missed, ", "), maybeInstant(d.RestrictedFromUs), maybeInstant(d.RestrictedUntilUs)))
			shops[d.ShopId] = true
		}
	}
	m.check("assessment.in_force", rows, "shop_id", "restriction", "missed_names", "restricted_from", "restricted_until")
	m.check("overview.restricted", []string{line(len(shops))}, "shops")
}

// judged calls do with every standard that a shop's half-month is held to and has a value for.
func (m *moment) judged(do func(k *chatv1.Kpi, i *chatv1.Indicator)) {
	for _, k := range m.kpis {
		if k.Kind != chatv1.WindowKind_WINDOW_KIND_HALF_MONTH || k.StartUs != m.start {
			continue
		}
		for _, i := range k.Indicators {
			if i.HasStandard && i.HasValue {
				do(k, i)
			}
		}
	}
}

// distance: trying, one sample after the other, how many more bad ones a standard bears, or how many good ones are needed.
func (m *moment) distance() {
	var want []string
	m.judged(func(k *chatv1.Kpi, i *chatv1.Indicator) {
		var spare *float64
		if strings.HasSuffix(i.Name, "_rate") {
			n := tried(i)
			spare = &n
		}
		want = append(want, line(k.ShopId, i.Name, i.Samples, verdictNames[i.Verdict], spare))
	})
	got := picked(m.t, m.conn, "overview.distance", m.v, "shop_id", "indicator", "samples", "verdict", "spare")
	slices.Sort(got)
	slices.Sort(want)
	m.same("overview.distance", got, want)
}

func tried(i *chatv1.Indicator) float64 {
	hits := math.Round(i.Value * float64(i.Samples)) // samples that count as the rate says
	holds := func(hits, samples float64) bool {
		if i.Comparison == ">=" {
			return hits/samples >= i.Standard-1e-9
		}
		return hits/samples <= i.Standard+1e-9
	}
	bad, good := 0., 1.
	if i.Comparison != ">=" {
		bad, good = 1, 0
	}
	n := float64(i.Samples)
	if holds(hits, n) {
		for more := 0.; ; more++ {
			if !holds(hits+bad*(more+1), n+more+1) {
				return more
			}
		}
	}
	for more := 1.; ; more++ {
		if holds(hits+good*more, n+more) {
			return -more
		}
	}
}

// forecast: the same extrapolation, written down anew.
func (m *moment) forecast() {
	type line struct{ expected, low, high, chance float64 }
	want := map[string]line{}
	risk := map[string][2]bool{} // a chance of a fifth; misses already
	elapsed := max(0.001, min(1, math.Floor(float64(m.v.Now.UnixMicro()-m.start)/1e6)/(float64(m.end-m.start)/1e6)))
	m.judged(func(k *chatv1.Kpi, i *chatv1.Indicator) {
		if i.Samples == 0 {
			return
		}
		n, rate := float64(i.Samples), strings.HasSuffix(i.Name, "_rate")
		coming := n/elapsed - n
		out := line{expected: i.Value}
		deviation := 0.
		if rate {
			p := (i.Value*n + 1) / (n + 2)
			out.expected = (i.Value*n + coming*p) / (n + coming)
			deviation = math.Sqrt(coming*p*(1-p)*(1+coming/n)) / (n + coming)
		} else if means := m.dailyMeans(k.ShopId); len(means) > 1 {
			if left := float64(m.end-m.start) / 86400e6 * (1 - elapsed); left >= 0.001 {
				days := float64(len(means))
				deviation = spread(means) * left / (days + left) * math.Sqrt(1/left+1/days)
			}
		}
		out.low, out.high = max(0, out.expected-1.96*deviation), out.expected+1.96*deviation
		if rate {
			out.high = min(1, out.high)
		}
		misses := out.expected > i.Standard
		distance := i.Standard - out.expected
		if i.Comparison == ">=" {
			misses = out.expected < i.Standard
		} else {
			distance = -distance
		}
		switch {
		case deviation >= 1e-9:
			out.chance = 0.5 * (1 + math.Erf(distance/deviation/math.Sqrt2))
		case misses:
			out.chance = 1
		}
		want[k.ShopId+" | "+i.Name] = out
		r := risk[k.ShopId]
		risk[k.ShopId] = [2]bool{r[0] || out.chance >= 0.2, r[1] || i.Verdict == chatv1.Verdict_VERDICT_MISSED}
	})
	got := picked(m.t, m.conn, "overview.forecast", m.v, "shop_id", "indicator", "expected", "low", "high", "chance")
	if len(got) != len(want) {
		m.t.Errorf("overview.forecast at %s: %d rows, want %d", m.v.Now, len(got), len(want))
	}
	for _, row := range got {
		parts := strings.Split(row, " | ")
		w, known := want[strings.Join(parts[:len(parts)-4], " | ")]
		if !known {
			m.t.Errorf("overview.forecast: %s is not foretold", row)
		}
		for n, number := range []float64{w.expected, w.low, w.high, w.chance} {
			if v, err := strconv.ParseFloat(parts[len(parts)-4+n], 64); err != nil || math.Abs(v-number) > 1e-4*(1+math.Abs(number)) {
				m.t.Errorf("overview.forecast at %s: %s, want %+v", m.v.Now, row, w)
				break
			}
		}
		m.compared["overview.forecast"]++
	}
	atRisk := 0
	for _, r := range risk {
		if r[0] && !r[1] {
			atRisk++
		}
	}
	m.check("overview.at_risk", []string{fmt.Sprint(atRisk)}, "shops")
}

// dailyMeans are a shop's mean waits of the period's days, seconds.
func (m *moment) dailyMeans(shop string) (means []float64) {
	for _, k := range m.kpis {
		if k.ShopId == shop && k.Kind == chatv1.WindowKind_WINDOW_KIND_DAY && k.StartUs >= m.start && k.StartUs < m.end && k.Counts.GetRoundsAnswered() > 0 {
			means = append(means, float64(k.Counts.GetWaitSumUs())/float64(k.Counts.GetRoundsAnswered())/1e6)
		}
	}
	return means
}

// spread is the standard deviation of a sample.
func spread(of []float64) float64 {
	mean, sum := 0., 0.
	for _, x := range of {
		mean += x / float64(len(of))
	}
	for _, x := range of {
		sum += (x - mean) * (x - mean)
	}
	return math.Sqrt(sum / float64(len(of)-1))
}
