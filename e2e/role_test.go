package e2e

import (
	"sync"
	"time"
)

// unavailable is the exit code of a role that cannot reach an engine when it starts.
const unavailable = 3

// role is a process under supervision: when it ends because an engine is away, it is started again. One that ends well
// is done.
type role struct {
	in   *installation
	args []string

	mu       sync.Mutex
	current  *process
	stopping bool
	restarts int
	done     chan struct{}
}

// supervise starts one.
func (in *installation) supervise(args ...string) *role {
	in.t.Helper()
	r := &role{in: in, args: args, done: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start()
	return r
}

// start wants the lock to be held.
func (r *role) start() {
	p := r.in.start(r.args...)
	r.current = p
	go func() {
		<-p.exited
		r.ended(p)
	}()
}

// ended decides what becomes of a process that has ended.
func (r *role) ended(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping || r.current != p || r.in.t.Context().Err() != nil {
		return
	}
	switch code := p.code(); code {
	case 0:
		close(r.done)
	case unavailable:
		r.restarts++
		time.Sleep(100 * time.Millisecond) // as supervisors do
		r.start()
	default:
		r.in.t.Errorf("%s ended by itself with exit code %d", p.name, code)
	}
}

// kill ends it with SIGKILL and starts it again.
func (r *role) kill() {
	r.in.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.running() {
		return
	}
	p := r.current
	r.current = nil
	p.kill()
	if p.code() == 0 {
		close(r.done) // it was faster
		return
	}
	r.start()
}

// running is false once it is done.
func (r *role) running() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// wait waits until it is done.
func (r *role) wait() {
	r.in.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.in.t.Fatalf("feige %v does not get done", r.args)
	}
}

// awaitReady waits for the process that runs now.
func (r *role) awaitReady() {
	r.in.t.Helper()
	r.mu.Lock()
	p := r.current
	r.mu.Unlock()
	p.awaitReady()
}

// stop ends it cleanly and for good.
func (r *role) stop() {
	r.in.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopping = true
	select {
	case <-r.done:
		r.in.t.Fatalf("feige %v ended by itself", r.args)
	default:
		r.current.stop()
	}
}
