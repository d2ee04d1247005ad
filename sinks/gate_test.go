package sinks

import (
	"io"
	"net"
	"strings"
	"sync"
)

// lines are what was logged. They are safe for concurrent use.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(line))
	return len(line), nil
}

// with are the lines that hold any of the words.
func (l *lines) with(words ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var some []string
	for _, line := range l.all {
		for _, word := range words {
			if strings.Contains(line, word) {
				some = append(some, line)
				break
			}
		}
	}
	return some
}

// changes are the lines about an engine that went or came back.
func (l *lines) changes(engine string) []string {
	var some []string
	for _, line := range l.with("sinks: waiting", "sinks: going on") {
		if strings.Contains(line, "engine="+engine) {
			some = append(some, line)
		}
	}
	return some
}

// wentAndCameBack wants an engine's going said once, and its coming back once.
func (w *world) wentAndCameBack(engine string) {
	w.Helper()
	w.eventually(func() bool { return len(w.said.changes(engine)) >= 2 }, func() string { return "it was not said that " + engine + " went and came back" })
	said := w.said.changes(engine)
	if len(said) != 2 || !strings.Contains(said[0], "waiting") || !strings.Contains(said[1], "going on") {
		w.Errorf("of %s going and coming back was said:\n%s", engine, strings.Join(said, ""))
	}
}

// saidNothingOf wants an engine that was there all the time not to be called away: members that come and go are no outage.
func (w *world) saidNothingOf(engine string) {
	w.Helper()
	if said := w.said.changes(engine); len(said) > 0 {
		w.Errorf("of %s was said:\n%s", engine, strings.Join(said, ""))
	}
}

// gate is a TCP proxy that can be shut: then connections break and new ones are refused.
type gate struct {
	addr, to string

	mu    sync.Mutex
	inner net.Listener
	conns map[net.Conn]bool
}

func newGate(w *world, to string) *gate {
	w.Helper()
	g := &gate{to: to, addr: "127.0.0.1:0", conns: make(map[net.Conn]bool)}
	g.open(w)
	w.Cleanup(g.shut)
	return g
}

func (g *gate) open(w *world) {
	w.Helper()
	listener, err := net.Listen("tcp", g.addr)
	if err != nil {
		w.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inner, g.addr = listener, listener.Addr().String()
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", g.to)
			if err != nil {
				_ = from.Close()
				continue
			}
			g.keep(from, to)
			go g.copy(to, from)
			go g.copy(from, to)
		}
	}()
}

func (g *gate) keep(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		g.conns[c] = true
	}
}

func (g *gate) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	_ = g.inner.Close()
	for c := range g.conns {
		_ = c.Close()
	}
	clear(g.conns)
}
