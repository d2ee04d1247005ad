package repetition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/moderation/normal"
)

func signer(t testing.TB) func(string) Signature {
	t.Helper()
	n, err := normal.New()
	if err != nil {
		t.Fatal(err)
	}
	var text normal.Text
	return func(s string) Signature {
		n.Read(s, &text)
		return Sign(&text)
	}
}

func TestSimilarity(t *testing.T) {
	t.Parallel()
	sign := signer(t)
	check := func(name, a, b string, from, to float64) {
		t.Helper()
		if got := sign(a).Similarity(sign(b)); got < from || got > to {
			t.Errorf("%s: similarity %.2f, want %.2f to %.2f", name, got, from, to)
		}
	}
	ad := "老板您好，我们专业做店铺代运营，提升流量和转化，包爆单，有需要的可以了解一下"
	check("the same", ad, ad, 1, 1)
	check("a number added", ad, ad+" 88", 0.99, 1)
	check("emoji instead of stops", ad, strings.ReplaceAll(ad, "，", " ✨ "), 0.85, 1)
	check("homophones", ad, strings.ReplaceAll(ad, "代运营", "代运赢"), 0.99, 1)
	check("spaced out", ad, strings.Join(strings.Split(ad, ""), " "), 0.99, 1)
	check("two words changed", ad, strings.NewReplacer("您好", "你好", "了解一下", "看看").Replace(ad), 0.6, 0.95)
	check("another text", ad, "亲，您的订单今天下午已经发出，请您注意查收快递短信", 0, 0.2)
	check("too short", "在吗", "在吗", 0, 0)
}

func TestState(t *testing.T) {
	t.Parallel()
	sign := signer(t)
	rule := Rule{Copies: 3, WithinUS: 1000, Similarity: 0.85}
	ad := sign("兼职招聘，在家就能做，日结工资，有意请联系我们的客服")
	other := sign("请问这件外套的尺码偏大还是偏小，我平时穿中码")
	add := func(s *State, at int64, conversation uint64, id string, signature Signature) (Finding, bool) {
		return s.Add(Entry{Signature: signature, AtUS: at, Conversation: conversation, EventID: id}, rule)
	}
	t.Run("third copy", func(t *testing.T) {
		t.Parallel()
		var s State
		for i := range int64(2) {
			if _, found := add(&s, i, uint64(i), fmt.Sprint(i), ad); found {
				t.Fatalf("copy %d is one too many", i+1)
			}
		}
		if _, found := add(&s, 2, 7, "x", other); found {
			t.Error("another text counts as a copy")
		}
		f, found := add(&s, 3, 2, "2", ad)
		if !found || f.Conversations != 3 || fmt.Sprint(f.EventIDs) != "[2 1 0]" || f.Similarity != 1 {
			t.Errorf("got %+v, %v", f, found)
		}
	})
	t.Run("bounds of the window", func(t *testing.T) {
		t.Parallel()
		var s State
		add(&s, 0, 1, "a", ad)
		add(&s, 1, 1, "b", ad)
		if _, found := add(&s, 1000, 1, "c", ad); found {
			t.Error("a copy from exactly the window's length ago counts")
		}
		if _, found := add(&s, 1000, 1, "d", ad); !found {
			t.Error("b, c, and d are three")
		}
	})
	t.Run("the same event again", func(t *testing.T) {
		t.Parallel()
		var s State
		add(&s, 0, 1, "a", ad)
		add(&s, 0, 1, "b", ad)
		if _, found := add(&s, 0, 1, "b", ad); found {
			t.Error("a repeated event counts twice")
		}
	})
	t.Run("time runs backwards", func(t *testing.T) {
		t.Parallel()
		var s State
		add(&s, 5000, 1, "a", ad)
		add(&s, 10, 1, "b", ad)
		if _, found := add(&s, 20, 1, "c", ad); !found {
			t.Error("times before the newest do not count as the newest")
		}
	})
	t.Run("bounded", func(t *testing.T) {
		t.Parallel()
		var s State
		for i := range 10 * Capacity {
			add(&s, 1, 1, strings.Repeat("x", 60)+fmt.Sprint(i), ad)
		}
		if len(s.Entries) != Capacity || s.Size() > 8192 {
			t.Errorf("%d entries, %d bytes", len(s.Entries), s.Size())
		}
	})
}

func BenchmarkSign(b *testing.B) {
	n, err := normal.New()
	if err != nil {
		b.Fatal(err)
	}
	var text normal.Text
	n.Read("亲，这个尺码偏大吗？我想要一件适合夏天的", &text)
	b.ReportAllocs()
	for b.Loop() {
		Sign(&text)
	}
}
