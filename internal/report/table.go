package report

import (
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// table is a grid of text with aligned columns. Widths count screen cells, so that wide characters align too.
type table struct {
	heads []string
	// right tells which columns are numbers.
	right []bool
	rows  [][]string
	// atLeast are widths to align with other tables; nil for none.
	atLeast []int
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

const gap = "  "

// columnWidths are the cells that each column needs.
func (t *table) columnWidths() []int {
	widths := make([]int, len(t.heads))
	for i, head := range t.heads {
		widths[i] = runewidth.StringWidth(head)
		if t.atLeast != nil {
			widths[i] = max(widths[i], t.atLeast[i])
		}
	}
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	return widths
}

// width is that of the widest line, indentation not counted.
func (t *table) width() int {
	total := -len(gap)
	for _, w := range t.columnWidths() {
		total += w + len(gap)
	}
	return total
}

// without leaves out columns by their head.
func (t *table) without(heads []string) {
	keep := func(i int) bool { return !slices.Contains(heads, t.heads[i]) }
	for r, row := range t.rows {
		t.rows[r] = choose(row, keep)
	}
	t.right = choose(t.right, keep)
	t.heads = choose(t.heads, keep)
}

func choose[T any](list []T, keep func(int) bool) []T {
	var kept []T
	for i, v := range list {
		if keep(i) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (t *table) write(w io.Writer, indent string) error {
	widths := t.columnWidths()
	var out strings.Builder
	line := func(cells []string) {
		var b strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", widths[i]-runewidth.StringWidth(cell))
			if i > 0 {
				b.WriteString(gap)
			}
			if t.right[i] {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		out.WriteString(strings.TrimRight(indent+b.String(), " ") + "\n")
	}
	line(t.heads)
	for _, row := range t.rows {
		line(row)
	}
	_, err := io.WriteString(w, out.String())
	return err
}
