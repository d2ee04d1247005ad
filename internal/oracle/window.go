package oracle

import (
	"cmp"
	"slices"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// tick is one that moved the partition's now on.
type tick struct {
	pos int
	at  int64
}

// firstReaching is the first tick at or after an instant; false when none came.
func firstReaching(ticks []tick, at int64) (tick, bool) {
	for _, t := range ticks[searchTicks(ticks, func(t tick) bool { return t.at >= at }):] {
		return t, true
	}
	return tick{pos: never}, false
}

// firstAfter is the first tick after a position; false when none came.
func firstAfter(ticks []tick, pos int) (tick, bool) {
	for _, t := range ticks[searchTicks(ticks, func(t tick) bool { return t.pos > pos }):] {
		return t, true
	}
	return tick{pos: never}, false
}

func searchTicks(ticks []tick, found func(tick) bool) int {
	lo, hi := 0, len(ticks)
	for lo < hi {
		if mid := (lo + hi) / 2; found(ticks[mid]) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// window collects what may count in one window of a shop, whenever it came.
type window struct {
	kind       chatv1.WindowKind
	start, end int64
	policy     *policy.Policy
	rounds     []counted[*round]
	messages   []*message
	ratings    []*rating
	takeovers  []*takeover
	violations []violation
	// touched are the positions at which anything in the window changed.
	touched []int
	// final is the tick that made the window final; its position is never where none came.
	final tick
}

// counted is a thing and its conversation.
type counted[T any] struct {
	conversation *conversation
	thing        T
}

var windowKinds = []chatv1.WindowKind{chatv1.WindowKind_WINDOW_KIND_DAY, chatv1.WindowKind_WINDOW_KIND_HALF_MONTH}

// windows builds the shop's windows, by kind and start.
func (s *shop) windows(ticks []tick) []*window {
	type key struct {
		kind  chatv1.WindowKind
		start int64
	}
	all := map[key]*window{}
	find := func(at int64, kind chatv1.WindowKind) *window {
		start, end := s.clock.span(kind, at)
		w := all[key{kind, start}]
		if w == nil {
			w = &window{kind: kind, start: start, end: end, policy: s.clock.set.At(start)}
			w.final, _ = firstReaching(ticks, end+w.policy.Assessment.LatenessUS())
			all[key{kind, start}] = w
		}
		return w
	}
	for _, kind := range windowKinds {
		for _, c := range s.sorted() {
			for _, m := range c.messages {
				if !m.assessed {
					continue
				}
				w := find(m.at, kind)
				w.messages = append(w.messages, m)
				w.touch(m.pos, m.goneAt, m.goodAt)
			}
			for _, r := range c.rounds {
				var last *window
				for _, b := range r.begins {
					if last != nil {
						last.touch(b.pos) // the round begins elsewhere from here on
						last = nil
					}
					if !b.message.assessed {
						continue
					}
					w := find(b.message.at, kind)
					w.touch(b.pos)
					if n := len(w.rounds); n == 0 || w.rounds[n-1].thing != r {
						w.rounds = append(w.rounds, counted[*round]{c, r})
					}
					last = w
				}
				if last != nil && (r.withdrawn() || r.answeredAsOf(never)) {
					last.touch(r.endedPos)
				}
			}
			for _, r := range c.ratings {
				w := find(r.at, kind)
				w.ratings = append(w.ratings, r)
				w.touch(r.pos)
			}
			for _, v := range c.violations {
				if start, _ := s.clock.span(kind, v.at); !countsViolations(s.clock.set.At(start)) {
					continue
				}
				w := find(v.at, kind)
				w.violations = append(w.violations, v)
				w.touch(v.pos)
			}
		}
		for _, t := range s.takeovers {
			w := find(t.record.StartedAtUs, kind)
			w.takeovers = append(w.takeovers, t)
			w.touch(t.begunPos)
		}
	}
	var out []*window
	for _, w := range all {
		slices.Sort(w.touched)
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b *window) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.start, b.start))
	})
	return out
}

func (w *window) touch(positions ...int) {
	for _, pos := range positions {
		if pos != never {
			w.touched = append(w.touched, pos)
		}
	}
}

// rowAsOf tells whether the window had a row as of x.
func (w *window) rowAsOf(x int) bool { return w.touched[0] < min(x, w.final.pos) }

// changes are the positions at which a window that no tick made final changed once it had a row: where
// anything counted in it changed, and where the shop's takeover time moved while the bot received.
func (s *shop) changes(w *window) []int {
	out := slices.Clone(w.touched)
	for i := len(s.moves) - 1; i >= 0; i-- {
		m := &s.moves[i]
		if m.pos < w.touched[0] {
			break
		}
		if m.lasting != nil && m.lasting.record.StartedAtUs < w.end {
			out = append(out, m.pos)
			s.seen.BotChanges++
		}
	}
	slices.Sort(out)
	return out
}

// assess tells the snapshots and the decisions of the shop.
func (s *shop) assess(ticks []tick, res *Result) {
	var decisions []*chatv1.Decision
	for _, w := range s.windows(ticks) {
		for _, pos := range w.touched {
			if pos > w.final.pos {
				s.seen.LateChanges++
			}
		}
		if !w.rowAsOf(never) {
			s.seen.LateWindows++
			continue
		}
		told, pending, ok := s.newest(w, ticks)
		if !ok {
			res.Untold = append(res.Untold, Window{s.id, w.kind, w.start})
		} else {
			res.Kpis = append(res.Kpis, Kpi{s.snapshot(w, told), pending})
		}
		if w.kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
			decisions = append(decisions, s.decide(w, ticks)...)
		}
	}
	res.Decisions = append(res.Decisions, decisions...)
}

// newest is the tick that told the newest snapshot of the window, and whether the window has changed since.
func (s *shop) newest(w *window, ticks []tick) (told tick, pending, ok bool) {
	if w.final.pos != never {
		return w.final, false, true
	}
	for _, pos := range s.changes(w) {
		if t, found := firstAfter(ticks, pos); found {
			told, ok = t, true
		} else {
			pending = true
		}
	}
	return told, pending, ok
}

func (s *shop) snapshot(w *window, told tick) *chatv1.Kpi {
	f := s.count(w, told, told == w.final)
	return &chatv1.Kpi{
		ShopId: s.id, Kind: w.kind, StartUs: w.start, EndUs: w.end, Final: told == w.final,
		Counts: f.counts, Takeovers: f.takeovers, BotUs: f.botUS,
		Indicators: f.indicators(w.policy), PolicyVersion: w.policy.Version,
	}
}
