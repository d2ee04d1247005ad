package contact

import (
	"strings"

	"github.com/feigeio/feige/internal/moderation/normal"
)

// topLevel are the domains that links are recognised by.
var topLevel = map[string]bool{
	"com": true, "cn": true, "net": true, "org": true, "top": true, "xyz": true, "shop": true, "cc": true, "vip": true, "me": true, "info": true,
	"club": true, "site": true, "online": true, "store": true, "tv": true, "co": true, "io": true, "app": true, "link": true, "live": true, "pro": true,
	"win": true, "wang": true, "ltd": true, "hk": true, "tw": true, "tk": true, "ml": true, "ga": true, "cf": true, "gq": true, "pw": true, "biz": true,
	"work": true, "ink": true, "fun": true, "icu": true, "buzz": true, "ru": true, "us": true, "uk": true, "jp": true, "kr": true, "ly": true, "gl": true,
	"im": true, "la": true, "gd": true, "mobi": true, "asia": true, "name": true, "group": true, "tech": true, "space": true, "website": true, "kim": true,
	"red": true, "ren": true, "bid": true, "click": true, "cloud": true, "life": true, "world": true, "today": true, "fyi": true, "gg": true, "to": true, "url": true, "dev": true,
}

// strongTopLevel are those that are no words.
var strongTopLevel = map[string]bool{"com": true, "cn": true, "net": true, "org": true, "xyz": true, "vip": true, "cc": true, "top": true, "shop": true}

// mailHosts are providers whose name alone makes an address.
var mailHosts = map[string]bool{
	"qq": true, "163": true, "126": true, "gmail": true, "foxmail": true, "sina": true, "outlook": true, "hotmail": true, "yeah": true, "139": true,
	"189": true, "sohu": true, "aliyun": true, "icloud": true, "yahoo": true, "vip.qq": true, "vip.163": true, "live": true, "tom": true, "proton": true, "protonmail": true,
}

// host is a domain name in a text.
type host struct {
	from, to int
	// label is where the name begins that stands before the first dot.
	text   string
	plain  bool // its dots are dots
	spaced bool
	scheme bool
}

// links looks for domain names at their dots, and tells e-mail from links.
func (c *scan) links() {
	until := 0
	for i := 0; i < len(c.t.Runes); i++ {
		if i < until {
			continue
		}
		size, plain := c.dot(i)
		if size == 0 {
			continue
		}
		h, ok := c.host(i, size, plain, until)
		if !ok {
			i += size - 1
			continue
		}
		until = max(until, c.judgeHost(h))
	}
}

// dot is the length of a dot at a rune: . 点 。 · dot (dot) [.]; 0 if there is none.
func (c *scan) dot(i int) (size int, plain bool) {
	t := c.t
	switch t.Runes[i] {
	case '.':
		return 1, true
	case '点', '。', '·', '丶', '､', '｡':
		return 1, false
	case 'd':
		if i+3 <= len(t.Runes) && t.Runes[i+1] == 'o' && t.Runes[i+2] == 't' && !(i > 0 && t.Classes[i-1] == normal.Letter) && !(i+3 < len(t.Runes) && t.Classes[i+3] == normal.Letter) {
			return 3, false
		}
	}
	return 0, false
}

func bracket(r rune) bool { return strings.ContainsRune("()[]{}【】「」<>《》#*_ ", r) }

// host reads the name around a dot; nothing before min is looked at.
func (c *scan) host(dot, size int, plain bool, floor int) (host, bool) {
	t := c.t
	h := host{plain: plain}
	// To the left: a label.
	left := dot
	for left > floor && dot-left < 3 && bracket(t.Runes[left-1]) {
		left--
	}
	h.spaced = left != dot
	end := left
	left = c.labelStart(left, floor)
	if left == end {
		return h, false
	}
	h.from = left
	var b strings.Builder
	c.write(&b, left, end)
	spacedLeft := h.spaced
	// To the right: labels, until one is a top-level domain and no other follows.
	at := dot
	good := 0
	for range 6 {
		next := at + size
		for next < len(t.Runes) && next-at-size < 3 && bracket(t.Runes[next]) {
			next++
			h.spaced = true
		}
		stop := c.labelEnd(next)
		if stop == next {
			break
		}
		label := c.label(next, stop)
		b.WriteByte('.')
		b.WriteString(label)
		if topLevel[label] {
			good, h.to = b.Len(), stop
		}
		at = stop
		for at < len(t.Runes) && at-stop < 3 && bracket(t.Runes[at]) {
			at++
		}
		var p bool
		if at >= len(t.Runes) {
			break
		}
		if size, p = c.dot(at); size == 0 {
			break
		}
		h.plain = h.plain && p
	}
	if good == 0 {
		return h, false
	}
	h.text = b.String()[:good]
	if h.spaced && !spacedLeft && h.plain && !strongTopLevel[h.text[strings.LastIndexByte(h.text, '.')+1:]] {
		return h, false // the end of a sentence: "ie. to"
	}
	if h.from >= 3 && string(t.Runes[h.from-3:h.from]) == "://" {
		h.scheme = true
	}
	return h, true
}

func (c *scan) write(b *strings.Builder, from, to int) { b.WriteString(c.label(from, to)) }

func (c *scan) label(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		if !c.t.Classes[i].Separates() || c.t.Runes[i] == '-' || c.t.Runes[i] == '_' {
			b.WriteRune(c.t.Runes[i])
		}
	}
	return b.String()
}

func (c *scan) latin(i int) bool {
	return c.t.Classes[i] == normal.Letter || c.t.Classes[i] == normal.Digit
}

// labelStart goes left from a position over letters, digits, and hyphens; also over ones that are spaced out.
func (c *scan) labelStart(at, floor int) int {
	i := at
	for i > floor && at-i < 128 {
		switch {
		case c.latin(i-1) || (c.t.Runes[i-1] == '-' || c.t.Runes[i-1] == '_') && i-1 > floor && c.latin(i-2):
			i--
		case c.t.Classes[i-1] == normal.Space && i < at && i-2 >= floor && c.latin(i-2) && c.single(i-2) && c.single(i):
			i--
		default:
			return i
		}
	}
	return i
}

// single: a letter or digit with none beside it.
func (c *scan) single(i int) bool {
	return c.latin(i) && (i == 0 || !c.latin(i-1)) && (i+1 >= len(c.t.Runes) || !c.latin(i+1))
}

func (c *scan) labelEnd(at int) int {
	i := at
	for i < len(c.t.Runes) && i-at < 64 {
		switch {
		case c.latin(i) || c.t.Runes[i] == '-' && i > at:
			i++
		case c.t.Classes[i] == normal.Space && i > at && i+1 < len(c.t.Runes) && c.single(i-1) && c.single(i+1):
			i++
		default:
			return i
		}
	}
	return i
}

// judgeHost makes a finding of a host; it returns where the search goes on.
func (c *scan) judgeHost(h host) int {
	t := c.t
	if from, name, ok := c.mailbox(h); ok {
		if c.has(0, len(t.Runes), "invoice") && !c.adds(from, 4) {
			for i := from; i < h.to; i++ {
				c.taken[i] = true
			}
			return h.to // where the invoice goes
		}
		confidence := 0.97
		if !h.plain || h.spaced {
			confidence = 0.93
		}
		c.add(Email, from, h.to, confidence, name)
		return h.to
	}
	end := h.to
	for end < len(t.Runes) && end-h.to < 512 && (c.latin(end) || strings.ContainsRune("/?=&%#:_-.~+@", t.Runes[end])) {
		end++
	}
	name := h.text
	// What stands before an @ after the scheme is no host: https://douyin.com@elsewhere.top
	if c.permittedHost(name) && !(h.to < len(t.Runes) && t.Runes[h.to] == '@') {
		for i := h.from; i < end; i++ {
			c.taken[i] = true
		}
		c.cleared = append(c.cleared, [2]int{h.from, end})
		return end
	}
	domain, _, _ := strings.Cut(name, ".")
	letters := strings.ContainsFunc(domain, func(r rune) bool { return r >= 'a' && r <= 'z' })
	cued := h.scheme || strings.HasPrefix(name, "www.") || c.has(c.before(h.from, 8), h.from, "link", "act", "messenger") || h.to < len(t.Runes) && t.Runes[h.to] == '/'
	confidence := 0.92
	switch {
	case cued && h.plain:
		confidence = 0.96
	case cued:
		confidence = 0.92
	case !letters && !(h.to < len(t.Runes) && t.Runes[h.to] == '/'):
		return end // 3.cn, 15.me: prices and sizes rather than names
	case !h.plain && len(domain) < 4:
		return end
	case !h.plain:
		confidence = 0.85
	}
	from := h.from
	if h.scheme {
		for from > 0 && (c.latin(from-1) || strings.ContainsRune(":/", t.Runes[from-1])) {
			from--
		}
	}
	c.add(Link, from, max(end, h.to), confidence, name+c.label(h.to, h.to))
	return end
}

func (c *scan) permittedHost(name string) bool {
	for _, p := range c.permitted {
		if name == p || strings.HasSuffix(name, p) && name[len(name)-len(p)-1] == '.' {
			return true
		}
	}
	return false
}

// mailbox: an @, or what people write for it, and a name before the host.
func (c *scan) mailbox(h host) (from int, name string, ok bool) {
	t := c.t
	i := h.from
	for i > 0 && h.from-i < 3 && bracket(t.Runes[i-1]) {
		i--
	}
	at := -1
	switch {
	case i > 0 && t.Runes[i-1] == '@':
		at = i - 1
	case i > 0 && t.Runes[i] == 'a' && t.Runes[i-1] == '圈' && i == h.from:
		at = i - 1
		h.text = h.text[1:]
	case i > 1 && (string(t.Runes[i-2:i]) == "艾特" || string(t.Runes[i-2:i]) == "圈a" || string(t.Runes[i-2:i]) == "at"):
		at = i - 2
	}
	domain, _, _ := strings.Cut(h.text, ".")
	if at < 0 && mailHosts[domain] {
		// Any one sign, or a word in brackets, before a provider's name.
		if k := i; k > 0 && k < h.from+1 && (h.from != i || t.Classes[i-1] == normal.Mark || t.Classes[i-1] == normal.Emoji || t.Classes[i-1] == normal.Other) {
			at = i
			for at > 0 && !c.latin(at-1) && i-at < 3 {
				at--
			}
			if at == 0 || !c.latin(at-1) || at == h.from {
				at = -1
			}
		}
	}
	if at < 0 {
		return 0, "", false
	}
	end := at
	for end > 0 && at-end < 3 && bracket(t.Runes[end-1]) {
		end--
	}
	start := end
	for start > 0 && end-start < 128 {
		next := c.labelStart(start, 0)
		if next == start {
			if next > 0 && start < end && t.Runes[start-1] == '.' {
				start--
				continue
			}
			break
		}
		start = next
	}
	if start == end {
		return 0, "", false
	}
	return start, c.label(start, end) + "@" + h.text, true
}

// mailAt is where an address ends that begins at a rune; 0 if none does.
func (c *scan) mailAt(from int) int {
	for i := range c.findings {
		if f := &c.findings[i]; f.Kind == Email && f.From <= from && from < f.To {
			return f.To
		}
	}
	return 0
}
