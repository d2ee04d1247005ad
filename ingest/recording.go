package ingest

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// Format of a recording.
type Format string

const (
	// FormatAuto goes by the name: .csv, .tsv, .jsonl, .ndjson, each also with .gz.
	FormatAuto  Format = ""
	FormatCSV   Format = "csv"
	FormatJSONL Format = "jsonl"
)

// recording is one file to be read, as often as needed.
type recording struct {
	path    string
	format  Format
	mapping *compiled // of CSV
	digest  string    // SHA-256 of the content, uncompressed, hex: known after scan
}

func newRecording(path string, format Format, m Mapping) (*recording, error) {
	plain := strings.TrimSuffix(strings.ToLower(path), ".gz")
	ext := filepath.Ext(plain)
	if format == FormatAuto {
		switch ext {
		case ".csv", ".tsv":
			format = FormatCSV
		case ".jsonl", ".ndjson":
			format = FormatJSONL
		default:
			return nil, fmt.Errorf("%s: cannot tell the format by the name: give it (csv or jsonl)", path)
		}
	}
	r := &recording{path: path, format: format}
	switch format {
	case FormatCSV:
		c, err := m.compile(ext == ".tsv")
		if err != nil {
			return nil, err
		}
		r.mapping = c
	case FormatJSONL:
	default:
		return nil, fmt.Errorf("format %q is not csv or jsonl", format)
	}
	return r, nil
}

// content is an open file, uncompressed.
type content struct {
	io.Reader
	file *os.File
	zip  *gzip.Reader
}

func (c *content) Close() error {
	if c.zip != nil {
		_ = c.zip.Close()
	}
	return c.file.Close()
}

func (r *recording) open() (*content, error) {
	f, err := os.Open(r.path)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	c := &content{Reader: f, file: f}
	if strings.HasSuffix(strings.ToLower(r.path), ".gz") {
		if c.zip, err = gzip.NewReader(f); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("%s: not a gzip file: %w", r.path, err)
		}
		c.Reader = c.zip
	}
	return c, nil
}

func (r *recording) rows(src io.Reader, ids *rowIDs, nowUS int64) (rowReader, error) {
	if r.format == FormatJSONL {
		return newJSONRows(src, ids, nowUS), nil
	}
	rows, err := newCSVRows(src, r.mapping, ids, nowUS)
	if err != nil {
		return nil, r.wrap(err)
	}
	return rows, nil
}

func (r *recording) wrap(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) {
		return fmt.Errorf("%s: the file is cut off or damaged: %w", r.path, err)
	}
	return fmt.Errorf("%s: %w", r.path, err)
}

// scanned is what the first pass over a recording finds out.
type scanned struct {
	rows, events, rejects int64
	future                int64 // rejects for lying in the future
	sorted                bool
	minUS, maxUS          int64
}

// scan is the first pass: it digests the file, counts and checks every row, and writes the rejects.
// tell hears about progress now and then.
func (r *recording) scan(ctx context.Context, nowUS int64, rejects *rejectLog, tell func(rows int64)) (scanned, error) {
	s := scanned{sorted: true, minUS: math.MaxInt64, maxUS: math.MinInt64}
	c, err := r.open()
	if err != nil {
		return s, err
	}
	defer c.Close()
	digest := sha256.New()
	src := io.TeeReader(c, digest)
	rows, err := r.rows(src, nil, nowUS)
	if err != nil {
		return s, err
	}
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, r.wrap(err)
		}
		if s.rows++; s.rows%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return s, err
			}
			tell(s.rows)
		}
		if row.fault != nil {
			s.rejects++
			if row.fault.Code == CodeFutureTime {
				s.future++
			}
			if err := rejects.add(r.path, row); err != nil {
				return s, err
			}
			continue
		}
		s.events++
		at := row.event.OccurredAtUs
		s.sorted = s.sorted && at >= s.maxUS
		s.minUS, s.maxUS = min(s.minUS, at), max(s.maxUS, at)
	}
	r.digest = hex.EncodeToString(digest.Sum(nil))
	return s, nil
}
