package report

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample() []Decision {
	standard := func(name string, value, standard float64, comparison, verdict string, samples int64) Indicator {
		return Indicator{Name: name, HasValue: samples > 0, Value: value, Samples: samples, HasStandard: true, Standard: standard, Comparison: comparison, Verdict: verdict}
	}
	reported := func(name string, value float64) Indicator {
		return Indicator{Name: name, HasValue: true, Value: value, Verdict: "reported"}
	}
	decision := func(shop, period string, month time.Month, restricted bool, verdict string, conversations int64) Decision {
		d := Decision{Shop: shop, Period: period, Revision: 1, Restricted: restricted, Conversations: conversations, Evidence: []Indicator{
			standard("manual_reply_3min_rate", 0.6543, 0.7, ">=", verdict, conversations),
			standard("avg_response_seconds", 1234.5, 180, "<=", verdict, conversations),
			reported("avg_first_response_seconds", 99.95),
			standard("dissatisfaction_rate", 0, 0.2, "<=", "not_judged", 0),
			reported("unanswered_rate", 0.25),
			reported("takeovers", 2),
			reported("bot_seconds", 54321),
		}}
		if restricted {
			d.From = time.Date(2026, month, 16, 0, 0, 0, 0, time.UTC)
			d.Until = time.Date(2026, month+1, 1, 0, 0, 0, 0, time.UTC)
		}
		return d
	}
	var all []Decision
	for month := time.January; month <= time.June; month++ {
		all = append(all, decision("ubuntu", fmt.Sprintf("2026-%02d-H1", month), month, month%2 == 0, map[bool]string{true: "missed", false: "met"}[month%2 == 0], 1200+int64(month)))
	}
	return append(all, decision("茶叶店", "2026-06-H1", time.June, false, "not_judged", 1))
}

func TestPrint(t *testing.T) {
	t.Parallel()
	check := func(name string, decisions []Decision, options Options) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := Print(&out, decisions, options); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Fatalf("got:\n%s\nwant:\n%s", out.String(), want)
			}
		})
	}
	check("wide", sample(), Options{Width: 160, Newest: 3})
	check("narrow", sample(), Options{Width: 100, Newest: 3})
	check("all periods", sample(), Options{Width: 120})
	check("none", nil, Options{Width: 80})
}

func TestPrintFitsTheScreen(t *testing.T) {
	t.Parallel()
	for _, width := range []int{110, 120, 140, 200} {
		var out strings.Builder
		if err := Print(&out, sample(), Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "  2026") && runewidth.StringWidth(strings.TrimRight(line, "\n")) > width {
				t.Errorf("wider than %d: %q", width, line)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check(thousands(0), "0")
	check(thousands(999), "999")
	check(thousands(1000), "1,000")
	check(thousands(-123456), "-123,456")
	check(thousands(1234567), "1,234,567")
	check(seconds(599.94), "599.9 s")
	check(seconds(600), "10.0 min")
	check(seconds(7200), "2.0 h")
	check(percent(0.70), "70.0%")
	check(plural(1, "shop"), "1 shop")
	check(plural(1234, "shop"), "1,234 shops")
}
