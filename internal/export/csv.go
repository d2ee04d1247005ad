package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"
)

type csvSink struct {
	out     io.Writer
	rows    *csv.Writer
	options Options
	fields  []string
}

func newCSV(out io.Writer, o Options) *csvSink { return &csvSink{out: out, options: o} }

func (s *csvSink) begin(t Table) error {
	if s.options.BOM {
		if _, err := io.WriteString(s.out, "\ufeff"); err != nil {
			return err
		}
	}
	s.rows = csv.NewWriter(s.out)
	s.rows.UseCRLF = true // RFC 4180
	s.fields = make([]string, len(t.Columns))
	for i, c := range t.Columns {
		s.fields[i] = c.Name
	}
	return s.rows.Write(s.fields)
}

func (s *csvSink) row(values []any) error {
	for i, v := range values {
		switch x := v.(type) {
		case nil:
			s.fields[i] = ""
		case string:
			s.fields[i] = x
			if !s.options.Verbatim {
				s.fields[i] = Harmless(x)
			}
		case int64:
			s.fields[i] = strconv.FormatInt(x, 10)
		case float64:
			s.fields[i] = strconv.FormatFloat(x, 'g', -1, 64)
		case bool:
			s.fields[i] = strconv.FormatBool(x)
		case time.Time:
			s.fields[i] = x.In(s.options.Location).Format("2006-01-02T15:04:05.999999Z07:00")
		}
	}
	return s.rows.Write(s.fields)
}

func (s *csvSink) end() error {
	s.rows.Flush()
	return s.rows.Error()
}

// Harmless puts an apostrophe before text that a spreadsheet would take for a formula.
func Harmless(text string) string {
	if text == "" {
		return text
	}
	switch text[0] {
	case '=', '+', '-', '@', '\t', '\r', '\n':
		return "'" + text
	}
	// Full-width forms, which some spreadsheets take for the same.
	for _, sign := range []string{"＝", "＋", "－", "＠"} {
		if len(text) >= len(sign) && text[:len(sign)] == sign {
			return "'" + text
		}
	}
	return text
}
