package export

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Bounds of the format.
const (
	maxRows = excelize.TotalRows
	maxCell = excelize.TotalCellChars
)

// xlsxSink writes a sheet a table, another one where a table has more rows than a sheet may have, and one that explains the
// columns. Text is text there and never a formula.
type xlsxSink struct {
	out     io.Writer
	options Options
	book    *excelize.File
	sheet   *excelize.StreamWriter
	table   Table
	about   [][3]string
	// next is the next row of the sheet, from 1; sheets counts those of the table.
	next, sheets  int
	head, instant int
	cells         []any
	rowsASheet    int
}

func newXLSX(out io.Writer, o Options) *xlsxSink {
	return &xlsxSink{out: out, options: o, book: excelize.NewFile(), rowsASheet: maxRows}
}

func (s *xlsxSink) begin(t Table) error {
	if s.head == 0 {
		var err error
		if s.head, err = s.book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7EEF7"}}}); err != nil {
			return err
		}
		format := "yyyy-mm-dd hh:mm:ss"
		if s.instant, err = s.book.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
			return err
		}
	}
	s.table, s.sheets = t, 0
	for _, c := range t.Columns {
		about := c.About
		if c.Kind == Instant {
			about += " (" + s.options.Location.String() + ")"
		}
		s.about = append(s.about, [3]string{t.Name, c.Name, about})
	}
	return s.open()
}

// open begins the next sheet of the table.
func (s *xlsxSink) open() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.sheets++
	name := s.table.Name
	if s.sheets > 1 {
		name = fmt.Sprintf("%s %d", name, s.sheets)
	}
	if _, err := s.book.NewSheet(name); err != nil {
		return err
	}
	var err error
	if s.sheet, err = s.book.NewStreamWriter(name); err != nil {
		return err
	}
	if err := s.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	s.cells = make([]any, len(s.table.Columns))
	for i, c := range s.table.Columns {
		width := float64(max(len(c.Name)+2, 12))
		if c.Kind == Instant {
			width = max(width, 20)
		}
		if err := s.sheet.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
		s.cells[i] = excelize.Cell{StyleID: s.head, Value: c.Name}
	}
	s.next = 1
	return s.put()
}

func (s *xlsxSink) put() error {
	cell, err := excelize.CoordinatesToCellName(1, s.next)
	if err != nil {
		return err
	}
	s.next++
	return s.sheet.SetRow(cell, s.cells)
}

func (s *xlsxSink) row(values []any) error {
	if s.next > s.rowsASheet {
		if err := s.open(); err != nil {
			return err
		}
	}
	for i, v := range values {
		switch x := v.(type) {
		case time.Time:
			local := x.In(s.options.Location)
			// A sheet knows no time zones: the clock's time there.
			s.cells[i] = excelize.Cell{StyleID: s.instant, Value: time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)}
		case string:
			s.cells[i] = fitting(x)
		default:
			s.cells[i] = v
		}
	}
	return s.put()
}

// fitting cuts text to what a cell may hold, and leaves out what XML cannot say.
func fitting(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if utf8.RuneCountInString(text) > maxCell {
		return string([]rune(text)[:maxCell])
	}
	return text
}

func (s *xlsxSink) flush() error {
	if s.sheet == nil {
		return nil
	}
	return s.sheet.Flush()
}

func (s *xlsxSink) end() error {
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.explain(); err != nil {
		return err
	}
	if err := s.book.DeleteSheet("Sheet1"); err != nil {
		return err
	}
	s.book.SetActiveSheet(0)
	if err := s.book.SetDocProps(&excelize.DocProperties{Title: "Feige " + s.options.PeriodName, Creator: "Feige"}); err != nil {
		return err
	}
	if err := s.book.Write(s.out); err != nil {
		return err
	}
	return s.book.Close()
}

func (s *xlsxSink) explain() error {
	const name = "about"
	if _, err := s.book.NewSheet(name); err != nil {
		return err
	}
	sheet, err := s.book.NewStreamWriter(name)
	if err != nil {
		return err
	}
	for i, width := range []float64{16, 44, 80} {
		if err := sheet.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	lines := append([][3]string{{"table", "column", "meaning"}}, s.about...)
	for i, line := range lines {
		row := []any{line[0], line[1], line[2]}
		if i == 0 {
			for j := range row {
				row[j] = excelize.Cell{StyleID: s.head, Value: line[j]}
			}
		}
		if err := sheet.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			return err
		}
	}
	return sheet.Flush()
}
