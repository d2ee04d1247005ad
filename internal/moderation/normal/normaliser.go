package normal

import (
	_ "embed" // the tables
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/longbridgeapp/opencc"
	"golang.org/x/text/unicode/norm"
)

var (
	//go:embed emoji.tsv
	emojiTable string
	//go:embed splits.tsv
	splitTable string
)

const (
	pageBits = 8
	pageSize = 1 << pageBits
	pages    = 0x20000 >> pageBits
)

// entry says what one rune folds to.
type entry struct {
	folded rune // 0: nothing, see more
	class  Class
	sound  Sound
	digit  digit
	more   uint16 // index into sequences, from 1
	splits bool   // may begin a split character
}

// Normaliser holds the tables. It is immutable and safe for concurrent use.
type Normaliser struct {
	pages     [pages]*[pageSize]entry
	sequences [][]rune
	splits    map[rune][]split
	sounds    *soundTable
	emoji     map[rune]reading
	flags     map[[2]rune]reading
}

// New builds the tables: some tens of milliseconds and a few megabytes.
func New() (*Normaliser, error) {
	traditional, err := opencc.New("t2s")
	if err != nil {
		return nil, fmt.Errorf("loading the table of traditional characters: %w", err)
	}
	n := &Normaliser{sounds: newSoundTable()}
	n.splits, err = parseSplits(splitTable)
	if err != nil {
		return nil, err
	}
	b := folder{alike: alike(), traditional: traditional}
	for page := range n.pages {
		if err := n.fillPage(page, &b); err != nil {
			return nil, err
		}
	}
	if err := n.parseEmoji(emojiTable); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *Normaliser) fillPage(page int, b *folder) error {
	if page<<pageBits >= 0xAC00 && page<<pageBits < 0xF900 || page<<pageBits >= 0x1FC00 || page<<pageBits >= 0x12000 && page<<pageBits < 0x1D000 {
		return nil // Hangul syllables, surrogates, and private use fold to themselves
	}
	var entries [pageSize]entry
	for i := range entries {
		r := rune(page<<pageBits | i)
		folded, err := b.fold(r)
		if err != nil {
			return err
		}
		e := &entries[i]
		switch len(folded) {
		case 0:
		case 1:
			*e = n.describe(folded[0])
		default:
			if len(n.sequences) == 1<<16-1 {
				return fmt.Errorf("folding %U: too many sequences", r)
			}
			n.sequences = append(n.sequences, folded)
			e.more = uint16(len(n.sequences))
		}
	}
	n.pages[page] = &entries
	return nil
}

func (n *Normaliser) describe(r rune) entry {
	e := entry{folded: r, class: classOf(r)}
	e.digit.value, e.digit.kind = DigitOf(r)
	e.sound = n.sounds.of(r)
	_, e.splits = n.splits[r]
	return e
}

func (n *Normaliser) lookup(r rune) entry {
	if uint32(r) < 0x20000 {
		if page := n.pages[r>>pageBits]; page != nil {
			return page[r&(pageSize-1)]
		}
	}
	if r >= 0xE0000 && r <= 0xE0FFF || unicode.Is(unicode.Mn, r) {
		return entry{}
	}
	return entry{folded: r, class: classOf(r)}
}

// folder computes what a rune folds to; New asks it once for each rune.
type folder struct {
	alike       map[rune]rune
	traditional *opencc.OpenCC
}

func (b *folder) fold(r rune) ([]rune, error) {
	if r < 0x80 {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return []rune{r}, nil
	}
	if to, ok := b.alike[r]; ok {
		r = to
	}
	var out []rune
	for _, d := range norm.NFKD.String(string(r)) {
		if unicode.In(d, unicode.Mn, unicode.Me, unicode.Cf) || d == 0x034F || d == 0x115F || d == 0x1160 || d == 0x17B4 || d == 0x17B5 {
			continue
		}
		d = unicode.ToLower(d)
		if to, ok := b.alike[d]; ok {
			d = to
		}
		if unicode.Is(unicode.Han, d) {
			s, err := b.traditional.Convert(string(d))
			if err != nil {
				return nil, fmt.Errorf("converting %U from traditional: %w", d, err)
			}
			if simple, size := utf8.DecodeRuneInString(s); size == len(s) {
				d = simple
			}
			if to, ok := b.alike[d]; ok {
				d = to
			}
		}
		out = append(out, d)
	}
	return enclosed(r, out), nil
}

// enclosed takes the brackets, dots, and commas off numbers and letters that come with them: ⑴ ⒈ 🄁 🄐.
func enclosed(r rune, out []rune) []rune {
	if r >= 0x2474 && r <= 0x24B5 || r >= 0x1F100 && r <= 0x1F12F || r >= 0x3200 && r <= 0x3247 {
		return []rune(strings.Trim(string(out), "().,"))
	}
	return out
}

// reading is how a picture is read aloud.
type reading struct {
	runes  []rune
	sounds []Sound
}

func (n *Normaliser) parseEmoji(table string) error {
	n.emoji, n.flags = make(map[rune]reading), make(map[[2]rune]reading)
	for i, line := range strings.Split(table, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		picture, words, ok := strings.Cut(line, "\t")
		runes := []rune(picture)
		if !ok || len(runes) < 1 || len(runes) > 2 {
			return fmt.Errorf("emoji table, line %d: want one emoji or flag, a tab, and its reading", i+1)
		}
		r := reading{runes: []rune(words)}
		for _, c := range r.runes {
			r.sounds = append(r.sounds, n.sounds.of(c))
		}
		if len(runes) == 2 {
			n.flags[[2]rune{runes[0], runes[1]}] = r
		} else {
			n.emoji[runes[0]] = r
		}
	}
	return nil
}

// SoundsOf reads a word: its characters' syllables, or Latin letters that spell syllables.
func (n *Normaliser) SoundsOf(word string) []Sound {
	var t Text
	n.Read(word, &t)
	return append([]Sound(nil), t.Sounds...)
}

// Fold is the folded form of a word, without separators.
func (n *Normaliser) Fold(word string) []rune {
	var t Text
	n.Read(word, &t)
	return append([]rune(nil), t.Tight...)
}

// Pictures lists, for each reading, the emoji that are read so, in the order of their code points.
func (n *Normaliser) Pictures() map[string][]string {
	pictures := make(map[string][]string)
	for r, said := range n.emoji {
		pictures[string(said.runes)] = append(pictures[string(said.runes)], string(r))
	}
	for _, list := range pictures {
		slices.Sort(list)
	}
	return pictures
}
