package sheet

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/feigeio/feige/internal/report"
)

// keep writes the pages of the tests into a directory, to look at.
var keep = flag.String("keep", "", "directory for the rendered pages")

var shanghai = time.FixedZone("CST", 8*3600)

// sample is a whole page.
func sample(shop string) Data {
	d := Data{
		Shop: shop, Period: "2026-11-H1", From: time.Date(2026, 11, 1, 0, 0, 0, 0, shanghai), To: time.Date(2026, 11, 16, 0, 0, 0, 0, shanghai), Made: time.Date(2026, 11, 17, 9, 30, 0, 0, shanghai),
		Known: true, Final: true, Definition: "conversation", AssessedTime: "08:00-23:00", MinSamples: 30, Conversations: 12345, Rounds: 20111, Answered: 19000, Within: 15000, Ratings: 2100, Dissatisfied: 480, Takeovers: 17, BotSeconds: 30_000,
		Indicators: []report.Indicator{
			{Name: "manual_reply_3min_rate", HasValue: true, Value: 0.6813, Samples: 12345, HasStandard: true, Standard: 0.7, Comparison: ">=", Verdict: "missed"},
			{Name: "avg_response_seconds", HasValue: true, Value: 141.37, Samples: 12345, HasStandard: true, Standard: 180, Comparison: "<=", Verdict: "met"},
			{Name: "dissatisfaction_rate", HasValue: true, Value: 0.2286, Samples: 2100, HasStandard: true, Standard: 0.2, Comparison: "<=", Verdict: "missed"},
			{Name: "avg_first_response_seconds", HasValue: true, Value: 99.5, Samples: 11000, Verdict: "reported"},
			{Name: "p90_response_seconds", HasValue: true, Value: 400, Samples: 19000, Verdict: "reported"},
			{Name: "unanswered_rate", HasValue: true, Value: 0.05, Samples: 12345, Verdict: "reported"},
		},
		Decision: &Decision{Revision: 2, Restricted: true, Restrictions: []string{"marketing_campaigns", "traffic_weighted_down"}, From: time.Date(2026, 11, 16, 0, 0, 0, 0, shanghai), Until: time.Date(2026, 12, 1, 0, 0, 0, 0, shanghai), Missed: []string{"manual_reply_3min_rate", "dissatisfaction_rate"}},
		Waits:    [6]int64{7000, 4000, 4000, 3000, 1000, 1111}, Scores: [5]int64{300, 180, 220, 500, 900}, Points: 12, Flags: []Flags{{"third_party_info", 3}, {"abuse", 1}},
	}
	for i := range 15 {
		day := Day{Start: d.From.AddDate(0, 0, i), Conversations: int64(600 + 70*(i*7%5)), Rate: 0.6 + 0.02*float64(i*5%9)}
		if i == 6 {
			day.Conversations, day.Rate = 0, -1
		}
		d.Days = append(d.Days, day)
	}
	for _, id := range []string{"小红", "agent-2", "张伟 🌟", "a-very-long-account-name-of-an-agent-that-does-not-fit", "agent-5", "agent-6"} {
		d.Agents = append(d.Agents, Agent{ID: id, Replies: 3000, Within: 0.8123, MeanWait: 65.25})
	}
	return d
}

// pages are what can happen to a page.
func pages() map[string]Data {
	running := sample("shop-a")
	running.Decision, running.Final = nil, false
	running.Indicators[0].Verdict, running.Indicators[0].Samples = "not_judged", 12
	free := sample("🏪 店铺 👍🏽")
	free.Decision = &Decision{Revision: 1}
	empty := sample("nobody")
	empty.Known, empty.Indicators, empty.Days, empty.Agents, empty.Decision = false, nil, nil, nil, nil
	one := sample(`'; DROP TABLE rounds_data; --`)
	one.Days, one.Agents, one.Waits, one.Scores, one.Flags = one.Days[:1], nil, [6]int64{}, [5]int64{}, nil
	one.Indicators[1].HasValue = false
	tag := sample(`<script>alert("x")</script> & "quotes" \ 𠮷 龘 Ω`)
	long := sample(strings.Repeat("很长的店铺名称", 12))
	return map[string]Data{"restricted": sample("it's a shop 茶叶旗舰店"), "running": running, "free": free, "empty": empty, "one-day": one, "markup": tag, "long": long}
}

func render(t *testing.T, name string, d Data, lang Language) (page, document []byte) {
	t.Helper()
	var h, p bytes.Buffer
	if err := errors.Join(HTML(&h, d, lang), PDF(&p, d, lang)); err != nil {
		t.Fatal(err)
	}
	if *keep != "" {
		for suffix, data := range map[string][]byte{"html": h.Bytes(), "pdf": p.Bytes()} {
			if err := os.WriteFile(filepath.Join(*keep, name+"-"+string(lang)+"."+suffix), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return h.Bytes(), p.Bytes()
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, d := range pages() {
		for _, lang := range []Language{Chinese, English} {
			t.Run(name+" "+string(lang), func(t *testing.T) {
				t.Parallel()
				page, document := render(t, name, d, lang)
				text := wordsOf(t, page)
				if !strings.Contains(text, d.Shop) {
					t.Errorf("the page does not name the shop %q: %.200s", d.Shop, text)
				}
				if bytes.Count(page, []byte("<script")) != 0 {
					t.Error("the page has a script")
				}
				if !bytes.HasPrefix(document, []byte("%PDF-1.")) || bytes.Count(document, []byte("/Type /Page\n")) != 1 {
					t.Error("the document is no PDF of one page")
				}
				if _, again := render(t, name, d, lang); !bytes.Equal(document, again) {
					t.Error("the same data give another document")
				}
			})
		}
	}
}

// wordsOf are the words of a page, with those of its charts; the page must be well formed.
func wordsOf(t *testing.T, page []byte) string {
	t.Helper()
	for rest := string(page); ; {
		_, after, ok := strings.Cut(rest, "<svg")
		if !ok {
			break
		}
		chart, behind, ok := strings.Cut(after, "</svg>")
		if !ok {
			t.Fatal("a chart is not closed")
		}
		for d := xml.NewDecoder(strings.NewReader("<svg" + chart + "</svg>")); ; {
			if _, err := d.Token(); err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatalf("a chart is no XML: %v", err)
				}
				break
			}
		}
		rest = behind
	}
	var out strings.Builder
	z := html.NewTokenizer(bytes.NewReader(page))
	for z.Next() != html.ErrorToken {
		if token := z.Token(); token.Type == html.TextToken {
			out.WriteString(token.Data + "\n")
		}
	}
	return out.String()
}

func TestWhatThePageSays(t *testing.T) {
	t.Parallel()
	says := func(name string, d Data, lang Language, want ...string) {
		page, _ := render(t, name, d, lang)
		text := wordsOf(t, page)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s in %s does not say %q", name, lang, w)
			}
		}
	}
	all := pages()
	says("restricted", all["restricted"], English, "Restricted", "2026-11-16 to 2026-11-30: no marketing campaigns, less traffic", "missed: 3-minute manual reply rate, Dissatisfaction", "68.1%", "141.4 s", "22.9%", "standard ≥ 70%", "Rounds that begin between 08:00-23:00 count. Below 30 samples", "answered within 3 minutes on average", "12,345", "20,111", "third-party information 3", "final")
	says("restricted", all["restricted"], Chinese, "受限", "2026-11-16 至 2026-11-30：不得参加营销活动、流量降权", "未达标：3分钟人工回复率、不满意率", "68.1%", "141.4 秒", "22.9%", "标准 ≥ 70%", "最终数据", "第三方信息 3")
	says("running", all["running"], English, "Not decided yet", "too few to judge", "may still change")
	says("free", all["free"], Chinese, "未受限")
	says("empty", all["empty"], English, "Nothing was counted for this shop in this half-month.")
	says("one-day", all["one-day"], English, "none", "–")
}

// Nothing that a font lacks is left to it: every rune has a glyph in the font that it is set in.
func TestNoEmptyBoxes(t *testing.T) {
	t.Parallel()
	fonts, err := openFaces()
	if err != nil {
		t.Fatal(err)
	}
	check := func(text string) string {
		var out strings.Builder
		for _, r := range fonts.runs(text) {
			face := fonts.text
			if r.family == fonts.emoji.family {
				face = fonts.emoji
			}
			for _, c := range r.text {
				if c > 0xffff || !face.has(c) {
					t.Errorf("%q: %U has no glyph in %s", text, c, r.family)
				}
			}
			out.WriteString(r.family[:1] + ":" + r.text + " ")
		}
		return out.String()
	}
	for text, want := range map[string]string{
		"shop 店铺": "t:shop 店铺 ", "喆堃镕": "t:喆堃镕 ", "a\tb\x00": "t:a b  ", "𠮷é": "t:?é ", "": "", "\ue123": "t:? ",
		"👍🏽x": "e:" + string(rune(0x1f44d-emojiFrom+privateArea)) + " t:x ",
	} {
		if got := check(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, lang := range []Language{Chinese, English} {
		for name, d := range pages() {
			v := view(d, lang)
			for _, text := range append(append([]string{v.period, v.made, v.verdict, lang.words().note(d), lang.words().dissatisfied}, v.verdictLines...), d.Shop) {
				runs := check(text)
				if name != "markup" && strings.Contains(runs, "?") {
					t.Errorf("%q of %s lacks a character", text, name)
				}
			}
		}
		for _, of := range []map[string]string{lang.words().indicators, lang.words().explanations, lang.words().restrictions, lang.words().categories} {
			for _, text := range of {
				if strings.Contains(check(text), "?") {
					t.Errorf("%q lacks a character", text)
				}
			}
		}
	}
}

func FuzzPDF(f *testing.F) {
	for _, d := range pages() {
		f.Add(d.Shop)
	}
	f.Fuzz(func(t *testing.T, shop string) {
		d := sample(shop)
		d.Agents[0].ID = shop
		var out bytes.Buffer
		if err := errors.Join(PDF(&out, d, Chinese), HTML(&out, d, Chinese)); err != nil {
			t.Fatal(err)
		}
	})
}
