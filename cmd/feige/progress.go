package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// plainEvery is how often progress is written where the output is no terminal.
const plainEvery = 2 * time.Second

// progress shows how far something is: a bar on a terminal, a line now and then elsewhere.
type progress struct {
	out   io.Writer
	title string
	unit  string

	mu    sync.Mutex
	bars  *mpb.Progress
	bar   *mpb.Bar
	began time.Time
	told  time.Time
	done  int64
	total int64
}

// newProgress begins with a total of 0: nothing is shown until set is called with one.
func newProgress(out io.Writer, title, unit string) *progress {
	now := time.Now()
	p := &progress{out: out, title: title, unit: unit, began: now, told: now}
	if width, ok := terminalWidth(out); ok {
		p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(min(width, 100)), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return p
}

// set tells how much of how much is done. Both may grow.
func (p *progress) set(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = done, total
	if p.bars == nil {
		if total > 0 && time.Since(p.told) >= plainEvery {
			p.told = time.Now()
			fmt.Fprintf(p.out, "%s: %d of %d %s (%.0f%%)\n", p.title, done, total, p.unit, 100*float64(done)/float64(total))
		}
		return
	}
	if p.bar == nil {
		if total <= 0 {
			return
		}
		p.bar = p.bars.AddBar(0, // no total yet: the bar must not end when it first catches up
			mpb.PrependDecorators(decor.Name(p.title+"  "), decor.CountersNoUnit("%d / %d "+p.unit)),
			mpb.AppendDecorators(decor.Percentage(), decor.Elapsed(decor.ET_STYLE_MMSS, decor.WC{W: 7})))
	}
	p.bar.SetTotal(total, false)
	p.bar.SetCurrent(done)
}

// finish leaves a last line behind, whether all was done or not.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.EnableTriggerComplete()
		if p.done < p.total {
			p.bar.Abort(false)
		} else {
			p.bar.SetTotal(p.total, true)
		}
	}
	if p.bars != nil {
		p.bars.Wait()
		return
	}
	if p.total > 0 {
		fmt.Fprintf(p.out, "%s: %d of %d %s in %.1f s\n", p.title, p.done, p.total, p.unit, time.Since(p.began).Seconds())
	}
}
