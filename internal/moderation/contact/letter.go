package contact

import "github.com/feigeio/feige/internal/moderation/normal"

// notAccounts follow a single v or q that is no messenger: V领, Q版, V型, Q弹.
const notAccounts = "领型形字版弹萌口脸绑带开启区面糖软糯系级电"

// glued looks for cues that run on into the account: vxlili888, qq12345.
func (c *scan) glued() {
	t := c.t
	for i := 0; i+6 < len(t.Runes); i++ {
		if t.Classes[i] != normal.Letter || i > 0 && (t.Classes[i-1] == normal.Letter || t.Classes[i-1] == normal.Digit) || c.taken[i] {
			continue
		}
		size := 0
		for _, cue := range []string{"weixin", "wechat", "vxin", "vx", "wx"} {
			if hasPrefix(t.Runes[i:], cue) {
				size = len(cue)
				break
			}
		}
		if size == 0 {
			continue
		}
		a, ok := c.name(i + size)
		if !ok || a.from != i+size || t.Runes[a.from] == '-' || t.Runes[a.from] == '_' {
			continue
		}
		add := c.adds(i, 3) || c.has(c.before(i, 6), i, "act")
		if !(add && a.named()) && !(a.letters >= 3 && a.count-a.letters >= 2) || c.has(c.before(i, 6), i, "order") {
			continue
		}
		confidence := 0.95
		if !add {
			confidence = 0.82
		}
		c.add(WeChat, i, a.to, confidence, string(t.Runes[i:i+size])+" "+a.text)
	}
}

func hasPrefix(runes []rune, prefix string) bool {
	for i, r := range prefix {
		if i >= len(runes) || runes[i] != r {
			return false
		}
	}
	return true
}

// signed looks for one character for WeChat, a colon, and an account: 薇：boss8866; and for 加我 with an account.
func (c *scan) signed() {
	t := c.t
	for i := 0; i+1 < len(t.Runes); i++ {
		if t.Runes[i+1] != ':' || c.taken[i] || !indexRune("微薇威徽维卫", t.Runes[i]) || i > 0 && t.Classes[i-1] == normal.Han && !c.adds(i, 1) {
			continue
		}
		if a, ok := c.accountAfter(i + 1); ok && a.named() && c.free(a.from, a.to) {
			c.add(WeChat, i, a.to, 0.9, string(t.Runes[i])+" "+a.text)
		}
	}
	for _, cue := range c.cues {
		if cue.Term.Kind != "add" || c.taken[cue.From] {
			continue
		}
		a, ok := c.accountAfter(int(cue.To))
		if ok && a.count >= 6 && a.letters >= 2 && a.letters < a.count && c.free(a.from, a.to) && !c.has(c.before(int(cue.From), 6), a.from, "order") {
			c.add(Messenger, int(cue.From), a.to, 0.8, a.text)
		}
	}
}

// letters judges single letters that stand for WeChat (V, W) and QQ (Q).
func (c *scan) letters() {
	t := c.t
	for i, r := range t.Runes {
		if r != 'v' && r != 'w' && r != 'q' || c.taken[i] {
			continue
		}
		if i > 0 && (t.Classes[i-1] == normal.Letter || t.Classes[i-1] == normal.Digit) {
			continue
		}
		if next := i + 1; next < len(t.Runes) {
			switch class := t.Classes[next]; {
			case class == normal.Letter:
				// v is glued to a name: only with a word for adding.
				if !c.adds(i, 2) || r == 'w' {
					continue
				}
			case class == normal.Digit:
				if run := c.digitRunAt(next); run == nil || len(run.digits) < 6 {
					continue
				}
			case class == normal.Han && indexRune(notAccounts, t.Runes[next]):
				continue
			}
		}
		c.letter(i, r)
	}
}

func indexRune(s string, r rune) bool {
	for _, x := range s {
		if x == r {
			return true
		}
	}
	return false
}

func (c *scan) letter(i int, r rune) {
	t := c.t
	kind := WeChat
	if r == 'q' {
		kind = QQ
	}
	a, ok := c.accountAfter(i + 1)
	add := c.adds(i, 3)
	act := c.has(c.before(i, 4), i, "act") || c.has(i+1, c.after(i+1, 4), "act") || c.has(i, min(i+3, len(t.Runes)), "wechat")
	if ok && a.named() && (kind == WeChat || a.digits && a.count <= 11) {
		introduced := a.from > i+1 && t.Runes[i+1] != '.' && t.Runes[i+1] != '-' || a.digits && a.count >= 8
		if introduced && !add && !act && a.letters == a.count && t.Runes[i+1] != ':' {
			return // w/o an account: two words
		}
		if (add || act || introduced) && !c.has(c.before(i, 6), a.from, "order") {
			confidence := 0.93
			if !add && !act {
				confidence = 0.85
			}
			c.add(kind, i, a.to, confidence, string(r)+" "+a.text)
			return
		}
	}
	// Without an account: 加V, ➕V私聊, 你V多少.
	if r == 'w' || i+1 < len(t.Runes) && (t.Classes[i+1] == normal.Letter || t.Classes[i+1] == normal.Digit) {
		return
	}
	switch {
	case c.adds(i, 1) && kind == WeChat, c.adds(i, 3) && (act || kind == WeChat):
		c.add(kind, i, i+1, 0.91, string(t.Runes[c.before(i, 3):i+1]))
	case act && kind == WeChat:
		c.add(kind, i, i+1, 0.8, string(t.Runes[c.before(i, 4):c.after(i+1, 4)]))
	}
}
