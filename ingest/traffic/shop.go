package traffic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// care is how a shop looks after its consumers.
type care struct {
	median float64 // seconds to a reply, without load
	ignore float64 // chance that a wait is never ended
	absent float64 // chance that nobody is there for an hour
}

var (
	quick     = care{median: 22, ignore: 0.01, absent: 0.005}
	ordinary  = care{median: 60, ignore: 0.03, absent: 0.02}
	slow      = care{median: 200, ignore: 0.07, absent: 0.06}
	neglected = care{median: 500, ignore: 0.30, absent: 0.25}
)

// autoReply is what answers by itself when a consumer comes.
type autoReply int

const (
	autoNone autoReply = iota
	autoAgent
	autoBot
)

type shop struct {
	id     string
	number int
	care   care
	auto   autoReply
	agents []*agent
	// unreplied counts consumer messages since the last reply by hand, for the bot that stands in.
	unreplied int
	// recent are consumers whose conversations have ended: some come back.
	recent []string
}

type agent struct {
	id         string
	median     float64
	from, till int64 // shift, µs since midnight; may end past it
	present    bool
	waiting    int // consumers who wait for this one
	session    string
}

// shopAt makes a shop when it is first used. What it is like follows from the seed and its number alone.
func (e *engine) shopAt(i int) *shop {
	i = min(i, len(e.shops)-1)
	if s := e.shops[i]; s != nil {
		return s
	}
	r := rand.New(rand.NewPCG(e.cfg.Seed, uint64(i)+1000))
	s := &shop{id: fmt.Sprintf("shop-%05d", i+1), number: i}
	switch p := r.Float64(); {
	case p < 0.50:
		s.care = quick
	case p < 0.80:
		s.care = ordinary
	case p < 0.95:
		s.care = slow
	default:
		s.care = neglected
	}
	s.auto = pick(r, []autoReply{autoNone, autoAgent, autoAgent, autoBot})
	// As many agents as the shop's share of the conversations keeps busy.
	share := e.shares[i]
	if i > 0 {
		share -= e.shares[i-1]
	}
	busy := e.perSecond * share / e.shares[len(e.shares)-1] * 3 * s.care.median / 4
	n := min(1+int(math.Ceil(busy))+r.IntN(2), 400)
	for k := range n {
		a := &agent{id: s.id + "-a" + strconv.Itoa(k+1), median: s.care.median * math.Exp(0.4*r.NormFloat64())}
		// Early and late shifts overlap over the day's busiest hours.
		a.from, a.till = 8*hour+r.Int64N(hour), 17*hour+r.Int64N(2*hour)
		if k%2 == 1 || n == 1 && r.IntN(2) == 0 {
			a.from, a.till = 13*hour+r.Int64N(2*hour), 22*hour+r.Int64N(3*hour)
		}
		s.agents = append(s.agents, a)
	}
	e.shops[i] = s
	for _, a := range s.agents {
		e.shift(s, a)
	}
	return s
}

// shift signs an agent in, now or when the next shift begins.
func (e *engine) shift(s *shop, a *agent) {
	if e.cfg.Flat {
		e.signIn(s, a)
		return
	}
	midnight, since := e.day.of(e.now)
	begin, end := midnight+a.from, midnight+a.till
	switch {
	case since < a.from:
	case since < a.till:
		begin = e.now
	default:
		begin, end = begin+day, end+day
	}
	late := e.exp(float64(5 * minute))
	if begin == e.now {
		late = 0
	}
	e.at(begin+late, func() {
		e.signIn(s, a)
		e.at(max(end+e.exp(float64(10*minute)), e.now+minute), func() {
			e.signOut(s, a)
			e.after(0, func() { e.shift(s, a) })
		})
	})
}

func (e *engine) signIn(s *shop, a *agent) {
	a.present = true
	a.session = strconv.FormatUint(e.ids.Uint64(), 36)
	client, address := "feige-workbench", fmt.Sprintf("10.%d.%d.%d", s.number>>8&255, s.number&255, 1+e.r.IntN(20))
	if e.chance(0.002) {
		e.emit(s, "", a.actor(), func(ev *chatv1.ChatEvent) {
			ev.Payload = &chatv1.ChatEvent_ClientRefused{ClientRefused: &chatv1.ClientRefused{Client: "quick-reply-plugin", Address: address, Reason: "not on the allow-list"}}
		})
	}
	if e.chance(0.002) {
		address = fmt.Sprintf("203.0.113.%d", 1+e.r.IntN(254)) // from far away
	}
	e.emit(s, "", a.actor(), func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{Client: client, ClientVersion: "5.2." + strconv.Itoa(e.r.IntN(9)), Address: address, SessionId: a.session}}
	})
}

func (e *engine) signOut(s *shop, a *agent) {
	a.present = false
	e.emit(s, "", a.actor(), func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_AgentSignedOut{AgentSignedOut: &chatv1.AgentSignedOut{SessionId: a.session}}
	})
}

func (a *agent) actor() *chatv1.Actor { return &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: a.id} }

// away tells whether nobody is at work in the shop in the hour of the instant.
func (e *engine) away(s *shop, us int64) bool {
	r := rand.NewPCG(e.cfg.Seed^uint64(us/hour), uint64(s.number))
	return float64(r.Uint64()>>11)/(1<<53) < s.care.absent
}

// free is who of those present has the fewest waiting; nil: nobody is there.
func (s *shop) free() *agent {
	var best *agent
	for _, a := range s.agents {
		if a.present && (best == nil || a.waiting < best.waiting) {
			best = a
		}
	}
	return best
}

// nextShift is when somebody comes to work.
func (e *engine) nextShift(s *shop) int64 {
	midnight, since := e.day.of(e.now)
	next := int64(math.MaxInt64)
	for _, a := range s.agents {
		at := midnight + a.from
		if since >= a.from {
			at += day
		}
		next = min(next, at)
	}
	return next
}
