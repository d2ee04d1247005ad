package evaluate

import (
	"context"
	"testing"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/policy"
)

func build(t testing.TB) *moderation.Moderator {
	t.Helper()
	m, err := moderation.New(moderation.DefaultConfig(), moderation.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDevSplit holds the abuse model to its promise on COLD's dev split, which it was not trained on.
func TestDevSplit(t *testing.T) {
	t.Parallel()
	m := build(t)
	f, err := ReadFile("../testdata/cold/dev.csv.gz", Columns{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Classifier(m, "abuse")
	if err != nil {
		t.Fatal(err)
	}
	figures, err := Measure(context.Background(), raw, f.Examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("classifier: %+v accuracy %.4f precision %.4f recall %.4f", figures, figures.Accuracy(), figures.Precision(), figures.Recall())
	if figures.Accuracy() < 0.90 {
		t.Errorf("accuracy %.4f on the dev split, want 0.90", figures.Accuracy())
	}
	product, err := Measure(context.Background(), Verdicts(m, policy.Default().At(0), policy.CategoryAbuse), f.Examples, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("verdicts: accuracy %.4f precision %.4f recall %.4f", product.Accuracy(), product.Precision(), product.Recall())
}
