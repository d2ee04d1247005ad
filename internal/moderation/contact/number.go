package contact

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// numbers judges the runs of digits that no account has claimed.
func (c *scan) numbers() {
	for i := range c.runs {
		r := &c.runs[i]
		if !c.free(r.from(), r.to()) {
			continue
		}
		if c.phone(r) || c.landline(r) || c.foreignPhone(r) || c.bankCard(r) {
			continue
		}
	}
}

// mobile is the 11 digits of a mobile number in mainland China in a run, and where they begin.
func (r *run) mobile() (string, int, bool) {
	d := r.digits
	skip := 0
	switch {
	case len(d) == 13 && d[0] == '8' && d[1] == '6':
		skip = 2
	case len(d) == 15 && string(d[:4]) == "0086":
		skip = 4
	case len(d) == 14 && string(d[:3]) == "086":
		skip = 3
	case len(d) == 12 && d[0] == '0':
		skip = 1
	case len(d) != 11:
		return "", 0, false
	}
	if d = d[skip:]; d[0] != '1' || d[1] < '3' {
		return "", 0, false
	}
	return string(d), skip, true
}

// grouped tells whether the digits are grouped as in a number that is meant to be dialled: not a list of numbers.
func (r *run) grouped(skip int) bool {
	if r.groups == 1 || r.groups >= len(r.digits)-1 {
		return true
	}
	var buf [16]int
	sizes := r.groupSizes(buf[:0:cap(buf)])
	if skip > 0 && len(sizes) > 1 && sizes[0] <= skip {
		sizes = sizes[1:]
	}
	switch len(sizes) {
	case 1:
		return true
	case 2:
		return sizes[0] >= 3 || sizes[0] == 1
	case 3:
		return sizes[0] <= 4 && sizes[1] >= 3 && sizes[2] >= 3 && !r.stops
	case 4:
		return !r.stops && r.sameGaps && sizes[3] != 3
	default:
		return !r.stops && r.sameGaps && sizes[0] <= 2 && sizes[1] <= 2
	}
}

func (c *scan) phone(r *run) bool {
	number, skip, ok := r.mobile()
	if !ok {
		return false
	}
	from, to := r.from(), r.to()
	near := c.before(from, 12)
	cued := c.has(near, from, "phone", "wechat", "wechat_weak", "act") || c.has(to, c.after(to, 6), "phone", "act")
	if !r.grouped(skip) && !(cued && r.sameGaps) {
		return false
	}
	confidence := 0.93
	if cued {
		confidence = 0.97
	}
	if parsed, err := phonenumbers.Parse(number, "CN"); err != nil || !phonenumbers.IsValidNumber(parsed) {
		confidence -= 0.15
	}
	if r.soft > 3 && !cued {
		confidence -= 0.15
	}
	if c.has(c.before(from, 7), from, "order") && !c.has(c.before(from, 4), from, "phone", "wechat") {
		confidence -= 0.5
	}
	if glued(c.t, from, to) && !cued {
		confidence -= 0.5
	}
	if c.delivers && !c.has(near, from, "wechat", "wechat_weak") {
		confidence -= 0.5
	}
	if c.has(c.before(from, 12), c.after(to, 6), "official") {
		confidence -= 0.5
	}
	if c.has(c.before(from, 12), c.after(to, 6), "topup") && !c.has(near, c.after(to, 6), "act", "wechat", "wechat_weak") && !c.adds(from, 3) {
		confidence -= 0.5 // the sender's own
	}
	if confidence < 0.4 {
		return false
	}
	c.add(Phone, from, to, confidence, number)
	return true
}

// glued: letters stand right before or after, as in a serial number.
func glued(t *normal.Text, from, to int) bool {
	return from > 0 && t.Classes[from-1] == normal.Letter || to < len(t.Runes) && t.Classes[to] == normal.Letter
}

func (c *scan) landline(r *run) bool {
	d := r.digits
	from, to := r.from(), r.to()
	cued := c.has(c.before(from, 8), from, "phone") || from > 0 && strings.ContainsRune("打拨呼", c.t.Runes[from-1])
	official := c.has(c.before(from, 12), c.after(to, 6), "official", "deliver", "order")
	switch {
	case len(d) >= 10 && len(d) <= 12 && d[0] == '0' && d[1] >= '1' && (r.groups == 2 || cued && d[1] != '0'):
		var buf [4]int
		if sizes := r.groupSizes(buf[:0:cap(buf)]); r.groups == 2 && (sizes[0] < 3 || sizes[0] > 4) {
			return false
		}
	case len(d) == 10 && (string(d[:3]) == "400" || string(d[:3]) == "800") && cued:
		official = official || c.has(c.before(from, 12), c.after(to, 6), "hotline") // nobody writes to these
	case len(d) >= 7 && len(d) <= 8 && cued && r.words+r.soft == 0 && d[0] >= '2' && r.groups <= 2:
		if !c.has(c.before(from, 4), from, "phone") || !c.has(c.before(from, 6), from, "phone", "act") {
			return false
		}
		if official {
			return false
		}
		c.add(Phone, from, to, 0.7, string(d))
		return true
	default:
		return false
	}
	if official {
		return false
	}
	confidence := 0.8
	if cued {
		confidence = 0.92
	}
	c.add(Phone, from, to, confidence, string(d))
	return true
}

// foreignPhone: a plus sign, and a number that is valid somewhere.
func (c *scan) foreignPhone(r *run) bool {
	from := r.from()
	if len(r.digits) < 8 || len(r.digits) > 15 || from == 0 || c.t.Runes[from-1] != '+' {
		return false
	}
	number, err := phonenumbers.Parse("+"+string(r.digits), "")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return false
	}
	c.add(Phone, from-1, r.to(), 0.92, "+"+string(r.digits))
	return true
}

// luhn tells whether the check digit is right.
func luhn(digits []byte) bool {
	sum, double := 0, false
	for i := len(digits) - 1; i >= 0; i-- {
		d := int(digits[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}

func (c *scan) bankCard(r *run) bool {
	d := r.digits
	if len(d) < 15 || len(d) > 19 || glued(c.t, r.from(), r.to()) {
		return false
	}
	from, to := r.from(), r.to()
	union := d[0] == '6' && d[1] == '2' && len(d) >= 16
	network := union || (d[0] == '4' || d[0] == '5' && d[1] >= '1' && d[1] <= '5') && len(d) == 16
	cued := c.has(c.before(from, 14), from, "bank", "transfer", "pay") || c.has(to, c.after(to, 8), "bank", "transfer")
	ordered := c.has(c.before(from, 8), from, "order") || c.has(to, c.after(to, 4), "order")
	switch {
	case !luhn(d):
		// Mistyped on purpose, or badly masked.
		if !union || !cued || ordered || r.groups < 4 {
			return false
		}
		c.add(BankCard, from, to, 0.75, string(d))
	case network && cued && !ordered:
		c.add(BankCard, from, to, 0.97, string(d))
	case union && !ordered && (r.groups >= 4 || r.words+r.soft > 0):
		c.add(BankCard, from, to, 0.9, string(d))
	case union && !ordered && len(d) >= 16 && to-from == len(c.t.Runes):
		c.add(BankCard, from, to, 0.6, string(d))
	default:
		return false
	}
	return true
}
