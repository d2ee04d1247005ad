package normal

// Text is a normalised text in its readings. The zero value is ready; a Text can be read into again and again,
// which keeps its memory. It is not safe for concurrent use.
type Text struct {
	// Length of the original in runes (an invalid byte counts as one, as in a range loop).
	Length int
	// Runes are the folded text with its separators; From and To are where in the original each comes from,
	// half-open. What folds to nothing belongs to the rune before it.
	Runes    []rune
	From, To []int32
	Classes  []Class
	digits   []digit
	// Tight is Runes without separators; TightAt is where in Runes each stands.
	Tight   []rune
	TightAt []int32
	// Aloud is Tight with emoji read aloud, AloudAt where each stands; both are empty where the text has no emoji that
	// is read.
	Aloud   []rune
	AloudAt []int32
	// Spoken is Runes with emoji read aloud, for what looks at wording and needs no places.
	Spoken []rune
	// Sounds are the syllables, letters, and digits; emoji are read aloud, and words in Latin letters that
	// spell syllables are syllables. SoundAt and SoundTo are the runes that each is read from, half-open.
	Sounds           []Sound
	SoundAt, SoundTo []int32
}

// Digit says which digit a rune is, and how plainly.
func (t *Text) Digit(i int) (value byte, kind DigitKind) { return t.digits[i].value, t.digits[i].kind }

// digit is what DigitOf says of a rune.
type digit struct {
	value byte
	kind  DigitKind
}

// Span of the original that runes [from, to) come from.
func (t *Text) Span(from, to int) (int, int) {
	return int(t.From[from]), int(t.To[to-1])
}

func (t *Text) reset() {
	t.Length = 0
	t.truncate(0)
	t.Tight, t.TightAt = t.Tight[:0], t.TightAt[:0]
	t.Sounds, t.SoundAt, t.SoundTo = t.Sounds[:0], t.SoundAt[:0], t.SoundTo[:0]
	t.Spoken = t.Spoken[:0]
	t.Aloud, t.AloudAt = t.Aloud[:0], t.AloudAt[:0]
}

func (t *Text) append(r rune, class Class, d digit, at int32) {
	t.Runes, t.digits = append(t.Runes, r), append(t.digits, d)
	t.From, t.To = append(t.From, at), append(t.To, at+1)
	t.Classes = append(t.Classes, class)
}

// move makes rune out of the runes [from, to), to its left.
func (t *Text) move(out, from, to int) {
	t.Runes[out], t.Classes[out], t.digits[out] = t.Runes[from], t.Classes[from], t.digits[from]
	t.From[out], t.To[out] = t.From[from], t.To[to-1]
}

func (t *Text) truncate(n int) {
	t.Runes, t.From, t.To, t.Classes, t.digits = t.Runes[:n], t.From[:n], t.To[:n], t.Classes[:n], t.digits[:n]
}

// Read normalises text into t.
func (n *Normaliser) Read(text string, t *Text) {
	t.reset()
	splits := false
	at := int32(0)
	flag := rune(0)
	for _, r := range text {
		if flag, r = n.country(flag, r, t, at); r == 0 {
			at++
			continue
		}
		var e entry
		if uint32(r) < 0x20000 && n.pages[r>>pageBits] != nil {
			e = n.pages[r>>pageBits][r&(pageSize-1)]
		} else {
			e = n.lookup(r)
		}
		switch {
		case e.folded != 0:
			splits = splits || e.splits
			t.append(e.folded, e.class, e.digit, at)
		case e.more != 0:
			for _, f := range n.sequences[e.more-1] {
				fe := n.lookup(f)
				t.append(f, fe.class, fe.digit, at)
			}
		case len(t.To) > 0:
			t.To[len(t.To)-1] = at + 1
		}
		at++
	}
	t.Length = int(at)
	if splits {
		n.joinSplits(t)
	}
	n.tighten(t)
}

// country reads flags: of two regional indicators that are one, the second adds the name in place of the first.
func (n *Normaliser) country(flag, r rune, t *Text, at int32) (next, rest rune) {
	if r < '🇦' || r > '🇿' {
		return 0, r
	}
	if flag == 0 || len(t.Runes) == 0 {
		return r, r
	}
	name, ok := n.flags[[2]rune{flag, r}]
	if !ok {
		return r, r
	}
	last := len(t.Runes) - 1
	from := t.From[last]
	t.truncate(last)
	for _, c := range name.runes {
		t.append(c, Han, digit{}, from)
		t.To[len(t.To)-1] = at + 1
	}
	return 0, 0
}

// aloud fills the reading with emoji.
func (n *Normaliser) aloud(t *Text) {
	for i, r := range t.Runes {
		switch class := t.Classes[i]; {
		case class == Emoji:
			for _, c := range n.emoji[r].runes {
				t.Aloud, t.AloudAt = append(t.Aloud, c), append(t.AloudAt, int32(i))
			}
		case !class.Separates():
			t.Aloud, t.AloudAt = append(t.Aloud, r), append(t.AloudAt, int32(i))
		}
	}
}

// tighten fills the readings without separators.
func (n *Normaliser) tighten(t *Text) {
	pictures := false
	for i := 0; i < len(t.Runes); {
		switch class := t.Classes[i]; {
		case class == Letter:
			end := i + 1
			for end < len(t.Runes) && t.Classes[end] == Letter {
				end++
			}
			t.Tight = append(t.Tight, t.Runes[i:end]...)
			for k := i; k < end; k++ {
				t.TightAt = append(t.TightAt, int32(k))
			}
			t.Spoken = append(t.Spoken, t.Runes[i:end]...)
			n.spell(t, i, end)
			i = end
			continue
		case class == Emoji:
			spoken, ok := n.emoji[t.Runes[i]]
			pictures = pictures || ok
			if !ok {
				spoken.runes = t.Runes[i : i+1]
			}
			t.Spoken = append(t.Spoken, spoken.runes...)
			for _, s := range spoken.sounds {
				t.appendSound(s, i, i+1)
			}
		case class.Separates():
			t.Spoken = append(t.Spoken, t.Runes[i])
			if t.Runes[i] == '+' {
				t.Tight, t.TightAt = append(t.Tight, '+'), append(t.TightAt, int32(i))
			}
		default:
			t.Tight, t.TightAt = append(t.Tight, t.Runes[i]), append(t.TightAt, int32(i))
			t.Spoken = append(t.Spoken, t.Runes[i])
			t.appendSound(n.lookup(t.Runes[i]).sound, i, i+1)
		}
		i++
	}
	if pictures {
		n.aloud(t)
	}
}

func (t *Text) appendSound(s Sound, from, to int) {
	t.Sounds = append(t.Sounds, s)
	t.SoundAt, t.SoundTo = append(t.SoundAt, int32(from)), append(t.SoundTo, int32(to))
}

// longestSyllable has six letters (zhuang), longestWord is where no one spells any more.
const (
	longestSyllable = 6
	longestWord     = 40
)

// spell reads letters as syllables if all of them are, one by one otherwise.
func (n *Normaliser) spell(t *Text, from, to int) {
	start := len(t.Sounds)
	if to-from >= 2 && to-from <= longestWord {
		i := from
		for i < to {
			end := min(i+longestSyllable, to)
			for ; end > i; end-- {
				if s, ok := n.sounds.spelled(t.Runes[i:end]); ok {
					t.appendSound(s, i, end)
					break
				}
			}
			if end == i {
				break
			}
			i = end
		}
		if i == to {
			return
		}
		t.Sounds, t.SoundAt, t.SoundTo = t.Sounds[:start], t.SoundAt[:start], t.SoundTo[:start]
	}
	for i := from; i < to; i++ {
		t.appendSound(letterSound+Sound(t.Runes[i]-'a'), i, i+1)
	}
}
