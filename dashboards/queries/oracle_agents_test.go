package queries_test

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// trend holds the curves of agents, and the events of some conversations of each shop.
func (f *foretold) trend(t *testing.T, conn driver.Conn, compared map[string]int) {
	t.Helper()
	same := func(id, of string, got, want []string) {
		t.Helper()
		compared[id] += len(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s of %s: %d rows, the oracle has %d\ngot  %.600q\nwant %.600q", id, of, len(got), len(want), got, want)
		}
	}
	for period, span := range f.periods() {
		shops := f.assessed(span[0])
		for _, shop := range append(shops[:min(len(shops), 3)], queries.All) {
			v := queries.Values{Period: period, Shop: shop, Agent: queries.All, TimeZone: "Asia/Shanghai", From: time.UnixMicro(span[0]), To: time.UnixMicro(span[1]), Now: time.UnixMicro(span[1])}
			same("agents.trend", period+" "+shop, picked(t, conn, "agents.trend", v, "time", "agent_id", "avg_wait"), f.curves(span, shop))
		}
	}
	for _, shop := range f.shops() {
		talks := map[string][]string{}
		seen := map[string]bool{}
		for _, e := range f.events {
			if e.Event.ShopId != shop || e.Event.ConversationId == "" || kindOf(e.Event) == "" || seen[e.Event.EventId] {
				continue
			}
			seen[e.Event.EventId] = true
			talks[e.Event.ConversationId] = append(talks[e.Event.ConversationId], line(kindOf(e.Event), e.Event.GetActor().GetId(), e.Event.GetActor().GetAutomatic(), e.Offset))
		}
		for _, conversation := range slices.Sorted(maps.Keys(talks))[:min(len(talks), 2)] {
			v := queries.Values{Shop: shop, Conversation: conversation, TimeZone: "Asia/Shanghai", Now: time.Now()}
			same("conversation.events", shop+"/"+conversation, picked(t, conn, "conversation.events", v, "event", "actor_id", "automatic", "log_offset"), talks[conversation])
		}
	}
}

// curves are the daily mean waits of the 20 agents with the most counted replies.
func (f *foretold) curves(span [2]int64, shop string) []string {
	type sum struct{ n, waited int64 }
	total, days := map[string]int64{}, map[string]map[string]*sum{}
	for _, o := range f.rounds {
		if o.Outcome != chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED || !o.Counted || o.StartedAtUs < span[0] || o.StartedAtUs >= span[1] || shop != queries.All && o.ShopID != shop {
			continue
		}
		total[o.AgentId]++
		day := time.UnixMicro(o.StartedAtUs).In(shanghai).Format(time.DateOnly)
		if days[day] == nil {
			days[day] = map[string]*sum{}
		}
		if days[day][o.AgentId] == nil {
			days[day][o.AgentId] = &sum{}
		}
		s := days[day][o.AgentId]
		s.n, s.waited = s.n+1, s.waited+o.WaitUs
	}
	agents := slices.Sorted(maps.Keys(total))
	slices.SortStableFunc(agents, func(a, b string) int { return cmp.Compare(total[b], total[a]) })
	agents = agents[:min(len(agents), 20)]
	slices.Sort(agents)
	var rows []string
	for _, day := range slices.Sorted(maps.Keys(days)) {
		at, err := time.ParseInLocation(time.DateOnly, day, shanghai)
		if err != nil {
			panic(err) // it was formatted so
		}
		for _, agent := range agents {
			if s := days[day][agent]; s != nil {
				rows = append(rows, line(at.UTC(), agent, float64(s.waited)/float64(s.n)/1e6))
			}
		}
	}
	return rows
}
