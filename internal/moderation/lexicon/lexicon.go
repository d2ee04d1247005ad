package lexicon

import (
	"cmp"
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
	ascii    [128]uint16
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
		if r < 128 {
			l.ascii[r] = s
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

// Scratch is what Find works with. The zero value is ready; it is not safe for concurrent use.
type Scratch struct {
	key   []byte
	hits  []Hit
	parts []partHit
	state map[int]progress
	// segmented: blanks part the words of the text, and disguise none.
	segmented bool
	// reaches is, by pack, up to where an allowed word covers the text.
	reaches []int32
}

type partHit struct {
	sequence, part int
	from, to       int32
}

type progress struct {
	next  int
	from  int32
	until int32
}

// Find returns the terms of a text, in the order of their starts, without those in allowed words. The slice is
// the scratch's.
func (l *Lexicon) Find(t *normal.Text, s *Scratch) []Hit {
	s.hits, s.parts = s.hits[:0], s.parts[:0]
	s.key = s.key[:0]
	s.segmented = segmented(t)
	for _, r := range t.Tight {
		var symbol uint16
		if r < 128 {
			symbol = l.ascii[r]
		} else {
			symbol = l.symbols[r]
		}
		s.key = appendSymbol(s.key, symbol)
	}
	l.trie.Walk(s.key, func(end, length, number int64) bool {
		from, to := (end+1-length)/2, (end+1)/2
		return l.take(t, s, l.patterns[number], t.TightAt[from], t.TightAt[to-1]+1, int(to-from))
	})
	s.key = s.key[:0]
	for _, sound := range t.Sounds {
		s.key = appendSymbol(s.key, l.firstSound+uint16(sound))
	}
	l.trie.Walk(s.key, func(end, length, number int64) bool {
		from, to := (end+1-length)/2, (end+1)/2
		return l.take(t, s, l.patterns[number], t.SoundAt[from], t.SoundTo[to-1], int(to-from))
	})
	if len(s.parts) > 0 {
		l.sequence(s)
	}
	if len(s.hits) > 0 {
		slices.SortFunc(s.hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(b.To, a.To)) })
		s.hits = s.withoutAllowed(l.packs)
	}
	return s.hits
}

// take notes what the automaton found; false ends the search.
func (l *Lexicon) take(t *normal.Text, s *Scratch, patterns []pattern, from, to int32, length int) bool {
	gaps := int(to-from) > length
	for i := range patterns {
		p := &patterns[i]
		if p.word && !wholeWord(t, from, to) {
			continue
		}
		gaps := gaps
		if p.sound {
			if gaps = parted(t, from, to) && !latin(t, from, to); slices.Equal(t.Runes[from:to], p.runes) {
				continue
			}
		}
		if gaps && p.latin && len(p.runes) >= 6 && latin(t, from, to) {
			gaps = false // tele gram
		}
		if gaps && p.latin && len(p.runes) <= 4 && Flags(p.term.Category) && p.term.Category != allowCategory {
			continue // s/b
		}
		if gaps && (p.exact || p.term.Category != allowCategory && !spelledOut(t, from, to, s.segmented)) {
			continue
		}
		if p.sequence >= 0 {
			s.parts = append(s.parts, partHit{sequence: p.sequence, part: p.part, from: from, to: to})
		} else {
			s.hits = append(s.hits, Hit{Term: p.term, From: from, To: to, Sound: p.sound, Gaps: gaps})
		}
		if len(s.hits)+len(s.parts) >= MaxHits {
			return false
		}
	}
	return true
}

func parted(t *normal.Text, from, to int32) bool {
	for i := from; i < to; i++ {
		if t.Classes[i] >= normal.Space && t.Classes[i] != normal.Emoji {
			return true
		}
	}
	return false
}

// latin: letters and blanks only, as in typed pinyin.
func latin(t *normal.Text, from, to int32) bool {
	for i := from; i < to; i++ {
		if t.Classes[i] != normal.Letter && t.Classes[i] != normal.Space {
			return false
		}
	}
	return true
}

// wholeWord: no letter stands beside a letter at either end, and neither a letter nor a digit beside a digit.
func wholeWord(t *normal.Text, from, to int32) bool {
	joined := func(end, beside int32) bool {
		letter := t.Classes[beside] == normal.Letter
		switch t.Classes[end] {
		case normal.Letter:
			return letter
		case normal.Digit:
			return letter || t.Classes[beside] == normal.Digit
		}
		return false
	}
	return !(from > 0 && joined(from, from-1)) && !(int(to) < len(t.Runes) && joined(to-1, to))
}

// spelledOut tells whether the separators between characters are a disguise: they stand between all of them, or
// are of the odd kind; ends of clauses and line breaks are neither, nor blanks in a segmented text.
func spelledOut(t *normal.Text, from, to int32, segmented bool) bool {
	read, gaps, odd := 0, 0, 0
	in, strange := false, false
	for i := from; i < to; i++ {
		switch class := t.Classes[i]; {
		case class == normal.Stop || t.Runes[i] == '\n':
			return false
		case class.Separates() && t.Runes[i] != '+':
			in = true
			strange = strange || class != normal.Space
		default:
			if in {
				gaps++
				if strange {
					odd++
				}
				in, strange = false, false
			}
			read++
		}
	}
	return gaps == odd || gaps == read-1 && !(segmented && odd == 0)
}

// segmented tells whether blanks stand between words of several characters all along, as tokenisers put them.
func segmented(t *normal.Text) bool {
	han, blanks := 0, 0
	for i, class := range t.Classes {
		switch class {
		case normal.Han:
			han++
		case normal.Space:
			if i > 0 && t.Classes[i-1] == normal.Han {
				blanks++
			}
		}
	}
	return blanks >= 3 && blanks*5 < han*4
}

// sequence puts the parts of sequences together.
func (l *Lexicon) sequence(s *Scratch) {
	slices.SortFunc(s.parts, func(a, b partHit) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.part, b.part)) })
	if s.state == nil {
		s.state = make(map[int]progress)
	}
	clear(s.state)
	for _, p := range s.parts {
		if p.part == 0 {
			s.state[p.sequence] = progress{next: 1, from: p.from, until: p.to}
			continue
		}
		at, ok := s.state[p.sequence]
		if !ok || at.next != p.part || p.from < at.until || p.from-at.until > reach {
			continue
		}
		at.next, at.until = p.part+1, p.to
		s.state[p.sequence] = at
		if of := l.sequences[p.sequence]; at.next == of.parts {
			delete(s.state, p.sequence)
			s.hits = append(s.hits, Hit{Term: of.term, From: at.from, To: p.to})
		}
	}
}

// withoutAllowed drops allowed words and the hits of the same pack that lie in them; hits with gaps already if they
// touch one.
func (s *Scratch) withoutAllowed(packs int) []Hit {
	if cap(s.reaches) < packs {
		s.reaches = make([]int32, packs)
	}
	reaches := s.reaches[:packs]
	clear(reaches)
	kept := s.hits[:0]
	for _, h := range s.hits {
		reach := &reaches[h.Term.pack]
		if h.Term.Category == allowCategory {
			*reach = max(*reach, h.To)
			continue
		}
		if h.To <= *reach || h.Gaps && h.From < *reach || again(kept, h) {
			continue
		}
		kept = append(kept, h)
	}
	return kept
}

// again tells whether the same was found at the same place before, and keeps the surer of the two there.
func again(kept []Hit, h Hit) bool {
	for i := len(kept) - 1; i >= 0 && kept[i].From == h.From && kept[i].To == h.To; i-- {
		if k := &kept[i]; k.Term.Category == h.Term.Category && k.Term.Kind == h.Term.Kind {
			if h.Term.Confidence > k.Term.Confidence || k.Sound && !h.Sound {
				*k = h
			}
			return true
		}
	}
	return false
}
