package evaluate

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/policy"
)

func TestRead(t *testing.T) {
	t.Parallel()
	check := func(name, data string, columns Columns, want string) {
		t.Helper()
		examples, err := Read(strings.NewReader(data), columns)
		got := ""
		if err != nil {
			got = err.Error()
		}
		for _, e := range examples {
			got += e.Text
			if e.Label {
				got += "!"
			}
			got += " "
		}
		if !strings.Contains(got, want) || want == "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	check("plain", "label,text\n1,a\n0,b\n", Columns{}, "a! b ")
	check("as COLD has it", "id,split,topic,label,TEXT\n5,train,race,1,\"a,b\"\n", Columns{}, "a,b! ")
	check("byte order mark", "\ufefflabel,text\n1,a\n", Columns{}, "a! ")
	check("words for labels", "label,text\nclean,a\nabuse,b\n", Columns{}, "a b! ")
	check("own columns", "x,y\nno,a\nyes,b\n", Columns{Label: "x", Text: "y"}, "a b! ")
	check("no text column", "label,other\n1,a\n", Columns{}, "no column text")
	check("short row", "label,text\n1\n", Columns{}, "row 2: 1 columns, want 2")
	check("empty", "", Columns{}, "reading the header")
}

func TestFigures(t *testing.T) {
	t.Parallel()
	examples := []classify.Example{{Text: "aa", Label: true}, {Text: "ab", Label: true}, {Text: "a", Label: false}, {Text: "b", Label: false}, {Text: "c", Label: false}}
	var wrong []string
	f, err := Measure(context.Background(), func(text string) bool { return strings.HasPrefix(text, "a") && text != "ab" }, examples, func(e classify.Example) { wrong = append(wrong, e.Text) })
	if err != nil {
		t.Fatal(err)
	}
	if f.TruePositives != 1 || f.FalseNegatives != 1 || f.FalsePositives != 1 || f.TrueNegatives != 2 || f.Runes != 7 || strings.Join(wrong, " ") != "ab a" {
		t.Errorf("%+v, wrong %v", f, wrong)
	}
	if f.Accuracy() != 0.6 || f.Precision() != 0.5 || f.Recall() != 0.5 || f.F1() != 0.5 || int(f.FalsePositivesPerThousand()) != 333 {
		t.Errorf("accuracy %v, precision %v, recall %v, F1 %v, per thousand %v", f.Accuracy(), f.Precision(), f.Recall(), f.F1(), f.FalsePositivesPerThousand())
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil || !strings.Contains(out.String(), "333.33 per 1,000") {
		t.Errorf("%v: %s", err, out.String())
	}
	if (Figures{}).F1() != 0 {
		t.Error("nothing measured is not 0")
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	m := build(t)
	check := func(text, want string) {
		t.Helper()
		var out bytes.Buffer
		if err := Explain(&out, m, moderation.Subject{Text: text, Policy: policy.Default().At(0)}); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v: %s", text, err, out.String())
		}
	}
	check("亲，在的", "clean: no flag")
	check("加我薇❤：abc_8899", `"薇❤：abc_8899" (characters 2 to 13)`)
	check("加我薇❤：abc_8899", "confirmed at once")
}

func FuzzReadCSV(f *testing.F) {
	f.Add("label,text\n1,a\n")
	f.Add("label,text\n1,\"a\n")
	f.Fuzz(func(t *testing.T, data string) {
		if examples, err := Read(strings.NewReader(data), Columns{}); err != nil && examples != nil {
			t.Error("examples beside an error")
		}
	})
}
