package evaluate

import (
	"testing"

	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/moderation/testset"
	"github.com/feigeio/feige/internal/policy"
)

// TestCloaking: the same offensive sentences in disguise lose at most 10 points of recall.
func TestCloaking(t *testing.T) {
	if raceDetector {
		t.Skip("one thread, fifty thousand verdicts; it runs without the race detector")
	}
	t.Parallel()
	m := build(t)
	f, err := ReadFile("../testdata/cold/dev.csv.gz", Columns{})
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(f.Examples))
	for i, e := range f.Examples {
		texts[i] = e.Text
	}
	homophones := testset.NewHomophones(texts)
	classifier, err := Classifier(m, "abuse")
	if err != nil {
		t.Fatal(err)
	}
	for name, judge := range map[string]Judge{"classifier": classifier, "verdicts": Verdicts(m, policy.Default().At(0), policy.CategoryAbuse)} {
		recall := func(cloak func(i int, text string) string) (recall, wrong float64) {
			var examples []classify.Example
			for i, e := range f.Examples {
				examples = append(examples, classify.Example{Text: cloak(i, e.Text), Label: e.Label})
			}
			figures, err := Measure(t.Context(), judge, examples, nil)
			if err != nil {
				t.Fatal(err)
			}
			return figures.Recall(), figures.FalsePositivesPerThousand()
		}
		base, wrong := recall(func(_ int, s string) string { return s })
		t.Logf("%s, as written: recall %.4f, false positives %.1f per 1,000", name, base, wrong)
		check := func(disguise string, most float64, cloak func(i int, text string) string) {
			t.Helper()
			got, wrong := recall(cloak)
			t.Logf("%s, %s: recall %.4f, false positives %.1f per 1,000", name, disguise, got, wrong)
			if got < base-most {
				t.Errorf("%s, %s: recall falls from %.4f to %.4f", name, disguise, base, got)
			}
		}
		check("homophones for a fifth of the characters", 0.10, func(i int, s string) string { return homophones.Cloak(s, 0.2, uint64(i)) })
		check("homophones for a third of the characters", 0.10, func(i int, s string) string { return homophones.Cloak(s, 0.33, uint64(i)) })
		check("emoji", 0.10, func(_ int, s string) string { return testset.CloakWithEmoji(s) })
	}
}
