package lexicon

import (
	"cmp"
	"slices"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// Scratch is what Find works with. The zero value is ready; it is not safe for concurrent use.
type Scratch struct {
	key   []byte
	hits  []Hit
	parts []partHit
	// order is the order of parts, each as its place, its number, and its index.
	order []uint64
	// state is, by sequence, how far it has come; valid where it is of this round.
	state []progress
	round uint32
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
	round uint32
}

// Find returns the terms of a text, in the order of their starts, without those in allowed words. The slice is
// the scratch's.
func (l *Lexicon) Find(t *normal.Text, s *Scratch) []Hit {
	s.hits, s.parts = s.hits[:0], s.parts[:0]
	s.key = s.key[:0]
	s.segmented = segmented(t)
	s.key = l.encode(t.Tight, s.key)
	l.trie.Walk(s.key, func(end, length, number int64) bool {
		from, to := (end+1-length)/2, (end+1)/2
		return l.take(t, s, l.patterns[number], t.TightAt[from], t.TightAt[to-1]+1, int(to-from), false)
	})
	if len(t.Aloud) > 0 {
		s.key = l.encode(t.Aloud, s.key[:0])
		l.trie.Walk(s.key, func(end, length, number int64) bool {
			from, to := (end+1-length)/2, (end+1)/2
			return l.take(t, s, l.patterns[number], t.AloudAt[from], t.AloudAt[to-1]+1, int(to-from), true)
		})
	}
	s.key = s.key[:0]
	for _, sound := range t.Sounds {
		s.key = appendSymbol(s.key, l.firstSound+uint16(sound))
	}
	l.trie.Walk(s.key, func(end, length, number int64) bool {
		from, to := (end+1-length)/2, (end+1)/2
		return l.take(t, s, l.patterns[number], t.SoundAt[from], t.SoundTo[to-1], int(to-from), false)
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

// encode writes runes as the automaton's symbols.
func (l *Lexicon) encode(runes []rune, key []byte) []byte {
	for _, r := range runes {
		var symbol uint16
		if uint32(r) >= 1<<16 {
			symbol = l.symbols[r]
		} else if page := l.pages[r>>8]; page != nil {
			symbol = page[r&0xff]
		}
		key = appendSymbol(key, symbol)
	}
	return key
}

// take notes what the automaton found; false ends the search. In the reading aloud only what holds an emoji counts.
func (l *Lexicon) take(t *normal.Text, s *Scratch, patterns []pattern, from, to int32, length int, aloud bool) bool {
	gaps := int(to-from) > length
	if aloud {
		if !slices.Contains(t.Classes[from:to], normal.Emoji) {
			return true
		}
		gaps = parted(t, from, to)
	}
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
		if gaps && (p.exact || p.term.Category != allowCategory && !(aloud && !gaps) && !spelledOut(t, from, to, s.segmented)) {
			continue
		}
		if p.sequence >= 0 {
			s.parts = append(s.parts, partHit{sequence: p.sequence, part: p.part, from: from, to: to})
		} else {
			s.hits = append(s.hits, Hit{Term: p.term, From: from, To: to, Sound: p.sound || aloud, Gaps: gaps})
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
	s.order = s.order[:0]
	for i := range s.parts {
		s.order = append(s.order, uint64(s.parts[i].from)<<32|uint64(s.parts[i].part&0xff)<<24|uint64(i&0xffffff))
	}
	slices.Sort(s.order)
	if len(s.state) < len(l.sequences) {
		s.state = make([]progress, len(l.sequences))
	}
	s.round++
	for _, key := range s.order {
		p := s.parts[key&0xffffff]
		if p.part == 0 {
			s.state[p.sequence] = progress{next: 1, from: p.from, until: p.to, round: s.round}
			continue
		}
		at := s.state[p.sequence]
		if at.round != s.round || at.next != p.part || p.from < at.until || p.from-at.until > reach {
			continue
		}
		at.next, at.until = p.part+1, p.to
		s.state[p.sequence] = at
		if of := l.sequences[p.sequence]; at.next == of.parts {
			s.state[p.sequence].round = 0
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
