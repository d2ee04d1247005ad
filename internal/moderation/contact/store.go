package contact

import (
	"strings"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// stores looks for the street address of a physical store: a word for a store, a street, and a number.
func (c *scan) stores() {
	t := c.t
	if !c.has(0, len(t.Runes), "store") || !c.has(0, len(t.Runes), "place") {
		return
	}
	for i, r := range t.Runes {
		if !strings.ContainsRune("号弄栋楼室铺", r) || i == 0 {
			continue
		}
		digits := i
		for digits > 0 && i-digits < 6 && (t.Classes[digits-1] == normal.Digit || isDigitWord(t.Runes[digits-1]) || t.Classes[digits-1] == normal.Letter || t.Runes[digits-1] == '-') {
			digits--
		}
		if digits == i {
			continue
		}
		street, ok := c.cue(c.before(digits, 5), digits, "place")
		if !ok || int(street.To) < digits-4 {
			continue
		}
		from := c.addressStart(int(street.From))
		store := c.has(c.before(from, 24), from, "store") || c.has(i, c.after(i, 16), "store")
		if !store {
			continue
		}
		confidence := 0.92
		if c.delivers {
			confidence = 0.5
		}
		if i-from < 5 {
			confidence -= 0.1
		}
		c.add(Address, from, i+1, confidence, string(t.Runes[from:i+1]))
		return
	}
}

// mostParts of an address: 省 市 区 镇 路 and some.
const mostParts = 8

// addressStart goes left over the parts of an address.
func (c *scan) addressStart(at int) int {
	for range mostParts {
		part, ok := c.cueEnding(c.before(at, 7), at)
		if !ok || part >= at {
			break
		}
		at = part
	}
	// The name before the first part: 杭州 of 杭州市.
	start := at
	for start > 0 && at-start < 3 && c.t.Classes[start-1] == normal.Han && !strings.ContainsRune("在到是址给你来：来的于", c.t.Runes[start-1]) {
		start--
	}
	return start
}

// cueEnding is where the leftmost place begins that lies in a range.
func (c *scan) cueEnding(from, to int) (int, bool) {
	h, ok := c.cue(from, to, "place")
	return int(h.From), ok
}
