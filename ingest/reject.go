package ingest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxRaw is how much of a rejected row is kept, bytes.
const maxRaw = 512

// reject is one line of a reject file.
type reject struct {
	File   string `json:"file"`
	Line   int64  `json:"line"`
	Row    int64  `json:"row"`
	Code   Code   `json:"code"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
	// Raw is the row, cut to 512 bytes, with invalid UTF-8 replaced.
	Raw string `json:"raw"`
	// Cut tells that raw is not the whole row.
	Cut bool `json:"cut,omitempty"`
}

// rejectLog writes rejected rows as JSON lines. The file comes to be with the first of them; a file of an
// earlier run is replaced, or removed when nothing is rejected any more.
type rejectLog struct {
	path string // empty: counted only
	file *os.File
	w    *bufio.Writer
	n    int64
}

func (l *rejectLog) add(file string, r row) error {
	l.n++
	if l.path == "" {
		return nil
	}
	if l.file == nil {
		if err := os.MkdirAll(filepath.Dir(l.path), 0o755); err != nil {
			return fmt.Errorf("reject file: %w", err)
		}
		f, err := os.CreateTemp(filepath.Dir(l.path), filepath.Base(l.path)+".part-*")
		if err != nil {
			return fmt.Errorf("reject file: %w", err)
		}
		l.file, l.w = f, bufio.NewWriterSize(f, 64<<10)
	}
	line, err := json.Marshal(reject{File: file, Line: r.line, Row: r.number, Code: r.fault.Code, Field: r.fault.Field,
		Reason: r.fault.Reason, Raw: printable(r.raw), Cut: len(r.raw) > maxRaw || r.fault.Code == CodeLongRow})
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	if _, err := l.w.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	return nil
}

func printable(raw []byte) string {
	raw = raw[:min(len(raw), maxRaw)]
	return strings.ToValidUTF8(string(raw), "\ufffd")
}

// close puts the file in its place.
func (l *rejectLog) close() error {
	if l.path == "" {
		return nil
	}
	if l.file == nil {
		if err := os.Remove(l.path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("reject file: %w", err)
		}
		return nil
	}
	part := l.file.Name()
	err := l.w.Flush()
	if cerr := l.file.Close(); err == nil {
		err = cerr
	}
	l.file = nil
	if err == nil {
		err = os.Rename(part, l.path)
	}
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	return nil
}

// abandon drops a file that was not finished.
func (l *rejectLog) abandon() {
	if l.file != nil {
		_ = l.file.Close()
		_ = os.Remove(l.file.Name())
		l.file = nil
	}
}
