package chdb

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"
)

// Result is the output of a statement, or one chunk of it, in the engine's memory.
type Result struct {
	lib    *Library
	handle pointer
}

func (l *Library) result(handle pointer) (*Result, error) {
	if handle == nil {
		return nil, errNoResult
	}
	if message := l.resultError(handle); message != "" {
		err := errors.New(strings.Clone(message))
		l.destroy(handle)
		return nil, err
	}
	return &Result{lib: l, handle: handle}, nil
}

// Bytes is the output; it stays valid until Free.
func (r *Result) Bytes() []byte {
	n := r.lib.length(r.handle)
	data := r.lib.buffer(r.handle)
	if n == 0 || data == nil {
		return nil
	}
	return unsafe.Slice((*byte)(data), n)
}

// Counts are the engine's figures for a statement.
type Counts struct{ ResultRows, ReadRows, ReadBytes, WrittenRows, WrittenBytes uint64 }

// Counts of the whole statement, or of the chunk.
func (r *Result) Counts() Counts {
	return Counts{
		ResultRows:   r.lib.rows(r.handle),
		ReadRows:     r.lib.storageRows(r.handle),
		ReadBytes:    r.lib.storageBytes(r.handle),
		WrittenRows:  r.lib.writtenRows(r.handle),
		WrittenBytes: r.lib.writtenBytes(r.handle),
	}
}

// Free gives the memory back.
func (r *Result) Free() {
	if r.handle != nil {
		r.lib.destroy(r.handle)
		r.handle = nil
	}
}

// Stream is a running SELECT.
type Stream struct {
	conn   *Conn
	handle pointer
}

// Next waits for a chunk; one without bytes is the end. The caller frees it.
func (s *Stream) Next() (*Result, error) {
	return s.conn.lib.result(s.conn.lib.fetch(s.conn.inner(), s.handle))
}

// Cancel stops the SELECT before its end.
func (s *Stream) Cancel() { s.conn.lib.cancel(s.conn.inner(), s.handle) }

// Free ends the stream.
func (s *Stream) Free() {
	if s.handle != nil {
		s.conn.lib.destroy(s.handle)
		s.handle = nil
	}
}

// Insert is a running INSERT: Append any number of times, then Finish or Cancel once.
type Insert struct {
	lib    *Library
	handle pointer
}

// Append gives the next bytes, cut anywhere. It waits while the engine is behind. After an error only
// Finish, which knows the cause, or Cancel may follow.
func (i *Insert) Append(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	status := i.lib.insertAppend(i.handle, pointer(unsafe.SliceData(data)), uintptr(len(data)))
	runtime.KeepAlive(data)
	if status != 0 {
		return errors.New(strings.Clone(i.lib.insertError(i.handle)))
	}
	return nil
}

// Finish ends the data. When it returns without an error the rows are in the table.
func (i *Insert) Finish() (Counts, error) {
	handle := i.lib.insertDone(i.handle)
	var err error
	if handle == nil {
		err = errors.New(strings.Clone(i.lib.insertError(i.handle)))
	}
	i.lib.insertDestroy(i.handle)
	i.handle = nil
	if err != nil {
		return Counts{}, err
	}
	result, err := i.lib.result(handle)
	if err != nil {
		return Counts{}, err
	}
	defer result.Free()
	return result.Counts(), nil
}

// Cancel drops the statement; blocks that the engine has written already may stay.
func (i *Insert) Cancel() {
	if i.handle != nil {
		i.lib.insertCancel(i.handle)
		i.lib.insertDestroy(i.handle)
		i.handle = nil
	}
}
