package moderation

import (
	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/moderation/repetition"
	"github.com/feigeio/feige/internal/policy"
)

// Advertisement is a text that reads like one, in a form that tells near-duplicates.
type Advertisement struct {
	Signature repetition.Signature
	// Confidence that it is one, 0 to 1.
	Confidence float64
}

// A text without anything to flag is an advertisement only with this many words of trade, and when the classifier is this sure.
const (
	tradeWords    = 2
	tradeSurely   = 0.8
	tradeAtMost   = 0.85
	adMinimumText = 8 // runes
)

// advertisement is what a sender may say once, but not to everybody (2.7). Shops and consumers say the same things all day: a
// text counts only where it promotes something that has no place in the chat. A shop's own goods have.
func (v *verdict) advertisement() *Advertisement {
	if v.text.Length < adMinimumText {
		return nil
	}
	confidence := 0.0
	for i := range v.flags {
		switch v.flags[i].Category {
		case policy.CategorySpam, policy.CategoryThirdPartyInfo, policy.CategoryFraud:
			confidence = max(confidence, v.flags[i].Confidence)
		}
	}
	if confidence == 0 && v.subject.Side != policy.SideMerchant {
		words := 0
		for _, h := range v.hits {
			if h.Term.Category == "trade" {
				words++
			}
		}
		if words < tradeWords {
			return nil
		}
		p := v.moderator.ads.Probability(&v.text, classify.Seen{Hits: v.hits, Contacts: v.found}, &v.classify)
		if p >= tradeSurely {
			confidence = min(p, tradeAtMost)
		}
	}
	if confidence == 0 {
		return nil
	}
	signature := repetition.Sign(&v.text)
	if signature == (repetition.Signature{}) {
		return nil
	}
	return &Advertisement{signature, confidence}
}
