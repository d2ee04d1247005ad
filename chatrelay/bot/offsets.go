package bot

import "sync"

// offsets follows the records of one partition from reading to the end of their treatment, so that what is committed
// is never ahead of what is done.
type offsets struct {
	mu   sync.Mutex
	next int64 // after the last record read
	// open are records under way, ascending; done those of them that ended before an earlier one.
	open      []int64
	done      map[int64]struct{}
	committed int64 // -1: nothing yet
	lost      bool
}

func newOffsets(start int64) *offsets {
	return &offsets{next: start, committed: -1, done: map[int64]struct{}{}}
}

// read notes a record; keep says that it is under way until end is called.
func (o *offsets) read(offset int64, keep bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next = offset + 1
	if keep {
		o.open = append(o.open, offset)
	}
}

func (o *offsets) end(offset int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done[offset] = struct{}{}
	n := 0
	for ; n < len(o.open); n++ {
		if _, ok := o.done[o.open[n]]; !ok {
			break
		}
		delete(o.done, o.open[n])
	}
	o.open = o.open[n:]
}

// low is the offset to commit; ok is false when it has been committed.
func (o *offsets) low() (offset int64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	offset = o.next
	if len(o.open) > 0 {
		offset = o.open[0]
	}
	return offset, offset > o.committed
}

func (o *offsets) commit(offset int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.committed = max(o.committed, offset)
}

// lose says that the partition is another instance's now: what is under way need not be answered here.
func (o *offsets) lose() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost = true
}

func (o *offsets) isLost() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}
