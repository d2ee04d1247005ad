package oracle_test

import (
	"fmt"
	"testing"
	"time"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestTraps holds the traps that real systems fell into, with figures worked out by hand.
func TestTraps(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		script func(s *script)
		// What must come of it; nil is not looked at.
		rounds, lives, takeovers, windows, decisions []string
		ratings                                      int
	}{
		{
			name: "the closing minute is a minute, not an instant",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 22:59:30")
				s.agent("c1", "ann", "2024-03-05 23:01:00")
				s.consumer("c2", "2024-03-05 22:59:59.999999")
				s.consumer("c3", "2024-03-05 23:00:00")
				s.consumer("c4", "2024-03-06 07:59:59.999999")
				s.consumer("c5", "2024-03-06 08:00:00")
				s.tick("2024-03-06 09:00:00")
			},
			rounds: []string{
				"c1 1: answered 03-05 22:59:30 to 03-05 23:01:00 by ann after 1m30s, counted, within",
				"c2 1: open 03-05 22:59:59.999999 to -, counted",
				"c3 1: open 03-05 23:00:00 to -",
				"c4 1: open 03-06 07:59:59.999999 to -",
				"c5 1: open 03-06 08:00:00 to -, counted",
			},
			windows: []string{
				"day 03-05: rounds 2 answered 1 within 1, conversations 2 mean 1 strict 1 unanswered 1, messages 2 within 1, ratings 0 bad 0",
				"day 03-06: rounds 1 answered 0 within 0, conversations 1 mean 0 strict 0 unanswered 1, messages 1 within 0, ratings 0 bad 0",
				"half 03-01: rounds 3 answered 1 within 1, conversations 3 mean 1 strict 1 unanswered 2, messages 3 within 1, ratings 0 bad 0",
			},
		},
		{
			name: "neither the bot nor a macro starts or stops the clock",
			script: func(s *script) {
				s.bot("c1", "2024-03-05 10:00:00")
				s.consumer("c1", "2024-03-05 10:05:00")
				s.bot("c1", "2024-03-05 10:05:01")
				s.agent("c1", "ann", "2024-03-05 10:05:02").Actor.Automatic = true
				s.consumer("c1", "2024-03-05 10:05:30")
				s.agent("c1", "ann", "2024-03-05 10:06:00")
				s.bot("c1", "2024-03-05 10:07:00")
				s.tick("2024-03-05 11:00:00")
			},
			rounds: []string{"c1 1: answered 03-05 10:05:00 to 03-05 10:06:00 by ann after 1m0s, counted, within"},
			windows: []string{
				"day 03-05: rounds 1 answered 1 within 1, conversations 1 mean 1 strict 1 unanswered 0, messages 2 within 2, ratings 0 bad 0",
				"half 03-01: rounds 1 answered 1 within 1, conversations 1 mean 1 strict 1 unanswered 0, messages 2 within 2, ratings 0 bad 0",
			},
		},
		{
			name: "a reopened conversation is timed anew",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.closed("c1", "2024-03-05 10:30:00")
				s.consumer("c1", "2024-03-05 12:00:00")
				s.agent("c1", "ann", "2024-03-05 12:00:20")
				s.tick("2024-03-05 13:00:00")
			},
			rounds: []string{
				"c1 1: closed 03-05 10:00:00 to 03-05 10:30:00, counted",
				"c1 2: answered 03-05 12:00:00 to 03-05 12:00:20 by ann after 20s, counted, within",
			},
			lives: []string{
				"c1 1: closed 03-05 10:00:00 to 03-05 10:30:00",
				"c1 2: open 03-05 12:00:00 to -",
			},
			windows: []string{
				"day 03-05: rounds 2 answered 1 within 1, conversations 1 mean 1 strict 0 unanswered 0, messages 2 within 1, ratings 0 bad 0",
				"half 03-01: rounds 2 answered 1 within 1, conversations 1 mean 1 strict 0 unanswered 0, messages 2 within 1, ratings 0 bad 0",
			},
		},
		{
			name: "the reply belongs to who sent it",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.add("c1", "2024-03-05 10:00:10", chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConversationTransferred{FromAgentId: "ann", ToAgentId: "bob"})
				s.agent("c1", "ann", "2024-03-05 10:01:00")
			},
			rounds: []string{"c1 1: answered 03-05 10:00:00 to 03-05 10:01:00 by ann after 1m0s, counted, within"},
		},
		{
			name: "no takeover when the agent spoke last",
			script: func(s *script) {
				for i := range 10 {
					s.consumer("c1", fmt.Sprintf("2024-03-05 10:00:%02d", i))
				}
				s.agent("c1", "ann", "2024-03-05 10:00:30")
				s.consumer("c1", "2024-03-05 10:00:40")
			},
			takeovers: []string{},
		},
		{
			name: "the eleventh in a row, and not a message of the night",
			script: func(s *script) {
				for i := range 10 {
					s.consumer("c1", fmt.Sprintf("2024-03-05 22:59:%02d", i))
				}
				s.consumer("c1", "2024-03-05 23:00:00")
				s.consumer("c1", "2024-03-06 07:59:59")
				s.consumer("c1", "2024-03-06 08:00:00")
				s.agent("c1", "ann", "2024-03-06 08:00:10")
				s.tick("2024-03-06 09:00:00")
			},
			takeovers: []string{"1: same, 11 of 1 consumers, 03-06 08:00:00 to 03-06 08:00:10, evidence [0 1 2 3 4 5 6 7 8 9 12]"},
			windows: []string{
				"day 03-05: rounds 1 answered 1 within 0, conversations 1 mean 0 strict 0 unanswered 0, messages 10 within 0, ratings 0 bad 0",
				"day 03-06: rounds 0 answered 0 within 0, conversations 0 mean 0 strict 0 unanswered 0, messages 1 within 1, ratings 0 bad 0, takeovers 1 bot 10s",
				"half 03-01: rounds 1 answered 1 within 0, conversations 1 mean 0 strict 0 unanswered 0, messages 11 within 1, ratings 0 bad 0, takeovers 1 bot 10s",
			},
		},
		{
			name: "a rating is neither lost nor counted twice on reopening",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.closed("c1", "2024-03-05 10:30:00")
				s.rated("c1", "2024-03-05 10:31:00", 2, 0)
				s.consumer("c1", "2024-03-05 12:00:00")    // a second life
				s.rated("c1", "2024-03-05 12:01:00", 5, 1) // the first is rated already
				s.rated("c1", "2024-03-05 12:02:00", 4, 2)
				s.rated("c1", "2024-03-05 12:03:00", 1, 0) // so is the newest
				s.rated("c1", "2024-03-05 12:04:00", 1, 3) // does not exist
				s.tick("2024-03-05 13:00:00")
			},
			ratings: 2,
			windows: []string{
				"day 03-05: rounds 2 answered 0 within 0, conversations 1 mean 0 strict 0 unanswered 1, messages 2 within 0, ratings 2 bad 1",
				"half 03-01: rounds 2 answered 0 within 0, conversations 1 mean 0 strict 0 unanswered 1, messages 2 within 0, ratings 2 bad 1",
			},
		},
		{
			name: "an event delivered twice counts once",
			script: func(s *script) {
				first := s.consumer("c1", "2024-03-05 10:00:00")
				s.put(first)
				s.agent("c1", "ann", "2024-03-05 10:01:00")
				s.put(first)
				rating := s.rated("c1", "2024-03-05 10:02:00", 5, 0)
				s.put(rating)
				s.tick("2024-03-05 11:00:00")
			},
			rounds: []string{"c1 1: answered 03-05 10:00:00 to 03-05 10:01:00 by ann after 1m0s, counted, within"},
			windows: []string{
				"day 03-05: rounds 1 answered 1 within 1, conversations 1 mean 1 strict 1 unanswered 0, messages 1 within 1, ratings 1 bad 0",
				"half 03-01: rounds 1 answered 1 within 1, conversations 1 mean 1 strict 1 unanswered 0, messages 1 within 1, ratings 1 bad 0",
			},
		},
		{
			name: "late events count for 24 hours, and a decision that they change is issued again",
			script: func(s *script) {
				s.consumer("c1", "2024-02-20 10:00:00")
				s.tick("2024-03-01 00:00:00")
				s.consumer("c2", "2024-02-29 22:00:00") // before the look after 1 h
				s.tick("2024-03-01 01:00:00")
				s.tick("2024-03-01 06:00:00") // nothing new
				s.consumer("c3", "2024-02-29 22:59:59")
				s.tick("2024-03-01 23:59:59.999999")
				s.consumer("c4", "2024-02-29 22:59:59")
				s.tick("2024-03-02 00:00:00")
				s.consumer("c5", "2024-02-29 22:59:59") // too late
				s.tick("2024-03-03 00:00:00")
			},
			decisions: []string{
				"02-16 revision 1 at 0s: rounds 1, missed []",
				"02-16 revision 2 at 3600s: rounds 2, missed []",
				"02-16 revision 3 at 86400s: rounds 4, missed []",
			},
			windows: []string{
				"day 02-20: final, rounds 1 answered 0 within 0, conversations 1 mean 0 strict 0 unanswered 1, messages 1 within 0, ratings 0 bad 0",
				"day 02-29: final, rounds 3 answered 0 within 0, conversations 3 mean 0 strict 0 unanswered 3, messages 3 within 0, ratings 0 bad 0",
				"half 02-16: final, rounds 4 answered 0 within 0, conversations 4 mean 0 strict 0 unanswered 4, messages 4 within 0, ratings 0 bad 0",
			},
		},
		{
			name: "a wait over midnight and over the end of the period counts where it began",
			script: func(s *script) {
				s.consumer("c1", "2024-02-15 22:58:00")
				s.agent("c1", "ann", "2024-02-16 00:00:00")
				s.tick("2024-02-16 01:00:00")
			},
			windows: []string{
				"day 02-15: rounds 1 answered 1 within 0, conversations 1 mean 0 strict 0 unanswered 0, messages 1 within 0, ratings 0 bad 0",
				"half 02-01: rounds 1 answered 1 within 0, conversations 1 mean 0 strict 0 unanswered 0, messages 1 within 0, ratings 0 bad 0",
			},
			decisions: []string{"02-01 revision 1 at 0s: rounds 1, missed []"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &script{t: t}
			c.script(s)
			r := s.run()
			if c.rounds != nil {
				same(t, "rounds", rounds(r), c.rounds...)
			}
			if c.lives != nil {
				same(t, "lives", lives(r), c.lives...)
			}
			if c.takeovers != nil {
				same(t, "takeovers", takeovers(r), c.takeovers...)
			}
			if c.windows != nil {
				same(t, "windows", windows(r), c.windows...)
			}
			if c.decisions != nil {
				same(t, "decisions", decisions(r), c.decisions...)
			}
			if c.ratings != 0 && len(r.Ratings) != c.ratings {
				t.Errorf("%d ratings, want %d", len(r.Ratings), c.ratings)
			}
		})
	}
}

// TestMonthEnds puts a counted round on the last instant of a month and one on the first of the next.
func TestMonthEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ last, first, half string }{
		"28 days":      {"2023-02-28", "2023-03-01", "02-16"},
		"leap day":     {"2024-02-29", "2024-03-01", "02-16"},
		"30 days":      {"2024-04-30", "2024-05-01", "04-16"},
		"31 days":      {"2024-03-31", "2024-04-01", "03-16"},
		"year":         {"2024-12-31", "2025-01-01", "12-16"},
		"mid-month":    {"2024-03-15", "2024-03-16", "03-01"},
		"no leap 2100": {"2100-02-28", "2100-03-01", "02-16"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &script{t: t}
			s.consumer("c1", c.last+" 22:59:59.999999")
			s.consumer("c2", c.first+" 08:00:00")
			s.tick(c.last + " 23:59:59.999999")
			if got := s.run().Decisions; len(got) != 0 {
				t.Errorf("%d decisions before the period ends", len(got))
			}
			s.tick(c.first + " 00:00:00")
			r := s.run()
			same(t, "decisions", decisions(r), c.half+" revision 1 at 0s: rounds 1, missed []")
			if d := r.Decisions[0]; time.UnixMicro(d.PeriodEndUs).In(shanghai).Format("2006-01-02 15:04:05") != c.first+" 00:00:00" {
				t.Errorf("period ends %s", clockOf(d.PeriodEndUs))
			}
		})
	}
}

// TestNowIsOnlyInTheLog replays one log with many ticks and with few: what is final in the end is the same, and
// it lies in the year of the events.
func TestNowIsOnlyInTheLog(t *testing.T) {
	t.Parallel()
	play := func(dense bool) *script {
		s := &script{t: t}
		for d := 1; d <= 28; d++ {
			if dense {
				for h := range 8 {
					s.tick(fmt.Sprintf("2013-02-%02d %02d:00:00", d, h))
				}
			}
			s.consumer("c1", fmt.Sprintf("2013-02-%02d 09:00:00", d))
			s.agent("c1", "ann", fmt.Sprintf("2013-02-%02d 09:0%d:00", d, 1+d%5))
		}
		s.tick("2013-03-03 00:00:00")
		return s
	}
	dense, sparse := play(true).run(), play(false).run()
	same(t, "windows", windows(dense), windows(sparse)...)
	for i, d := range sparse.Decisions {
		if d.PeriodStartUs > us(t, "2013-02-28 23:59:59") {
			t.Errorf("decision %d is about %s", i, clockOf(d.PeriodStartUs))
		}
	}
	half := map[string]int64{}
	for _, k := range sparse.Kpis {
		if k.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
			half[time.UnixMicro(k.StartUs).In(shanghai).Format("01-02")] = k.Counts.RoundsWithin
		}
	}
	// First half: days 1-15, d%5 in {0,1,2} means 1 to 3 minutes: 9 of 15. Second: 16-28, 8 of 13.
	if half["02-01"] != 9 || half["02-16"] != 8 {
		t.Errorf("within: %v, want 9 and 8", half)
	}
}

// TestReportsAgree holds a decision against the final snapshot of its period, and days against the half-month.
func TestReportsAgree(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	for d := 1; d <= 15; d++ {
		for c := range 4 {
			s.consumer(fmt.Sprintf("c%d", c), fmt.Sprintf("2024-03-%02d 1%d:00:00", d, c))
			if c != 3 {
				s.agent(fmt.Sprintf("c%d", c), "ann", fmt.Sprintf("2024-03-%02d 1%d:0%d:00", d, c, 1+c))
			}
		}
	}
	s.tick("2024-03-17 00:00:00")
	r := s.run()
	days := &chatv1.Counts{}
	for _, k := range r.Kpis {
		if k.Kind == chatv1.WindowKind_WINDOW_KIND_DAY {
			days.Rounds += k.Counts.Rounds
			days.RoundsAnswered += k.Counts.RoundsAnswered
			days.WaitSumUs += k.Counts.WaitSumUs
			continue
		}
		d := r.Decisions[0]
		if d.Counts.Rounds != k.Counts.Rounds || d.Counts.WaitSumUs != k.Counts.WaitSumUs || d.Evidence[5].Value != k.Indicators[5].Value {
			t.Errorf("decision %v, snapshot %v", d.Counts, k.Counts)
		}
		if days.Rounds != k.Counts.Rounds || days.RoundsAnswered != k.Counts.RoundsAnswered || days.WaitSumUs != k.Counts.WaitSumUs {
			t.Errorf("days %v, half-month %v", days, k.Counts)
		}
		// 60 rounds, 45 answered after 1, 2, and 3 minutes: 2 minutes on average; p50 is the 23rd of 15 each.
		for _, want := range []struct {
			at      int
			value   float64
			samples int64
		}{{0, 0.75, 4}, {2, 0.75, 60}, {5, 120, 45}, {6, 120, 45}, {7, 180, 45}, {8, 180, 45}, {11, 0.25, 4}} {
			if i := k.Indicators[want.at]; i.Value != want.value || i.Samples != want.samples {
				t.Errorf("%s: %v of %d, want %v of %d", i.Name, i.Value, i.Samples, want.value, want.samples)
			}
		}
	}
}
