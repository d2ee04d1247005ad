package evaluate

import (
	"fmt"

	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

// Recipes are the names that Train knows.
func Recipes() []string { return []string{"abuse", "ads"} }

// Train fits the named model to labelled files with its recipe. The model's card holds the cross-validated figures.
func Train(name, version string, files []*File) (*classify.Model, error) {
	var recipe classify.Recipe
	var positive string
	switch name {
	case "abuse":
		recipe, positive = classify.AbuseRecipe(), "offensive"
	case "ads":
		recipe, positive = classify.AdsRecipe(), "advertisement"
	default:
		return nil, fmt.Errorf("no recipe %q: want one of %v", name, Recipes())
	}
	n, err := normal.New()
	if err != nil {
		return nil, fmt.Errorf("building the normaliser: %w", err)
	}
	packs, err := lexicon.Embedded()
	if err != nil {
		return nil, fmt.Errorf("reading the word packs: %w", err)
	}
	l, err := lexicon.New(n, packs)
	if err != nil {
		return nil, fmt.Errorf("compiling the word packs: %w", err)
	}
	var examples []classify.Example
	var sources []classify.Source
	for _, f := range files {
		examples = append(examples, f.Examples...)
		sources = append(sources, f.Source)
	}
	m, report, err := classify.NewTrainer(n, l).Train(recipe, examples)
	if err != nil {
		return nil, fmt.Errorf("training %s: %w", name, err)
	}
	m.Card.Name, m.Card.Version, m.Card.Positive, m.Card.Data = name, version, positive, sources
	m.Card.Notes = []string{"trained with word packs " + l.Version()}
	m.Card.Figures = map[string]float64{
		"cross-validated accuracy": report.Accuracy, "cross-validated precision": report.Precision, "cross-validated recall": report.Recall,
		"cross-validated F1": report.F1, "cross-validated false positive rate": report.FalsePositiveRate,
		"unseen line: accuracy": report.UnseenAccuracy, "unseen line: recall": report.UnseenRecall, "unseen line: false positive rate": report.UnseenFalsePositiveRate,
		"cross-validated AUC": report.AUC, "cross-validated log loss": report.LogLoss,
	}
	return m, nil
}
