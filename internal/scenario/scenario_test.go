package scenario_test

import (
	"maps"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestCoverage makes sure that the scenarios reach every rule.
func TestCoverage(t *testing.T) {
	t.Parallel()
	const seeds = 2000
	happened := map[string]int{}
	for _, feature := range features {
		happened[feature] = 0
	}
	events := 0
	for seed := range uint64(seeds) {
		s := scenario.Generate(seed)
		events += len(s.Log)
		note := func(feature string, n int) {
			if n > 0 {
				happened[feature] += n
			}
		}
		note("policy "+s.PolicyName, 1)
		count(note, oracle.Run(s.Policy, s.Log))
	}
	t.Logf("%d events in %d logs", events, seeds)
	for _, feature := range slices.Sorted(maps.Keys(happened)) {
		t.Logf("%7d %s", happened[feature], feature)
		if happened[feature] == 0 {
			t.Errorf("%s: happened in none of %d scenarios", feature, seeds)
		}
	}
}

var features = []string{
	"policy default", "policy low samples", "policy low limit", "policy unit conversation", "policy resume only",
	"policy resume keeps counts", "policy violations count", "violation", "violation missed", "decision for violations alone", "policy definition message", "policy definition strict", "policy several versions",
	"takeover (a)", "takeover (b)", "takeover ended by reply",
	"takeover ended by resume", "takeover lasting", "second takeover", "takeover at the built-in limit",
	"round open", "round answered", "round expired", "round closed", "round withdrawn", "round not counted",
	"round within exactly", "round past the limit by 1 µs", "round answered over midnight",
	"life open", "life closed", "life lapsed", "life first answered", "rating", "rating of an older life", "rating ignored",
	"decision", "decision revision 2", "decision revision 3", "decision restricted", "decision not restricted",
	"decision first looked at late", "decision that lifts", "look without a row",
	"verdict VERDICT_REPORTED", "verdict VERDICT_NOT_JUDGED", "verdict VERDICT_MET", "verdict VERDICT_MISSED",
	"indicator without a value", "window final", "window pending", "window running", "window untold", "bot time",
	"repeat", "left out", "time backwards", "taken back", "start moved", "pushed out", "unreplied taken back",
	"late change", "late window", "log without ticks", "bot change", "definition differs",
}

func count(note func(string, int), r *oracle.Result) {
	if !r.HasNow {
		note("log without ticks", 1)
	}
	numbers := map[string]int64{}
	for _, o := range r.Takeovers {
		numbers[o.ShopId] = o.Number
		switch {
		case o.Trigger == chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_ACROSS_CONSUMERS:
			note("takeover (b)", 1)
		default:
			note("takeover (a)", 1)
		}
		if o.Limit == 10 {
			note("takeover at the built-in limit", 1)
		}
		switch o.End {
		case chatv1.TakeoverEnd_TAKEOVER_END_MANUAL_REPLY:
			note("takeover ended by reply", 1)
		case chatv1.TakeoverEnd_TAKEOVER_END_RESUMED:
			note("takeover ended by resume", 1)
		default:
			note("takeover lasting", 1)
		}
		if o.Number == 2 {
			note("second takeover", 1)
		}
	}
	for _, o := range r.Rounds {
		note(map[chatv1.RoundOutcome]string{
			chatv1.RoundOutcome_ROUND_OUTCOME_OPEN:      "round open",
			chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED:  "round answered",
			chatv1.RoundOutcome_ROUND_OUTCOME_EXPIRED:   "round expired",
			chatv1.RoundOutcome_ROUND_OUTCOME_CLOSED:    "round closed",
			chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN: "round withdrawn",
		}[o.Outcome], 1)
		if !o.Counted {
			note("round not counted", 1)
		}
		switch o.WaitUs {
		case 180e6:
			note("round within exactly", 1)
		case 180e6 + 1:
			note("round past the limit by 1 µs", 1)
		}
		if o.WaitUs > 0 && (o.StartedAtUs+8*3600e6)/86400e6 != (o.EndedAtUs+8*3600e6)/86400e6 {
			note("round answered over midnight", 1)
		}
	}
	for _, l := range r.Lives {
		switch l.End {
		case chatv1.LifeEnd_LIFE_END_CLOSED:
			note("life closed", 1)
		case chatv1.LifeEnd_LIFE_END_LAPSED:
			note("life lapsed", 1)
		default:
			note("life open", 1)
		}
		if l.FirstReplyAtUs != 0 {
			note("life first answered", 1)
		}
	}
	lives := map[[2]string]int64{}
	for _, l := range r.Lives {
		lives[[2]string{l.ShopID, l.ConversationID}] = l.Life
	}
	for _, o := range r.Ratings {
		note("rating", 1)
		if o.Life < lives[[2]string{o.ShopID, o.ConversationID}] {
			note("rating of an older life", 1)
		}
	}
	for i, d := range r.Decisions {
		note("decision", 1)
		switch d.Revision {
		case 2:
			note("decision revision 2", 1)
			if r.Decisions[i-1].Restricted && !d.Restricted {
				note("decision that lifts", 1)
			}
		case 3:
			note("decision revision 3", 1)
		case 1:
			if d.CheckpointSeconds > 0 {
				note("decision first looked at late", 1)
			}
		}
		if d.Restricted {
			note("decision restricted", 1)
		} else {
			note("decision not restricted", 1)
		}
	}
	for _, k := range r.Kpis {
		switch {
		case k.Final:
			note("window final", 1)
		case k.Pending:
			note("window pending", 1)
		default:
			note("window running", 1)
		}
		if k.BotUs > 0 {
			note("bot time", 1)
		}
		if k.Indicators[0].Value != k.Indicators[1].Value || k.Indicators[1].Value != k.Indicators[4].Value {
			note("definition differs", 1)
		}
		for _, i := range k.Indicators {
			note("verdict "+i.Verdict.String(), 1)
			if !i.HasValue {
				note("indicator without a value", 1)
			}
		}
	}
	note("window untold", len(r.Untold))
	note("rating ignored", r.Seen.RatingsIgnored)
	note("repeat", r.Seen.Repeats)
	note("left out", r.Seen.LeftOut)
	note("time backwards", r.Seen.TimesBackwards)
	note("taken back", r.Seen.TakenBack)
	note("start moved", r.Seen.StartsMoved)
	note("pushed out", r.Seen.PushedOut)
	note("unreplied taken back", r.Seen.UnrepliedBack)
	note("late change", r.Seen.LateChanges)
	note("late window", r.Seen.LateWindows)
	note("look without a row", r.Seen.LooksWithoutRow)
	note("bot change", r.Seen.BotChanges)
	note("violation", r.Seen.Violations)
	for _, d := range r.Decisions {
		if slices.Contains(d.Missed, "confirmed_violations") {
			note("violation missed", 1)
			if len(d.Missed) == 1 {
				note("decision for violations alone", 1)
			}
		}
	}
}

// TestSameSeedSameLog holds two logs of one seed against each other.
func TestSameSeedSameLog(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		a, b := scenario.Generate(seed), scenario.Generate(seed)
		if a.PolicyName != b.PolicyName || !slices.EqualFunc(a.Log, b.Log, sameRecord) {
			t.Errorf("seed %d: two different logs", seed)
		}
	}
}

func sameRecord(a, b oracle.Record) bool {
	return a.Offset == b.Offset && proto.Equal(a.Event, b.Event)
}

// TestPartitionsTogetherHoldTheLog deals a log out and puts the parts' results together again.
func TestPartitionsTogetherHoldTheLog(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenario.Draw(t)
		want := oracle.Run(s.Policy, renumbered(s.Log, 0))
		got := &oracle.Result{}
		for _, part := range s.Partitions(3) {
			r := oracle.Run(s.Policy, part)
			got.Kpis = append(got.Kpis, r.Kpis...)
			got.Decisions = append(got.Decisions, r.Decisions...)
			got.Lives = append(got.Lives, r.Lives...)
			got.Ratings = append(got.Ratings, r.Ratings...)
		}
		want.Rounds, want.Takeovers = nil, nil // they name offsets
		for _, d := range oracle.Compare(want, got) {
			t.Error(d)
		}
	})
}

func renumbered(log []oracle.Record, from int64) []oracle.Record {
	out := slices.Clone(log)
	for i := range out {
		out[i].Offset = from + int64(i)
	}
	return out
}
