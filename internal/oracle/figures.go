package oracle

import (
	"slices"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// figures are a window's numbers as they stood at one tick.
type figures struct {
	counts    *chatv1.Counts
	waits     []int64 // of answered rounds, ascending
	takeovers int64
	botUS     int64
}

// count goes through everything that the window held when the tick came; whole as botTime has it.
func (s *shop) count(w *window, t tick, whole bool) figures {
	x := min(t.pos, w.final.pos)
	k := &chatv1.Counts{}
	f := figures{counts: k}

	standings := map[*conversation][]*round{}
	for _, r := range w.rounds {
		first := r.thing.firstAsOf(x)
		if first == nil || !first.assessed || first.at < w.start || first.at >= w.end {
			continue
		}
		standings[r.conversation] = append(standings[r.conversation], r.thing)
	}
	for _, rounds := range standings {
		var answered, within, sum int64
		for _, r := range rounds {
			if !r.answeredAsOf(x) {
				continue
			}
			answered++
			sum += r.wait()
			f.waits = append(f.waits, r.wait())
			if r.wait() <= s.limit(r.first().at) {
				within++
			}
			if r.numberInLife == 1 {
				k.FirstAnswered++
				k.FirstWaitSumUs += r.wait()
			}
		}
		k.Rounds += int64(len(rounds))
		k.RoundsAnswered += answered
		k.RoundsWithin += within
		k.WaitSumUs += sum
		k.Conversations++
		if answered == 0 {
			k.ConversationsUnanswered++
		} else if sum <= answered*w.policy.Assessment.ResponseLimitUS {
			k.ConversationsMeanWithin++
		}
		if within == int64(len(rounds)) {
			k.ConversationsStrictWithin++
		}
	}
	slices.Sort(f.waits)

	for _, m := range w.messages {
		if m.pos >= x || m.goneAt < x {
			continue
		}
		k.Messages++
		if m.goodAt < x {
			k.MessagesWithin++
		}
	}
	for _, r := range w.ratings {
		if r.pos >= x {
			continue
		}
		k.Ratings++
		k.RatingsSum += int64(r.score)
		if r.dissatisfied {
			k.RatingsDissatisfied++
		}
	}
	for _, v := range w.violations {
		if v.pos < x {
			k.Violations++
		}
	}
	for _, o := range w.takeovers {
		if o.begunPos < x {
			f.takeovers++
		}
	}
	f.botUS = s.botTime(w, x, whole)
	return f
}

// botTime is the assessed time of the window in bot reception, as of x. A takeover that lasts goes to the
// window's end when whole is set, as in final snapshots and decisions, and else to the shop's takeover time.
func (s *shop) botTime(w *window, x int, whole bool) int64 {
	upTo := w.end
	if !whole {
		upTo = s.takeoverTime(x)
	}
	var sum int64
	for _, t := range s.takeovers {
		if t.begunPos >= x {
			break
		}
		end := upTo
		if t.endedPos < x {
			end = t.record.EndedAtUs
		}
		from, to := max(t.record.StartedAtUs, w.start), min(end, w.end)
		sum += s.clock.openWithin(s.clock.assessed[w.policy], from, to)
	}
	return sum
}

// takeoverTime is the time that takeovers go by, as of x.
func (s *shop) takeoverTime(x int) int64 {
	var at int64
	for i := range s.moves {
		if s.moves[i].pos >= x {
			break
		}
		at = s.moves[i].shopAt
	}
	return at
}

const secondUS = 1e6

// indicators are the figures by name, in the order that the record fixes.
func (f figures) indicators(p *policy.Policy) []*chatv1.Indicator {
	k := f.counts
	definitions := map[string][2]int64{
		"conversation":        {k.ConversationsMeanWithin, k.Conversations},
		"round":               {k.RoundsWithin, k.Rounds},
		"message":             {k.MessagesWithin, k.Messages},
		"conversation_strict": {k.ConversationsStrictWithin, k.Conversations},
	}
	var out []*chatv1.Indicator
	add := func(name, definition string, samples int64, value float64) {
		i := &chatv1.Indicator{Name: name, HasValue: samples > 0, Samples: samples, Definition: definition}
		if i.HasValue {
			i.Value = value
		}
		f.judge(i, p)
		out = append(out, i)
	}
	ratio := func(name, definition string, part, whole int64) {
		add(name, definition, whole, float64(part)/float64(whole))
	}
	rate := func(name, definition string) {
		ratio(name, definition, definitions[definition][0], definitions[definition][1])
	}
	mean := func(name string, sumUS, n int64) { add(name, "", n, float64(sumUS)/float64(n)/secondUS) }
	quantile := func(name string, hundredths int) {
		n := len(f.waits)
		value := 0.0
		if n > 0 {
			rank := (hundredths*n + 99) / 100
			value = float64(f.waits[rank-1]) / secondUS
		}
		add(name, "", int64(n), value)
	}
	rate("manual_reply_3min_rate", p.Assessment.Definition)
	rate("manual_reply_3min_rate_conversation", "conversation")
	rate("manual_reply_3min_rate_round", "round")
	rate("manual_reply_3min_rate_message", "message")
	rate("manual_reply_3min_rate_conversation_strict", "conversation_strict")
	mean("avg_response_seconds", k.WaitSumUs, k.RoundsAnswered)
	quantile("p50_response_seconds", 50)
	quantile("p90_response_seconds", 90)
	quantile("p99_response_seconds", 99)
	mean("avg_first_response_seconds", k.FirstWaitSumUs, k.FirstAnswered)
	ratio("dissatisfaction_rate", "", k.RatingsDissatisfied, k.Ratings)
	ratio("unanswered_rate", "", k.ConversationsUnanswered, k.Conversations)
	// The last ones have no denominator; they always have a value.
	sums := []*chatv1.Indicator{
		{Name: "takeovers", HasValue: true, Value: float64(f.takeovers)},
		{Name: "bot_seconds", HasValue: true, Value: float64(f.botUS) / secondUS},
	}
	if countsViolations(p) {
		sums = append(sums, &chatv1.Indicator{Name: "confirmed_violations", HasValue: true, Value: float64(k.Violations)})
	}
	for _, sum := range sums {
		f.judge(sum, p)
		out = append(out, sum)
	}
	return out
}

// judge compares an indicator with its standard, where it has one.
func (f figures) judge(i *chatv1.Indicator, p *policy.Policy) {
	i.Verdict = chatv1.Verdict_VERDICT_REPORTED
	for _, standard := range p.Assessment.Standards {
		if standard.Indicator != i.Name {
			continue
		}
		i.HasStandard, i.Standard, i.Comparison = true, standard.Value, standard.Comparison
		samples := f.counts.Conversations
		if i.Name == "dissatisfaction_rate" {
			samples = f.counts.Ratings
		}
		met := i.Value >= standard.Value
		if standard.Comparison == "<=" {
			met = i.Value <= standard.Value
		}
		switch {
		case !i.HasValue || samples < standard.MinSamples:
			i.Verdict = chatv1.Verdict_VERDICT_NOT_JUDGED
		case met:
			i.Verdict = chatv1.Verdict_VERDICT_MET
		default:
			i.Verdict = chatv1.Verdict_VERDICT_MISSED
		}
	}
}
