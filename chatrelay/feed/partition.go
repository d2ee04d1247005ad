package feed

import (
	"sync"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/schemas"
)

// Follower is somebody who is told of a shop's events, or of one conversation's.
type Follower struct {
	Shop string
	// Conversation limits it to one; empty: all of the shop's.
	Conversation string
	// Deliver is called for each record in order, one at a time. It must not block or call the Feed.
	Deliver func(*Record)
	// Caught, if set, is called in the same way when what was missed has been handed over, before the first
	// Deliver.
	Caught func(protocol.Position)

	// from is the first offset that Deliver is to get.
	from int64
}

func (f *Follower) wants(r *Record) bool {
	return r.Event.ShopId == f.Shop && (f.Conversation == "" || r.Event.ConversationId == f.Conversation)
}

// key is what the follower is indexed by: no shop's key has a '/' in it.
func (f *Follower) key() string {
	if f.Conversation == "" {
		return f.Shop
	}
	return schemas.EventKey(f.Shop, f.Conversation)
}

// partition is the newest part of one partition's log, and who follows it.
type partition struct {
	number int32

	mu sync.Mutex
	// ring holds the records from first on, without ticks; repeats of an event are left out.
	ring  []*Record
	bytes int
	// first is the lowest offset that the ring covers, head the first that has not been read.
	first, head int64
	ids         map[string]*Record
	followers   map[string]map[*Follower]struct{}
	count       int
	// end is where the log ended when reading began; loaded is closed once head has reached it.
	end    int64
	loaded chan struct{}
	done   bool
}

func newPartition(number int32, first, end int64) *partition {
	p := &partition{
		number: number, first: first, head: first, end: end,
		ids: map[string]*Record{}, followers: map[string]map[*Follower]struct{}{}, loaded: make(chan struct{}),
	}
	p.passed()
	return p
}

// passed notes how far reading has come. The lock is held, or p is not shared yet.
func (p *partition) passed() {
	if !p.done && p.head >= p.end {
		p.done = true
		close(p.loaded)
	}
}

// add takes what was read next. rec is nil for what is no event.
func (p *partition) add(offset int64, rec *Record, cfg *Config, observe func(*Record)) (delivered int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if offset < p.head {
		return 0
	}
	p.head = offset + 1
	defer p.passed()
	if rec == nil {
		return 0
	}
	if _, repeat := p.ids[rec.Event.EventId]; repeat {
		return 0
	}
	p.ids[rec.Event.EventId] = rec
	p.ring = append(p.ring, rec)
	p.bytes += rec.size
	p.trim(cfg)
	if observe != nil {
		observe(rec)
	}
	for f := range p.followers[rec.Event.ShopId] {
		if offset >= f.from {
			f.Deliver(rec)
			delivered++
		}
	}
	if rec.Event.ConversationId == "" {
		return delivered
	}
	for f := range p.followers[schemas.EventKey(rec.Event.ShopId, rec.Event.ConversationId)] {
		if offset >= f.from {
			f.Deliver(rec)
			delivered++
		}
	}
	return delivered
}

// trim keeps the ring within its bounds. Appending moves the rest of it to new memory in time.
func (p *partition) trim(cfg *Config) {
	for len(p.ring) > cfg.Records || p.bytes > cfg.Bytes && len(p.ring) > 1 {
		old := p.ring[0]
		p.ring[0] = nil
		p.ring = p.ring[1:]
		p.bytes -= old.size
		p.first = old.Offset + 1
		delete(p.ids, old.Event.EventId)
	}
}

// after returns what the ring has of f's from cursor on, at most n, and the cursor to go on with. When
// nothing is left f is registered, and done is true. covered is false when the ring begins after cursor.
func (p *partition) after(f *Follower, cursor int64, n int) (recs []*Record, next int64, done, covered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if cursor < p.first {
		return nil, cursor, false, false
	}
	for i := p.search(cursor); i < len(p.ring); i++ {
		r := p.ring[i]
		if f.wants(r) {
			if len(recs) == n {
				return recs, r.Offset, false, true
			}
			recs = append(recs, r)
		}
	}
	if len(recs) > 0 {
		return recs, max(cursor, p.head), false, true
	}
	f.from = max(cursor, p.head)
	p.register(f)
	return nil, f.from, true, true
}

// search finds the first record of the ring at or after an offset.
func (p *partition) search(offset int64) int {
	lo, hi := 0, len(p.ring)
	for lo < hi {
		mid := (lo + hi) / 2
		if p.ring[mid].Offset < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (p *partition) register(f *Follower) {
	key := f.key()
	of := p.followers[key]
	if of == nil {
		of = map[*Follower]struct{}{}
		p.followers[key] = of
	}
	if _, already := of[f]; !already {
		of[f] = struct{}{}
		p.count++
	}
	if f.Caught != nil {
		f.Caught(protocol.Position{Partition: p.number, Offset: f.from - 1})
	}
}

// remove makes sure that Deliver is not called any more once it returns.
func (p *partition) remove(f *Follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := f.key()
	if _, there := p.followers[key][f]; !there {
		return
	}
	delete(p.followers[key], f)
	p.count--
	if len(p.followers[key]) == 0 {
		delete(p.followers, key)
	}
}

// at calls do with the position up to which everything has been delivered, before anything more is.
func (p *partition) at(do func(protocol.Position)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(protocol.Position{Partition: p.number, Offset: p.head - 1})
}

// position is that of the newest record that has been read.
func (p *partition) position() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.head - 1
}
