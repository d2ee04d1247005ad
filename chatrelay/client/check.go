package client

import (
	"strconv"
	"strings"
	"sync"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Check is what a client has noticed of its own deliveries. Messages of these clients carry numbers in their ids
// (a run's name, '-', a number from 1), so that a receiver of all of a sender's messages sees gaps.
type Check struct {
	// Events delivered, and messages among them that carry numbers.
	Events, Numbered int64
	// Lost numbers, so far: those that were jumped over and have not come since.
	Lost int64
	// Duplicates of numbers that were handed on twice, and Reordered ones: that came after a higher one.
	Duplicates, Reordered int64
	// Repeats were recognised and dropped, before they could do harm.
	Repeats int64
	// Backwards counts positions that did not grow.
	Backwards int64
	// Reconnects and Resent say what it took.
	Reconnects, Resent int64
	// Gaps: the relay could not resume (position_gone).
	Gaps int64
}

// OK tells whether everything came, once, in order.
func (c Check) OK() bool {
	return c.Lost == 0 && c.Duplicates == 0 && c.Reordered == 0 && c.Backwards == 0 && c.Gaps == 0
}

// recentEvents is how many event ids are remembered for dropping repeats: a sender whose connection was lost sends again
// after seconds, and others' messages come in between. It takes memory as events come.
const recentEvents = 1 << 16

// checker follows what is delivered.
type checker struct {
	mu    sync.Mutex
	check Check
	// next is the number expected of each run in each conversation; missing are those jumped over.
	next    map[string]int64
	missing map[string]map[int64]struct{}
	ids     map[string]struct{}
	order   []string
	at      int
	offsets map[int32]int64
}

func newChecker() *checker {
	return &checker{next: map[string]int64{}, missing: map[string]map[int64]struct{}{}, ids: map[string]struct{}{},
		order: make([]string, 0, 64), offsets: map[int32]int64{}}
}

// fresh notes an event's id; false: it has come before.
func (c *checker) fresh(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, seen := c.ids[id]; seen {
		c.check.Repeats++
		return false
	}
	if len(c.order) < recentEvents {
		c.order = append(c.order, id)
	} else {
		delete(c.ids, c.order[c.at])
		c.order[c.at] = id
		c.at = (c.at + 1) % recentEvents
	}
	c.ids[id] = struct{}{}
	return true
}

// delivered notes an event that is handed on.
func (c *checker) delivered(partition int32, offset int64, ev *chatv1.ChatEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.check.Events++
	if last, known := c.offsets[partition]; known && offset <= last {
		c.check.Backwards++
	}
	c.offsets[partition] = offset
	m := ev.GetMessage()
	if m == nil {
		return
	}
	run, n, ok := numbered(m.ClientMessageId)
	if !ok {
		return
	}
	c.check.Numbered++
	key := ev.ConversationId + "\x00" + ev.Actor.GetId() + "\x00" + run
	want, known := c.next[key]
	if !known {
		// Who comes in the middle misses nothing.
		want = n
	}
	switch {
	case n == want:
		c.next[key] = n + 1
	case n > want:
		of := c.missing[key]
		if of == nil {
			of = map[int64]struct{}{}
			c.missing[key] = of
		}
		for i := want; i < n; i++ {
			of[i] = struct{}{}
			c.check.Lost++
		}
		c.next[key] = n + 1
	default:
		if _, missed := c.missing[key][n]; missed {
			delete(c.missing[key], n)
			c.check.Lost--
			c.check.Reordered++
		} else {
			c.check.Duplicates++
		}
	}
}

func (c *checker) add(do func(*Check)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(&c.check)
}

func (c *checker) snapshot() Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.check
}

// numbered reads the number of a message of these clients.
func numbered(id string) (run string, n int64, ok bool) {
	i := strings.LastIndexByte(id, '-')
	if i < 0 || !strings.HasPrefix(id, runPrefix) {
		return "", 0, false
	}
	n, err := strconv.ParseInt(id[i+1:], 10, 64)
	return id[:i], n, err == nil && n > 0
}
