package queries_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

var verdictNames = []string{"unspecified", "reported", "not_judged", "met", "missed"}

// shop holds what stands for one shop and period.
func (f *foretold) shop(id string, start, end int64, check func(query string, want []string, columns ...string)) {
	f.windows(id, start, end, check)
	f.answers(id, start, end, check)
	f.decided(id, start, check)
	scores := map[int32]int{}
	dissatisfied := 0
	for _, o := range f.ratings {
		if o.ShopID == id && o.RatedAtUs >= start && o.RatedAtUs < end {
			scores[o.Score]++
			if o.Score <= 2 {
				dissatisfied++
			}
		}
	}
	var bars []string
	for _, score := range slices.Sorted(maps.Keys(scores)) {
		bars = append(bars, line(score, scores[score]))
	}
	check("shop.ratings", bars, "score_given", "ratings")
	check("shop.dissatisfied", slices.Repeat([]string{line(id)}, min(dissatisfied, 100)), "shop_id")
	var began []*chatv1.Takeover
	for _, o := range f.takeovers {
		if o.ShopId == id && o.StartedAtUs >= start && o.StartedAtUs < end {
			began = append(began, o)
		}
	}
	slices.SortStableFunc(began, func(a, b *chatv1.Takeover) int { return cmp.Compare(b.StartedAtUs, a.StartedAtUs) })
	var takeovers []string
	fired := map[int64][2]int{}
	for _, o := range began {
		takeovers = append(takeovers, line([]string{"", "same_consumer", "across_consumers"}[o.Trigger], o.Unreplied, o.Consumers, time.UnixMicro(o.StartedAtUs).UTC(), maybeInstant(o.EndedAtUs)))
		hour := fired[o.StartedAtUs-o.StartedAtUs%3_600_000_000]
		hour[o.Trigger-1]++
		fired[o.StartedAtUs-o.StartedAtUs%3_600_000_000] = hour
	}
	check("shop.takeovers", takeovers, "cause", "unreplied", "consumers", "started_at", "ended_at")
	var curve []string
	for _, hour := range slices.Sorted(maps.Keys(fired)) {
		curve = append(curve, line(time.UnixMicro(hour).UTC(), fired[hour][0], fired[hour][1]))
	}
	check("live.takeovers", curve, "time", "same_consumer", "across_consumers")
}

// windows are the shop's half-month and days.
func (f *foretold) windows(id string, start, end int64, check func(query string, want []string, columns ...string)) {
	var indicators, standards, daily, trend []string
	for _, k := range f.kpis {
		switch {
		case k.ShopId != id || k.StartUs < start || k.StartUs >= end:
		case k.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH:
			for _, i := range k.Indicators {
				var value, standard *float64
				if i.HasValue {
					value = &i.Value
				}
				if i.HasStandard {
					standard = &i.Standard
				}
				indicators = append(indicators, line(i.Name, value, i.Samples, standard, verdictNames[i.Verdict]))
			}
			standards = []string{line(id, k.Counts.GetConversations(), k.Counts.GetRatings(), value(k.Indicators, "manual_reply_3min_rate"), value(k.Indicators, "avg_response_seconds"), value(k.Indicators, "dissatisfaction_rate"),
				k.Takeovers, float64(k.BotUs)/1e6, strings.Join(missedOf(k.Indicators), ", "))}
		default:
			rate := value(k.Indicators, "manual_reply_3min_rate")
			daily = append(daily, line(time.UnixMicro(k.StartUs).In(shanghai).Format(time.DateOnly), k.Counts.GetConversations(), k.Counts.GetRounds(), k.Counts.GetRoundsAnswered(), rate, value(k.Indicators, "avg_response_seconds"),
				value(k.Indicators, "dissatisfaction_rate"), k.Takeovers, float64(k.BotUs)/1e6))
			trend = append(trend, line(rate))
		}
	}
	check("shop.indicators", indicators, "indicator", "value", "samples", "standard", "verdict")
	check("shop.daily", daily, "day", "conversations", "rounds", "rounds_answered", "reply_rate", "avg_wait", "dissatisfaction", "takeovers", "bot_seconds")
	check("shop.trend", trend, "reply_rate")
	check("overview.standards", standards, "shop_id", "conversations", "ratings", "reply_rate", "avg_wait", "dissatisfaction", "takeovers", "bot_seconds", "missed")
}

// answers are how long the shop's consumers waited, and for whom.
func (f *foretold) answers(id string, start, end int64, check func(query string, want []string, columns ...string)) {
	type total struct {
		n, within, wait, longest int64
	}
	agents, waits, slow := map[string]*total{}, map[string]int{}, 0
	var slowest []int64
	lives, rounds := map[string][]string{}, map[string][]string{}
	for _, o := range f.lives {
		if o.ShopID == id {
			var score *int32
			for _, r := range f.ratings {
				if r.ShopID == id && r.ConversationID == o.ConversationID && r.Life == o.Life {
					score = &r.Score
				}
			}
			lives[o.ConversationID] = append(lives[o.ConversationID], line(o.Life, o.Rounds, score))
		}
	}
	for _, o := range f.rounds {
		if o.ShopID != id || o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN {
			continue
		}
		answered := o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED
		var waited *float64
		if answered {
			seconds := float64(o.WaitUs) / 1e6
			waited = &seconds
		}
		rounds[o.ConversationID] = append(rounds[o.ConversationID], line(o.Number, strings.ToLower(strings.TrimPrefix(o.Outcome.String(), "ROUND_OUTCOME_")), waited, o.AgentId, o.Counted, o.Within))
		if o.StartedAtUs < start || o.StartedAtUs >= end || !o.Counted {
			continue
		}
		bar := "6 unanswered"
		if answered {
			bar = "5 > 10 min"
			for i, bound := range []int64{30, 60, 180, 600} {
				if o.WaitUs <= bound*1e6 {
					bar = []string{"1 ≤ 30 s", "2 ≤ 1 min", "3 ≤ 3 min", "4 ≤ 10 min"}[i]
					break
				}
			}
			a := agents[o.AgentId]
			if a == nil {
				a = &total{}
				agents[o.AgentId] = a
			}
			a.n, a.wait, a.longest = a.n+1, a.wait+o.WaitUs, max(a.longest, o.WaitUs)
			if o.Within {
				a.within++
			}
			slowest = append(slowest, o.WaitUs)
		}
		waits[bar]++
		if !o.Within {
			slow++
		}
	}
	var bars []string
	for _, bar := range slices.Sorted(maps.Keys(waits)) {
		bars = append(bars, line(bar, waits[bar]))
	}
	check("shop.waits", bars, "wait", "rounds")
	check("shop.slowest", slices.Repeat([]string{line(id)}, min(slow, 100)), "shop_id")
	names := slices.Sorted(maps.Keys(agents))
	slices.SortStableFunc(names, func(a, b string) int {
		x, y := agents[a], agents[b]
		return cmp.Or(cmp.Compare(float64(x.within)/float64(x.n), float64(y.within)/float64(y.n)), cmp.Compare(y.n, x.n))
	})
	var table []string
	for _, name := range names {
		a := agents[name]
		table = append(table, line(id, name, a.n, float64(a.within)/float64(a.n), float64(a.wait)/float64(a.n)/1e6, float64(a.longest)/1e6))
	}
	check("agents.table", table, "shop_id", "agent_id", "rounds", "within_share", "avg_wait", "longest")
	slices.SortFunc(slowest, func(a, b int64) int { return cmp.Compare(b, a) })
	var longest []string
	for _, us := range slowest[:min(len(slowest), 100)] {
		longest = append(longest, line(float64(us)/1e6))
	}
	check("agents.slowest", longest, "waited")
	check("agents.messages", curve(f.hours(start, end, func(e *chatv1.ChatEvent) bool {
		return e.ShopId == id && kindOf(e) == "message" && e.GetActor().GetRole() == chatv1.Role_ROLE_AGENT && !e.GetActor().GetAutomatic()
	})), "time", "messages")
	for _, conversation := range slices.Sorted(maps.Keys(lives)) {
		check("conversation.lives@"+conversation, lives[conversation], "life", "rounds", "score")
		check("conversation.rounds@"+conversation, rounds[conversation], "number", "outcome", "waited", "agent", "counted", "within")
	}
}

// decided is the shop's decision with its evidence.
func (f *foretold) decided(id string, start int64, check func(query string, want []string, columns ...string)) {
	var evidence, revisions, newest []string
	var all []*chatv1.Decision
	for _, d := range f.decisions {
		if d.ShopId == id && d.PeriodStartUs == start {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b *chatv1.Decision) int { return int(a.Revision - b.Revision) })
	for _, d := range all {
		judged := slices.Clone(d.Evidence)
		slices.SortFunc(judged, func(a, b *chatv1.Indicator) int { return cmp.Compare(a.Name, b.Name) })
		for _, i := range judged {
			if i.HasStandard {
				var value *float64
				if i.HasValue {
					value = &i.Value
				}
				evidence = append(evidence, line(d.Revision, i.Name, value, i.Samples, i.Standard, verdictNames[i.Verdict]))
			}
		}
		row := line(d.Revision, d.Restricted, strings.Join(d.Missed, ", "), d.Counts.GetConversations(), d.Counts.GetRatings(), d.CheckpointSeconds)
		if len(all) > 1 {
			revisions = append(revisions, row)
		}
		newest = []string{row}
	}
	check("assessment.evidence", evidence, "revision", "indicator", "value", "samples", "standard", "verdict")
	check("assessment.revisions", revisions, "revision", "restricted", "missed_names", "conversations", "ratings", "checkpoint_seconds")
	check("assessment.decisions", newest, "revision", "restricted", "missed_names", "conversations", "ratings", "checkpoint_seconds")
}
