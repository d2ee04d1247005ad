package oracle

import (
	"slices"
	"strings"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// shop holds everything of one shop.
type shop struct {
	id    string
	clock *clock
	seen  Seen
	// conversations by id; the one without a name holds the events of the shop as a whole.
	conversations map[string]*conversation
	// moves are the events that reception goes by, in log order.
	moves     []move
	takeovers []*takeover
}

func newShop(id string, c *clock) *shop {
	return &shop{id: id, clock: c, conversations: map[string]*conversation{}}
}

func (s *shop) take(e entry) {
	s.seen.Events++
	id := e.event.GetConversationId()
	c := s.conversations[id]
	if c == nil {
		c = &conversation{shop: s, id: id}
		s.conversations[id] = c
	}
	c.take(e)
}

// sorted are the conversations by id.
func (s *shop) sorted() []*conversation {
	var out []*conversation
	for _, c := range s.conversations {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *conversation) int { return strings.Compare(a.id, b.id) })
	return out
}

// limit is the response limit of the policy at an instant.
func (s *shop) limit(us int64) int64 { return s.clock.set.At(us).Assessment.ResponseLimitUS }

// Run reads one partition's whole log, in order.
func Run(p *policy.Set, log []Record) *Result {
	c := newClock(p)
	shops := map[string]*shop{}
	res := &Result{}
	var ticks []tick
	for pos, r := range log {
		if t, ok := r.Event.GetPayload().(*chatv1.ChatEvent_Tick); ok {
			if at := t.Tick.GetAtUs(); !res.HasNow || at > res.NowUS {
				res.NowUS, res.HasNow = at, true
				ticks = append(ticks, tick{pos: pos, at: at})
				res.Seen.Ticks++
			}
			continue
		}
		id := r.Event.GetShopId()
		if shops[id] == nil {
			shops[id] = newShop(id, c)
		}
		shops[id].take(entry{pos: pos, offset: r.Offset, event: r.Event})
	}
	var ids []string
	for id := range shops {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		s := shops[id]
		s.receive()
		s.report(res)
		s.assess(ticks, res)
		res.Seen.add(s.seen)
	}
	return res
}

// report lists rounds, lives, ratings, and takeovers.
func (s *shop) report(res *Result) {
	for _, c := range s.sorted() {
		for i, r := range c.rounds {
			if r.withdrawn() && i+1 < len(c.rounds) {
				continue // its number went to the next
			}
			first := r.first()
			out := &chatv1.Round{
				Number: r.number, Life: r.life, NumberInLife: r.numberInLife, Outcome: r.outcome,
				StartedAtUs: first.at, EndedAtUs: r.endedAt, AgentId: r.agent, Counted: first.assessed,
				ConsumerId: r.consumer, StartOffset: first.offset,
			}
			if r.outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED {
				out.WaitUs = r.wait()
				out.Within = out.WaitUs <= s.limit(first.at)
			}
			res.Rounds = append(res.Rounds, Round{s.id, c.id, out})
		}
		for _, l := range c.lives {
			res.Lives = append(res.Lives, Life{s.id, c.id, l.told})
		}
		ratings := slices.Clone(c.ratings)
		slices.SortFunc(ratings, func(a, b *rating) int { return int(a.life - b.life) })
		for _, r := range ratings {
			res.Ratings = append(res.Ratings, Rating{s.id, c.id, &chatv1.Rating{
				Life: r.life, Score: r.score, RatedAtUs: r.at, ConsumerId: r.consumer,
			}})
		}
	}
	for _, t := range s.takeovers {
		res.Takeovers = append(res.Takeovers, t.record)
	}
}

func (s *Seen) add(o Seen) {
	s.Events += o.Events
	s.Ticks += o.Ticks
	s.Repeats += o.Repeats
	s.LeftOut += o.LeftOut
	s.TimesBackwards += o.TimesBackwards
	s.TakenBack += o.TakenBack
	s.StartsMoved += o.StartsMoved
	s.PushedOut += o.PushedOut
	s.UnrepliedBack += o.UnrepliedBack
	s.LateChanges += o.LateChanges
	s.LateWindows += o.LateWindows
	s.LooksWithoutRow += o.LooksWithoutRow
	s.RatingsIgnored += o.RatingsIgnored
	s.BotChanges += o.BotChanges
	s.Violations += o.Violations
}
