package traffic

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/google/uuid"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Generate gives the events to yield, in order of time. It ends at ToUS, or with yield's first error, which
// it returns. yield owns the events.
func Generate(cfg Config, yield func(*chatv1.ChatEvent) error) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	e, err := newEngine(cfg, yield)
	if err != nil {
		return err
	}
	return e.run()
}

// conversationsPerEvent is one over the events that a conversation has on average; the tests watch it.
const conversationsPerEvent = 1 / 11.8

// engine is a simulation of discrete events: tasks at instants, in order.
type engine struct {
	cfg   Config
	r     *rand.Rand
	ids   *rand.Rand // apart, so that ids do not change what happens
	day   localDay
	yield func(*chatv1.ChatEvent) error
	err   error

	now   int64
	tasks taskHeap
	seq   uint64

	shops     []*shop // nil until first used
	shares    []float64
	consumers uint64
	perSecond float64 // conversations, on average
}

type task struct {
	at  int64
	seq uint64 // ties go by age
	do  func()
}

type taskHeap []task

func (h taskHeap) Len() int      { return len(h) }
func (h taskHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h taskHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h *taskHeap) Push(x any) { *h = append(*h, x.(task)) }
func (h *taskHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = task{}
	*h = (*h)[:len(*h)-1]
	return last
}

func newEngine(cfg Config, yield func(*chatv1.ChatEvent) error) (*engine, error) {
	if cfg.Location == nil {
		loc, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			return nil, fmt.Errorf("traffic: %w", err)
		}
		cfg.Location = loc
	}
	e := &engine{
		cfg: cfg, yield: yield, day: localDay{loc: cfg.Location}, now: cfg.FromUS - cfg.WarmUpUS,
		r:         rand.New(rand.NewPCG(cfg.Seed, 1)),
		ids:       rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.FromUS))),
		shops:     make([]*shop, cfg.Shops),
		shares:    make([]float64, cfg.Shops),
		perSecond: cfg.Rate * conversationsPerEvent,
	}
	sum := 0.0
	for i := range e.shares {
		sum += 1 / math.Pow(float64(i+1), 1.05) // Zipf
		e.shares[i] = sum
	}
	return e, nil
}

func (e *engine) run() error {
	e.after(0, e.arrivals)
	e.after(e.exp(float64(3*hour)), e.rushes)
	for len(e.tasks) > 0 && e.err == nil {
		t := heap.Pop(&e.tasks).(task)
		if e.cfg.ToUS != 0 && t.at >= e.cfg.ToUS {
			return nil
		}
		e.now = t.at
		t.do()
	}
	return e.err
}

// after does something later.
func (e *engine) after(us int64, do func()) { e.at(e.now+max(us, 0), do) }

func (e *engine) at(us int64, do func()) {
	e.seq++
	heap.Push(&e.tasks, task{at: max(us, e.now), seq: e.seq, do: do})
}

func (e *engine) chance(p float64) bool { return e.r.Float64() < p }

// exp is a time with the mean, as between independent arrivals.
func (e *engine) exp(mean float64) int64 { return int64(e.r.ExpFloat64() * mean) }

// about is a time around the median, seconds: most near it, some much longer.
func (e *engine) about(median, spread float64) int64 {
	return int64(median * math.Exp(spread*e.r.NormFloat64()) * float64(second))
}

// arrivals brings consumers in, by the load of the hour.
func (e *engine) arrivals() {
	most := e.perSecond
	if !e.cfg.Flat {
		most *= curveMax
	}
	if e.cfg.Flat || e.chance(e.day.load(e.now)/curveMax) {
		e.begin(e.shopAt(sort.SearchFloat64s(e.shares, e.r.Float64()*e.shares[len(e.shares)-1])))
	}
	e.after(e.exp(float64(second)/most), e.arrivals)
}

// rushes sends many consumers to one shop at a time, as a live broadcast does.
func (e *engine) rushes() {
	s := e.shopAt(sort.SearchFloat64s(e.shares, e.r.Float64()*e.shares[len(e.shares)-1]))
	until := e.now + 5*minute + e.r.Int64N(10*minute)
	var next func()
	next = func() {
		if e.now < until {
			e.begin(s)
			e.after(e.exp(float64(second)/(0.3*e.perSecond)), next)
		}
	}
	next()
	e.after(e.exp(float64(3*hour)), e.rushes)
}

// emit gives an event of now.
func (e *engine) emit(s *shop, conversation string, actor *chatv1.Actor, payload func(*chatv1.ChatEvent)) {
	if e.now < e.cfg.FromUS || e.err != nil {
		return
	}
	ev := &chatv1.ChatEvent{EventId: e.eventID(), ShopId: s.id, ConversationId: conversation, OccurredAtUs: e.now,
		Actor: &chatv1.Actor{Role: actor.Role, Id: actor.Id, Automatic: actor.Automatic}}
	payload(ev)
	e.err = e.yield(ev)
}

// eventID is a UUID (version 7) of now.
func (e *engine) eventID() string {
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], uint64(e.now/1000)<<16|e.ids.Uint64()&0xffff)
	binary.BigEndian.PutUint64(u[8:], e.ids.Uint64())
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}
