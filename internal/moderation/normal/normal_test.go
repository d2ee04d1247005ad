package normal

import (
	"strings"
	"testing"
)

func build(t testing.TB) *Normaliser {
	t.Helper()
	n, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFold(t *testing.T) {
	t.Parallel()
	n := build(t)
	check := func(text, want string) {
		t.Helper()
		var got Text
		n.Read(text, &got)
		if string(got.Runes) != want {
			t.Errorf("%q: got %q, want %q", text, string(got.Runes), want)
		}
		valid(t, text, &got)
	}
	check("ＶＸ：ａｂｃ１２３", "vx:abc123")
	check("1️⃣3️⃣8️⃣", "138")
	check("①⓪❶⓿⓵➀➊⑴⒈🄁𝟏𝟬", "101011111010")
	check("加\u200b微\u2060信\ufeff", "加微信")
	check("ｗ\u0336x̲", "wx")
	check("νх ⓥⓍ 🅥🆇 🇻🇽", "vx vx vx vx")
	check("維信 加個", "维信 加个")
	check("力口我 弓长三 女马", "加我 张三 妈")
	check("巧克力口味 拉弓长度 用人言论", "巧克力口味 拉弓长度 用人言论")
	check("➕V", "+v")
	check("wēi xìn", "wei xin")
	check("ﬁ㎏", "fikg")
	check("", "")
	check("\xff\xfea", "\ufffd\ufffda")
	check("裙子", "裙子")
	check("🇯🇵人 🇻🇽 🇯🇵🇰🇷", "日本人 vx 日本韩国")
}

func TestReadings(t *testing.T) {
	t.Parallel()
	n := build(t)
	same := func(a, b string) {
		t.Helper()
		x, y := n.SoundsOf(a), n.SoundsOf(b)
		if len(x) != len(y) {
			t.Errorf("%q sounds %v, %q sounds %v", a, x, b, y)
			return
		}
		for i := range x {
			if x[i] != y[i] || x[i] == 0 {
				t.Errorf("%q sounds %v, %q sounds %v", a, x, b, y)
			}
		}
	}
	same("微信", "薇信")
	same("微信", "weixin")
	same("微信", "威❤")
	same("微信", "wei 心")
	same("加我微信", "jia wo weixin")
	same("傻逼", "沙币")
	same("狗", "🐶")
	var got Text
	n.Read("加 微-信", &got)
	if string(got.Tight) != "加微信" {
		t.Errorf("tight: %q", string(got.Tight))
	}
	if from, to := got.Span(int(got.TightAt[1]), int(got.TightAt[2])+1); from != 2 || to != 5 {
		t.Errorf("span %d..%d, want 2..5", from, to)
	}
}

// valid checks what holds for every text.
func valid(t testing.TB, text string, got *Text) {
	t.Helper()
	if want := len([]rune(text)); got.Length != want {
		t.Errorf("%q: length %d, want %d", text, got.Length, want)
	}
	last := int32(0)
	for i := range got.Runes {
		if got.From[i] >= got.To[i] || got.From[i] < 0 || int(got.To[i]) > got.Length || got.From[i] < last {
			t.Fatalf("%q: rune %d comes from %d..%d after %d, of %d", text, i, got.From[i], got.To[i], last, got.Length)
		}
		last = got.From[i]
	}
	for i, at := range got.TightAt {
		if got.Runes[at] != got.Tight[i] || i > 0 && at <= got.TightAt[i-1] {
			t.Fatalf("%q: tight rune %d is not rune %d", text, i, at)
		}
	}
	for i, at := range got.SoundAt {
		if at >= got.SoundTo[i] || int(got.SoundTo[i]) > len(got.Runes) || i > 0 && at < got.SoundAt[i-1] {
			t.Fatalf("%q: sound %d comes from %d..%d", text, i, at, got.SoundTo[i])
		}
	}
}

func FuzzRead(f *testing.F) {
	n := build(f)
	for _, s := range []string{"加微信", "1️⃣", "力口", "\u0336\u0336a", "jiawoweixin", "🅥🇻", strings.Repeat("zh", 30), "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got Text
		n.Read(text, &got)
		valid(t, text, &got)
	})
}

func BenchmarkRead(b *testing.B) {
	n := build(b)
	const text = "亲，这个尺码偏大吗？我165cm，50kg穿什么"
	var t Text
	b.ReportAllocs()
	for b.Loop() {
		n.Read(text, &t)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		build(b)
	}
}
