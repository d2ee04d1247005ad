package assessment

import (
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Snapshot is what a window amounts to as the shop's state stands. final: no later fact counts in it.
func (a *Assessor) Snapshot(st *statev1.Service, w *statev1.Window, shop string, final bool) *chatv1.Kpi {
	span := a.Span(w.Kind, w.StartUs)
	pol := a.policy.At(span.Start)
	k := &chatv1.Kpi{
		ShopId: shop, Kind: w.Kind, StartUs: span.Start, EndUs: span.End, Version: 2 * (st.SourcePlusOne - 1), Final: final,
		Counts: w.Counts.CloneVT(), Takeovers: w.Takeovers, BotUs: a.BotTotal(st, w, final), PolicyVersion: pol.Version,
	}
	if final {
		k.Version++
	}
	k.Indicators = Indicators(w, k.BotUs, pol)
	return k
}

// Indicators computes all figures of a window.
func Indicators(w *statev1.Window, botUS int64, pol *policy.Policy) []*chatv1.Indicator {
	c := w.Counts
	out := make([]*chatv1.Indicator, 0, 14)
	put := func(name, definition string, has bool, value float64, samples int64) {
		i := &chatv1.Indicator{Name: name, Definition: definition, HasValue: has, Samples: samples, Verdict: chatv1.Verdict_VERDICT_REPORTED}
		if has {
			i.Value = value
		}
		judge(i, c, pol)
		out = append(out, i)
	}
	ratio := func(name, definition string, part, whole int64) {
		put(name, definition, whole > 0, float64(part)/float64(whole), whole)
	}
	seconds := func(name string, sumUS, n int64) {
		put(name, "", n > 0, float64(sumUS)/float64(n)/1e6, n)
	}
	quantile := func(name string, q float64) {
		v, ok := waitQuantile(w, q)
		put(name, "", ok, v/1e6, c.RoundsAnswered)
	}
	definitions := []struct {
		name        string
		part, whole int64
	}{
		{policy.DefinitionConversation, c.ConversationsMeanWithin, c.Conversations},
		{policy.DefinitionRound, c.RoundsWithin, c.Rounds},
		{policy.DefinitionMessage, c.MessagesWithin, c.Messages},
		{policy.DefinitionConversationStrict, c.ConversationsStrictWithin, c.Conversations},
	}
	for _, d := range definitions {
		if d.name == pol.Assessment.Definition {
			ratio(policy.ManualReplyRate, d.name, d.part, d.whole)
		}
	}
	for _, d := range definitions {
		ratio(policy.ManualReplyRate+"_"+d.name, d.name, d.part, d.whole)
	}
	seconds(policy.AvgResponseSeconds, c.WaitSumUs, c.RoundsAnswered)
	quantile(policy.P50ResponseSeconds, 0.50)
	quantile(policy.P90ResponseSeconds, 0.90)
	quantile(policy.P99ResponseSeconds, 0.99)
	seconds(policy.AvgFirstResponseSeconds, c.FirstWaitSumUs, c.FirstAnswered)
	ratio(policy.DissatisfactionRate, "", c.RatingsDissatisfied, c.Ratings)
	ratio(policy.UnansweredRate, "", c.ConversationsUnanswered, c.Conversations)
	put(policy.Takeovers, "", true, float64(w.Takeovers), 0)
	put(policy.BotSeconds, "", true, float64(botUS)/1e6, 0)
	if pol.Assessment.CountsViolations() {
		put(policy.ConfirmedViolations, "", true, float64(c.Violations), 0)
	}
	return out
}

// judge compares an indicator with its standard, if it has one, where there are samples enough: counted
// conversations, and for dissatisfaction ratings.
func judge(i *chatv1.Indicator, c *chatv1.Counts, pol *policy.Policy) {
	std, ok := pol.Assessment.StandardOf(i.Name)
	if !ok {
		return
	}
	i.HasStandard, i.Standard, i.Comparison = true, std.Value, std.Comparison
	samples := c.Conversations
	if i.Name == policy.DissatisfactionRate {
		samples = c.Ratings
	}
	switch {
	case !i.HasValue || samples < std.MinSamples:
		i.Verdict = chatv1.Verdict_VERDICT_NOT_JUDGED
	case std.Met(i.Value):
		i.Verdict = chatv1.Verdict_VERDICT_MET
	default:
		i.Verdict = chatv1.Verdict_VERDICT_MISSED
	}
}
