package evaluate

import (
	"bytes"
	"flag"
	"os"
	"runtime"
	"testing"
)

var update = flag.Bool("update", false, "train the embedded models again and write them")

// TestTrain trains both models as `feige moderation train` does; with -update it writes the embedded ones.
func TestTrain(t *testing.T) {
	if testing.Short() {
		t.Skip("training takes half a minute; left out of -short")
	}
	if raceDetector {
		t.Skip("training is single-threaded and takes ten times as long under the race detector; it runs without")
	}
	t.Parallel()
	train := func(name, path string, licence string, least float64) {
		t.Helper()
		f, err := ReadFile(path, Columns{})
		if err != nil {
			t.Fatal(err)
		}
		f.Source.Licence = licence
		m, err := Train(name, "2026.11.1", []*File{f})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(name, m.Card.Figures, m.Card.Threshold)
		if got := m.Card.Figures["cross-validated AUC"]; got < least {
			t.Errorf("%s: area under the curve %.4f, want %.4f or more", name, got, least)
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		path = "../classify/models/" + name + ".model"
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if runtime.GOARCH != "amd64" {
			return // other processors fuse multiplications and additions: nearly the same weights
		}
		if embedded, err := os.ReadFile(path); err != nil || !bytes.Equal(embedded, b.Bytes()) {
			t.Errorf("%s: the embedded model is not what its recipe makes of its data (%v); go test -run TestTrain -update", name, err)
		}
	}
	train("ads", "../testdata/qq/ads.csv.gz", "MIT, siuank/ADDetector4J", 0.99)
	train("abuse", "../testdata/cold/train.csv.gz", "Apache-2.0, thu-coai/COLDataset", 0.955)
}
