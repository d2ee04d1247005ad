package queries_test

import (
	"maps"
	"slices"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func (f *foretold) shops() []string {
	seen := map[string]bool{}
	for _, e := range f.events {
		seen[e.Event.ShopId] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// assessed are the shops with a window of the period.
func (f *foretold) assessed(start int64) []string {
	seen := map[string]bool{}
	for _, k := range f.kpis {
		if k.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH && k.StartUs == start {
			seen[k.ShopId] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func value(of []*chatv1.Indicator, name string) *float64 {
	for _, i := range of {
		if i.Name == name && i.HasValue {
			return &i.Value
		}
	}
	return nil
}

func missedOf(of []*chatv1.Indicator) []string {
	var out []string
	for _, i := range of {
		if i.Verdict == chatv1.Verdict_VERDICT_MISSED {
			out = append(out, i.Name)
		}
	}
	return out
}

// hours counts by hour what pick takes of the log; of repeats the first counts.
func (f *foretold) hours(from, to int64, pick func(*chatv1.ChatEvent) bool) map[int64]int {
	seen, out := map[[2]string]bool{}, map[int64]int{}
	for _, e := range f.events {
		id := [2]string{e.Event.ShopId, e.Event.EventId}
		if seen[id] || kindOf(e.Event) == "" {
			continue
		}
		seen[id] = true
		if at := e.Event.OccurredAtUs; at >= from && at <= to && pick(e.Event) {
			out[at-at%3_600_000_000]++
		}
	}
	return out
}

func curve(hours map[int64]int) []string {
	var out []string
	for _, hour := range slices.Sorted(maps.Keys(hours)) {
		out = append(out, line(time.UnixMicro(hour).UTC(), hours[hour]))
	}
	return out
}

// newest decisions of a period, by shop.
func (f *foretold) newest(start int64) map[string]*chatv1.Decision {
	out := map[string]*chatv1.Decision{}
	for _, d := range f.decisions {
		if d.PeriodStartUs == start && (out[d.ShopId] == nil || out[d.ShopId].Revision < d.Revision) {
			out[d.ShopId] = d
		}
	}
	return out
}

// overview holds what stands for all shops together.
func (f *foretold) overview(v queries.Values, start int64, check func(id string, want []string, columns ...string)) {
	assessed, missing := 0, 0
	for _, k := range f.kpis {
		if k.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH && k.StartUs == start {
			assessed++
			if len(missedOf(k.Indicators)) > 0 {
				missing++
			}
		}
	}
	check("overview.shops", []string{line(assessed)}, "shops")
	check("overview.missing", []string{line(missing)}, "shops")
	decided := f.newest(start)
	restricted, revised, missed := 0, 0, map[string]int{}
	for _, d := range decided {
		if d.Restricted {
			restricted++
		}
		if d.Revision > 1 {
			revised++
		}
		for _, name := range d.Missed {
			missed[name]++
		}
	}
	check("assessment.decided", []string{line(len(decided))}, "shops")
	check("assessment.restricted", []string{line(restricted)}, "shops")
	check("assessment.revised", []string{line(revised)}, "shops")
	var bars []string
	names := slices.Sorted(maps.Keys(missed))
	slices.SortStableFunc(names, func(a, b string) int { return missed[b] - missed[a] })
	for _, name := range names {
		bars = append(bars, line(name, missed[name]))
	}
	check("assessment.missed", bars, "indicator", "shops")
	from, to := v.From.UnixMicro(), v.To.UnixMicro()
	check("pipeline.rate", curve(f.hours(from, to, func(*chatv1.ChatEvent) bool { return true })), "time", "events")
	byRole := func(role chatv1.Role) func(*chatv1.ChatEvent) bool {
		return func(e *chatv1.ChatEvent) bool { return kindOf(e) == "message" && e.GetActor().GetRole() == role }
	}
	consumers, agents, bot := f.hours(from, to, byRole(chatv1.Role_ROLE_CONSUMER)), f.hours(from, to, byRole(chatv1.Role_ROLE_AGENT)), f.hours(from, to, byRole(chatv1.Role_ROLE_BOT))
	all := f.hours(from, to, func(e *chatv1.ChatEvent) bool { return kindOf(e) == "message" })
	var messages []string
	for _, hour := range slices.Sorted(maps.Keys(all)) {
		messages = append(messages, line(time.UnixMicro(hour).UTC(), consumers[hour], agents[hour], bot[hour]))
	}
	check("overview.messages", messages, "time", "consumer", "agent", "bot")
}
