package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// maxRow is the longest row of a file, bytes, and so what a reader holds at most.
const maxRow = 1 << 20

// rowText is one row as it stands in the file.
type rowText struct {
	line   int64 // the first line it is on, from 1
	raw    []byte
	fields []string // nil with a fault
	fault  *ValidationError
}

// csvScanner splits a file into rows (RFC 4180, any one-byte delimiter, LF or CRLF, quotes within an
// unquoted field taken as they are). Blank lines are no rows. A quoted field that is never closed, or
// goes on after its closing quote, costs the line on which its row begins; scanning goes on with the
// next line, so that a stray quote never swallows the rest of a file.
type csvScanner struct {
	src   io.Reader
	delim byte
	buf   []byte
	r, w  int
	eof   bool
	line  int64
}

func newCSVScanner(src io.Reader, delim byte) *csvScanner {
	return &csvScanner{src: src, delim: delim, buf: make([]byte, 64<<10), line: 1}
}

// next returns io.EOF after the last row. The row's raw bytes are valid until the next call.
func (s *csvScanner) next() (rowText, error) {
	if s.line == 1 && s.r == 0 && s.w == 0 {
		if err := s.fill(); err != nil {
			return rowText{}, err
		}
		if bytes.HasPrefix(s.buf[:s.w], []byte("\xef\xbb\xbf")) {
			s.r = 3
		}
	}
	for {
		data := s.buf[s.r:s.w]
		if len(data) == 0 && s.eof {
			return rowText{}, io.EOF
		}
		n, res := s.measure(data)
		switch res {
		case rowMore:
			if err := s.fill(); err != nil {
				return rowText{}, err
			}
			continue
		case rowWhole:
			raw := trimEnd(data[:n])
			row := rowText{line: s.line, raw: raw}
			s.take(n)
			if len(raw) == 0 {
				continue
			}
			row.fields = s.split(string(raw))
			return row, nil
		}
		return s.giveUp(res)
	}
}

type rowResult int

const (
	rowMore     rowResult = iota // the row's end is not in sight
	rowWhole                     // the first n bytes are a row with its line end
	rowUnclosed                  // a quote is never closed
	rowAfter                     // something follows a closing quote
	rowLong                      // longer than maxRow
)

// measure finds the end of the row at the start of data.
func (s *csvScanner) measure(data []byte) (int, rowResult) {
	atEnd := func(quoted bool) (int, rowResult) {
		switch {
		case len(data) >= maxRow && quoted, s.eof && quoted:
			return 0, rowUnclosed
		case len(data) >= maxRow:
			return 0, rowLong
		case s.eof:
			return len(data), rowWhole
		}
		return 0, rowMore
	}
	for i := 0; ; {
		if i < len(data) && data[i] == '"' {
			for i++; ; i += 2 {
				q := bytes.IndexByte(data[min(i, len(data)):], '"')
				if q < 0 {
					return atEnd(true)
				}
				i += q
				if i+1 >= len(data) || data[i+1] != '"' {
					break
				}
			}
			i++ // past the closing quote
			if i+1 >= len(data) && !s.eof {
				return atEnd(false)
			}
			if rest := data[i:]; len(rest) > 0 && rest[0] != s.delim && rest[0] != '\n' && !bytes.HasPrefix(rest, []byte("\r\n")) && string(rest) != "\r" {
				return 0, rowAfter
			}
		}
		end := bytes.IndexByte(data[i:], '\n')
		next := bytes.IndexByte(data[i:], s.delim)
		if next >= 0 && (end < 0 || next < end) {
			i += next + 1
			continue
		}
		if end < 0 {
			return atEnd(false)
		}
		return i + end + 1, rowWhole
	}
}

// split cuts a whole row into fields.
func (s *csvScanner) split(row string) []string {
	fields := make([]string, 0, 8)
	for {
		if strings.HasPrefix(row, `"`) {
			i := 1
			for {
				i += strings.IndexByte(row[i:], '"')
				if i+1 >= len(row) || row[i+1] != '"' {
					break
				}
				i += 2
			}
			fields = append(fields, strings.ReplaceAll(row[1:i], `""`, `"`))
			if row = row[i+1:]; row == "" {
				return fields
			}
			row = row[1:] // the delimiter
			continue
		}
		i := strings.IndexByte(row, s.delim)
		if i < 0 {
			return append(fields, row)
		}
		fields = append(fields, row[:i])
		row = row[i+1:]
	}
}

// giveUp takes the line at which an unreadable row begins.
func (s *csvScanner) giveUp(res rowResult) (rowText, error) {
	row := rowText{line: s.line, fault: invalid(CodeSyntax, "row", "a quoted field is never closed")}
	switch res {
	case rowAfter:
		row.fault = invalid(CodeSyntax, "row", "text follows a closing quote")
	case rowLong:
		row.fault = invalid(CodeLongRow, "row", "longer than 1 MiB")
	}
	data := s.buf[s.r:s.w]
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		row.raw = trimEnd(data[:end+1])
		s.take(end + 1)
		return row, nil
	}
	row.raw = bytes.Clone(data[:min(len(data), maxRaw)])
	for {
		end := bytes.IndexByte(s.buf[s.r:s.w], '\n')
		if end >= 0 {
			s.take(end + 1)
			return row, nil
		}
		s.r = s.w
		if s.eof {
			return row, nil
		}
		if err := s.fill(); err != nil {
			return rowText{}, err
		}
	}
}

// take moves past n bytes.
func (s *csvScanner) take(n int) {
	s.line += int64(bytes.Count(s.buf[s.r:s.r+n], []byte{'\n'}))
	s.r += n
}

// fill reads more; the buffer grows up to maxRow.
func (s *csvScanner) fill() error {
	if s.r > 0 {
		s.w = copy(s.buf, s.buf[s.r:s.w])
		s.r = 0
	}
	if s.w == len(s.buf) {
		if len(s.buf) >= maxRow {
			return errors.New("row buffer overrun")
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for idle := 0; s.w < len(s.buf); {
		n, err := s.src.Read(s.buf[s.w:])
		s.w += n
		switch {
		case errors.Is(err, io.EOF):
			s.eof = true
			return nil
		case err != nil:
			return err
		case n > 0:
			idle = 0
		default:
			if idle++; idle > 100 {
				return io.ErrNoProgress
			}
		}
	}
	return nil
}

func trimEnd(row []byte) []byte {
	row = bytes.TrimSuffix(row, []byte{'\n'})
	return bytes.TrimSuffix(row, []byte{'\r'})
}
