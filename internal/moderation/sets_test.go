package moderation

import (
	"encoding/csv"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/feigeio/feige/internal/moderation/testset"
	"github.com/feigeio/feige/internal/policy"
)

func build(t testing.TB) *Moderator {
	t.Helper()
	m, err := New(DefaultConfig(), Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var defaultPolicy = sync.OnceValue(func() *policy.Policy { return policy.Default().At(0) })

func subject(text string) Subject { return Subject{Text: text, Policy: defaultPolicy()} }

// shown bounds the mistakes that a failing test prints.
const shown = 20

// TestSyntheticSets: at least 95 of 100 evasions are found, at most 1 of 100 hard negatives and 3 of 1,000 sentences
// of service chat are flagged, on either half of the vocabulary. No seed here is one that was looked at while the
// detectors were written.
func TestSyntheticSets(t *testing.T) {
	t.Parallel()
	m := build(t)
	size := 2000
	if raceDetector {
		size = 300
	}
	for half, name := range map[testset.Half]string{testset.Development: "development", testset.HeldOut: "held out"} {
		measure := func(set string, samples []testset.Sample, atLeast, atMost float64) {
			t.Helper()
			flagged := 0
			var mistakes []string
			for _, s := range samples {
				flags := m.Check(subject(s.Text))
				valid(t, s.Text, flags)
				got := len(flags) > 0
				if s.Violating {
					got = slices.ContainsFunc(flags, func(f Flag) bool { return f.Category == policy.CategoryThirdPartyInfo })
				}
				if got {
					flagged++
				}
				if got != s.Violating {
					mistakes = append(mistakes, s.Kind+" ["+s.Style+"] "+s.Text)
				}
			}
			share := float64(flagged) / float64(len(samples))
			t.Logf("%s, %s: %d of %d flagged (%.4f)", set, name, flagged, len(samples), share)
			if share < atLeast || share > atMost {
				t.Errorf("%s, %s: %.4f flagged, want %.3f to %.3f; the first mistakes: %q", set, name, share, atLeast, atMost, mistakes[:min(shown, len(mistakes))])
			}
		}
		measure("evasions", testset.Evasions(half, size, 20261111), 0.95, 1)
		measure("hard negatives", testset.HardNegatives(half, size, 20261111), 0, 0.01)
		chat := testset.ServiceChat(half, 2*size, 20261111)
		measure("service chat", chat, 0, 0.003)
		measure("service chat with blanks between words", testset.Segmented(chat, 20261111), 0, 0.003)
	}
}

// TestHandwritten holds the texts of testdata/handwritten.csv, written one by one.
func TestHandwritten(t *testing.T) {
	t.Parallel()
	m := build(t)
	f, err := os.Open("testdata/handwritten.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found, violating, flagged, clean := 0, 0, 0, 0
	for _, r := range rows[1:] {
		label, category, text := r[0], r[1], r[2]
		flags := m.Check(subject(text))
		valid(t, text, flags)
		if label == "0" {
			clean++
			if len(flags) > 0 {
				flagged++
				t.Logf("flagged: %s %+v", text, flags)
			}
			continue
		}
		violating++
		// What leads off the platform to pay there is found as either.
		either := category == policy.CategoryFraud || category == policy.CategoryThirdPartyInfo
		if slices.ContainsFunc(flags, func(f Flag) bool {
			return f.Category == category || either && (f.Category == policy.CategoryFraud || f.Category == policy.CategoryThirdPartyInfo)
		}) {
			found++
		} else {
			t.Logf("missed %s: %s %+v", category, text, flags)
		}
	}
	t.Logf("found %d of %d, flagged %d of %d clean", found, violating, flagged, clean)
	if float64(found) < 0.95*float64(violating) || float64(flagged) > 0.01*float64(clean) {
		t.Errorf("found %d of %d, flagged %d of %d clean", found, violating, flagged, clean)
	}
}
