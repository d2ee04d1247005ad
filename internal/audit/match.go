package audit

import (
	"fmt"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// match holds what a partition's log amounts to against what is stored.
type match struct {
	cfg    Config
	policy *policy.Set
	extent extent
	// grown tells that the log has gone on behind the extent's end.
	grown bool
	want  *oracle.Result
	// events are the first occurrences of the log's events.
	events []event
	got    *stored
}

// tally is the outcome of a match.
type tally struct {
	differences []oracle.Difference
	// rows compared, and rows set aside because they rest on records outside the extent, by view.
	rows, newer, older map[string]int
}

func newTally() *tally {
	return &tally{rows: map[string]int{}, newer: map[string]int{}, older: map[string]int{}}
}

// setAside splits off rows that rest on records behind the end, and what they replaced.
func setAside[T any](t *tally, table string, want []T, got []versioned[T], key func(T) string, newer func(versioned[T]) bool) (w, g []T) {
	aside := map[string]bool{}
	for _, v := range got {
		if newer(v) {
			if k := key(v.row); !aside[k] {
				aside[k] = true
				t.newer[table]++
			}
			continue
		}
		g = append(g, v.row)
	}
	for _, o := range want {
		if !aside[key(o)] {
			w = append(w, o)
			t.rows[table]++
		}
	}
	return w, g
}

func keep[T any](list []T, holds func(T) bool) []T {
	var out []T
	for _, o := range list {
		if holds(o) {
			out = append(out, o)
		}
	}
	return out
}

func windowKey(shop string, kind chatv1.WindowKind, startUS int64) string {
	return fmt.Sprintf("%s %d %d", shop, kind, startUS)
}

// derived compares everything that the oracle works out.
func (m *match) derived(t *tally) {
	want, got := m.inPeriod(), &oracle.Result{}
	end := m.extent.end

	roundKey := func(o oracle.Round) string { return fmt.Sprintf("%s/%s %d", o.ShopID, o.ConversationID, o.Number) }
	// A round that was withdrawn behind the end is no longer in its view.
	rounds := m.got.rounds
	gone := map[string]bool{}
	for _, v := range m.got.gone {
		if v.source >= end {
			rounds = append(rounds[:len(rounds):len(rounds)], v)
			gone[roundKey(v.row)] = true
		}
	}
	want.Rounds = keep(want.Rounds, func(o oracle.Round) bool {
		return o.Outcome != chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN
	})
	want.Rounds, got.Rounds = setAside(t, oracle.TableRounds, want.Rounds, rounds, roundKey, func(v versioned[oracle.Round]) bool {
		return v.source >= end || gone[roundKey(v.row)]
	})
	want.Lives, got.Lives = setAside(t, oracle.TableLives, want.Lives, m.got.lives,
		func(l oracle.Life) string { return fmt.Sprintf("%s/%s %d", l.ShopID, l.ConversationID, l.Life) },
		func(v versioned[oracle.Life]) bool { return v.source >= end })
	want.Ratings, got.Ratings = setAside(t, oracle.TableRatings, want.Ratings, m.got.ratings,
		func(o oracle.Rating) string { return fmt.Sprintf("%s/%s %d", o.ShopID, o.ConversationID, o.Life) },
		func(v versioned[oracle.Rating]) bool { return v.source >= end })
	want.Takeovers, got.Takeovers = setAside(t, oracle.TableTakeovers, want.Takeovers, m.got.takeovers,
		func(o *chatv1.Takeover) string { return fmt.Sprintf("%s %d", o.ShopId, o.Number) },
		func(v versioned[*chatv1.Takeover]) bool { return v.source >= end })
	m.attach()
	want.Kpis, got.Kpis = setAside(t, oracle.TableKpis, want.Kpis, m.got.kpis,
		func(k oracle.Kpi) string { return windowKey(k.ShopId, k.Kind, k.StartUs) }, m.newerKpis())
	t.rows[oracle.TableIndicators] += len(policy.Indicators()) * len(want.Kpis)
	want.Decisions, got.Decisions = setAside(t, oracle.TableDecisions, want.Decisions, m.got.decisions,
		func(d *chatv1.Decision) string { return fmt.Sprintf("%s %d %d", d.ShopId, d.PeriodStartUs, d.Revision) },
		func(v versioned[*chatv1.Decision]) bool {
			return v.source >= end || m.ahead(v.row.PeriodEndUs+v.row.CheckpointSeconds*1_000_000)
		})
	t.differences = append(t.differences, oracle.Compare(want, got)...)
}

// ahead tells of an instant that no tick before the end has reached, but one behind it may have.
func (m *match) ahead(us int64) bool { return m.grown && (!m.want.HasNow || us > m.want.NowUS) }

// newerKpis tells the snapshots that a tick behind the end may have told.
func (m *match) newerKpis() func(versioned[oracle.Kpi]) bool {
	changed := map[string]bool{}
	for _, k := range m.want.Kpis {
		if k.Pending {
			changed[windowKey(k.ShopId, k.Kind, k.StartUs)] = true
		}
	}
	for _, u := range m.want.Untold {
		changed[windowKey(u.ShopID, u.Kind, u.StartUS)] = true
	}
	return func(v versioned[oracle.Kpi]) bool {
		k := v.row
		lateness := m.policy.At(k.StartUs).Assessment.LatenessUS()
		return v.source >= m.extent.end || k.Final && m.ahead(k.EndUs+lateness) ||
			m.grown && changed[windowKey(k.ShopId, k.Kind, k.StartUs)]
	}
}

// attach gives the snapshots their indicators. A snapshot that was replaced between the two queries rests
// on something behind the end.
func (m *match) attach() {
	rows := map[string][]indicator{}
	for _, i := range m.got.indicators {
		key := windowKey(i.shop, i.kind, i.startUS)
		rows[key] = append(rows[key], i)
	}
	for n := range m.got.kpis {
		v := &m.got.kpis[n]
		for _, i := range rows[windowKey(v.row.ShopId, v.row.Kind, v.row.StartUs)] {
			if m.grown && i.version != uint64(v.row.Version) {
				v.source = max(v.source, m.extent.end)
			}
			v.row.Indicators = append(v.row.Indicators, i.Indicator)
		}
	}
}

// inPeriod is what is wanted of the period.
func (m *match) inPeriod() *oracle.Result {
	w := *m.want
	w.Rounds = keep(w.Rounds, func(o oracle.Round) bool { return m.cfg.holds(o.StartedAtUs) })
	w.Lives = keep(w.Lives, func(l oracle.Life) bool { return m.cfg.holds(l.StartedAtUs) })
	w.Ratings = keep(w.Ratings, func(o oracle.Rating) bool { return m.cfg.holds(o.RatedAtUs) })
	w.Takeovers = keep(w.Takeovers, func(o *chatv1.Takeover) bool { return m.cfg.holds(o.StartedAtUs) })
	w.Kpis = keep(w.Kpis, func(k oracle.Kpi) bool { return m.cfg.holdsWindow(k.StartUs, k.EndUs) })
	w.Decisions = keep(w.Decisions, func(d *chatv1.Decision) bool { return m.cfg.holdsWindow(d.PeriodStartUs, d.PeriodEndUs) })
	m.got.kpis = keep(m.got.kpis, func(v versioned[oracle.Kpi]) bool { return m.cfg.holdsWindow(v.row.StartUs, v.row.EndUs) })
	m.got.decisions = keep(m.got.decisions, func(v versioned[*chatv1.Decision]) bool {
		return m.cfg.holdsWindow(v.row.PeriodStartUs, v.row.PeriodEndUs)
	})
	return &w
}

// chats compares the events themselves.
func (m *match) chats(t *tally) {
	aside := map[string]bool{}
	there := map[string]event{}
	var order []string
	for _, e := range m.got.events {
		key := e.key()
		switch _, twice := there[key]; {
		case e.offset >= m.extent.end:
			t.newer[tableEvents]++
		case e.offset < m.extent.start: // what was repeated since stands at its first place
			aside[key] = true
			t.older[tableEvents]++
		case twice:
			t.differences = append(t.differences, oracle.Difference{Kind: oracle.Duplicate, Table: tableEvents, Key: key})
		default:
			there[key] = e
			order = append(order, key)
		}
	}
	wanted := map[string]bool{}
	for _, w := range m.events {
		key := w.key()
		if aside[key] || !m.cfg.holds(w.atUS) {
			continue
		}
		t.rows[tableEvents]++
		wanted[key] = true
		g, ok := there[key]
		if !ok {
			t.differences = append(t.differences, oracle.Difference{Kind: oracle.Missing, Table: tableEvents, Key: key})
			continue
		}
		for _, f := range []struct {
			name      string
			want, got any
		}{
			{"conversation_id", w.conversation, g.conversation},
			{"time", oracle.Instant(w.atUS), oracle.Instant(g.atUS)},
			{"kind", w.kind, g.kind}, {"actor_role", w.role, g.role}, {"log_offset", w.offset, g.offset},
		} {
			if f.want != f.got {
				t.differences = append(t.differences, oracle.Difference{
					Kind: oracle.Different, Table: tableEvents, Key: key, Field: f.name, Want: fmt.Sprint(f.want), Got: fmt.Sprint(f.got),
				})
			}
		}
	}
	for _, key := range order {
		if !wanted[key] {
			t.differences = append(t.differences, oracle.Difference{Kind: oracle.Unexpected, Table: tableEvents, Key: key})
		}
	}
}
