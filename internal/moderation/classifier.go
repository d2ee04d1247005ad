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
	// alludedAbuse is asked of a text that names no group, but says 女生 or 东北.
	alludedAbuse = 0.9
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
	seen := classify.Seen{Hits: m.rules.Load().lexicon.Find(&s.text, &s.lexicon)}
	if model.Card.Recipe.Shape.Contacts {
		seen.Contacts = m.contactDetector(nil).Find(&s.text, seen.Hits, &s.contact)
	}
	probability = model.Probability(&s.text, seen, &s.classify)
	return probability, model.Positive(probability), nil
}

// Cards are the cards of the models in use.
func (m *Moderator) Cards() []classify.Card { return []classify.Card{m.abuse.Card, m.ads.Card} }

// classifiers flag what no term points at. The abuse that the model knows is that of groups of people, so one must be
// spoken of; advertisements are flagged beside a contact only, since shops praise their goods all day.
func (v *verdict) classifiers() {
	m := v.moderator
	named, alluded := v.groups()
	if (named || alluded) && !v.flagged(policy.CategoryAbuse) {
		p := m.abuse.Probability(&v.text, classify.Seen{Hits: v.hits}, &v.classify)
		if named && p >= m.config.AbuseOfGroup || alluded && p >= max(m.config.AbuseOfGroup, alludedAbuse) {
			v.whole(policy.CategoryAbuse, "insult", m.abuse, p, classifierAlone)
		}
	}
	if v.flagged(policy.CategoryThirdPartyInfo) {
		if p := m.ads.Probability(&v.text, classify.Seen{Hits: v.hits, Contacts: v.found}, &v.classify); m.ads.Positive(p) {
			v.whole(policy.CategoryThirdPartyInfo, "advertisement", m.ads, p, classifierBeside)
		}
	}
}

// groups tells whether a group of people is named, or alluded to by a word that service chat uses, too.
func (v *verdict) groups() (named, alluded bool) {
	for _, h := range v.hits {
		if h.Term.Category == "stance" {
			named = named || h.Term.Kind == "group"
			alluded = alluded || h.Term.Kind == "group_soft"
		}
	}
	return named, alluded
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
