package chdb

import (
	"errors"
	"sync"
)

// ErrRunning says that the process has an engine already.
var ErrRunning = errors.New("this process runs an embedded ClickHouse already; it can hold only one")

// Engine is the running engine: the connection that keeps it alive, from which sessions are opened.
type Engine struct {
	lib    *Library
	path   string
	anchor *Conn
	once   sync.Once
}

// Start starts the engine on the data directory at path, with more arguments of the form --key=value.
func (l *Library) Start(path string, args ...string) (*Engine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		return nil, ErrRunning
	}
	anchor, err := l.Connect(append([]string{"--path=" + path}, args...)...)
	if err != nil {
		return nil, err
	}
	l.running = true
	return &Engine{lib: l, path: path, anchor: anchor}, nil
}

// Open opens a session.
func (e *Engine) Open() (*Conn, error) { return e.lib.Connect("--path=" + e.path) }

// Close stops the engine. All sessions must be closed.
func (e *Engine) Close() {
	e.once.Do(func() {
		e.anchor.Close()
		e.lib.mu.Lock()
		e.lib.running = false
		e.lib.mu.Unlock()
	})
}
