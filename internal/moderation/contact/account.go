package contact

import (
	"strings"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// accounts judges the cues of messengers and payment: with an account behind them, or with words that ask for one.
func (c *scan) accounts() {
	until := 0
	for _, cue := range c.cues {
		from, to := int(cue.From), int(cue.To)
		if from < until {
			continue
		}
		switch cue.Term.Kind {
		case "pay", "transfer":
			until = max(until, c.payment(from, to))
		case "wechat":
			until = max(until, c.wechat(from, to, !cue.Sound, false))
		case "wechat_weak":
			until = max(until, c.wechat(from, to, false, true))
		case "qq":
			until = max(until, c.qq(from, to, true))
		case "qq_weak":
			until = max(until, c.qq(from, to, false))
		case "messenger", "messenger_weak":
			until = max(until, c.messenger(from, to, cue.Term.Kind == "messenger"))
		case "join", "group":
			until = max(until, c.group(from, to, cue.Term.Kind == "join"))
		case "email":
			// Addresses are found by themselves.
		}
	}
	c.glued()
	c.letters()
	c.signed()
}

// account is a name or number behind a cue.
type account struct {
	from, to       int
	letters, count int
	digits         bool
	text           string
}

// fillers may stand between a cue and its account.
const fillers = "是号我的找加搜为群裙码啊哦呢呀就给发打联系留下个账帐户id用户名转到叫做和同都名字你您请一"

// accountAfter reads the account that follows a position, if one does.
func (c *scan) accountAfter(at int) (account, bool) {
	i, skipped := at, 0
	for i < len(c.t.Runes) && skipped < 8 {
		r, class := c.t.Runes[i], c.t.Classes[i]
		if class == normal.Digit || class == normal.Letter || isDigitWord(r) && c.digitRunAt(i) != nil {
			break
		}
		if class == normal.Han && !strings.ContainsRune(fillers, r) || class == normal.Other {
			return account{}, false
		}
		i++
		skipped++
	}
	if i >= len(c.t.Runes) || skipped == 8 {
		return account{}, false
	}
	if r := c.digitRunAt(i); r != nil && r.from() == i && !(r.to() < len(c.t.Runes) && c.t.Classes[r.to()] == normal.Letter) {
		return account{from: i, to: r.to(), count: len(r.digits), digits: true, text: string(r.digits)}, true
	}
	if i > at && c.t.Runes[i-1] == '和' && c.t.Classes[i] == normal.Letter {
		return account{}, false // facebook和youtube
	}
	if hasPrefix(c.t.Runes[i:], "id") && i+2 < len(c.t.Runes) && !c.latin(i+2) && skipped < 6 {
		return c.accountAfter(i + 2)
	}
	return c.name(i)
}

func isDigitWord(r rune) bool {
	_, kind := normal.DigitOf(r)
	return kind == normal.WordDigit || kind == normal.RadioDigit
}

// digitRunAt is the run that begins at a rune.
func (c *scan) digitRunAt(i int) *run {
	lo, hi := 0, len(c.runs)
	for lo < hi {
		mid := (lo + hi) / 2
		if c.runs[mid].from() < i {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(c.runs) && c.runs[lo].from() == i {
		return &c.runs[lo]
	}
	return nil
}

// name reads letters, digits, - and _; also one by one with the same separator in between.
func (c *scan) name(i int) (account, bool) {
	a := account{from: i}
	var b strings.Builder
	t := c.t
	single := 0
	for ; i < len(t.Runes) && a.count < 40; i++ {
		r, class := t.Runes[i], t.Classes[i]
		switch {
		case class == normal.Letter || class == normal.Digit:
			if class == normal.Letter {
				a.letters++
			}
			a.count++
			single++
			b.WriteRune(r)
			a.to = i + 1
			continue
		case r == '_' || r == '-' || r == '.':
			b.WriteRune(r)
			single = 0
			continue
		case class.Separates() && class != normal.Stop && single == 1 && i+1 < len(t.Runes) && (t.Classes[i+1] == normal.Letter || t.Classes[i+1] == normal.Digit):
			single = 0
			continue
		}
		break
	}
	a.text = strings.TrimRight(b.String(), "_-.")
	a.digits = a.letters == 0
	return a, a.count > 0
}

// named tells whether it looks like an account's name and not like a word.
func (a account) named() bool {
	return a.count >= 5 && (a.letters >= 5 || a.letters < a.count) || a.digits && a.count >= 6
}

func (c *scan) wechat(from, to int, literal, weak bool) int {
	t := c.t
	// The cue may be glued to the account: vxlili123.
	a, ok := c.accountAfter(to)
	paying := c.has(c.before(from, 5), from, "payok") || c.has(to, c.after(to, 6), "payok")
	add := c.adds(from, 3) || c.adds(from+1, 1)
	near, far := c.before(from, 8), c.after(to, 8)
	act := c.has(near, from, "act", "join") || c.has(to, far, "act") || c.owned(from)
	ordered := ok && c.has(c.before(from, 6), a.from, "order")
	if ok && a.named() && !(weak && !add && !act && !c.introduces(to, a.from)) && !ordered {
		confidence := 0.97
		if paying && !add {
			confidence = 0.75
		} else if weak || !literal {
			confidence = 0.94
		}
		c.add(WeChat, from, a.to, confidence, string(t.Runes[from:to])+" "+a.text)
		return a.to
	}
	// A number before: 13800138000微信同号.
	if r := c.runBefore(from); r != nil {
		if number, _, ok := r.mobile(); ok {
			c.add(WeChat, r.from(), to, 0.97, number+" "+string(t.Runes[from:to]))
			return to
		}
	}
	confidence := 0.0
	switch {
	case paying && !(add && c.adds(from, 1)):
	case add && (c.asksToAdd(from) || c.adds(from+1, 1)):
		confidence = 0.93
	case add:
		confidence = 0.85
	case act && weak && string(t.Runes[from:to]) == "公众号": // shops' and brands' own are spoken of all day
	case act && weak:
		confidence = 0.6
	case act && literal:
		confidence = 0.9
	case act:
		confidence = 0.8
	}
	if !literal && !weak && confidence > 0 && t.Classes[from] == normal.Han && !add {
		confidence -= 0.1
	}
	if confidence > 0 {
		c.add(WeChat, from, to, confidence, string(t.Runes[near:min(far, len(t.Runes))]))
		return to
	}
	return 0
}

// owned: 我的, 你的, 您的 right before.
func (c *scan) owned(from int) bool {
	b := c.before(from, 2)
	return from-b >= 2 && c.t.Runes[from-1] == '的' && strings.ContainsRune("我你您", c.t.Runes[b])
}

// introduces: only separators and words such as 是 stand between cue and account, or nothing at all.
func (c *scan) introduces(from, to int) bool { return to-from <= 4 }

// asksToAdd: the word for adding stands right before, or with a pronoun or a measure in between.
func (c *scan) asksToAdd(from int) bool { return c.adds(from, 2) }

// runBefore is the run of digits that ends within two runes before a position.
func (c *scan) runBefore(at int) *run {
	lo, hi := 0, len(c.runs)
	for lo < hi {
		mid := (lo + hi) / 2
		if c.runs[mid].to() <= at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 || at-c.runs[lo-1].to() > 2 {
		return nil
	}
	return &c.runs[lo-1]
}

func (c *scan) qq(from, to int, strong bool) int {
	a, ok := c.accountAfter(to)
	add := c.adds(from, 3)
	if ok && a.digits && a.count >= 5 && a.count <= 11 {
		confidence := 0.96
		if !strong && !add && !c.has(c.before(from, 8), from, "act") && a.count < 8 {
			confidence = 0.5
		} else if !strong {
			confidence = 0.92
		}
		if c.has(c.before(from, 6), a.from, "order") {
			confidence -= 0.4
		}
		c.add(QQ, from, a.to, confidence, string(c.t.Runes[from:to])+" "+a.text)
		return a.to
	}
	if !strong || c.has(to, c.after(to, 5), "payok") {
		return 0
	}
	if add {
		c.add(QQ, from, to, 0.9, string(c.t.Runes[c.before(from, 4):to]))
		return to
	}
	if c.has(c.before(from, 5), from, "act") || c.has(to, c.after(to, 4), "act") {
		c.add(QQ, from, to, 0.85, string(c.t.Runes[c.before(from, 6):c.after(to, 4)]))
		return to
	}
	return 0
}

func (c *scan) group(from, to int, joins bool) int {
	a, ok := c.accountAfter(to)
	if !ok || !a.digits || a.count < 6 || a.count > 11 || c.has(c.before(from, 6), a.from, "order") {
		return 0
	}
	if _, _, phone := (&run{digits: []byte(a.text)}).mobile(); phone && !joins {
		return 0
	}
	confidence := 0.75
	if joins || c.t.Runes[from] == '群' || c.adds(from, 3) {
		confidence = 0.94
	}
	c.add(QQ, from, a.to, confidence, string(c.t.Runes[from:to])+" "+a.text)
	return a.to
}

func (c *scan) payment(from, to int) int {
	a, ok := c.accountAfter(to)
	if !ok {
		return 0
	}
	if _, _, mobile := (&run{digits: []byte(a.text)}).mobile(); a.digits && (mobile || a.count >= 16) || a.letters > 0 && c.mailAt(a.from) > 0 {
		end := max(a.to, c.mailAt(a.from))
		c.add(PaymentAccount, from, end, 0.96, string(c.t.Runes[from:to])+" "+a.text)
		return end
	}
	return 0
}

// wordy are names of messengers that stand in ordinary Latin text, too.
var wordy = map[string]bool{
	"line": true, "soul": true, "signal": true, "ins": true, "instagram": true, "messenger": true, "twitter": true, "facebook": true, "discord": true, "momo": true, "viber": true,
}

func (c *scan) messenger(from, to int, strong bool) int {
	a, ok := c.accountAfter(to)
	near, far := c.before(from, 3), c.after(to, 5)
	if act, found := c.cue(to, c.after(to, 4), "act"); !ok && found {
		a, ok = c.accountAfter(int(act.To)) // 小红书私信…, 闲鱼搜…
	}
	asked := c.adds(from, 2) || c.has(near, from, "act") || c.has(to, far, "act")
	searches := asked || strings.ContainsAny(string(c.t.Runes[to:min(len(c.t.Runes), to+6)]), "搜找号:@群") || ok && a.to-to > 0 && c.introduces(to, a.from)
	if ok && a.letters == a.count && wordy[string(c.t.Runes[from:to])] && !asked && !strings.ContainsAny(string(c.t.Runes[to:a.from]), ":@号d搜加") {
		return 0 // two words of another language
	}
	if ok && a.named() && searches && !c.has(c.before(from, 8), a.from, "order") && (strong || asked || c.t.Runes[min(to, len(c.t.Runes)-1)] == '@') {
		confidence := 0.92
		if !asked && a.digits {
			confidence = 0.8
		}
		c.add(Messenger, from, a.to, confidence, string(c.t.Runes[from:to])+" "+a.text)
		return a.to
	}
	return 0
}
