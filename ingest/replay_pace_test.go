package ingest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/feigeio/feige/internal/policy"
)

// listStream gives items of the times.
type listStream struct{ times []int64 }

func (s *listStream) next() (item, error) {
	if len(s.times) == 0 {
		return item{}, io.EOF
	}
	it := item{record: record{key: []byte("shop/c")}, atUS: s.times[0]}
	s.times = s.times[1:]
	return it, nil
}

func (s *listStream) Close() error { return nil }

func TestReplayPace(t *testing.T) {
	t.Parallel()
	// Events at 0 s, 0 s, 10 s, 4000 s of recorded time; want is when they are due, and the size of batches.
	base := int64(1_700_000_000_000_000)
	run := func(name string, speed float64, want []time.Duration, sizes []int64) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &replay{cfg: DefaultReplayConfig()}
				r.deps.Broker.Partitions = 2
				q := newItemQueue(t.Context(), &listStream{times: []int64{base, base, base + 10e6, base + 4000e6}}, 0)
				defer q.close()
				start := time.Now()
				pace := &pacer{speed: speed}
				for i := range want {
					b, err := r.collect(t.Context(), q, pace)
					if err != nil {
						t.Fatal(err)
					}
					if took := time.Since(start).Round(time.Millisecond); took != want[i] || b.events != sizes[i] {
						t.Errorf("batch %d: %d events after %v, want %d after %v", i, b.events, took, sizes[i], want[i])
					}
				}
			})
		})
	}
	run("real time", 1, []time.Duration{0, 10 * time.Second, 4000 * time.Second, 4000 * time.Second}, []int64{2, 1, 1, 0})
	run("ten times", 10, []time.Duration{0, time.Second, 400 * time.Second, 400 * time.Second}, []int64{2, 1, 1, 0})
	run("full speed", 0, []time.Duration{0, 0}, []int64{4, 0})
}

// TestReplaySlow replays in real time: nothing is late, and a stop in between loses nothing.
func TestReplaySlow(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	rows := talk(400, 5*time.Millisecond)
	cfg := replayConfig(t, writeCSV(t, "chats.csv", rows))
	cfg.Speed = 1
	ctx, cancel := context.WithCancel(t.Context())
	cfg.Progress = func(p Progress) {
		if p.Done > 50 {
			cancel()
		}
	}
	rep, err := Replay(ctx, cfg, DefaultConfig(), k.replayDeps())
	if !errors.Is(err, context.Canceled) || rep.Published < 50 || rep.Published == 400 {
		t.Fatalf("%+v, %v", rep, err)
	}
	cfg.Progress = nil
	start := time.Now()
	if rep, err = Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps()); err != nil || !rep.Resumed || rep.Published+rep.Skipped != 400 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if took, least := time.Since(start), time.Duration(rep.Published-1)*5*time.Millisecond; took < least {
		t.Errorf("%d events in %v, due in %v", rep.Published, took, least)
	}
	checkLog(t, readLog(t, k.cfg, ""), rows)
}

// TestReplayBusy runs two replays of one recording at a time: one must notice.
func TestReplayBusy(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	cfg := replayConfig(t, writeCSV(t, "chats.csv", talk(100000, time.Minute)))
	cfg.BatchEvents = 50
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// The first one stops in the middle until the second has ended.
	begun, refused := make(chan struct{}), make(chan struct{})
	first := cfg
	var once sync.Once
	first.Progress = func(p Progress) {
		if p.Done > 0 {
			once.Do(func() {
				close(begun)
				<-refused
			})
		}
	}
	errs := make(chan error, 1)
	go func() {
		_, err := Replay(ctx, first, DefaultConfig(), k.replayDeps())
		errs <- err
	}()
	<-begun
	_, second := Replay(ctx, cfg, DefaultConfig(), k.replayDeps())
	close(refused)
	if one := <-errs; !errors.Is(one, ErrBusy) && !errors.Is(second, ErrBusy) {
		t.Errorf("got %v and %v", one, second)
	}
}

func TestClosingTick(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	check := func(newest, want string) {
		t.Helper()
		at, err := time.Parse(time.RFC3339, newest)
		if err != nil {
			t.Fatal(err)
		}
		got := time.UnixMicro(ClosingTickUS(p, at.UnixMicro())).UTC().Format(time.RFC3339)
		if got != want {
			t.Errorf("%s: %s, want %s", newest, got, want)
		}
	}
	check("2026-02-15T15:59:59Z", "2026-02-16T16:00:00Z")
	check("2026-02-15T16:00:00Z", "2026-03-01T16:00:00Z")
	check("2024-02-29T23:00:00+08:00", "2024-03-01T16:00:00Z")
	check("2026-12-31T10:00:00+08:00", "2027-01-01T16:00:00Z")
}
