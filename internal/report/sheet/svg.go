package sheet

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html/template"
	"strings"
)

// svgCanvas writes SVG.
type svgCanvas struct{ out bytes.Buffer }

// svg draws a chart of w times h millimetres; title is for those who do not see it.
func svg(w, h float64, title string, draw func(canvas)) template.HTML {
	c := &svgCanvas{}
	fmt.Fprintf(&c.out, `<svg viewBox="-1 -2 %g %g" role="img" xmlns="http://www.w3.org/2000/svg"><title>`, w+2, h+3)
	c.escape(title)
	c.out.WriteString("</title>")
	draw(c)
	c.out.WriteString("</svg>")
	return template.HTML(c.out.String()) //nolint:gosec // text is escaped where it is written
}

func (c *svgCanvas) escape(text string) { _ = xml.EscapeText(&c.out, []byte(text)) }

func (c *svgCanvas) rect(x, y, w, h float64, fill string) {
	fmt.Fprintf(&c.out, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"/>`, x, y, w, h, fill)
}

func (c *svgCanvas) line(points [][2]float64, width float64, colour string, dashed bool) {
	var at []string
	for _, p := range points {
		at = append(at, fmt.Sprintf("%.2f,%.2f", p[0], p[1]))
	}
	dash := ""
	if dashed {
		dash = ` stroke-dasharray="1.4 1"`
	}
	fmt.Fprintf(&c.out, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%.2f" stroke-linejoin="round"%s/>`, strings.Join(at, " "), colour, width, dash)
}

func (c *svgCanvas) dot(x, y, r float64, fill string) {
	fmt.Fprintf(&c.out, `<circle cx="%.2f" cy="%.2f" r="%.2f" fill="%s"/>`, x, y, r, fill)
}

func (c *svgCanvas) text(x, y, size float64, colour string, at anchor, text string) {
	fmt.Fprintf(&c.out, `<text x="%.2f" y="%.2f" font-size="%.2f" fill="%s" text-anchor="%s">`, x, y, size, colour, at)
	c.escape(text)
	c.out.WriteString("</text>")
}
