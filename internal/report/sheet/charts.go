package sheet

import (
	"fmt"
	"math"
)

// Anchor of a text.
type anchor string

const (
	start  anchor = "start"
	middle anchor = "middle"
	end    anchor = "end"
)

// canvas is what charts are drawn on; lengths are millimetres, y goes down, a text stands on its y.
type canvas interface {
	rect(x, y, w, h float64, fill string)
	line(points [][2]float64, width float64, colour string, dashed bool)
	dot(x, y, r float64, fill string)
	text(x, y, size float64, colour string, at anchor, text string)
}

// Colours.
const (
	ink    = "#1f2933"
	grey   = "#6b7785"
	pale   = "#e3e8ee"
	bar    = "#b9cbe0"
	blue   = "#1f6fb2"
	green  = "#1a7f4b"
	red    = "#c0392b"
	yellow = "#b7791f"
)

func colourOf(verdict string) string {
	switch verdict {
	case "met":
		return green
	case "missed":
		return red
	}
	return grey
}

// gauge shows a value between 0 and full, and where the standard is.
func gauge(c canvas, w float64, value, standard, full float64, verdict, label string) {
	const h = 3.2
	c.rect(0, 0, w, h, pale)
	at := func(v float64) float64 { return w * math.Min(math.Max(v/full, 0), 1) }
	c.rect(0, 0, at(value), h, colourOf(verdict))
	x := at(standard)
	c.line([][2]float64{{x, -0.8}, {x, h + 0.8}}, 0.5, ink, false)
	place := middle
	switch {
	case x > w*0.8:
		place = end
	case x < w*0.2:
		place = start
	}
	c.text(x, h+3.9, 2.6, grey, place, label)
}

// fullScale is a round number above both.
func fullScale(value, standard float64, share bool) float64 {
	if share {
		if math.Max(value, standard) <= 0.5 {
			return 0.5
		}
		return 1
	}
	full := math.Max(standard*2, math.Min(value*1.1, standard*4))
	if full <= 0 {
		return 1
	}
	return full
}

// days draws a bar a day for the conversations and a line for the rate, with the standard across.
func dayChart(c canvas, w, h float64, days []Day, standard float64, hasStandard bool) {
	const left, right, top, bottom = 9, 9, 2, 6
	pw, ph := w-left-right, h-top-bottom
	most := int64(1)
	for _, d := range days {
		most = max(most, d.Conversations)
	}
	scale := niceAbove(most)
	yOf := func(share float64) float64 { return top + ph*(1-share) }
	for _, share := range []float64{0, 0.5, 1} {
		c.line([][2]float64{{left, yOf(share)}, {left + pw, yOf(share)}}, 0.15, pale, false)
		c.text(left-1, yOf(share)+0.9, 2.4, blue, end, fmt.Sprintf("%.0f%%", share*100))
		if n := share * float64(scale); n == math.Trunc(n) {
			c.text(left+pw+1, yOf(share)+0.9, 2.4, grey, start, compact(int64(n)))
		}
	}
	if len(days) == 0 {
		return
	}
	step := pw / float64(len(days))
	var curve [][2]float64
	flush := func() {
		if len(curve) > 1 {
			c.line(curve, 0.6, blue, false)
		}
		for _, p := range curve {
			c.dot(p[0], p[1], 0.7, blue)
		}
		curve = nil
	}
	for i, d := range days {
		tall := ph * float64(d.Conversations) / float64(scale)
		c.rect(left+step*(float64(i)+0.2), top+ph-tall, step*0.6, tall, bar)
		c.text(left+step*(float64(i)+0.5), h-2, 2.4, grey, middle, fmt.Sprint(d.Start.Day()))
	}
	if hasStandard {
		c.line([][2]float64{{left, yOf(standard)}, {left + pw, yOf(standard)}}, 0.35, red, true)
	}
	for i, d := range days {
		if d.Rate < 0 {
			flush()
			continue
		}
		curve = append(curve, [2]float64{left + step*(float64(i)+0.5), yOf(d.Rate)})
	}
	flush()
}

// bars draws a labelled row a value.
func bars(c canvas, w float64, labels []string, values []int64, colours []string) {
	const row, labelWidth, valueWidth = 5.4, 20, 21
	total, most := int64(0), int64(1)
	for _, v := range values {
		total += v
		most = max(most, v)
	}
	room := w - labelWidth - valueWidth
	for i, v := range values {
		y := float64(i) * row
		c.text(labelWidth-2, y+3.4, 2.8, ink, end, labels[i])
		c.rect(labelWidth, y+0.6, math.Max(room*float64(v)/float64(most), 0.2), row-1.6, colours[i])
		share := ""
		if total > 0 {
			share = fmt.Sprintf(" · %.0f%%", 100*float64(v)/float64(total))
		}
		c.text(labelWidth+room*float64(v)/float64(most)+1, y+3.4, 2.6, grey, start, compact(v)+share)
	}
}

// barsHeight is how much room bars take.
func barsHeight(rows int) float64 { return 5.4 * float64(rows) }

// niceAbove is an even, round number at or above n.
func niceAbove(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, m := range []int64{2, 4, 6, 8, 10} {
			if m*unit >= n {
				return m * unit
			}
		}
	}
}

func compact(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%.0fM", float64(n)/1e6)
	case n >= 1_000_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	case n >= 100_000:
		return fmt.Sprintf("%.0fk", float64(n)/1e3)
	}
	return thousands(n)
}

func waitBars(c canvas, w float64, d Data, t words) {
	bars(c, w, []string{"≤ 30 s", "≤ 1 min", "≤ 3 min", "≤ 10 min", "> 10 min", t.unanswered}, d.Waits[:], []string{green, green, green, yellow, red, red})
}

func scoreBars(c canvas, w float64, d Data) {
	var labels, colours []string
	var values []int64
	for score := 5; score >= 1; score-- {
		labels, values = append(labels, fmt.Sprint(score)), append(values, d.Scores[score-1])
		colours = append(colours, map[bool]string{true: red, false: green}[score <= 2])
	}
	bars(c, w, labels, values, colours)
}
