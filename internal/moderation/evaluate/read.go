package evaluate

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/feigeio/feige/internal/moderation/classify"
)

// File is a labelled file that was read.
type File struct {
	Source   classify.Source
	Examples []classify.Example
}

// Columns names the columns of a labelled CSV file; empty: found by their usual names.
type Columns struct{ Label, Text string }

// ReadFile reads a labelled CSV file, gzipped or not: a header, a column with labels (1, true, yes, or anything else
// but 0, false, no, and empty: positive), and one with texts.
func ReadFile(path string, columns Columns) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the labelled file: %w", err)
	}
	defer f.Close()
	buffered := bufio.NewReader(f)
	var in io.Reader = buffered
	if head, err := buffered.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("%s: unpacking: %w", path, err)
		}
		in = z
	}
	hash := sha256.New()
	examples, err := Read(io.TeeReader(in, hash), columns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{Examples: examples, Source: classify.Source{
		File: filepath.Base(path), SHA256: hex.EncodeToString(hash.Sum(nil)), Rows: len(examples),
	}}, nil
}

// Read reads labelled CSV.
func Read(in io.Reader, columns Columns) ([]classify.Example, error) {
	rows := csv.NewReader(in)
	rows.FieldsPerRecord = -1
	rows.LazyQuotes = true
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	label, err := column(header, columns.Label, "label", "labels", "is_ad", "toxic", "class", "y")
	if err != nil {
		return nil, err
	}
	text, err := column(header, columns.Text, "text", "content", "sentence", "message", "review", "msg", "comment")
	if err != nil {
		return nil, err
	}
	var examples []classify.Example
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return examples, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading row %d: %w", len(examples)+2, err)
		}
		if len(row) <= max(label, text) {
			return nil, fmt.Errorf("row %d: %d columns, want %d", len(examples)+2, len(row), max(label, text)+1)
		}
		examples = append(examples, classify.Example{Text: row[text], Label: positive(row[label])})
	}
}

func column(header []string, asked string, usual ...string) (int, error) {
	names := usual
	if asked != "" {
		names = []string{asked}
	}
	for _, name := range names {
		for i, h := range header {
			if strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name) {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("no column %s among %s", strings.Join(names, ", "), strings.Join(header, ", "))
}

func positive(label string) bool {
	switch strings.ToLower(strings.TrimSpace(label)) {
	case "", "0", "0.0", "false", "no", "n", "clean", "normal", "non-toxic":
		return false
	}
	return true
}
