package evaluate

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/policy"
)

// Judge says whether a text is positive.
type Judge func(text string) bool

// Verdicts judges as the product does: a flag of the category (any, if empty) counts.
func Verdicts(m *moderation.Moderator, p *policy.Policy, category string) Judge {
	return func(text string) bool {
		for _, f := range m.Check(moderation.Subject{Text: text, Policy: p}) {
			if category == "" || f.Category == category {
				return true
			}
		}
		return false
	}
}

// Classifier judges by a model alone, at its own threshold. Names: abuse, ads.
func Classifier(m *moderation.Moderator, name string) (Judge, error) {
	if _, _, err := m.Classify(name, ""); err != nil {
		return nil, err
	}
	return func(text string) bool {
		_, positive, err := m.Classify(name, text)
		return err == nil && positive
	}, nil
}

// Figures of a judge on labelled texts.
type Figures struct {
	TruePositives, FalsePositives, TrueNegatives, FalseNegatives int
	// Elapsed on one core, and runes in all.
	Elapsed time.Duration
	Runes   int
}

// Measure runs a judge over examples, on one core. Mistakes go to wrong, if set.
func Measure(ctx context.Context, judge Judge, examples []classify.Example, wrong func(e classify.Example)) (Figures, error) {
	var f Figures
	start := time.Now()
	for i, e := range examples {
		if i%1024 == 0 && ctx.Err() != nil {
			return f, fmt.Errorf("measuring: %w", context.Cause(ctx))
		}
		got := judge(e.Text)
		switch {
		case got && e.Label:
			f.TruePositives++
		case got:
			f.FalsePositives++
		case e.Label:
			f.FalseNegatives++
		default:
			f.TrueNegatives++
		}
		if got != e.Label && wrong != nil {
			wrong(e)
		}
	}
	f.Elapsed = time.Since(start)
	for _, e := range examples {
		f.Runes += len([]rune(e.Text))
	}
	return f, nil
}

// Total number of texts.
func (f Figures) Total() int {
	return f.TruePositives + f.FalsePositives + f.TrueNegatives + f.FalseNegatives
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// Accuracy, Precision, Recall, and F1 are from 0 to 1; 0 where nothing was to be measured.
func (f Figures) Accuracy() float64 { return ratio(f.TruePositives+f.TrueNegatives, f.Total()) }

// Precision is the share of the flagged that are positive.
func (f Figures) Precision() float64 {
	return ratio(f.TruePositives, f.TruePositives+f.FalsePositives)
}

// Recall is the share of the positive that are flagged.
func (f Figures) Recall() float64 { return ratio(f.TruePositives, f.TruePositives+f.FalseNegatives) }

// F1 is the harmonic mean of precision and recall.
func (f Figures) F1() float64 {
	return ratio(2*f.TruePositives, 2*f.TruePositives+f.FalsePositives+f.FalseNegatives)
}

// FalsePositivesPerThousand negatives.
func (f Figures) FalsePositivesPerThousand() float64 {
	return 1000 * ratio(f.FalsePositives, f.FalsePositives+f.TrueNegatives)
}

// Write prints the figures for people.
func (f Figures) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, `texts                %d (%d positive)
accuracy             %.4f
precision            %.4f
recall               %.4f
F1                   %.4f
false positives      %d, %.2f per 1,000 negatives
throughput           %.0f texts/s on one core (%.1f characters on average)
`, f.Total(), f.TruePositives+f.FalseNegatives, f.Accuracy(), f.Precision(), f.Recall(), f.F1(), f.FalsePositives, f.FalsePositivesPerThousand(),
		float64(f.Total())/max(f.Elapsed.Seconds(), 1e-9), float64(f.Runes)/max(float64(f.Total()), 1))
	if err != nil {
		return fmt.Errorf("printing the figures: %w", err)
	}
	return nil
}
