// Package report prints the assessment for people: each shop's indicators against the standards, and
// what was decided. It must not compute anything that a decision does not hold.
package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Indicator is one figure of a decision's evidence.
type Indicator struct {
	Name     string
	HasValue bool
	Value    float64
	Samples  int64
	// Standard and Comparison (">=" or "<=") are set when the indicator is assessed.
	HasStandard bool
	Standard    float64
	Comparison  string
	// Verdict is "met", "missed", "not_judged", or "reported".
	Verdict string
}

// Decision is the newest revision for one shop and half-month.
type Decision struct {
	Shop string
	// Period's name, such as 2026-11-H1.
	Period        string
	Revision      int32
	Restricted    bool
	From, Until   time.Time
	Restrictions  []string
	Missed        []string
	Conversations int64
	Evidence      []Indicator
}

func (d Decision) indicator(name string) (Indicator, bool) {
	i := slices.IndexFunc(d.Evidence, func(i Indicator) bool { return i.Name == name })
	if i < 0 {
		return Indicator{}, false
	}
	return d.Evidence[i], true
}

const indent = "  "

// Options of Print.
type Options struct {
	// Width of the screen in cells; at least 60 is used.
	Width int
	// Newest is how many periods of a shop are shown, the newest ones; 0: all.
	Newest int
}

// column of a shop's table. The least important goes first when the screen is narrow.
type column struct {
	head      string
	indicator string
	format    func(float64) string
	// drop orders what is left out on narrow screens, from 1; 0 stays always.
	drop int
}

var columns = []column{
	{head: "3-min rate", indicator: "manual_reply_3min_rate", format: percent},
	{head: "avg response", indicator: "avg_response_seconds", format: seconds},
	{head: "first resp.", indicator: "avg_first_response_seconds", format: seconds, drop: 2},
	{head: "dissatisfied", indicator: "dissatisfaction_rate", format: percent},
	{head: "unanswered", indicator: "unanswered_rate", format: percent, drop: 1},
	{head: "takeovers", indicator: "takeovers", format: count, drop: 3},
	{head: "bot time", indicator: "bot_seconds", format: seconds, drop: 4},
}

// Print writes the standards, and for each shop a summary and its newest decisions. Decisions come sorted
// by shop and period.
func Print(w io.Writer, decisions []Decision, options Options) error {
	if len(decisions) == 0 {
		_, err := fmt.Fprintln(w, "No period has been decided yet.")
		return err
	}
	out := &strings.Builder{}
	standards(out, decisions[len(decisions)-1])
	var shops [][]Decision
	var shown []Decision
	for len(decisions) > 0 {
		n := slices.IndexFunc(decisions, func(d Decision) bool { return d.Shop != decisions[0].Shop })
		if n < 0 {
			n = len(decisions)
		}
		shops = append(shops, decisions[:n])
		shown = append(shown, newest(decisions[:n], options.Newest)...)
		decisions = decisions[n:]
	}
	// All shops' tables have the same columns, of the same widths.
	all := grid(shown)
	dropped := fit(all, max(options.Width, 60)-len(indent))
	for _, of := range shops {
		if err := shop(out, of, options, dropped, all.columnWidths()); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\n✓ met   ✗ missed   · too few samples to judge   – no value")
	_, err := io.WriteString(w, out.String())
	return err
}

func standards(w io.Writer, d Decision) {
	var parts []string
	for _, i := range d.Evidence {
		if !i.HasStandard {
			continue
		}
		value := fmt.Sprintf("%g", i.Standard)
		for _, c := range columns {
			if c.indicator == i.Name {
				value = c.format(i.Standard)
			}
		}
		parts = append(parts, fmt.Sprintf("%s %s %s", i.Name, i.Comparison, value))
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "Standards: %s\n", strings.Join(parts, ", "))
	}
}

func shop(w io.Writer, decisions []Decision, options Options, dropped []string, widths []int) error {
	first, last := decisions[0], decisions[len(decisions)-1]
	var conversations int64
	var restricted, judged int
	for _, d := range decisions {
		conversations += d.Conversations
		if d.Restricted {
			restricted++
		}
		if slices.ContainsFunc(d.Evidence, func(i Indicator) bool { return i.Verdict == "met" || i.Verdict == "missed" }) {
			judged++
		}
	}
	periods := last.Period
	if first.Period != last.Period {
		periods = first.Period + " to " + last.Period
	}
	fmt.Fprintf(w, "\n%s: %s (%s), %s; %d judged, %d restricted\n", last.Shop,
		plural(int64(len(decisions)), "half-month"), periods, plural(conversations, "conversation"), judged, restricted)

	shown := newest(decisions, options.Newest)
	if len(shown) < len(decisions) {
		fmt.Fprintf(w, "%sthe newest %d:\n", indent, len(shown))
	}
	t := grid(shown)
	t.without(dropped)
	t.atLeast = widths
	return t.write(w, indent)
}

// newest are the last n decisions; all for 0.
func newest(decisions []Decision, n int) []Decision {
	if n <= 0 || n > len(decisions) {
		return decisions
	}
	return decisions[len(decisions)-n:]
}

// grid is the whole table of a shop, with every column.
func grid(decisions []Decision) *table {
	t := &table{heads: []string{"period", "rev", "conversations"}, right: []bool{false, true, true}}
	for _, c := range columns {
		t.heads, t.right = append(t.heads, c.head), append(t.right, true)
	}
	t.heads, t.right = append(t.heads, "decision"), append(t.right, false)
	for _, d := range decisions {
		cells := []string{d.Period, fmt.Sprint(d.Revision), thousands(d.Conversations)}
		for _, c := range columns {
			i, ok := d.indicator(c.indicator)
			cells = append(cells, cell(i, ok, c.format))
		}
		t.row(append(cells, decided(d))...)
	}
	return t
}

// fit leaves out columns until the table is no wider than the screen, or none may go, and names them.
func fit(t *table, width int) (dropped []string) {
	for drop := 1; drop <= len(columns) && t.width() > width; drop++ {
		for _, c := range columns {
			if c.drop == drop {
				dropped = append(dropped, c.head)
				t.without([]string{c.head})
			}
		}
	}
	return dropped
}

func cell(i Indicator, known bool, format func(float64) string) string {
	if !known || !i.HasValue {
		return "–"
	}
	mark := ""
	switch i.Verdict {
	case "met":
		mark = " ✓"
	case "missed":
		mark = " ✗"
	case "not_judged":
		mark = " ·"
	}
	return format(i.Value) + mark
}

func decided(d Decision) string {
	if !d.Restricted {
		return "not restricted"
	}
	until := d.Until.Add(-time.Microsecond)
	return fmt.Sprintf("restricted %s to %s", d.From.Format("2006-01-02"), until.Format("2006-01-02"))
}

func percent(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }

func count(v float64) string { return thousands(int64(v)) }

func seconds(v float64) string {
	switch d := time.Duration(v * float64(time.Second)); {
	case math.Abs(v) < 600:
		return fmt.Sprintf("%.1f s", v)
	case d < 2*time.Hour:
		return fmt.Sprintf("%.1f min", d.Minutes())
	default:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
}

func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}
