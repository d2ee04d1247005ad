package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a hub over a function that counts what it is asked.
type answers struct {
	*hub
	asked atomic.Int64
	fails atomic.Bool
}

func newAnswers(t *testing.T, change func(*Config)) *answers {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	a := &answers{}
	a.hub = newHub(cfg, func(_ context.Context, q question) ([]byte, uint64, error) {
		n := a.asked.Add(1)
		if a.fails.Load() {
			return nil, 0, errors.New("away")
		}
		return fmt.Appendf(nil, `{"id":%q,"n":%d}`, q.id, n), uint64(n), nil
	}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a
}

// next waits for what is new.
func (a *answers) next(t *testing.T, w *watch) []*result {
	t.Helper()
	for {
		<-w.wake
		if got := a.take(w); len(got) > 0 {
			return got
		}
	}
}

// Any number of viewers of a figure are one query, which runs again only while somebody looks.
func TestOneQueryForAllViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, nil)
		q := question{id: "overview.shops"}
		var viewers []*watch
		for range 100 {
			viewers = append(viewers, a.look([]question{q}, 30*time.Second))
		}
		for _, w := range viewers {
			if got := a.next(t, w); len(got) != 1 || string(got[0].data) != `{"id":"overview.shops","n":1}` {
				t.Fatalf("a viewer got %d answers", len(got))
			}
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if n := a.asked.Load(); n != 2 {
			t.Errorf("asked %d times in 31 s, want 2", n)
		}
		for _, w := range viewers {
			a.leave(w)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := a.asked.Load(); n != 2 {
			t.Errorf("asked %d times, want no more once nobody looks", n)
		}
		// Who comes back soon sees what was known, then what is.
		w := a.look([]question{q}, 30*time.Second)
		defer a.leave(w)
		<-w.wake
		if got := a.take(w); len(got) != 1 || string(got[0].data) != `{"id":"overview.shops","n":2}` {
			t.Errorf("one who comes back sees %v", got)
		}
		if got := a.next(t, w); string(got[0].data) != `{"id":"overview.shops","n":3}` {
			t.Errorf("then %s", got[0].data)
		}
	})
}

// What nobody looks at is forgotten.
func TestForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, func(c *Config) { c.Keep = time.Minute })
		for i := range 50 {
			w := a.look([]question{{id: "shop.indicators", shop: fmt.Sprint(i)}}, time.Hour)
			a.next(t, w)
			a.leave(w)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.entries) != 0 {
			t.Errorf("%d questions are kept", len(a.entries))
		}
	})
}

// While ClickHouse is away viewers are told, and get the next answer when it is back.
func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, nil)
		w := a.look([]question{{id: "live.waiting"}}, 3*time.Second)
		defer a.leave(w)
		a.next(t, w)
		a.fails.Store(true)
		if got := a.next(t, w); !got[0].fault || string(got[0].data) != `{"error":"failed","id":"live.waiting"}` {
			t.Errorf("a fault is %s", got[0].data)
		}
		asked := a.asked.Load()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if a.asked.Load() == asked {
			t.Error("it does not ask again")
		}
		select {
		case <-w.wake:
			if got := a.take(w); len(got) > 0 {
				t.Errorf("the same fault is told again: %s", got[0].data)
			}
		default:
		}
		if _, err := a.get(t.Context(), question{id: "list.period"}, time.Minute); !errors.Is(err, errAway) {
			t.Errorf("a single question ends with %v", err)
		}
		a.fails.Store(false)
		if got := a.next(t, w); got[0].fault {
			t.Error("the answer after the fault is a fault")
		}
	})
}

// A query that takes long is not asked for all the time.
func TestSlowQueriesRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		h := newHub(DefaultConfig(), func(ctx context.Context, _ question) ([]byte, uint64, error) {
			n := asked.Add(1)
			select {
			case <-time.After(10 * time.Second):
			case <-ctx.Done():
			}
			return []byte("{}"), uint64(n), nil
		}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.run(ctx) }()
		defer func() { cancel(); <-done }()
		w := h.look([]question{{id: "live.waiting"}}, time.Second)
		defer h.leave(w)
		time.Sleep(101 * time.Second)
		if n := asked.Load(); n > 3 {
			t.Errorf("a query of 10 s was asked %d times in 101 s", n)
		}
	})
}
