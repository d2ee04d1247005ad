package classify

import (
	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

// Shape says which features a model has.
type Shape struct {
	// Bits of the table of weights: 2^Bits of them.
	Bits int `json:"bits"`
	// Runes and Sounds are the longest n-grams of characters and of sounds; 0: none.
	Runes  int `json:"runes"`
	Sounds int `json:"sounds"`
	// Skips adds pairs of characters with one in between.
	Skips bool `json:"skips"`
	// Words adds the hits of word packs by category and kind, and how many.
	Words bool `json:"words"`
}

// Features appends the indices of a text's features, each once a position, to out.
func (s Shape) Features(t *normal.Text, hits []lexicon.Hit, out []uint32) []uint32 {
	mask := uint32(1)<<s.Bits - 1
	runes := t.Runes
	// The text is read between two marks for its ends; runs of separators are one, and digits are alike.
	var window [4]uint32
	n := 0
	push := func(symbol uint32) {
		window[3], window[2], window[1], window[0] = window[2], window[1], window[0], symbol
		n++
		h := uint32(2166136261)
		for k := 0; k < s.Runes && k < n; k++ {
			h = (h ^ window[k]) * 0x9E3779B1
			h ^= h >> 15
			out = append(out, mix(h+uint32(k)*0x85EBCA6B)&mask)
		}
		if s.Skips && n > 2 {
			out = append(out, mix((window[2]*0x9E3779B1^window[0])*0x85EBCA6B+77)&mask)
		}
	}
	push(1)
	separated := false
	for i, r := range runes {
		class := t.Classes[i]
		if class == normal.Space {
			separated = true
			continue
		}
		if separated {
			separated = false
			if class == normal.Letter && n > 1 {
				push(' ')
			}
		}
		if class == normal.Digit {
			r = '0'
		}
		push(uint32(r))
	}
	push(2)
	if s.Sounds > 0 {
		window, n = [4]uint32{}, 0
		for _, sound := range t.Sounds {
			window[3], window[2], window[1], window[0] = window[2], window[1], window[0], uint32(sound)+1
			n++
			h := uint32(374761393)
			for k := 0; k < s.Sounds && k < n; k++ {
				h = (h ^ window[k]) * 0x9E3779B1
				h ^= h >> 15
				out = append(out, mix(h+uint32(k)*0xC2B2AE35+0x5bd1e995)&mask)
			}
		}
	}
	if s.Words {
		for _, h := range hits {
			k := uint32(17)
			for _, r := range h.Term.Category + "/" + h.Term.Kind {
				k = (k ^ uint32(r)) * 0x9E3779B1
			}
			out = append(out, mix(k)&mask)
		}
	}
	return out
}

func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= h >> 15
	h *= 0x846ca68b
	return h ^ h>>16
}
