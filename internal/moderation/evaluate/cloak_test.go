package evaluate

import (
	"testing"

	"github.com/feigeio/feige/internal/moderation/testset"
)

// TestCloaking: the same offensive sentences in disguise lose at most 10 points of recall.
func TestCloaking(t *testing.T) {
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
	judge, err := Classifier(m, "abuse")
	if err != nil {
		t.Fatal(err)
	}
	recall := func(name string, cloak func(i int, text string) string) (recall, wrong float64) {
		found, positives, flagged, negatives := 0, 0, 0, 0
		for i, e := range f.Examples {
			got := judge(cloak(i, e.Text))
			if e.Label {
				positives++
				if got {
					found++
				}
			} else {
				negatives++
				if got {
					flagged++
				}
			}
		}
		recall, wrong = float64(found)/float64(positives), float64(flagged)/float64(negatives)
		t.Logf("%s: recall %.4f, false positives %.4f", name, recall, wrong)
		return recall, wrong
	}
	base, _ := recall("as written", func(_ int, s string) string { return s })
	check := func(name string, most float64, cloak func(i int, text string) string) {
		t.Helper()
		if got, _ := recall(name, cloak); got < base-most {
			t.Errorf("%s: recall falls from %.4f to %.4f", name, base, got)
		}
	}
	check("homophones for a fifth of the characters", 0.10, func(i int, s string) string { return homophones.Cloak(s, 0.2, uint64(i)) })
	check("homophones for a third of the characters", 0.15, func(i int, s string) string { return homophones.Cloak(s, 0.33, uint64(i)) })
	check("emoji", 0.10, func(_ int, s string) string { return testset.CloakWithEmoji(s) })
}
