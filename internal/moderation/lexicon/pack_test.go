package lexicon

import (
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/moderation/normal"
)

const header = "name: x\nversion: 1\ncategory: spam\n"

func TestParsePackErrors(t *testing.T) {
	t.Parallel()
	check := func(name, text, want string) {
		t.Helper()
		if _, err := ParsePack("x.txt", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	check("no name", "version: 1\ncategory: spam\n", "want name, version, and category")
	check("unknown key", "nam: x\n", `x.txt:1: key "nam"`)
	check("unknown section", header+"[words]\n", "x.txt:4: section [words]")
	check("too few columns", header+"[terms]\na\tb\n", "x.txt:5: ")
	check("confidence", header+"[terms]\na\tb\t1.5\n", "x.txt:5: confidence \"1.5\"")
	check("no number", header+"[terms]\na\tb\tNaN\n", "confidence \"NaN\"")
	check("option", header+"[terms]\na\tb\t1\t!\n", `options "!"`)
	check("empty term", header+"[terms]\n…\tb\t1\n", "is empty")
}

func TestOptions(t *testing.T) {
	t.Parallel()
	n, err := normal.New()
	if err != nil {
		t.Fatal(err)
	}
	found := func(term, message string) bool {
		t.Helper()
		pack, err := ParsePack("x.txt", []byte(header+"[terms]\n"+term+"\n[allow]\n金刚\n"))
		if err != nil {
			t.Fatal(err)
		}
		l, err := New(n, []*Pack{pack})
		if err != nil {
			t.Fatal(err)
		}
		var text normal.Text
		var s Scratch
		n.Read(message, &text)
		hits := l.Find(&text, &s)
		for _, h := range hits {
			if h.From < 0 || h.To <= h.From || int(h.To) > len(text.Runes) {
				t.Errorf("%q in %q: %d..%d", term, message, h.From, h.To)
			}
		}
		return len(hits) > 0
	}
	check := func(term, message string, want bool) {
		t.Helper()
		if got := found(term, message); got != want {
			t.Errorf("%q in %q: found %v, want %v", term, message, got, want)
		}
	}
	check("甲乙\tk\t1", "说甲乙吧", true)
	check("甲乙\tk\t1", "说甲*乙吧", true)
	check("甲乙\tk\t1", "说甲 乙吧", true)
	check("甲乙\tk\t1", "说甲，乙吧", false)
	check("甲乙\tk\t1", "说甲\n乙吧", false)
	check("甲乙\tk\t1\t=", "说甲*乙吧", false)
	check("甲乙丙\tk\t1", "甲 乙 丙", true)
	check("甲乙丙\tk\t1", "甲乙 丙", false)
	check("甲乙丙\tk\t1", "甲乙*丙", true)
	check("甲乙\tk\t1", "假以时日", false)
	check("甲乙\tk\t1\t~", "假以时日", true)
	check("甲乙\tk\t1\t~", "jia yi", true)
	check("甲乙\tk\t1", "一甲 乙丙 丁戊 己庚 辛壬", false)
	check("刚猛\tk\t1", "金刚猛兽", true)
	check("金\tk\t1", "金刚猛兽", false)
	check("abc\tk\t1", "xabc", false)
	check("abc\tk\t1", "说abc吧", true)
	check("abc\tk\t1\t>", "xabcx", true)
	check("(甲|乙)…(丙|丁)\tk\t1", "乙和丁", true)
	check("(甲|乙)…(丙|丁)\tk\t1", "丁和乙", false)
	check("甲…乙\tk\t1", "甲"+strings.Repeat("的", reach)+"乙", true)
	check("甲…乙\tk\t1", "甲"+strings.Repeat("的", reach+1)+"乙", false)
	check("甲…[0-9]\tk\t1", "甲要5块", true)
}

func TestOverride(t *testing.T) {
	t.Parallel()
	base := []*Pack{{Name: "a", Version: "1"}, {Name: "b", Version: "1"}}
	got := Override(base, []*Pack{{Name: "b", Version: "2"}, {Name: "c", Version: "1"}})
	text := ""
	for _, p := range got {
		text += p.Name + p.Version + " "
	}
	if text != "a1 b2 c1 " || base[1].Version != "1" {
		t.Errorf("got %s", text)
	}
}

func FuzzParsePack(f *testing.F) {
	n, err := normal.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header + "[terms]\n甲…(乙|丙)\tk\t1\t~\n[allow]\n丁\n")
	f.Add(header + "[terms]\n\u200b\tk\t1\n")
	f.Fuzz(func(t *testing.T, data string) {
		pack, err := ParsePack("x.txt", []byte(data))
		if err != nil || len(data) > 4096 {
			return
		}
		l, err := New(n, []*Pack{pack})
		if err != nil {
			return
		}
		var text normal.Text
		var s Scratch
		n.Read(data, &text)
		l.Find(&text, &s)
	})
}
