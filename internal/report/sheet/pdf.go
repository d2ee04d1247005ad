package sheet

import (
	"fmt"
	"io"
	"strconv"

	"github.com/go-pdf/fpdf"
)

// Measures of the page, millimetres.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 14.0
	inner                 = pageWidth - 2*margin
	pointsPerMM           = 72 / 25.4
)

// PDF writes the page as an A4 document.
func PDF(out io.Writer, d Data, lang Language) error {
	fonts, err := openFaces()
	if err != nil {
		return err
	}
	t := lang.words()
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCatalogSort(true)
	doc.SetCreationDate(d.Made.UTC())
	doc.SetModificationDate(d.Made.UTC())
	doc.SetTitle(d.Shop+" · "+t.title+" "+d.Period, true)
	doc.SetCreator("Feige", true)
	doc.SetLang(map[Language]string{Chinese: "zh-CN", English: "en"}[lang])
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddUTF8FontFromBytes(fonts.text.family, "", fonts.text.data)
	doc.AddUTF8FontFromBytes(fonts.emoji.family, "", fonts.emoji.data)
	doc.AddPage()
	p := &pdfPage{doc: doc, fonts: fonts}
	p.write(d, lang)
	if err := doc.Output(out); err != nil {
		return fmt.Errorf("report on shop %s: %w", d.Shop, err)
	}
	return nil
}

// pdfPage is a canvas on the page; x0 and y0 are where the drawing begins.
type pdfPage struct {
	doc    *fpdf.Fpdf
	fonts  *faces
	x0, y0 float64
}

// at draws with another beginning.
func (p *pdfPage) at(x, y float64, draw func(canvas)) {
	draw(&pdfPage{doc: p.doc, fonts: p.fonts, x0: p.x0 + x, y0: p.y0 + y})
}

func rgb(colour string) (r, g, b int) {
	n, _ := strconv.ParseUint(colour[1:], 16, 32)
	return int(n >> 16), int(n >> 8 & 255), int(n & 255)
}

func (p *pdfPage) rect(x, y, w, h float64, fill string) {
	p.doc.SetFillColor(rgb(fill))
	p.doc.Rect(p.x0+x, p.y0+y, w, h, "F")
}

func (p *pdfPage) line(points [][2]float64, width float64, colour string, dashed bool) {
	p.doc.SetDrawColor(rgb(colour))
	p.doc.SetLineWidth(width)
	p.doc.SetLineJoinStyle("round")
	if dashed {
		p.doc.SetDashPattern([]float64{1.4, 1}, 0)
		defer p.doc.SetDashPattern(nil, 0)
	}
	p.doc.MoveTo(p.x0+points[0][0], p.y0+points[0][1])
	for _, at := range points[1:] {
		p.doc.LineTo(p.x0+at[0], p.y0+at[1])
	}
	p.doc.DrawPath("D")
}

func (p *pdfPage) dot(x, y, r float64, fill string) {
	p.doc.SetFillColor(rgb(fill))
	p.doc.Circle(p.x0+x, p.y0+y, r, "F")
}

func (p *pdfPage) text(x, y, size float64, colour string, at anchor, text string) {
	runs := p.fonts.runs(text)
	switch width := p.width(size, runs); at {
	case middle:
		x -= width / 2
	case end:
		x -= width
	}
	p.doc.SetTextColor(rgb(colour))
	for _, r := range runs {
		p.doc.SetFont(r.family, "", size*pointsPerMM)
		p.doc.Text(p.x0+x, p.y0+y, r.text)
		x += p.doc.GetStringWidth(r.text)
	}
}

// strong is text with bolder strokes: the fonts come in one weight.
func (p *pdfPage) strong(x, y, size float64, colour string, at anchor, text string) {
	p.doc.SetDrawColor(rgb(colour))
	p.doc.SetLineWidth(size * 0.035)
	p.doc.SetTextRenderingMode(2)
	p.text(x, y, size, colour, at, text)
	p.doc.SetTextRenderingMode(0)
}

func (p *pdfPage) width(size float64, runs []run) (total float64) {
	for _, r := range runs {
		p.doc.SetFont(r.family, "", size*pointsPerMM)
		total += p.doc.GetStringWidth(r.text)
	}
	return total
}

// cut shortens text to a width.
func (p *pdfPage) cut(text string, size, width float64) string {
	if p.width(size, p.fonts.runs(text)) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && p.width(size, p.fonts.runs(string(runes)+"…")) > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}

// paragraph writes text in lines of a width and returns the y below it; at most lines of them.
func (p *pdfPage) paragraph(x, y, width, size float64, lines int, colour, text string) float64 {
	const leading = 1.35
	rest := []rune(text)
	for line := 0; line < lines && len(rest) > 0; line++ {
		n := len(rest)
		for n > 1 && p.width(size, p.fonts.runs(string(rest[:n]))) > width {
			n--
		}
		if n < len(rest) {
			if line == lines-1 {
				p.text(x, y, size, colour, start, p.cut(string(rest), size, width))
				return y + size*leading
			}
			n = breakAt(rest, n)
		}
		p.text(x, y, size, colour, start, string(rest[:n]))
		y += size * leading
		for rest = rest[n:]; len(rest) > 0 && rest[0] == ' '; {
			rest = rest[1:]
		}
	}
	return y
}

// breakAt is where a line of at most n characters ends: after a space, or between Chinese characters.
func breakAt(text []rune, n int) int {
	for i := n; i > 1; i-- {
		if text[i-1] == ' ' || text[i] == ' ' || text[i] > 0x2e80 && text[i-1] > 0x2e80 && !closes(text[i]) {
			return i
		}
	}
	return n
}

// closes tells the signs that no line begins with.
func closes(r rune) bool {
	return r == '，' || r == '。' || r == '；' || r == '、' || r == '）' || r == '：'
}

func (p *pdfPage) write(d Data, lang Language) {
	t, v := lang.words(), view(d, lang)
	p.x0, p.y0 = margin, margin
	p.strong(0, 6, 6.4, ink, start, p.cut(d.Shop, 6.4, 108))
	p.text(0, 12, 3.6, grey, start, t.title)
	p.text(inner, 5, 3.2, grey, end, v.period)
	p.text(inner, 10, 3.2, grey, end, v.made)
	p.line([][2]float64{{0, 15}, {inner, 15}}, 0.5, ink, false)
	y := 19.0
	if !d.Known {
		p.strong(0, y+8, 4.4, ink, start, t.noData)
		p.foot(t.note(d))
		return
	}
	y = p.decided(y, v) + 9
	y = p.standards(y, t, v)
	p.strong(0, y, 4, ink, start, t.days)
	p.legend(y, t)
	rate, _ := d.indicator("manual_reply_3min_rate")
	p.at(0, y+2, func(c canvas) { dayChart(c, inner, 46, d.Days, rate.Standard, rate.HasStandard) })
	y += 58
	half := inner/2 - 4
	p.strong(0, y, 4, ink, start, t.waits)
	p.strong(inner/2+4, y, 4, ink, start, t.ratings)
	p.at(0, y+3, func(c canvas) { waitBars(c, half, d, t) })
	p.at(inner/2+4, y+3, func(c canvas) { scoreBars(c, half, d) })
	p.text(inner/2+4, y+3+barsHeight(5)+3.6, 2.7, grey, start, t.dissatisfied)
	y += barsHeight(6) + 13
	p.strong(0, y, 4, ink, start, t.agents)
	p.strong(inner/2+4, y, 4, ink, start, t.more)
	p.agentsTable(y+6, half, t, v)
	for i, line := range v.more {
		at := y + 6 + float64(i)*5.4
		p.text(inner/2+4, at, 3.1, ink, start, line[0])
		p.text(inner, at, 3.1, ink, end, p.cut(line[1], 3.1, half*0.55))
		p.line([][2]float64{{inner/2 + 4, at + 1.6}, {inner, at + 1.6}}, 0.15, pale, false)
	}
	p.foot(t.note(d))
}

func (p *pdfPage) foot(note string) {
	p.paragraph(0, pageHeight-2*margin-3, inner, 2.7, 2, grey, note)
}

// decided is the box with the decision; it returns the y below.
func (p *pdfPage) decided(y float64, v viewed) float64 {
	height := 9 + 5*float64(len(v.verdictLines))
	fill, edge := "#f3f5f8", grey
	switch v.class {
	case "restricted":
		fill, edge = "#fdf1ef", red
	case "free":
		fill, edge = "#eef8f2", green
	}
	p.rect(0, y, inner, height, fill)
	p.rect(0, y, 1.4, height, edge)
	p.strong(5, y+6, 4.4, edge, start, v.verdict)
	for i, line := range v.verdictLines {
		p.text(5, y+11+5*float64(i), 3.3, ink, start, p.cut(line, 3.3, inner-9))
	}
	return y + height
}

func (p *pdfPage) standards(y float64, t words, v viewed) float64 {
	p.strong(0, y, 4, ink, start, t.standards)
	shown := v.standards[:min(len(v.standards), 3)]
	width := (inner - 2*8) / 3
	for i, s := range shown {
		x := float64(i) * (width + 8)
		p.text(x, y+7, 3.3, ink, start, p.cut(s.Name, 3.3, width))
		p.strong(x, y+15, 6.4, ink, start, s.Value)
		p.strong(x+p.width(6.4, p.fonts.runs(s.Value))+2.5, y+15, 3.2, s.Colour, start, s.Verdict)
		below := p.paragraph(x, y+20, width, 2.7, 2, grey, s.About)
		p.text(x, below, 2.7, grey, start, s.Samples)
		p.at(x, y+30, func(c canvas) { s.draw(c, width) })
	}
	return y + 48
}

func (p *pdfPage) legend(y float64, t words) {
	x := inner
	p.text(x, y, 2.8, grey, end, t.conversations)
	x -= p.width(2.8, p.fonts.runs(t.conversations)) + 4
	p.rect(x, y-2.3, 2.6, 2.6, bar)
	x -= 4
	p.text(x, y, 2.8, grey, end, t.rate)
	x -= p.width(2.8, p.fonts.runs(t.rate)) + 1.5
	p.line([][2]float64{{x - 5, y - 1}, {x, y - 1}}, 0.6, blue, false)
}

func (p *pdfPage) agentsTable(y, width float64, t words, v viewed) {
	rows := append([][]string{{t.agent, t.replies, t.within, t.meanWait}}, v.agents...)
	if len(v.agents) == 0 {
		rows = append(rows, []string{t.none, "", "", ""})
	}
	right := []float64{0, 0.5, 0.76, 1}
	for i, row := range rows {
		at, colour := y+float64(i)*5.4, ink
		if i == 0 {
			colour = grey
		}
		p.text(0, at, 3.1, colour, start, p.cut(row[0], 3.1, width*0.38))
		for j := 1; j < len(row); j++ {
			p.text(width*right[j], at, 3.1, colour, end, row[j])
		}
		p.line([][2]float64{{0, at + 1.6}, {width, at + 1.6}}, 0.15, pale, false)
	}
}
