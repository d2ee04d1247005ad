package scenario_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestCaseCoverage makes sure that the cases reach every rule of the ladder.
func TestCaseCoverage(t *testing.T) {
	t.Parallel()
	const seeds = 1500
	happened := map[string]int{}
	for _, feature := range []string{
		"shield", "mute", "ban", "points", "milestone", "order flag", "mute for some time", "mute for good", "second offence", "third offence",
		"points for good", "milestone of 12", "milestone of 24", "milestone of 36", "milestone of 48", "second milestone of a shop", "banned and muted",
		"sanction changed", "sanction reversed", "sanction in force again", "appeal late", "appeal taken", "appeal granted", "flag gone",
		"step without effect", "account without points any more",
	} {
		happened[feature] = 0
	}
	for seed := range uint64(seeds) {
		s := scenario.GenerateCases(seed)
		p := oracle.RunCases(s.Policy, s.Log)
		happened["policy "+s.PolicyName]++
		happened["sanction changed"] += p.Seen.Reissued
		happened["sanction reversed"] += p.Seen.Reversed
		happened["sanction in force again"] += p.Seen.Restored
		happened["appeal late"] += p.Seen.AppealsLate
		happened["appeal taken"] += p.Seen.AppealsTaken
		happened["appeal granted"] += p.Seen.Granted
		happened["flag gone"] += p.Seen.Gone
		happened["step without effect"] += p.Seen.Without
		milestones := map[string]int{}
		for _, x := range p.Issued {
			note := func(feature string, so bool) {
				if so {
					happened[feature]++
				}
			}
			kind := x.Kind
			note("shield", kind == chatv1.SanctionKind_SANCTION_KIND_SHIELD)
			note("mute", kind == chatv1.SanctionKind_SANCTION_KIND_MUTE)
			note("mute for some time", kind == chatv1.SanctionKind_SANCTION_KIND_MUTE && x.UntilUs != 0)
			note("mute for good", kind == chatv1.SanctionKind_SANCTION_KIND_MUTE && x.UntilUs == 0)
			note("ban", kind == chatv1.SanctionKind_SANCTION_KIND_BAN)
			note("points", kind == chatv1.SanctionKind_SANCTION_KIND_POINTS)
			note("points for good", kind == chatv1.SanctionKind_SANCTION_KIND_POINTS && x.UntilUs == 0)
			note("order flag", kind == chatv1.SanctionKind_SANCTION_KIND_ORDER_FLAG)
			note("second offence", x.Offence == 2)
			note("third offence", x.Offence == 3)
			if kind == chatv1.SanctionKind_SANCTION_KIND_MILESTONE {
				note("milestone", true)
				note(map[int32]string{12: "milestone of 12", 24: "milestone of 24", 36: "milestone of 36", 48: "milestone of 48"}[x.Points], true)
				milestones[x.Offender.Id]++
				note("second milestone of a shop", milestones[x.Offender.Id] == 2)
			}
		}
		for _, a := range p.Accounts {
			if a.Banned && a.MutedUntilUS == math.MaxInt64 {
				happened["banned and muted"]++
			}
			if a.Offender.Kind == chatv1.OffenderKind_OFFENDER_KIND_SHOP && a.Points == 0 {
				happened["account without points any more"]++
			}
		}
	}
	for _, feature := range slices.Sorted(maps.Keys(happened)) {
		t.Logf("%7d %s", happened[feature], feature)
		if happened[feature] == 0 {
			t.Errorf("%s: happened in none of %d scenarios", feature, seeds)
		}
	}
}

func TestSameSeedSameCases(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		a, b := scenario.GenerateCases(seed), scenario.GenerateCases(seed)
		if a.PolicyName != b.PolicyName || !slices.EqualFunc(a.Log, b.Log, func(a, b oracle.CaseRecord) bool {
			return a.Offset == b.Offset && proto.Equal(a.Case, b.Case)
		}) {
			t.Errorf("seed %d: two different logs", seed)
		}
	}
}
