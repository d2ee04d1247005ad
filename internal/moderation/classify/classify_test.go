package classify

import (
	"bytes"
	"math"
	"testing"

	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

func trainer(t testing.TB) (*Trainer, *normal.Normaliser) {
	t.Helper()
	n, err := normal.New()
	if err != nil {
		t.Fatal(err)
	}
	l, err := lexicon.New(n, nil)
	if err != nil {
		t.Fatal(err)
	}
	return NewTrainer(n, l), n
}

func TestTrainAndStore(t *testing.T) {
	t.Parallel()
	tr, n := trainer(t)
	var examples []Example
	for _, a := range []string{"今天", "昨天", "明天", "后天", "晚上", "早上"} {
		for _, b := range []string{"下雨", "刮风", "打雷", "起雾", "下雪"} {
			examples = append(examples, Example{a + "要" + b + "了", true}, Example{a + "去吃饭" + b[:3], false})
		}
	}
	r := AdsRecipe()
	r.Shape.Bits, r.Copies, r.CloakRate = 12, 1, 0.2
	m, report, err := tr.Train(r, examples)
	if err != nil {
		t.Fatal(err)
	}
	if report.AUC < 0.95 {
		t.Errorf("an easy set: %+v", report)
	}
	again, _, err := tr.Train(r, examples)
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := m.Write(&first); err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("the same recipe and data make another model (%v)", err)
	}
	read, err := Read(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var text normal.Text
	var s Scratch
	for _, e := range examples {
		n.Read(e.Text, &text)
		p, q := m.Probability(&text, Seen{}, &s), read.Probability(&text, Seen{}, &s)
		if p != q || m.Positive(p) != e.Label {
			t.Errorf("%s: %.3f, stored and read %.3f; label %v", e.Text, p, q, e.Label)
		}
	}
	if _, _, err := tr.Train(r, examples[:3]); err == nil {
		t.Error("fewer examples than folds: no error")
	}
}

func TestCalibration(t *testing.T) {
	t.Parallel()
	var scores []scored
	for i := range 1000 {
		z := float64(i-500) / 100
		scores = append(scores, scored{z, float64(i*7919%1000) < 1000*logistic(2*z-1), 0})
	}
	slope, offset := calibrate(scores)
	if math.Abs(slope-2) > 0.5 || math.Abs(offset+1) > 0.5 {
		t.Errorf("slope %.2f, offset %.2f; want 2 and -1", slope, offset)
	}
}

func TestEmbeddedModels(t *testing.T) {
	t.Parallel()
	check := func(load func() (*Model, error), name string) {
		t.Helper()
		m, err := load()
		if err != nil {
			t.Fatal(err)
		}
		if c := m.Card; c.Name != name || c.Version == "" || len(c.Data) == 0 || len(c.Figures) == 0 || c.Data[0].Licence == "" || c.Recipe.Seed == 0 {
			t.Errorf("%s: an incomplete card: %+v", name, c)
		}
	}
	check(Abuse, "abuse")
	check(Ads, "ads")
}

func FuzzRead(f *testing.F) {
	f.Add(adsModel[:64])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := Read(bytes.NewReader(data)); err == nil && m == nil {
			t.Error("neither a model nor an error")
		}
	})
}
