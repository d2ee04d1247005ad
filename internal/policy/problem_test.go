package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestProblems: what a user reads when a file is wrong.
func TestProblems(t *testing.T) {
	t.Parallel()
	text := string(DefaultYAML())
	line := func(part string) int {
		before, _, ok := strings.Cut(text, part)
		if !ok {
			t.Fatalf("default.yaml has no %q", part)
		}
		return 1 + strings.Count(before, "\n")
	}
	// check puts now in place of was and expects one problem at the line of was: path and words.
	check := func(name, was, now, path string, words ...string) {
		t.Helper()
		_, err := Parse("policy.yaml", []byte(strings.Replace(text, was, now, 1)))
		if err == nil {
			t.Errorf("%s: no problem", name)
			return
		}
		where := fmt.Sprintf("policy.yaml:%d: %s: ", line(was), path)
		if path == "" {
			where = fmt.Sprintf("policy.yaml:%d: ", line(was))
		}
		got := err.Error()
		if !strings.HasPrefix(got, where) || strings.Contains(got, "\n") {
			t.Errorf("%s: %q, want one line %q", name, got, where)
		}
		for _, w := range words {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q does not say %q", name, got, w)
			}
		}
		var p Problem
		if !errors.As(err, &p) || p.Path != path || p.Line != line(was) || p.File != "policy.yaml" {
			t.Errorf("%s: problem %+v", name, p)
		}
	}
	const (
		assessed = `assessed_time: ["08:00-23:00"]`
		v        = "versions[0]."
	)
	check("overlapping windows", assessed, `assessed_time: ["08:00-12:00", "11:00-23:00"]`,
		v+"assessment.assessed_time[1]", `"11:00-23:00"`, `"08:00-12:00"`, "touch but not overlap")
	check("same window twice", assessed, `assessed_time: ["08:00-12:00", "08:00-12:00"]`, v+"assessment.assessed_time[1]", "overlaps window 0")
	check("window no list", assessed, `assessed_time: "08:00-23:00"`, v+"assessment.assessed_time", "want a list")
	check("no window", assessed, `assessed_time: []`, v+"assessment.assessed_time", "at least 1")
	check("empty value", assessed, `assessed_time:`, v+"assessment.assessed_time", "is empty")
	check("strange window", assessed, `assessed_time: [8-23]`, v+"assessment.assessed_time[0]", `"08:00-23:00"`)
	check("inclusive window", assessed, `assessed_time: ["08:00:00-22:59:59"]`, v+"assessment.assessed_time[0]", "half-open")
	check("window across midnight", assessed, `assessed_time: ["22:00-06:00"]`, v+"assessment.assessed_time[0]", "24:00")
	check("no hour 25", assessed, `assessed_time: [08:00-25:00]`, v+"assessment.assessed_time[0]", `"25:00"`)
	check("negative number", "unreplied_limit: 10", "unreplied_limit: -1", v+"reception.unreplied_limit", "is -1", "from 1 to 1000")
	check("text for a number", "unreplied_limit: 10", "unreplied_limit: ten", v+"reception.unreplied_limit", `text "ten"`)
	check("fraction for a whole", "unreplied_limit: 10", "unreplied_limit: 10.5", v+"reception.unreplied_limit", "10.5")
	check("unknown choice", "unit: message", "unit: messages", v+"reception.unit", "message, conversation")
	check("truth for a choice", "unit: message", "unit: true", v+"reception.unit", "is true")
	check("unsupported choice", "outside_hours: keep", "outside_hours: clear", v+"reception.outside_hours", "want keep")
	check("unknown zone", "Asia/Shanghai", "Asia/Peking", "time_zone", `"Asia/Peking"`, "IANA")
	check("the machine's zone", "Asia/Shanghai", "Local", "time_zone", `"Local"`)
	check("unknown indicator", "indicator: avg_response_seconds", "indicator: response_seconds",
		v+"assessment.standards[1].indicator", `"response_seconds"`, "avg_response_seconds", "bot_seconds")
	check("second standard", "indicator: dissatisfaction_rate", "indicator: avg_response_seconds",
		v+"assessment.standards[2].indicator", "standards[1]")
	check("share above 1", "value: 0.70", "value: 70", v+"assessment.standards[0].value", "from 0 to 1")
	check("negative standard", "value: 0.70", "value: -0.70", v+"assessment.standards[0].value", "is -0.7")
	check("unknown comparison", `comparison: ">="`, `comparison: ">"`, v+"assessment.standards[0].comparison", ">=, <=")
	check("no time", "effective_from: always", "effective_from: tomorrow", v+"effective_from", `"tomorrow"`, "2026-11-01")
	check("no such day", "effective_from: always", "effective_from: 2026-02-30", v+"effective_from", "2026-02")
	check("no such hour", "effective_from: always", "effective_from: 2026-02-28T25:00:00Z", v+"effective_from", "no time")
	check("duration without unit", "response_limit: 180s", "response_limit: 180", v+"assessment.response_limit", "number 180", "180s")
	check("negative duration", "response_limit: 180s", "response_limit: -180s", v+"assessment.response_limit", `"-180s"`)
	check("no duration", "response_limit: 180s", "response_limit: 3 min", v+"assessment.response_limit", `"3 min"`)
	check("zero duration", "response_limit: 180s", "response_limit: 0s", v+"assessment.response_limit", "more than 0")
	check("endless duration", "response_limit: 180s", "response_limit: 99999999999999999999d", v+"assessment.response_limit", "36500d")
	check("checkpoints out of order", "[0h, 1h, 6h, 24h]", "[0h, 6h, 1h, 24h]", v+"assessment.checkpoints[2]", "1h", "6h", "ascending")
	check("checkpoint twice", "[0h, 1h, 6h, 24h]", "[0h, 0s]", v+"assessment.checkpoints[1]", "ascending")
	check("checkpoint too late", "[0h, 1h, 6h, 24h]", "[0h, 30d]", v+"assessment.checkpoints[1]", "at most 10d")
	check("checkpoint between seconds", "[0h, 1h, 6h, 24h]", "[0h, 1ms]", v+"assessment.checkpoints[1]", "whole number of seconds")
	check("no checkpoint", "[0h, 1h, 6h, 24h]", "[]", v+"assessment.checkpoints", "at least 1")
	check("score twice", "[1, 2]", "[1, 1]", v+"assessment.dissatisfied_scores[1]", "repeats item 0")
	check("score out of range", "[1, 2]", "[0]", v+"assessment.dissatisfied_scores[0]", "from 1 to 5")
	check("version is a number", `version: "2026.1"`, "version: 2026.1", v+"version", "quotes")
	check("size without unit", "text_limit: 16KiB", "text_limit: 16384", v+"messages.text_limit", "16KiB")
	check("size too large", "text_limit: 16KiB", "text_limit: 1MiB", v+"messages.text_limit", "512KiB")
	check("size zero", "text_limit: 16KiB", "text_limit: 0B", v+"messages.text_limit", "1B")
	check("consumers' category with a shop's rule", "exposure: none", "exposure: spam", v+"violations.categories.malicious_claim.kinds.exposure", "want none")
	check("shops' category without a rule", "email: transaction_flow", "email: none", v+"violations.categories.third_party_info.kinds.email", "merchant rule")
	check("odd kind", "exposure: none", "Exposure!: none", v+`violations.categories.malicious_claim.kinds."Exposure!"`, "small letters")
	check("mutes that get shorter", "[2d, forever]", "[forever, 2d]", v+"penalties.consumer.mutes[1]", "shorter")
	check("milestones out of order", "points: 24,", "points: 12,", v+"penalties.merchant.milestones[1].points", "ascending")
	check("unknown restriction", "shop_closed], for", "shop_close], for", v+"penalties.merchant.milestones[3].restrictions[3]", "shop_closed")
	check("points that fall", "low: 2, medium: 2", "low: 3, medium: 2", v+"violations.merchant_rules.spam.points", "low <= medium <= high")
	check("confidence above 1", "auto_confirm: 0.90", "auto_confirm: 1.5", v+"violations.categories.third_party_info.auto_confirm", "from 0 to 1")
	check("confidence no number", "auto_confirm: 0.90", "auto_confirm: .nan", v+"violations.categories.third_party_info.auto_confirm", "finite")
	check("anchor", "Asia/Shanghai", "&z Asia/Shanghai", "time_zone", "aliases")
	check("tag", "Asia/Shanghai", "!!str Asia/Shanghai", "time_zone", "tags")
	check("merge", "outside_hours: keep", "<<: {outside_hours: keep}", v+"reception", "merging")
	check("open bracket", "time_zone: Asia/Shanghai", "time_zone: [", "", "is not YAML")
	check("not UTF-8", "time_zone: Asia/Shanghai", "time_zone: \xff", "", "UTF-8")
	check("too deep", "time_zone: Asia/Shanghai", "time_zone: "+strings.Repeat("[", 1000), "", "too deep")
	check("list in list in list", "time_zone: Asia/Shanghai", "time_zone: "+strings.Repeat("- ", 100)+"a", "", "too deep")
}

func TestProblemsOfFiles(t *testing.T) {
	t.Parallel()
	check := func(name, text, want string) {
		t.Helper()
		_, err := Parse("policy.yaml", []byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	check("nothing", "", "policy.yaml: is empty")
	check("comments only", "# nothing\n", "policy.yaml: is empty")
	check("a word", "word\n", `policy.yaml:1: is the text "word"`)
	check("a list", "- a\n", "policy.yaml:1: is a list; want a policy file")
	check("two documents", string(defaultYAML)+"---\ntime_zone: UTC\n", fmt.Sprintf("policy.yaml:%d: holds a second YAML document", 2+strings.Count(string(defaultYAML), "\n")))
	check("key twice", "time_zone: UTC\ntime_zone: UTC\n", "policy.yaml:2: time_zone: is there twice, first on line 1")
	check("too long", strings.Repeat(" ", maxBytes+1), "policy.yaml: is longer than 1 MiB")
	check("not UTF-8", "a: b\nc: \xc3\x28\n", "policy.yaml:2: is not UTF-8")
}

// TestAccepted: what editors and people add to a file does no harm.
func TestAccepted(t *testing.T) {
	t.Parallel()
	check := func(name, doc string) {
		t.Helper()
		s, err := Parse("policy.yaml", []byte(doc))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		got, want := *s.At(0), *Default().At(0)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	doc := string(defaultYAML)
	check("byte order mark", "\ufeff"+doc)
	check("Windows line ends", strings.ReplaceAll(doc, "\n", "\r\n"))
	check("a ruler", "# "+strings.Repeat("-", 80)+"\n"+doc)
	check("intervals in comments", doc+strings.Repeat("# [08:00, 23:00)\n", 50))
	check("intervals beside values", strings.ReplaceAll(doc, "severity: high\n", "severity: high # [[[[[[[[[[[[\n"))
	check("document marks", "---\n"+doc+"...\n")
	check("JSON", asJSON(t))
}

func asJSON(t *testing.T) string {
	t.Helper()
	out, err := json.Marshal(tree(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestProblemsOfVersions(t *testing.T) {
	t.Parallel()
	check := func(name, want string, effective ...string) {
		t.Helper()
		_, err := Parse("policy.yaml", versions(t, effective...))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	check("in order", "", "always", "2026-01-01", "2026-01-01T00:00:01+08:00")
	check("out of order", "versions[2].effective_from: 2026-01-01 is not after 2026-02-01", "always", "2026-02-01", "2026-01-01")
	check("same day", "versions[1].effective_from: 2026-02-01 is not after 2026-02-01", "2026-02-01", "2026-02-01")
	check("same instant, written otherwise", "versions[1].effective_from: 2026-01-31T16:00:00Z is not after", "2026-02-01", "2026-01-31T16:00:00Z")
	check("always twice", "versions[1].effective_from: only the first version can be in force always", "always", "always")
	check("none", "versions: has 0 items")

	doc := strings.Replace(string(versions(t, "always", "2026-01-01")), "version: v2", "version: v1", 1)
	if _, err := Parse("policy.yaml", []byte(doc)); err == nil || !strings.Contains(err.Error(), `versions[1].version: "v1" is the name of versions[0] too`) {
		t.Errorf("a name twice: %v", err)
	}
}

// TestEveryKey: each key of the file is needed, none can be added, and none takes a value of another type.
func TestEveryKey(t *testing.T) {
	t.Parallel()
	refused := func(what, path string, doc any, words string) {
		t.Helper()
		err := (&source{name: "policy.yaml", value: doc}).validate()
		if err == nil {
			t.Errorf("%s: %s is accepted", path, what)
			return
		}
		if !strings.Contains(err.Error(), " "+path+": ") || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %s: %v", path, what, err)
		}
	}
	root := tree(t)
	keys := 0
	keyPaths(root, "", func(path, key string, in map[string]any) {
		keys++
		was := in[key]
		if !strings.Contains(path, ".kinds.") {
			delete(in, key)
			refused("being left out", path, root, "is missing; want ")
		}
		in[key] = map[string]any{"strange": 1}
		if _, mapping := was.(map[string]any); mapping {
			in[key] = "strange"
			refused("a text for a mapping", path, root, "want ")
		} else {
			refused("a mapping", path, root, "want ")
		}
		in[key] = nil
		refused("nothing", path, root, "is empty; want ")
		switch v := was.(type) {
		case float64:
			in[key] = -1
			refused("-1", path, root, "is -1; want ")
		case map[string]any:
			in[key] = v
			if !strings.HasSuffix(path, ".kinds") {
				v["strange_key"] = 1
				refused("another key", path+".strange_key", root, "unknown key; known here: ")
				delete(v, "strange_key")
			}
		}
		in[key] = was
	})
	if _, err := Parse("policy.yaml", text(t, root)); err != nil || keys < 150 {
		t.Errorf("after %d keys: %v", keys, err)
	}
}

// TestManyProblems: all are told, in order, up to a limit.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	doc := strings.NewReplacer("unit: message\n", "unit: word\n", "clock_skew: 10m", "clock_skew: 10", "ban_on_loss: true", "ban_on_loss: yes please").Replace(string(defaultYAML))
	_, err := Parse("policy.yaml", []byte(doc))
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 3 || ps[0].Path != "versions[0].reception.unit" || ps[1].Path != "versions[0].messages.clock_skew" || ps[2].Path != "versions[0].penalties.consumer.ban_on_loss" {
		t.Errorf("problems: %v", err)
	}
	_, err = Parse("policy.yaml", []byte("time_zone: UTC\nversions: ["+strings.Repeat("1,", 100)+"]"))
	if !errors.As(err, &ps) || len(ps) != maxProblems+1 || !strings.Contains(err.Error(), "and 80 more problems") {
		t.Errorf("problems: %v", err)
	}
}
