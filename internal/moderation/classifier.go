package moderation

import (
	"fmt"

	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/policy"
)

// Limits of what a classifier's word is worth without a term or contact to point at: it never confirms by itself.
const (
	classifierAlone  = 0.85
	classifierBeside = 0.92
)

// Classify asks one classifier, by name (abuse, ads), and nothing else: the probability, and whether it reaches the
// model's own threshold. Verdicts use other, stricter thresholds.
func (m *Moderator) Classify(name, text string) (probability float64, positive bool, err error) {
	var model *classify.Model
	switch name {
	case "abuse":
		model = m.abuse
	case "ads":
		model = m.ads
	default:
		return 0, false, fmt.Errorf("no classifier %q: want abuse or ads", name)
	}
	s := m.scratch.Get().(*scratch)
	defer m.scratch.Put(s)
	m.normaliser.Read(text, &s.text)
	hits := m.rules.Load().lexicon.Find(&s.text, &s.lexicon)
	probability = model.Probability(&s.text, hits, &s.classify)
	return probability, model.Positive(probability), nil
}

// Cards are the cards of the models in use.
func (m *Moderator) Cards() []classify.Card { return []classify.Card{m.abuse.Card, m.ads.Card} }

// classifiers flag what no term points at.
func (v *verdict) classifiers() {
	m := v.moderator
	if p := m.abuse.Probability(&v.text, v.hits, &v.classify); p >= m.config.AbuseAlone && m.config.AbuseAlone < 1 && !v.flagged(policy.CategoryAbuse) {
		v.whole(policy.CategoryAbuse, "insult", m.abuse, p, classifierAlone)
	}
	contacts := v.flagged(policy.CategoryThirdPartyInfo)
	if p := m.ads.Probability(&v.text, v.hits, &v.classify); contacts && m.ads.Positive(p) {
		v.whole(policy.CategoryThirdPartyInfo, "advertisement", m.ads, p, classifierBeside)
	} else if p >= m.config.AdsAlone && m.config.AdsAlone < 1 {
		v.whole(policy.CategoryThirdPartyInfo, "advertisement", m.ads, p, classifierAlone)
	}
}

func (v *verdict) flagged(category string) bool {
	for i := range v.flags {
		if v.flags[i].Category == category {
			return true
		}
	}
	return false
}

// whole flags the whole text.
func (v *verdict) whole(category, kind string, model *classify.Model, probability, most float64) {
	v.add(Flag{
		Category: category, Kind: kind, SubKind: kind, From: 0, To: v.text.Length, Evidence: fmt.Sprintf("probability %.2f", probability),
		Detector: DetectorClassifier, Version: model.Card.Name + "-" + model.Card.Version, Confidence: min(probability, most),
	})
}
