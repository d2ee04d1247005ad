package moderation

import (
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/feigeio/feige/internal/moderation/testset"
)

// TestLinear: what a text costs grows with its length and no faster, whatever it is made of. The cost is the time that
// this thread computes, whatever else the machine does. Sixteen times the text may cost up to five times more a byte
// before this fails (caches); what is quadratic costs sixteen times more.
func TestLinear(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("takes some seconds; left out of -short, and of the race detector, which sees one thread here")
	}
	m := build(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cost := func(text string) time.Duration {
		best := time.Duration(1 << 62)
		for range 7 {
			start := computed(t)
			m.Check(subject(text))
			best = min(best, computed(t)-start)
		}
		return best
	}
	check := func(name, unit string) {
		t.Helper()
		const small, times = 4096, 16
		short := cost(strings.Repeat(unit, small/len(unit)))
		long := cost(strings.Repeat(unit, small*times/len(unit)))
		if long > 5*times*short+time.Millisecond {
			t.Errorf("%s: %v for 4 KiB, %v for 64 KiB", name, short, long)
		}
	}
	check("one letter", "a")
	check("one character", "的")
	check("a cue", "微信")
	check("many cues", "加微信联系电话订单号支付宝群")
	check("digits", "1")
	check("phone numbers", "13800138000 ")
	check("soft digits", "洞")
	check("soft digits and one", strings.Repeat("洞", 1000)+"1")
	check("letters like digits", "lo")
	check("marks", "\u0336")
	check("zero width", "\u200b")
	check("marked letters", "v\u0336\u0332")
	check("dots", ".")
	check("labels", "a.")
	check("hosts", "a.com.")
	check("mailboxes", "a@qq.com")
	check("blanks", " ")
	check("letters one by one", "w x ")
	check("stops", "，")
	check("emoji", "🐶")
	check("flags", "🇯🇵")
	check("half flags", "🇯")
	check("abuse", "傻逼")
	check("parts of sequences", "退款验证码")
	check("firsts of sequences", "给我")
	check("split characters", "力口")
	check("streets", "门店路1号")
	check("places", "路市区")
	check("pinyin", "jia wo wei xin ")
	check("long pinyin", "zhuang")
	check("plus signs", "+")
	check("at signs", "@")
	check("invalid bytes", "\xff")
	check("ligatures", "ﷺ")
	check("digit words", "yisan")
	check("groups of people", "女权黑人")
	check("permitted links", "v.douyin.com/a 微信 ")
	check("cards", "6222021234567890128 ")
}

// valid checks the spans of flags.
func valid(t testing.TB, text string, flags []Flag) {
	t.Helper()
	n := utf8.RuneCountInString(text)
	for _, f := range flags {
		if f.From < 0 || f.To <= f.From || f.To > n {
			t.Errorf("%q: %s/%s at %d..%d of %d", text, f.Category, f.SubKind, f.From, f.To, n)
		}
		if !(f.Confidence > 0 && f.Confidence <= 1) || f.Version == "" || f.Detector == "" || f.Kind == "" || f.Severity == "" {
			t.Errorf("%q: incomplete: %+v", text, f)
		}
	}
}

func TestKindsArePolicyKinds(t *testing.T) {
	t.Parallel()
	m := build(t)
	known := func(f Flag) bool {
		c, ok := defaultPolicy().Violations.Category(f.Category)
		if !ok {
			return false
		}
		for _, k := range c.Kinds() {
			if k == f.Kind {
				return true
			}
		}
		return false
	}
	for _, s := range testset.Evasions(testset.Development, 300, 5) {
		for _, f := range m.Check(subject(s.Text)) {
			if !known(f) {
				t.Errorf("%s: the policy has no %s/%s", s.Text, f.Category, f.Kind)
			}
		}
	}
	for _, term := range m.rules.Load().lexicon.Terms() {
		if f := (Flag{Category: term.Category, Kind: term.Kind}); !known(f) {
			t.Errorf("pack %s, term %s: the policy has no %s/%s", term.Pack, term.Text, term.Category, term.Kind)
		}
	}
}

func FuzzCheck(f *testing.F) {
	m := build(f)
	for _, half := range []testset.Half{testset.Development, testset.HeldOut} {
		for _, s := range testset.Evasions(half, 60, 9) {
			f.Add(s.Text)
		}
	}
	for _, s := range []string{"", "\xff", "🇯🇵🇻", "傻\u0336逼", "a.com@b.cn", "https://douyin.com@x.top/", "微信：", "13800138000", "女权都是傻逼", "1️⃣3️⃣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		valid(t, text, m.Check(subject(text)))
		m.CheckAttachment(subject(""), Attachment{QRPayloads: []string{text}, FileName: text, SHA256: text})
		if p, _, err := m.Classify("abuse", text); err != nil || !(p >= 0 && p <= 1) {
			t.Errorf("%q: probability %v, %v", text, p, err)
		}
	})
}
