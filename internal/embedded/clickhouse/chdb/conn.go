package chdb

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"
)

// Conn is a session of the engine: its own settings, temporary tables, and current database.
type Conn struct {
	lib    *Library
	handle pointer
}

// Connect opens a session. The first one of a process starts the engine with these arguments; later ones
// must name the same --path, and share the engine.
func (l *Library) Connect(args ...string) (*Conn, error) {
	args = append([]string{"clickhouse"}, args...)
	argv := make([]*byte, len(args)+1)
	var pin runtime.Pinner
	defer pin.Unpin()
	for i, arg := range args {
		argv[i] = unsafe.SliceData(append([]byte(arg), 0))
		pin.Pin(argv[i])
	}
	handle := l.connect(int32(len(args)), pointer(unsafe.SliceData(argv)))
	runtime.KeepAlive(argv)
	if handle == nil {
		return nil, errors.New("the engine did not start (it says why on standard error)")
	}
	ignoreThreadSignal()
	return &Conn{lib: l, handle: handle}, nil
}

// Close ends the session; the last one to close stops the engine, after it has written what it holds.
func (c *Conn) Close() {
	if c.handle != nil {
		c.lib.closeConn(c.handle)
		c.handle = nil
	}
}

func (c *Conn) inner() pointer { return *(*pointer)(c.handle) }

// Param is a value for a {name:Type} placeholder, in the engine's escaped text form.
type Param struct{ Name, Value string }

// params are the four parallel arrays of the C interface.
type params struct {
	names, values       []*byte
	nameLens, valueLens []uintptr
	pin                 runtime.Pinner
}

func pack(in []Param) *params {
	p := &params{}
	for _, one := range in {
		name := unsafe.SliceData(append([]byte(one.Name), 0))
		value := unsafe.SliceData(append([]byte(one.Value), 0))
		p.pin.Pin(name)
		p.pin.Pin(value)
		p.names, p.values = append(p.names, name), append(p.values, value)
		p.nameLens, p.valueLens = append(p.nameLens, uintptr(len(one.Name))), append(p.valueLens, uintptr(len(one.Value)))
	}
	return p
}

type statementCall func(conn, query pointer, queryLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer

func (c *Conn) call(fn statementCall, query, format string, in []Param) pointer {
	p := pack(in)
	defer p.pin.Unpin()
	handle := fn(c.inner(), pointer(unsafe.StringData(query)), uintptr(len(query)),
		pointer(unsafe.StringData(format)), uintptr(len(format)),
		pointer(unsafe.SliceData(p.names)), pointer(unsafe.SliceData(p.nameLens)),
		pointer(unsafe.SliceData(p.values)), pointer(unsafe.SliceData(p.valueLens)), uintptr(len(in)))
	runtime.KeepAlive(query)
	runtime.KeepAlive(format)
	runtime.KeepAlive(p)
	return handle
}

var errNoResult = errors.New("the engine returned nothing")

// Exec runs a statement whose output nobody wants.
func (c *Conn) Exec(query string, in ...Param) error {
	result, err := c.Query(query, "TabSeparated", in...)
	if err != nil {
		return err
	}
	result.Free()
	return nil
}

// Text runs a small statement and returns its output.
func (c *Conn) Text(query, format string) (string, error) {
	result, err := c.Query(query, format)
	if err != nil {
		return "", err
	}
	defer result.Free()
	return string(result.Bytes()), nil
}

// Query runs a statement to its end and holds all output in memory. The caller frees the result.
func (c *Conn) Query(query, format string, in ...Param) (*Result, error) {
	return c.lib.result(c.call(c.lib.query, query, format, in))
}

// Stream runs a SELECT whose output comes in chunks. The caller frees the stream. Formats that write a
// header or footer around all rows cannot be streamed: the engine would write it around each chunk.
func (c *Conn) Stream(query, format string, in ...Param) (*Stream, error) {
	result, err := c.lib.result(c.call(c.lib.streamQuery, query, format, in))
	if err != nil {
		return nil, err
	}
	return &Stream{conn: c, handle: result.handle}, nil
}

// Insert begins INSERT INTO ... without data and without FORMAT. Data follows by Append, in the format.
// Never give the engine data inside a statement: it would read it as text to parse, up to the first zero.
func (c *Conn) Insert(query, format string, in ...Param) (*Insert, error) {
	handle := c.call(c.lib.insert, query, format, in)
	if handle == nil {
		return nil, errNoResult
	}
	if message := c.lib.insertError(handle); message != "" {
		err := errors.New(strings.Clone(message))
		c.lib.insertDestroy(handle)
		return nil, err
	}
	return &Insert{lib: c.lib, handle: handle}, nil
}

// Analysis says what the engine's parser makes of a statement.
type Analysis struct {
	// Statements counts the statements in the text.
	Statements int
	// ReadOnly says that it gives rows and does nothing else, on the client's side (INTO OUTFILE) neither.
	ReadOnly bool
}

// Classify parses without running. Of a text that cannot be parsed it counts no statements.
func (c *Conn) Classify(query string) Analysis {
	out := struct{ size, count, flags, class uint32 }{size: 16}
	c.lib.classify(c.inner(), pointer(unsafe.StringData(query)), uintptr(len(query)), nil, 0, pointer(&out))
	runtime.KeepAlive(query)
	return Analysis{Statements: int(out.count), ReadOnly: out.count == 1 && out.class == 0}
}
