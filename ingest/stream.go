package ingest

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// item is one event, ready for Kafka.
type item struct {
	record
	atUS int64
	id   string
}

// itemStream gives items in order; io.EOF ends it.
type itemStream interface {
	next() (item, error)
	Close() error
}

// fileStream gives the events of a recording in the order of the file.
type fileStream struct {
	*content
	rec  *recording
	rows rowReader
}

func (r *recording) stream(nowUS int64) (*fileStream, error) {
	c, err := r.open()
	if err != nil {
		return nil, err
	}
	rows, err := r.rows(c, newRowIDs(r.digest), nowUS)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &fileStream{content: c, rec: r, rows: rows}, nil
}

func (s *fileStream) next() (item, error) {
	for {
		row, err := s.rows.next()
		if errors.Is(err, io.EOF) {
			return item{}, io.EOF
		}
		if err != nil {
			return item{}, s.rec.wrap(err)
		}
		if row.fault != nil {
			continue // the first pass has told it
		}
		rec, err := encode(row.event)
		if err != nil {
			return item{}, err
		}
		return item{record: rec, atUS: row.event.OccurredAtUs, id: row.event.EventId}, nil
	}
}

// merged gives the items of several streams, each in order of time, in order of time; where times are
// equal, those of an earlier stream come first.
type merged struct {
	heap    streamHeap
	streams []itemStream
}

type head struct {
	item
	rank   int
	stream itemStream
}

type streamHeap []head

func (h streamHeap) Len() int      { return len(h) }
func (h streamHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h streamHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].atUS, h[j].atUS), cmp.Compare(h[i].rank, h[j].rank)) < 0
}
func (h *streamHeap) Push(x any) { *h = append(*h, x.(head)) }
func (h *streamHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merge owns the streams: Close closes them.
func merge(streams []itemStream) (itemStream, error) {
	if len(streams) == 1 {
		return streams[0], nil
	}
	m := &merged{streams: streams}
	for i, s := range streams {
		it, err := s.next()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			_ = m.Close()
			return nil, err
		}
		m.heap = append(m.heap, head{item: it, rank: i, stream: s})
	}
	heap.Init(&m.heap)
	return m, nil
}

func (m *merged) next() (item, error) {
	if len(m.heap) == 0 {
		return item{}, io.EOF
	}
	top := &m.heap[0]
	out := top.item
	it, err := top.stream.next()
	switch {
	case errors.Is(err, io.EOF):
		heap.Pop(&m.heap)
	case err != nil:
		return item{}, err
	default:
		top.item = it
		heap.Fix(&m.heap, 0)
	}
	return out, nil
}

func (m *merged) Close() error {
	var errs []error
	for _, s := range m.streams {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// sortStream puts a stream in order of time, equal times as they came. It holds about maxBytes of items at
// a time; what is more goes through sorted runs in dir. The stream is closed.
func sortStream(s itemStream, dir string, maxBytes int) (itemStream, error) {
	defer s.Close()
	var runs []itemStream
	var items []item
	size := 0
	spill := func() error {
		slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.atUS, b.atUS) })
		run, err := writeRun(filepath.Join(dir, fmt.Sprintf("run-%d", len(runs))), items)
		if err != nil {
			return fmt.Errorf("sort recording: %w", err)
		}
		runs = append(runs, run)
		items, size = items[:0], 0
		return nil
	}
	closeRuns := func() {
		for _, r := range runs {
			_ = r.Close()
		}
	}
	for {
		it, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			items = append(items, it)
			if size += it.size() + itemOverhead; size >= maxBytes {
				err = spill()
			}
		}
		if err != nil {
			closeRuns()
			return nil, err
		}
	}
	if err := spill(); err != nil {
		closeRuns()
		return nil, err
	}
	return merge(runs)
}

// itemOverhead is about what an item takes beside its bytes.
const itemOverhead = 120

// run is a sorted run on disk.
type run struct {
	file *os.File
	r    *bufio.Reader
}

func writeRun(path string, items []item) (*run, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// The open file is all that is needed: nothing stays behind, however the process ends.
	if err := os.Remove(path); err != nil {
		_ = f.Close()
		return nil, err
	}
	w := bufio.NewWriterSize(f, 256<<10)
	var b []byte
	for _, it := range items {
		b = binary.AppendVarint(b[:0], it.atUS)
		for _, part := range [][]byte{[]byte(it.id), it.key, it.value} {
			b = binary.AppendUvarint(b, uint64(len(part)))
			b = append(b, part...)
		}
		if _, err = w.Write(b); err != nil {
			break
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &run{file: f, r: bufio.NewReaderSize(f, 64<<10)}, nil
}

func (r *run) Close() error { return r.file.Close() }

func (r *run) next() (item, error) {
	at, err := binary.ReadVarint(r.r)
	if err != nil {
		return item{}, err
	}
	var parts [3][]byte
	for i := range parts {
		n, err := binary.ReadUvarint(r.r)
		if err == nil {
			parts[i] = make([]byte, n)
			_, err = io.ReadFull(r.r, parts[i])
		}
		if err != nil {
			return item{}, fmt.Errorf("read sorted run: %w", errors.Join(io.ErrUnexpectedEOF, err))
		}
	}
	return item{record: record{key: parts[1], value: parts[2]}, atUS: at, id: string(parts[0])}, nil
}
