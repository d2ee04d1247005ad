package ingest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// tickLog notes ticks; while fails is above 0 it fails.
type tickLog struct {
	fails int
	at    []int64
}

func (l *tickLog) PublishTick(_ context.Context, at int64) error {
	if l.fails > 0 {
		l.fails--
		return errors.New("away")
	}
	l.at = append(l.at, at)
	return nil
}

func TestClock(t *testing.T) {
	t.Parallel()
	run := func(name string, fails int, wall []int64, want []int64) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &tickLog{fails: fails}
				i := -1
				deps := Dependencies{NowUS: func() int64 { i++; return wall[i] }}
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(len(wall))*time.Second-time.Millisecond)
				defer cancel()
				if err := NewClock(DefaultConfig(), log, deps).Run(ctx); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(log.at, want) {
					t.Errorf("ticks %v, want %v", log.at, want)
				}
			})
		})
	}
	run("each second", 0, []int64{1, 2, 3}, []int64{1, 2, 3})
	run("never backwards", 0, []int64{10, 4, 11}, []int64{10, 10, 11})
	run("goes on after an outage", 2, []int64{1, 2, 3, 4}, []int64{3, 4})
}
