package scenario

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	second = int64(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// world is what goes on while a log is written.
type world struct {
	choose choose
	policy Variant
	loc    *time.Location
	// now is the time that events go by, unless they come late.
	now    int64
	shops  []*shop
	log    []oracle.Record
	offset int64
	serial int
	ticks  tickMode
	ticked int64
	// favourite is an action that happens more often than others.
	favourite int
}

type shop struct {
	id    string
	talks []*talk
	// published events, for repeats.
	published []*chatv1.ChatEvent
}

// talk is a conversation as its two sides would remember it.
type talk struct {
	shop         *shop
	id, consumer string
	sent         []sent // consumer messages
	waiting      []sent // those since the last manual reply
	last         int64  // time of the newest message
	lives        int
}

type sent struct {
	id string
	at int64
}

type tickMode int

const (
	ticksNone tickMode = iota
	ticksDense
	ticksSparse
	ticksWild
	tickModes
)

// starts are days on which something is about to happen to the calendar or to the policy.
var starts = []string{
	"2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-14", "2024-03-15", "2024-02-15", // leap year
	"2023-02-27", "2023-02-28", "2024-12-31", "2025-04-29", "2025-04-30", "2026-10-31", "2026-11-15", "2026-11-25",
}

// edges are times of day at which windows open or close.
var edges = []int64{0, 8 * hour, 9 * hour, 12 * hour, 23 * hour, 23 * hour}

func newWorld(choose choose, v Variant) *world {
	w := &world{choose: choose, policy: v, loc: v.Set.Calendar().Location()}
	days := starts
	if len(v.Set.Versions()) > 1 {
		days = starts[:7]
	}
	begin, err := time.ParseInLocation(time.DateOnly, pick(days, choose), w.loc)
	if err != nil {
		panic(err) // a defect of the list above
	}
	w.now = begin.UnixMicro() + pick([]int64{7*hour + 55*minute, 10 * hour, 22*hour + 50*minute, 23*hour + 55*minute, 15 * hour}, choose) +
		int64(choose(600))*second
	w.ticks = tickMode(choose(int(tickModes)))
	if w.ticks == ticksNone && w.chance(2, 3) {
		w.ticks = ticksDense
	}
	shops := 1 + choose(4)
	if w.chance(1, 2) {
		shops = 1
	}
	for i := range shops {
		s := &shop{id: fmt.Sprintf("shop-%c", 'a'+i)}
		for j := range 1 + choose(5) {
			s.talks = append(s.talks, &talk{
				shop: s, id: fmt.Sprintf("talk-%d", j+1), consumer: fmt.Sprintf("consumer-%c%d", 'a'+i, j+1),
			})
		}
		w.shops = append(w.shops, s)
	}
	if w.favourite = choose(len(actions)); actions[w.favourite].weight == 1 {
		w.favourite = 0 // the long ones stay rare
	}
	return w
}

// chance is true n times of d.
func (w *world) chance(n, d int) bool { return w.choose(d) >= d-n }

func (w *world) run() Scenario {
	for range 15 + w.choose(110) {
		w.step()
	}
	w.settle()
	return Scenario{PolicyName: w.policy.Name, Policy: w.policy.Set, Log: w.log}
}

func (w *world) step() {
	t := pick(pick(w.shops, w.choose).talks, w.choose)
	w.advance(t)
	w.tickOn()
	if w.chance(1, 5) {
		actions[w.favourite].do(w, t)
		return
	}
	sum := 0
	for _, a := range actions {
		sum += a.weight
	}
	at := w.choose(sum)
	for _, a := range actions {
		if at -= a.weight; at < 0 {
			a.do(w, t)
			return
		}
	}
}

// nudge is nothing, a microsecond, or a second to either side.
func (w *world) nudge() int64 { return pick([]int64{0, -1, 1, -second, second}, w.choose) }

// advance moves time on, mostly to where something could change.
func (w *world) advance(t *talk) {
	p := w.policy.Set.At(w.now)
	to := w.now
	switch w.choose(16) {
	case 0, 1:
	case 2, 3, 4, 5:
		to += int64(w.choose(60)) * second
	case 6, 7:
		to += int64(w.choose(12)) * minute
	case 8, 9: // the limit of a response
		anchor := t.last
		if len(t.waiting) > 0 {
			anchor = t.waiting[w.choose(2)*(len(t.waiting)-1)].at
		}
		to = anchor + w.policy.Set.At(anchor).Assessment.ResponseLimitUS + w.nudge()
	case 10: // expiry and lapse
		anchor := t.last
		if len(t.waiting) > 0 && w.chance(1, 2) {
			anchor = t.waiting[0].at
		}
		to = anchor + pick([]int64{p.Conversation.RoundExpiryUS, p.Conversation.LifeLapseUS}, w.choose) + w.nudge()
	case 11, 12:
		to = w.edge() + w.nudge()
	case 13: // end of a period, and the looks after it
		c := w.policy.Set.Calendar()
		to = c.HalfMonth(w.now).End + pick(p.Assessment.CheckpointsUS, w.choose) + w.nudge()
		if w.chance(1, 3) {
			to = c.HalfMonth(c.HalfMonth(w.now).Start-1).End + pick(p.Assessment.CheckpointsUS, w.choose) + w.nudge()
		}
	case 14:
		to += int64(1+w.choose(9)) * hour
	case 15:
		to += int64(w.choose(4)) * day
	}
	w.now = max(w.now, to)
}

// edge is the next time that the clock shows one of the edges.
func (w *world) edge() int64 {
	midnight := w.policy.Set.Calendar().Day(w.now).Start
	to := midnight + pick(edges, w.choose)
	if to < w.now {
		to += day
	}
	return to
}

// eventTime is now, or sometimes before it.
func (w *world) eventTime() int64 {
	if !w.chance(1, 14) {
		return w.now
	}
	back := pick([]int64{1, second, minute, 3 * minute, hour, 10 * hour, day, 3 * day, 17 * day}, w.choose)
	return w.now - back
}

// tickOn publishes the ticks that come by themselves.
func (w *world) tickOn() {
	switch w.ticks {
	case ticksDense:
		if w.ticked == 0 || w.now-w.ticked >= hour {
			w.tick(w.now)
		}
	case ticksSparse:
		if w.chance(1, 10) {
			w.tick(w.now)
		}
	case ticksWild:
		if w.chance(1, 4) {
			w.tick(w.now + pick([]int64{0, 0, 1, -1, -hour, 2 * hour, -day, day, 2 * day}, w.choose))
		}
	}
}

// settle lets time run out, mostly: ticks up to where everything is final.
func (w *world) settle() {
	if w.ticks == ticksNone || w.chance(1, 4) {
		return
	}
	half := w.policy.Set.Calendar().HalfMonth(w.now)
	for _, c := range w.policy.Set.At(half.Start).Assessment.CheckpointsUS {
		if w.chance(1, 3) {
			continue
		}
		w.now = max(w.now, half.End+c+w.nudge())
		w.tick(w.now)
		for range w.choose(3) { // something late
			shop := pick(w.shops, w.choose)
			t := pick(shop.talks, w.choose)
			e := w.message(t, chatv1.Role_ROLE_CONSUMER, half.End-int64(1+w.choose(30))*hour)
			w.publish(shop, e)
			w.remember(t, e)
			if w.chance(1, 2) {
				w.publish(shop, w.message(t, chatv1.Role_ROLE_AGENT, e.OccurredAtUs+int64(w.choose(400))*second))
				t.waiting = nil
			}
		}
	}
}

func (w *world) tick(at int64) {
	w.ticked = max(w.ticked, at)
	w.append(&chatv1.ChatEvent{
		EventId: w.newID(), Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM}, OccurredAtUs: at,
		Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at}},
	})
}

func (w *world) newID() string {
	w.serial++
	return fmt.Sprintf("00000000-0000-7000-8000-%012d", w.serial)
}

func (w *world) append(e *chatv1.ChatEvent) {
	w.log = append(w.log, oracle.Record{Offset: w.offset, Event: e})
	w.offset++
	if w.chance(1, 20) {
		w.offset += 2 // as a log has where something was not for readers
	}
}

func (w *world) publish(s *shop, e *chatv1.ChatEvent) {
	s.published = append(s.published, e)
	w.append(e)
}

func (w *world) repeat(e *chatv1.ChatEvent) { w.append(proto.CloneOf(e)) }

// remember takes a consumer's message in.
func (w *world) remember(t *talk, e *chatv1.ChatEvent) {
	s := sent{e.EventId, e.OccurredAtUs}
	t.sent, t.waiting, t.last = append(t.sent, s), append(t.waiting, s), e.OccurredAtUs
}
