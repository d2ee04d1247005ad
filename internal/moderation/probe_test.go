package moderation

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"os"
	"testing"
)

func TestProbe(t *testing.T) {
	if os.Getenv("PROBE") == "" {
		t.Skip()
	}
	m := build(t)
	for _, path := range []string{"testdata/cold/train.csv.gz", "testdata/qq/ads.csv.gz"} {
		f, _ := os.Open(path)
		z, _ := gzip.NewReader(f)
		rows, _ := csv.NewReader(z).ReadAll()
		for _, r := range rows[1:] {
			label, text := r[0], r[1]
			if len(r) == 5 {
				label, text = r[3], r[4]
			}
			if label != "0" {
				continue
			}
			for _, f := range m.Check(subject(text)) {
				if f.Category == "abuse" && f.Detector == "classifier" {
					continue
				}
				runes := []rune(text)
				fmt.Printf("F %s/%s %.2f [%s] %s <- %s | %s\n", f.Category, f.SubKind, f.Confidence, string(runes[f.From:f.To]), f.Detector, f.Evidence, string(runes[max(0, f.From-8):min(len(runes), f.To+8)]))
			}
		}
	}
}
