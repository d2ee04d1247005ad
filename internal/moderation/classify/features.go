package classify

import (
	"github.com/feigeio/feige/internal/moderation/contact"
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
	// Words adds the hits of word packs by category and kind, and how many.
	Words bool `json:"words"`
	// Contacts adds the kinds of contacts that were found.
	Contacts bool `json:"contacts"`
	// Forms adds the lengths of the text and of its runs of digits and letters.
	Forms bool `json:"forms"`
}

// Seen is what the other detectors found in a text.
type Seen struct {
	Hits []lexicon.Hit
	// Contacts are needed by models whose shape has them.
	Contacts []contact.Finding
}

// Features appends the indices of a text's features, each once a position, to out.
func (s Shape) Features(t *normal.Text, seen Seen, out []uint32) []uint32 {
	mask := uint32(1)<<s.Bits - 1
	// The text is read between two marks for its ends, without blanks but those before Latin words; digits are
	// alike.
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
	}
	push(1)
	blank := false
	for _, r := range t.Spoken {
		switch {
		case r == ' ' || r == '\n' || r == '\u3000':
			blank = true
			continue
		case r >= '0' && r <= '9':
			r = '0'
		case blank && r >= 'a' && r <= 'z':
			push(' ')
		}
		blank = false
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
		for _, h := range seen.Hits {
			k := uint32(17)
			for _, r := range h.Term.Category + "/" + h.Term.Kind {
				k = (k ^ uint32(r)) * 0x9E3779B1
			}
			out = append(out, mix(k)&mask)
		}
	}
	if s.Contacts {
		for _, f := range seen.Contacts {
			k := uint32(29)
			for _, r := range f.Kind {
				k = (k ^ uint32(r)) * 0x9E3779B1
			}
			out = append(out, mix(k)&mask)
		}
	}
	if s.Forms {
		out = s.forms(t, out)
	}
	return out
}

// forms: how long the text is, and its runs of digits and of Latin letters.
func (s Shape) forms(t *normal.Text, out []uint32) []uint32 {
	mask := uint32(1)<<s.Bits - 1
	length := 0
	for n := len(t.Tight); n > 0; n >>= 1 {
		length++
	}
	out = append(out, mix(0xF0000+uint32(length))&mask)
	run, class := 0, normal.Other
	end := func() {
		if run >= 5 && (class == normal.Digit || class == normal.Letter) {
			out = append(out, mix(0xF1000+uint32(class)<<8+uint32(min(run, 20)))&mask)
		}
	}
	for _, c := range t.Classes {
		if c != class {
			end()
			run, class = 0, c
		}
		run++
	}
	end()
	return out
}

func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= h >> 15
	h *= 0x846ca68b
	return h ^ h>>16
}
