package contact

import "github.com/feigeio/feige/internal/moderation/normal"

// run is a sequence of digits, however they are written.
type run struct {
	digits   []byte // '0' to '9'
	at       []int32
	start    int32 // where the first digit begins; at is where digits end
	groups   int   // parted by separators
	largest  int   // group
	stops    bool  // commas and the like between digits
	words    int   // how many are words
	soft     int   // how many are letters or radio words
	sameGaps bool
}

const (
	longestGap = 3
	minDigits  = 5
)

// digitRuns collects the runs of at least minDigits.
func (c *scan) digitRuns() {
	// The runs' memory is used again.
	c.runs = c.runs[:0]
	t := c.t
	var r *run
	group, gap := 0, 0
	var gapRune rune
	spelledTo := -1
	finish := func() {
		if r == nil {
			return
		}
		r.largest = max(r.largest, group)
		r.trim(t)
		if len(r.digits) < minDigits {
			c.runs = c.runs[:len(c.runs)-1]
		}
		r = nil
	}
	for i := 0; i < len(t.Runes); i++ {
		value, kind := t.Digit(i)
		end := i
		if t.Classes[i] == normal.Letter && (i == 0 || t.Classes[i-1] != normal.Letter || i == spelledTo) {
			if v, to, ok := c.spelledDigit(i); ok {
				value, kind, end, spelledTo = v, normal.WordDigit, to-1, to
			}
		}
		if kind == normal.AlikeDigit && !c.alike(i) || kind == normal.SoundDigit {
			kind = normal.NoDigit
		}
		if kind == normal.NoDigit {
			if r == nil {
				continue
			}
			if !t.Classes[i].Separates() || gap == longestGap {
				finish()
				continue
			}
			if gap == 0 {
				r.largest = max(r.largest, group)
				group = 0
				if gapRune != 0 && gapRune != t.Runes[i] {
					r.sameGaps = false
				}
				gapRune = t.Runes[i]
			}
			gap++
			continue
		}
		if r == nil {
			r = c.newRun()
			group, gap, gapRune = 0, 0, 0
		}
		if gap > 0 {
			r.groups++
			gap = 0
			for k := int(r.at[len(r.at)-1]) + 1; k < i; k++ {
				r.stops = r.stops || t.Classes[k] == normal.Stop && t.Runes[k] != '。'
			}
		}
		switch kind {
		case normal.WordDigit:
			r.words++
		case normal.RadioDigit, normal.AlikeDigit:
			r.soft++
		}
		r.digits, r.at = append(r.digits, '0'+value), append(r.at, int32(end))
		if len(r.at) == 1 {
			r.start = int32(i)
		}
		group++
		i = end
	}
	finish()
}

func (c *scan) newRun() *run {
	if len(c.runs) < cap(c.runs) {
		c.runs = c.runs[:len(c.runs)+1]
	} else {
		c.runs = append(c.runs, run{})
	}
	r := &c.runs[len(c.runs)-1]
	*r = run{digits: r.digits[:0], at: r.at[:0], groups: 1, sameGaps: true}
	return r
}

// trim takes letters and radio words off both ends that are no digits after all.
func (r *run) trim(t *normal.Text) {
	soft := func(i int32) bool {
		_, kind := t.Digit(int(i))
		return kind == normal.RadioDigit || kind == normal.AlikeDigit
	}
	for len(r.digits) > 11 && soft(r.at[len(r.at)-1]) {
		r.digits, r.at = r.digits[:len(r.digits)-1], r.at[:len(r.at)-1]
		r.soft--
	}
	first := 0
	for len(r.digits)-first > 11 && soft(r.at[first]) {
		first++
		r.soft--
	}
	if first > 0 {
		r.digits, r.at = append(r.digits[:0], r.digits[first:]...), append(r.at[:0], r.at[first:]...)
		r.start = r.at[0]
	}
}

// alike tells whether a letter stands among digits and not in a word.
func (c *scan) alike(i int) bool {
	t := c.t
	for k := i - 1; k >= 0 && k > i-4; k-- {
		_, kind := t.Digit(k)
		if kind == normal.PlainDigit || kind == normal.WordDigit {
			return c.beforeDigits(i)
		}
		if kind != normal.AlikeDigit && !t.Classes[k].Separates() {
			break
		}
	}
	return c.beforeDigits(i) && c.afterDigit(i)
}

// beforeDigits: the letters from i on are all digits-alike until something else than a letter comes.
func (c *scan) beforeDigits(i int) bool {
	for k := i; k < len(c.t.Runes) && k < i+4; k++ {
		_, kind := c.t.Digit(k)
		if kind == normal.NoDigit || kind == normal.SoundDigit {
			return c.t.Classes[k] != normal.Letter
		}
		if kind == normal.PlainDigit {
			return true
		}
	}
	return true
}

// afterDigit: a digit follows within two runes, and no letter stands before.
func (c *scan) afterDigit(i int) bool {
	if i > 0 && c.t.Classes[i-1] == normal.Letter {
		return false
	}
	for k := i + 1; k < len(c.t.Runes) && k < i+4; k++ {
		_, kind := c.t.Digit(k)
		if kind == normal.PlainDigit {
			return true
		}
		if kind != normal.AlikeDigit && !c.t.Classes[k].Separates() {
			return false
		}
	}
	return false
}

func (r *run) from() int { return int(r.start) }
func (r *run) to() int   { return int(r.at[len(r.at)-1]) + 1 }

// groupSizes writes the sizes of the groups, up to the capacity of sizes.
func (r *run) groupSizes(sizes []int) []int {
	size := 0
	for i := range r.at {
		if i > 0 && r.at[i] != r.at[i-1]+1 {
			if len(sizes) == cap(sizes) {
				return sizes
			}
			sizes, size = append(sizes, size), 0
		}
		size++
	}
	if len(sizes) < cap(sizes) {
		sizes = append(sizes, size)
	}
	return sizes
}

// digitWords are digits spelled in English and in pinyin.
var digitWords = map[string]byte{
	"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
	"ling": 0, "yi": 1, "yao": 1, "er": 2, "san": 3, "si": 4, "wu": 5, "liu": 6, "qi": 7, "ba": 8, "jiu": 9, "dong": 0, "guai": 7, "gou": 9,
}

// spelledDigit reads a digit word; the letters around it must be digit words, too.
func (c *scan) spelledDigit(i int) (value byte, to int, ok bool) {
	t := c.t
	var buf [5]byte
	best := 0
	for n := 0; n < len(buf) && i+n < len(t.Runes) && t.Classes[i+n] == normal.Letter; n++ {
		buf[n] = byte(t.Runes[i+n])
		if v, known := digitWords[string(buf[:n+1])]; known {
			value, best = v, n+1
		}
	}
	if best == 0 {
		return 0, 0, false
	}
	if next := i + best; next < len(t.Runes) && t.Classes[next] == normal.Letter {
		if _, _, more := c.startsDigitWord(next); !more {
			return 0, 0, false
		}
	}
	return value, i + best, true
}

// startsDigitWord looks one word ahead, and no further, to stay linear.
func (c *scan) startsDigitWord(i int) (value byte, to int, ok bool) {
	var buf [5]byte
	for n := 0; n < len(buf) && i+n < len(c.t.Runes) && c.t.Classes[i+n] == normal.Letter; n++ {
		buf[n] = byte(c.t.Runes[i+n])
		if v, known := digitWords[string(buf[:n+1])]; known {
			return v, i + n + 1, true
		}
	}
	return 0, 0, false
}
