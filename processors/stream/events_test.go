package stream_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	secondUS = int64(1_000_000)
	hourUS   = 3600 * secondUS
)

// published is one record for chat.events.
type published struct {
	partition  int32
	key, value []byte
}

// generator makes up the log of a few dozen shops: conversations with bursts of questions, quick and slow
// replies, nights, closings, ratings, floods, shields, blocks, resumes, resent and damaged records; times
// that mostly run forward; ticks every hour.
type generator struct {
	r        *rand.Rand
	pol      *policy.Set
	clock    int64
	lastTick int64
	ids      int
	queue    chatQueue
	tickKeys [partitions][]byte
}

// chat is one conversation to come.
type chat struct {
	at         int64
	shop, conv string
	consumer   string
	life       int64
	recent     []string // ids of its newest consumer messages
	flood      int
	rate       bool
	last       published
}

type chatQueue []*chat

func (q chatQueue) Len() int           { return len(q) }
func (q chatQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q chatQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *chatQueue) Push(x any)        { *q = append(*q, x.(*chat)) }
func (q *chatQueue) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}

func newGenerator(seed uint64, pol *policy.Set, shops, convs int) *generator {
	const start = 1_781_420_400_000_000 // 2026-06-14 15:00 in Shanghai: the half-month ends in 33 hours
	g := &generator{r: rand.New(rand.NewPCG(seed, 11)), pol: pol, clock: start, lastTick: start}
	for p := range g.tickKeys {
		g.tickKeys[p] = []byte(schemas.TickKey(int32(p), partitions))
	}
	for s := range shops {
		for c := range convs {
			g.queue = append(g.queue, &chat{
				at: start + g.r.Int64N(20*hourUS), shop: fmt.Sprintf("shop-%d", s), conv: fmt.Sprintf("c%d", c),
				consumer: fmt.Sprintf("consumer-%d", g.r.IntN(shops*convs)),
			})
		}
	}
	heap.Init(&g.queue)
	return g
}

// next is what comes next: an event, before it ticks where an hour has passed.
func (g *generator) next() (out []published) {
	c := g.queue[0]
	g.clock = max(g.clock, c.at)
	if g.clock-g.lastTick >= hourUS {
		out = g.ticks(g.clock)
	}
	out = append(out, g.step(c))
	c.at += g.delay(c)
	heap.Fix(&g.queue, 0)
	return out
}

// ticks says in every partition that time has come to at.
func (g *generator) ticks(at int64) (out []published) {
	g.lastTick = at
	for p, key := range g.tickKeys {
		g.ids++
		ev := &chatv1.ChatEvent{EventId: fmt.Sprint("t", g.ids), OccurredAtUs: at, Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at}}}
		out = append(out, published{int32(p), key, mustMarshal(ev)})
	}
	return out
}

// closing are the ticks that make everything final: they step over the checkpoints of the half-month.
func (g *generator) closing() (out []published) {
	end := g.pol.Calendar().HalfMonth(g.clock).End
	for _, after := range []int64{0, 2 * hourUS, 7 * hourUS, 25 * hourUS} {
		out = append(out, g.ticks(end+after)...)
	}
	return out
}

func (g *generator) delay(c *chat) int64 {
	switch {
	case c.flood > 0:
		return g.r.Int64N(4 * secondUS)
	case g.r.IntN(100) < 7: // night, or days
		return 2*hourUS + g.r.Int64N(60*hourUS)
	}
	return secondUS + int64(g.r.ExpFloat64()*70)*secondUS + g.r.Int64N(secondUS)
}

func (g *generator) step(c *chat) published {
	g.ids++
	ev := &chatv1.ChatEvent{
		EventId: fmt.Sprint("e", g.ids), ShopId: c.shop, ConversationId: c.conv, OccurredAtUs: c.at,
		Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: c.consumer},
	}
	if g.r.IntN(20) == 0 {
		ev.OccurredAtUs -= g.r.Int64N(90 * secondUS) // out of order
	}
	agent := &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: fmt.Sprintf("%s-agent-%d", c.shop, g.r.IntN(3))}
	message := func(a *chatv1.Actor, kind chatv1.MessageKind) {
		ev.Actor, ev.Payload = a, &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: kind, Text: "您好"}}
	}
	switch n := g.r.IntN(1000); {
	case c.flood > 0:
		c.flood--
		message(ev.Actor, chatv1.MessageKind_MESSAGE_KIND_TEXT)
	case c.rate:
		c.rate = false
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 1 + int32(g.r.IntN(5)), Life: g.r.Int64N(2) * c.life}}
	case n < 430:
		message(ev.Actor, chatv1.MessageKind_MESSAGE_KIND_TEXT)
		c.recent = append(c.recent, ev.EventId)
		c.recent = c.recent[max(0, len(c.recent)-5):]
	case n < 780:
		message(agent, []chatv1.MessageKind{1, 1, 1, 2, 3, 4, 5}[g.r.IntN(7)])
	case n < 815:
		agent.Automatic = true
		message(agent, chatv1.MessageKind_MESSAGE_KIND_TEXT)
	case n < 835:
		message(&chatv1.Actor{Role: chatv1.Role_ROLE_BOT, Id: "bot"}, chatv1.MessageKind_MESSAGE_KIND_TEXT)
	case n < 845:
		ev.Actor.Sanctioned = true
		message(ev.Actor, chatv1.MessageKind_MESSAGE_KIND_TEXT)
	case n < 880:
		ev.Actor, ev.Payload = agent, &chatv1.ChatEvent_ConversationRead{ConversationRead: &chatv1.ConversationRead{}}
	case n < 890:
		ev.Actor, ev.Payload = agent, &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{}}
	case n < 915:
		ev.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: "agent"}}
		c.rate = g.r.IntN(10) < 7
		c.life++
	case n < 925:
		ev.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
	case n < 950 && len(c.recent) > 0:
		id := c.recent[g.r.IntN(len(c.recent))]
		ev.Payload = &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: id}}
	case n < 955:
		ev.Actor, ev.Payload = agent, &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: c.consumer}}
	case n < 965:
		ev.Actor, ev.Payload = agent, &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: c.consumer}}
	case n < 972:
		ev.ConversationId, ev.Actor, ev.Payload = "", agent, &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
	case n < 980:
		c.flood = 12
		message(ev.Actor, chatv1.MessageKind_MESSAGE_KIND_TEXT)
	case n < 990 && c.last.key != nil:
		return c.last // resent
	default:
		return g.damaged(c, ev)
	}
	c.last = placed(schemas.EventKey(ev.ShopId, ev.ConversationId), mustMarshal(ev))
	return c.last
}

// damaged is a record that must become a dead letter.
func (g *generator) damaged(c *chat, ev *chatv1.ChatEvent) published {
	ev.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
	key := schemas.EventKey(c.shop, c.conv)
	switch g.r.IntN(5) {
	case 0:
		return placed(key, []byte{0xff, 0xff, 0x01})
	case 1:
		return placed(key, nil)
	case 2:
		return placed(key+"x", mustMarshal(ev))
	case 3:
		ev.OccurredAtUs = 17
		return placed(key, mustMarshal(ev))
	default:
		p := placed(key, mustMarshal(ev))
		p.partition = (p.partition + 1) % partitions
		return p
	}
}

func placed(key string, value []byte) published {
	return published{schemas.Partition([]byte(key), partitions), []byte(key), value}
}

func mustMarshal(m interface{ MarshalVT() ([]byte, error) }) []byte {
	b, err := m.MarshalVT()
	if err != nil {
		panic(err)
	}
	return b
}
