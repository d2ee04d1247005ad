package ops

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// trace notes what happened, in order.
type trace struct {
	mu     sync.Mutex
	events []string
}

func (tr *trace) add(event string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, event)
}

func (tr *trace) check(t *testing.T, want ...string) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !slices.Equal(tr.events, want) {
		t.Fatalf("got  %v\nwant %v", tr.events, want)
	}
}

func (tr *trace) service(name string, stopTakes time.Duration) Service {
	return Service{Name: name, Run: func(ctx context.Context) error {
		tr.add("+" + name)
		<-ctx.Done()
		time.Sleep(stopTakes)
		tr.add("-" + name)
		return ctx.Err()
	}}
}

func newGroup() *Group { return NewGroup(slog.New(slog.DiscardHandler), DefaultStopTimeout) }

func TestGroupStartsInOrderAndStopsInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		g := newGroup()
		first := tr.service("first", time.Second)
		asked := 0
		first.Ready = func(context.Context) error {
			if asked++; asked < 5 {
				return errors.New("not yet")
			}
			tr.add("first ready")
			return nil
		}
		g.Add(first)
		g.Add(tr.service("second", 2*time.Second))
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- g.Run(ctx) }()
		time.Sleep(time.Second)
		tr.check(t, "+first", "first ready", "+second")
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		tr.check(t, "+first", "first ready", "+second", "-second", "-first")
	})
}

func TestGroupFirstFailureStopsAll(t *testing.T) {
	t.Parallel()
	check := func(name string, run func(context.Context) error, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var tr trace
				g := newGroup()
				g.Add(tr.service("engine", 0))
				g.Add(tr.service("peer", 0), Service{Name: "culprit", Run: run})
				err := g.Run(t.Context())
				var failed *ServiceError
				if !errors.As(err, &failed) || err.Error() != want {
					t.Fatalf("got %v, want %s", err, want)
				}
				tr.mu.Lock()
				defer tr.mu.Unlock()
				if n := len(tr.events); n < 2 || tr.events[n-2] != "-peer" || tr.events[n-1] != "-engine" {
					t.Fatalf("not all was stopped: %v", tr.events)
				}
			})
		})
	}
	broken := errors.New("disk full")
	check("error", func(context.Context) error { time.Sleep(time.Minute); return broken }, "culprit: disk full")
	check("at once", func(context.Context) error { return broken }, "culprit: disk full")
	check("early end", func(context.Context) error { return nil }, "culprit: ended by itself")
}

func TestGroupFailureBeforeReadyStartsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		g := newGroup()
		g.Add(Service{
			Name:  "first",
			Run:   func(context.Context) error { return errors.New("no") },
			Ready: func(context.Context) error { return errors.New("never") },
		})
		g.Add(tr.service("second", 0))
		if err := g.Run(t.Context()); err == nil || err.Error() != "first: no" {
			t.Fatalf("got %v", err)
		}
		tr.check(t)
	})
}

func TestGroupTellsWhoDoesNotStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tr trace
		g := newGroup()
		g.Add(tr.service("patient", 0))
		g.Add(tr.service("stubborn", time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		err := g.Run(ctx)
		if !errors.Is(err, ErrStopTimeout) || !strings.HasPrefix(err.Error(), "stubborn") {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(begin); took != time.Second+DefaultStopTimeout {
			t.Fatalf("took %s", took)
		}
		time.Sleep(2 * time.Hour) // let the stubborn one end
	})
}

func TestGroupErrorWhileStopping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGroup()
		g.Add(Service{Name: "sink", Run: func(ctx context.Context) error { <-ctx.Done(); return errors.New("last batch lost") }})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := g.Run(ctx); err == nil || err.Error() != "sink: last batch lost" {
			t.Fatalf("got %v", err)
		}
	})
}
