package bot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Answers of the built-in list, and what is no question of it.
func TestBuiltInAnswers(t *testing.T) {
	t.Parallel()
	lists, err := LoadLists("")
	if err != nil {
		t.Fatal(err)
	}
	finds := func(text, want string) {
		t.Helper()
		answer, got := lists.Of("tea").Answer(text, DefaultConfig().Coverage)
		if got != want {
			t.Errorf("%q: answer %q, want %q", text, got, want)
		}
		if !strings.Contains(answer, "人工客服马上就来") {
			t.Errorf("%q: the answer does not say that a human is coming", text)
		}
	}
	finds("什么时候发货", "shipping-time")
	finds("亲，请问什么时候发货呀？", "shipping-time")
	finds("我的快递到哪了", "tracking")
	finds("这个可以退货吗", "return")
	finds("尺码不合适能换吗", "exchange")
	finds("有优惠吗", "discount")
	finds("转人工", "human")
	finds("When will you ship?", "shipping-time")
	finds("您家的茶叶是今年的新茶吗", "")
	finds("", "")
	finds("👍👍", "")
	finds("？？？", "")
}

func TestLists(t *testing.T) {
	t.Parallel()
	good := "fallback: 您好\ncoming: 人工马上来\nentries:\n  - id: tea\n    questions: [是今年的新茶吗]\n    answer: 是的。\n"
	refuses := func(name, text string, says ...string) {
		t.Helper()
		_, err := ParseList("x.yaml", []byte(text))
		if err == nil {
			t.Errorf("%s is taken", name)
			return
		}
		for _, s := range append(says, "x.yaml") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %v does not say %q", name, err, s)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", name, err)
		}
	}
	refuses("an unknown key", good+"answers: 3\n", "answers")
	refuses("no YAML", "fallback: [", "1")
	refuses("no fallback", strings.Replace(good, "您好", `""`, 1), "fallback")
	refuses("no answer", strings.Replace(good, "是的。", `" "`, 1), "entries[0].answer", "tea")
	refuses("an id twice", good+"  - {id: tea, questions: [a], answer: b}\n", "entries[1].id", "tea")
	refuses("an empty question", strings.Replace(good, "是今年的新茶吗", `""`, 1), "entries[0].questions[0]")

	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("tea.yaml", "shop: tea\n"+good)
	lists, err := LoadLists(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, entry := lists.Of("tea").Answer("是今年的新茶吗", 0.6); entry != "tea" {
		t.Errorf("the shop's own list gives %q", entry)
	}
	if _, entry := lists.Of("shoes").Answer("是今年的新茶吗", 0.6); entry != "" {
		t.Errorf("another shop gives %q", entry)
	}
	put("tea2.yaml", "shop: tea\n"+good)
	if _, err := LoadLists(dir); err == nil || !strings.Contains(err.Error(), "tea2.yaml") || !strings.Contains(err.Error(), "tea.yaml") {
		t.Errorf("two lists of a shop: %v", err)
	}
}

func FuzzParseList(f *testing.F) {
	f.Add(builtIn)
	f.Add([]byte("shop: a\nentries: [{id: 1}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, err := ParseList("f", data); err == nil {
			defer l.close()
			l.Answer("什么时候发货", 0.5)
		}
	})
}
