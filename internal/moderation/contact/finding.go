package contact

import (
	"github.com/feigeio/feige/internal/moderation/lexicon"
	"github.com/feigeio/feige/internal/moderation/normal"
)

// Sub-kinds of contacts.
const (
	Phone          = "phone"
	WeChat         = "wechat"
	QQ             = "qq"
	Email          = "email"
	Link           = "link"
	BankCard       = "bank_card"
	PaymentAccount = "payment_account"
	Messenger      = "other_messenger"
	Address        = "address"
	QR             = "qr"
)

// Finding is a contact in a text.
type Finding struct {
	Kind string
	// From and To are positions in the text's Runes, half-open.
	From, To   int
	Confidence float64
	// Evidence is the contact as it was understood.
	Evidence string
}

// Detector finds contacts. It is immutable and safe for concurrent use.
type Detector struct {
	permitted []string
	jia, qun  normal.Sound
}

// New makes a detector that lets links to the permitted domains, and what is below them, pass.
func New(n *normal.Normaliser, permitted []string) *Detector {
	return &Detector{permitted: permitted, jia: n.SoundsOf("加")[0], qun: n.SoundsOf("群")[0]}
}

// Scratch is what Find works with. The zero value is ready; it is not safe for concurrent use.
type Scratch struct {
	findings []Finding
	runs     []run
	tight    []int32 // of each rune: the first tight rune at or after it
	sound    []int32 // of each rune: the first sound at or after it
	cues     []lexicon.Hit
	// taken runes belong to a finding already, or to a permitted link.
	taken   []bool
	cleared [][2]int
	// delivers: the text is about a delivery.
	delivers bool
}

// scan is one text being looked at.
type scan struct {
	*Detector
	*Scratch
	t *normal.Text
}

// Cleared are the permitted links of the last text, as ranges of its Runes: whatever else is found in them is
// part of an address.
func (s *Scratch) Cleared() [][2]int { return s.cleared }

// Find returns the contacts of a text whose cues are among the hits. The slice is the scratch's.
func (d *Detector) Find(t *normal.Text, hits []lexicon.Hit, s *Scratch) []Finding {
	s.findings, s.cues, s.cleared = s.findings[:0], s.cues[:0], s.cleared[:0]
	for _, h := range hits {
		if h.Term.Category == "cue" {
			s.cues = append(s.cues, h)
		}
	}
	c := scan{Detector: d, Scratch: s, t: t}
	digits, latin, signs := c.survey()
	if digits < 5 && latin == 0 && signs == 0 && len(s.cues) == 0 {
		return nil
	}
	c.index()
	c.delivers = c.has(0, len(t.Runes), "deliver")
	c.digitRuns()
	c.links()
	c.accounts()
	c.numbers()
	c.stores()
	return s.findings
}

// survey counts what contacts are made of.
func (c *scan) survey() (digits, latin, signs int) {
	for i, class := range c.t.Classes {
		switch {
		case class == normal.Digit:
			digits++
		case class == normal.Letter:
			latin++
		case c.t.Runes[i] == '@' || c.t.Runes[i] == '+':
			signs++
		case class == normal.Han:
			if _, kind := c.t.Digit(i); kind != normal.NoDigit {
				digits++
			}
		}
	}
	return digits, latin, signs
}

// index fills the maps from runes to tight runes and sounds.
func (c *scan) index() {
	n := len(c.t.Runes)
	c.tight, c.sound, c.taken = grow(c.tight, n+1), grow(c.sound, n+1), grow(c.taken, n+1)
	clear(c.taken)
	k, s := 0, 0
	for i := range n + 1 {
		for k < len(c.t.TightAt) && int(c.t.TightAt[k]) < i {
			k++
		}
		for s < len(c.t.SoundAt) && int(c.t.SoundAt[s]) < i {
			s++
		}
		c.tight[i], c.sound[i] = int32(k), int32(s)
	}
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n*2)
	}
	return s[:n]
}

func (c *scan) add(kind string, from, to int, confidence float64, evidence string) {
	for i := from; i < to; i++ {
		c.taken[i] = true
	}
	c.findings = append(c.findings, Finding{Kind: kind, From: from, To: to, Confidence: confidence, Evidence: evidence})
}

// free tells whether no finding holds the runes yet.
func (c *scan) free(from, to int) bool { return !c.taken[from] && !c.taken[to-1] }

// cue finds a cue of one of the kinds that starts at or after from and ends at or before to.
func (c *scan) cue(from, to int, kinds ...string) (lexicon.Hit, bool) {
	lo, hi := 0, len(c.cues)
	for lo < hi {
		mid := (lo + hi) / 2
		if int(c.cues[mid].From) < from {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for ; lo < len(c.cues) && int(c.cues[lo].From) < to; lo++ {
		if int(c.cues[lo].To) > to {
			continue
		}
		for _, k := range kinds {
			if c.cues[lo].Term.Kind == k {
				return c.cues[lo], true
			}
		}
	}
	return lexicon.Hit{}, false
}

func (c *scan) has(from, to int, kinds ...string) bool {
	_, ok := c.cue(from, to, kinds...)
	return ok
}

// before is where n tight runes before a position begin.
func (c *scan) before(at, n int) int {
	k := int(c.tight[at]) - n
	if k < 0 || len(c.t.TightAt) == 0 {
		return 0
	}
	return int(c.t.TightAt[k])
}

// after is where n tight runes after a position end.
func (c *scan) after(at, n int) int {
	k := int(c.tight[at]) + n
	if k >= len(c.t.TightAt) {
		return len(c.t.Runes)
	}
	return int(c.t.TightAt[k])
}

// adds tells whether one of the n sounds before a position says to add somebody (加, and what sounds like it).
func (c *scan) adds(at, n int) bool {
	s := int(c.sound[at])
	for k := max(0, s-n); k < s; k++ {
		if c.t.Sounds[k] == c.jia {
			return true
		}
	}
	for i, k := at-1, 0; i >= 0 && k < min(n, 2); i, k = i-1, k+1 {
		if c.t.Runes[i] == '+' {
			return i == 0 || c.t.Classes[i-1] != normal.Letter // but ctrl+v
		}
	}
	return false
}
