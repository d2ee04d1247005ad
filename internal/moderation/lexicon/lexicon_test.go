package lexicon

import (
	"testing"

	"github.com/feigeio/feige/internal/moderation/normal"
)

func TestEmbedded(t *testing.T) {
	t.Parallel()
	n, err := normal.New()
	if err != nil {
		t.Fatal(err)
	}
	packs, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(n, packs)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(l.Version(), len(l.patterns), len(l.symbols))
	var text normal.Text
	var s Scratch
	find := func(message string) string {
		n.Read(message, &text)
		out := ""
		for _, h := range l.Find(&text, &s) {
			if !Flags(h.Term.Category) {
				continue
			}
			from, to := text.Span(int(h.From), int(h.To))
			out += h.Term.Category + "/" + h.Term.Kind + ":" + string([]rune(message)[from:to]) + " "
		}
		return out
	}
	check := func(message, want string) {
		t.Helper()
		if got := find(message); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
	check("你是不是傻逼", "abuse/insult:你是不是傻逼 abuse/insult:傻逼 ")
	check("你是不是沙笔啊", "abuse/insult:沙笔 ")
	check("傻*逼", "abuse/insult:傻*逼 ")
	check("好傻。逼真的花", "")
	check("这件啥比较好", "")
	check("我们招刷单兼职，佣金日结", "spam/brushing:招刷单 spam/brushing:刷单兼职，佣金 spam/brushing:刷单兼职 ")
	check("操作说明", "")
}
