package scenario

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/feigeio/feige/internal/policy"
)

// Variant is a policy with a name.
type Variant struct {
	Name string
	Set  *policy.Set
}

// edit replaces the value of a key of the built-in policy's version.
type edit struct{ key, value string }

// violations adds a standard for confirmed ones.
func violations(text string) string {
	return strings.Replace(text, "      standards:\n", "      standards:\n        - {indicator: confirmed_violations, comparison: \"<=\", value: 1, min_samples: 1}\n", 1)
}

var lowSamples = edit{"min_samples", "1"}

// Policies are policies under which different rules fire: the built-in one and others made from it.
func Policies() []Variant { return policies() }

var policies = sync.OnceValue(func() []Variant {
	several := []string{
		version("one", "always", lowSamples, edit{"unreplied_limit", "4"}),
		version("two", `"2024-02-29"`, lowSamples, edit{"unreplied_limit", "2"}, edit{"response_limit", "60s"},
			edit{"round_expiry", "12h"}, edit{"life_lapse", "36h"}, edit{"assessed_time", `["09:00-12:00", "13:30-21:00"]`}),
		version("three", `"2024-02-29T20:00:00+08:00"`, lowSamples, edit{"unreplied_limit", "6"},
			edit{"working_hours", `["00:00-24:00"]`}, edit{"definition", "round"}, edit{"dissatisfied_scores", "[1, 2, 3]"},
			edit{"checkpoints", "[0h, 30m, 12h]"}),
		version("four", `"2024-03-01"`, lowSamples, edit{"manual_reply_kinds", "[text]"},
			edit{"hand_back", "resume_only"}, edit{"resume_clears_counts", "false"}),
		version("five", `"2024-03-16T08:00:00+08:00"`, lowSamples, edit{"definition", "conversation_strict"}, edit{"unreplied_limit", "3"}),
	}
	several[2] = violations(several[2])
	return []Variant{
		variant("default", version("default", "always")),
		variant("low samples", version("low", "always", lowSamples)),
		variant("low limit", version("limit", "always", lowSamples, edit{"unreplied_limit", "2"})),
		variant("unit conversation", version("unit", "always", lowSamples, edit{"unit", "conversation"}, edit{"unreplied_limit", "2"})),
		variant("resume only", version("resume", "always", lowSamples, edit{"hand_back", "resume_only"}, edit{"unreplied_limit", "3"})),
		variant("resume keeps counts", version("keeps", "always", lowSamples, edit{"resume_clears_counts", "false"}, edit{"unreplied_limit", "3"})),
		variant("cleared the other way", version("cleared", "always", lowSamples, edit{"unreplied_limit", "3"},
			edit{"same_consumer_cleared_by", "reply_to_anyone"}, edit{"across_consumers_cleared_by", "reply_to_consumer"})),
		variant("definition message", version("message", "always", lowSamples, edit{"definition", "message"})),
		variant("definition strict", version("strict", "always", lowSamples, edit{"definition", "conversation_strict"}, edit{"min_samples", "2"})),
		variant("violations count", violations(version("violations", "always", lowSamples))),
		variant("several versions", several...),
	}
})

// CasePolicies are policies under which penalties differ.
func CasePolicies() []Variant { return casePolicies() }

var casePolicies = sync.OnceValue(func() []Variant {
	quick := []edit{{"mutes", "[1d, 3d, 10d]"}, {"points_expire_after", "20d"}, {"appeals", "[5d, 4d, 3d]"}}
	several := []string{
		version("one", "always"),
		version("two", `"2024-03-01"`, append(quick, edit{"ban_categories", "[spam]"})...),
		version("three", `"2024-03-05T20:00:00+08:00"`, edit{"ban_on_loss", "false"}, edit{"shield", "false"}, edit{"flag_orders", "false"},
			edit{"appeals", "[30d]"}, edit{"mutes", "[forever]"}, edit{"points_expire_after", "forever"}),
		version("four", `"2024-04-01"`, edit{"ban_categories", "[]"}, edit{"points_expire_after", "90d"}),
	}
	return []Variant{
		variant("default", version("default", "always")),
		variant("quick", version("quick", "always", quick...)),
		variant("points for good", version("points", "always", edit{"points_expire_after", "forever"}, edit{"appeals", "[365d, 365d]"})),
		variant("no shields", version("bare", "always", edit{"shield", "false"}, edit{"flag_orders", "false"}, edit{"ban_on_loss", "false"})),
		variant("several versions", several...),
	}
})

// version is the text of one version of the built-in policy with other values.
func version(name, from string, edits ...edit) string {
	_, text, found := strings.Cut(string(policy.DefaultYAML()), "\nversions:\n")
	if !found {
		panic("built-in policy: no versions")
	}
	for _, e := range append([]edit{{"version", `"` + name + `"`}, {"effective_from", from}}, edits...) {
		key := regexp.MustCompile(`(?m)\b` + e.key + `: ([^\[{,}\n]+|\[[^\]\n]*\])`)
		if !key.MatchString(text) {
			panic(fmt.Sprintf("built-in policy: no key %q", e.key))
		}
		text = key.ReplaceAllLiteralString(text, e.key+": "+e.value)
	}
	return text
}

func variant(name string, versions ...string) Variant {
	set, err := policy.Parse(name+".yaml", []byte("time_zone: Asia/Shanghai\nversions:\n"+strings.Join(versions, "\n")))
	if err != nil {
		panic(fmt.Sprintf("policy %q: %v", name, err))
	}
	return Variant{Name: name, Set: set}
}
