package classify

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// cloaker disguises training texts: characters by others that sound the same, words by emoji.
type cloaker struct {
	normaliser *normal.Normaliser
	alike      map[normal.Sound][]rune
	sound      map[rune]normal.Sound
	pictures   map[string][]string
}

// commonFrom is how often a character must occur in the training texts to be one that people type.
const commonFrom = 5

func newCloaker(n *normal.Normaliser, texts []string) *cloaker {
	c := &cloaker{normaliser: n, alike: make(map[normal.Sound][]rune), sound: make(map[rune]normal.Sound), pictures: n.Pictures()}
	counts := make(map[rune]int)
	for _, text := range texts {
		for _, r := range text {
			if unicode.Is(unicode.Han, r) {
				counts[r]++
			}
		}
	}
	runes := make([]rune, 0, len(counts))
	for r := range counts {
		runes = append(runes, r)
	}
	slices.Sort(runes)
	for _, r := range runes {
		sounds := n.SoundsOf(string(r))
		if len(sounds) != 1 || sounds[0] == 0 {
			continue
		}
		c.sound[r] = sounds[0]
		if counts[r] >= commonFrom {
			c.alike[sounds[0]] = append(c.alike[sounds[0]], r)
		}
	}
	return c
}

// cloak disguises each character with the given probability.
func (c *cloaker) cloak(text string, rate float64, rng *rand.Rand) string {
	runes := []rune(text)
	var b strings.Builder
	for i := 0; i < len(runes); i++ {
		if rng.Float64() >= rate {
			b.WriteRune(runes[i])
			continue
		}
		if i+1 < len(runes) {
			if list := c.pictures[string(runes[i:i+2])]; len(list) > 0 {
				b.WriteString(list[rng.IntN(len(list))])
				i++
				continue
			}
		}
		if list := c.pictures[string(runes[i:i+1])]; len(list) > 0 && rng.IntN(2) == 0 {
			b.WriteString(list[rng.IntN(len(list))])
			continue
		}
		if list := c.alike[c.sound[runes[i]]]; len(list) > 1 {
			b.WriteRune(list[rng.IntN(len(list))])
			continue
		}
		b.WriteRune(runes[i])
	}
	return b.String()
}
