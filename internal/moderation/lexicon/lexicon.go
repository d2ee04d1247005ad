package lexicon

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	ahocorasick "github.com/BobuSumisu/aho-corasick"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// MaxHits in one text; a text with more is judged by its first ones.
const MaxHits = 1000

// reach is how far apart the parts of a sequence may be, in runes.
const reach = 16

// Flags tells whether a category's terms are violations, and not context or features for other detectors.
func Flags(category string) bool {
	return category != "cue" && category != "trade" && category != "stance"
}

// Hit is a term in a text.
type Hit struct {
	Term *Term
	// From and To are positions in the text's Runes, half-open.
	From, To int32
	// Sound: it sounds like the term but is written otherwise.
	Sound bool
	// Gaps: separators stand between its characters.
	Gaps bool
}

// pattern is what the automaton looks for: a term, or a part of one.
type pattern struct {
	term  *Term
	runes []rune
	sound bool
	exact bool
	word  bool
	latin bool
	// sequence and part, for parts of a sequence; -1 otherwise.
	sequence, part int
}

type sequence struct {
	term  *Term
	parts int
}

// Lexicon is a compiled set of packs. It is immutable and safe for concurrent use.
type Lexicon struct {
	version  string
	versions map[string]string
	trie     *ahocorasick.Trie
	patterns [][]pattern // by the automaton's number
	symbols  map[rune]uint16
	// pages hold the symbols of the basic plane for speed.
	pages [256]*[256]uint16
	// sounds have symbols from firstSound.
	firstSound uint16
	sequences  []sequence
	packs      int
}

// New compiles packs.
func New(n *normal.Normaliser, packs []*Pack) (*Lexicon, error) {
	l := &Lexicon{symbols: make(map[rune]uint16), versions: make(map[string]string)}
	b := builder{lexicon: l, normaliser: n, numbers: make(map[string]int)}
	l.packs = len(packs)
	for number, p := range packs {
		l.versions[p.Name] = p.Name + "-" + p.Version + "+" + p.digest
		for i := range p.Terms {
			term := p.Terms[i]
			term.pack = number
			if err := b.add(&term); err != nil {
				return nil, fmt.Errorf("word pack %s: %w", p.Name, err)
			}
		}
		for _, word := range p.Allow {
			term := &Term{Pack: p.Name, Category: allowCategory, Text: word, pack: number}
			if err := b.add(term); err != nil {
				return nil, fmt.Errorf("word pack %s: %w", p.Name, err)
			}
		}
	}
	l.firstSound = uint16(len(l.symbols)) + 1
	builder := ahocorasick.NewTrieBuilder()
	for _, pending := range b.pending {
		var key []byte
		if pending.sounds != nil {
			for _, s := range pending.sounds {
				key = appendSymbol(key, l.firstSound+uint16(s))
			}
		} else {
			for _, r := range pending.runes {
				key = appendSymbol(key, l.symbols[r])
			}
		}
		number, ok := b.numbers[string(key)]
		if !ok {
			number = len(l.patterns)
			b.numbers[string(key)] = number
			l.patterns = append(l.patterns, nil)
			builder.AddPattern(key)
		}
		l.patterns[number] = append(l.patterns[number], pending.pattern)
	}
	for r, s := range l.symbols {
		if r < 1<<16 {
			if l.pages[r>>8] == nil {
				l.pages[r>>8] = new([256]uint16)
			}
			l.pages[r>>8][r&0xff] = s
		}
	}
	l.trie = builder.Build()
	names := make([]string, 0, len(l.versions))
	for _, v := range l.versions {
		names = append(names, v)
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "\n")))
	l.version = "packs-" + hex.EncodeToString(sum[:4])
	return l, nil
}

// Version names the whole set.
func (l *Lexicon) Version() string { return l.version }

// PackVersion names one pack's version and content.
func (l *Lexicon) PackVersion(name string) string { return l.versions[name] }

// Terms are the terms that flag, a copy each.
func (l *Lexicon) Terms() []Term {
	seen := make(map[*Term]bool)
	var terms []Term
	for _, list := range l.patterns {
		for i := range list {
			if t := list[i].term; !seen[t] && t.Category != allowCategory && Flags(t.Category) {
				seen[t] = true
				terms = append(terms, *t)
			}
		}
	}
	return terms
}

// appendSymbol writes a symbol as two bytes that cannot be mistaken for each other.
func appendSymbol(key []byte, s uint16) []byte {
	return append(key, 0x80|byte(s>>7), byte(s&0x7f))
}

const maxSymbols = 1 << 14

type pendingPattern struct {
	pattern
	sounds []normal.Sound
}

type builder struct {
	lexicon    *Lexicon
	normaliser *normal.Normaliser
	pending    []pendingPattern
	numbers    map[string]int
}

func (b *builder) add(t *Term) error {
	parts := strings.Split(t.Text, gapMark)
	number := -1
	if len(parts) > 1 {
		number = len(b.lexicon.sequences)
		b.lexicon.sequences = append(b.lexicon.sequences, sequence{term: t, parts: len(parts)})
	}
	for i, part := range parts {
		// Alternatives of a part stand in (a|b).
		for alternative := range strings.SplitSeq(strings.Trim(part, "()"), "|") {
			texts := []string{alternative}
			if alternative == "[0-9]" {
				texts = strings.Split("0123456789", "")
			}
			for _, text := range texts {
				if err := b.addPart(t, text, number, i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (b *builder) addPart(t *Term, text string, number, part int) error {
	runes := b.normaliser.Fold(text)
	if len(runes) == 0 {
		return fmt.Errorf("term %q: nothing is left of %q after normalising", t.Text, text)
	}
	latin := !slices.ContainsFunc(runes, func(r rune) bool { return r >= 0x80 }) && slices.ContainsFunc(runes, func(r rune) bool { return r >= 'a' && r <= 'z' })
	p := pattern{
		term: t, runes: runes, sequence: number, part: part,
		latin: latin,
		exact: strings.Contains(t.options, "="),
		word:  strings.Contains(t.options, "<") || latin && !strings.Contains(t.options, ">"),
	}
	for _, r := range runes {
		if _, ok := b.lexicon.symbols[r]; !ok {
			b.lexicon.symbols[r] = uint16(len(b.lexicon.symbols)) + 1
			if len(b.lexicon.symbols)+1000 > maxSymbols {
				return fmt.Errorf("term %q: more than %d different characters", t.Text, maxSymbols-1000)
			}
		}
	}
	b.pending = append(b.pending, pendingPattern{pattern: p})
	if !strings.Contains(t.options, "~") {
		return nil
	}
	sounds := b.normaliser.SoundsOf(text)
	if slices.Contains(sounds, 0) {
		return fmt.Errorf("term %q: %q has no sound", t.Text, text)
	}
	p.sound = true
	b.pending = append(b.pending, pendingPattern{pattern: p, sounds: sounds})
	return nil
}
