package moderation

import (
	"encoding/csv"
	"os"
	"testing"
)

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
	found, positives, wrong, negatives := 0, 0, 0, 0
	for _, r := range rows[1:] {
		flags := m.Check(subject(r[2]))
		if r[0] == "1" {
			positives++
			hit := false
			for _, f := range flags {
				hit = hit || f.Category == r[1] || r[1] == "fraud" && f.Category == "third_party_info" || r[1] == "third_party_info" && f.Category == "fraud"
			}
			if hit {
				found++
			} else {
				t.Logf("missed %s: %s %v", r[1], r[2], flags)
			}
			continue
		}
		negatives++
		if len(flags) > 0 {
			wrong++
			t.Logf("wrong: %s %v", r[2], flags)
		}
	}
	t.Logf("found %d of %d, wrong %d of %d", found, positives, wrong, negatives)
}
