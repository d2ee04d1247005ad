package sheet

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// standing is one standard as the page shows it.
type standing struct {
	Name, About, Value, Verdict, Samples, Colour string
	Chart                                        template.HTML
}

// HTML writes the page as one file without anything outside of it.
func HTML(out io.Writer, d Data, lang Language) error {
	t := lang.words()
	v := view(d, lang)
	var standards []standing
	for _, s := range v.standards {
		s.Chart = svg(58, 8, s.Name+" "+s.Value, func(c canvas) { s.draw(c, 58) })
		standards = append(standards, s.standing)
	}
	rate, _ := d.indicator("manual_reply_3min_rate")
	page := map[string]any{
		"Lang": map[Language]string{Chinese: "zh-CN", English: "en"}[lang], "D": d, "Period": v.period, "Made": v.made,
		"W": map[string]string{
			"Title": t.title, "NoData": t.noData, "Standards": t.standards, "Days": t.days, "Rate": t.rate, "Conversations": t.conversations, "Waits": t.waits, "Ratings": t.ratings, "Dissatisfied": t.dissatisfied,
			"Agents": t.agents, "Agent": t.agent, "Replies": t.replies, "Within": t.within, "MeanWait": t.meanWait, "More": t.more, "None": t.none, "HowToRead": t.note(d),
		},
		"Verdict": v.verdict, "VerdictLines": v.verdictLines, "VerdictClass": v.class, "Standards": standards,
		"Days":   svg(180, 46, t.days, func(c canvas) { dayChart(c, 180, 46, d.Days, rate.Standard, rate.HasStandard) }),
		"Waits":  svg(86, barsHeight(6), t.waits, func(c canvas) { waitBars(c, 86, d, t) }),
		"Scores": svg(86, barsHeight(5), t.ratings, func(c canvas) { scoreBars(c, 86, d) }),
		"Agents": v.agents, "More": v.more,
	}
	if err := pageTemplate.Execute(out, page); err != nil {
		return fmt.Errorf("report on shop %s: %w", d.Shop, err)
	}
	return nil
}

// drawn is a standard with its chart.
type drawn struct {
	standing
	draw func(c canvas, w float64)
}

// viewed is the page's text, the same for HTML and PDF.
type viewed struct {
	period, made, verdict, class string
	verdictLines                 []string
	standards                    []drawn
	agents                       [][]string
	more                         [][2]string
}

func view(d Data, lang Language) viewed {
	t := lang.words()
	v := viewed{period: fmt.Sprintf(t.period, d.Period, day(d.From), lastDay(d.To)), made: fmt.Sprintf(t.made, d.Made.Format("2006-01-02 15:04"))}
	state := t.running
	if d.Final {
		state = t.final
	}
	v.made += " · " + state
	switch {
	case d.Decision == nil:
		v.verdict = t.undecided
	case d.Decision.Restricted:
		v.verdict, v.class = t.restricted, "restricted"
		v.verdictLines = append(v.verdictLines, fmt.Sprintf(t.until, day(d.Decision.From), lastDay(d.Decision.Until), names(t.restrictions, d.Decision.Restrictions, lang.comma())))
		v.verdictLines = append(v.verdictLines, fmt.Sprintf(t.because, names(t.indicators, d.Decision.Missed, lang.comma())))
	default:
		v.verdict, v.class = t.notRestricted, "free"
	}
	for _, i := range d.judged() {
		share := strings.HasSuffix(i.Name, "_rate")
		s := drawn{standing: standing{Name: name(t.indicators, i.Name), About: t.explanations[d.explained(i.Name)], Value: "–", Verdict: t.verdictOf(i.Verdict), Colour: colourOf(i.Verdict)}}
		if i.HasValue {
			s.Value = t.shown(i.Name, i.Value)
		}
		s.Samples = fmt.Sprintf(t.samples, thousands(i.Samples))
		mark := map[string]string{">=": "≥ ", "<=": "≤ "}[i.Comparison]
		label := t.standard + " " + mark + t.standardOf(i.Name, i.Standard)
		s.draw = func(c canvas, w float64) {
			gauge(c, w, i.Value, i.Standard, fullScale(i.Value, i.Standard, share), i.Verdict, label)
		}
		v.standards = append(v.standards, s)
	}
	for _, a := range d.Agents {
		v.agents = append(v.agents, []string{a.ID, thousands(a.Replies), percent(a.Within), t.length(a.MeanWait)})
	}
	v.more = [][2]string{
		{t.conversations, thousands(d.Conversations)}, {t.rounds, fmt.Sprintf("%s (%s %s)", thousands(d.Rounds), t.answered, thousands(d.Answered))},
	}
	for _, key := range []string{"avg_first_response_seconds", "p90_response_seconds", "unanswered_rate"} {
		if i, ok := d.indicator(key); ok && i.HasValue {
			v.more = append(v.more, [2]string{name(t.indicators, key), t.shown(key, i.Value)})
		}
	}
	v.more = append(v.more, [2]string{t.takeovers, thousands(d.Takeovers)}, [2]string{t.botTime, t.length(d.BotSeconds)}, [2]string{t.points, thousands(d.Points)})
	if len(d.Flags) > 0 {
		var flags []string
		for _, f := range d.Flags {
			flags = append(flags, fmt.Sprintf("%s %d", name(t.categories, f.Category), f.Count))
		}
		v.more = append(v.more, [2]string{t.violations, strings.Join(flags, lang.comma())})
	}
	// The table of agents and this one stand side by side.
	if len(v.more) > maxMore {
		v.more = v.more[:maxMore]
	}
	return v
}

const maxMore = 9
