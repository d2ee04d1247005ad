package oracle_test

import (
	"fmt"
	"testing"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestRoundsAndLives goes through the sections of docs/semantics.md on who counts, lives, and rounds.
func TestRoundsAndLives(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name          string
		script        func(s *script)
		rounds, lives []string
	}{
		{
			name: "within at 180 s exactly",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.agent("c1", "ann", "2024-03-05 10:03:00")
				s.consumer("c2", "2024-03-05 10:00:00")
				s.agent("c2", "ann", "2024-03-05 10:03:00.000001")
			},
			rounds: []string{
				"c1 1: answered 03-05 10:00:00 to 03-05 10:03:00 by ann after 3m0s, counted, within",
				"c2 1: answered 03-05 10:00:00 to 03-05 10:03:00.000001 by ann after 3m0.000001s, counted",
			},
		},
		{
			name: "a reply at 24 h exactly answers nothing and begins a life",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.agent("c1", "ann", "2024-03-06 10:00:00")
				s.consumer("c2", "2024-03-05 10:00:00")
				s.agent("c2", "ann", "2024-03-06 09:59:59.999999")
			},
			rounds: []string{
				"c1 1: expired 03-05 10:00:00 to 03-06 10:00:00, counted",
				"c2 1: answered 03-05 10:00:00 to 03-06 09:59:59.999999 by ann after 23h59m59.999999s, counted",
			},
			lives: []string{
				"c1 1: lapsed 03-05 10:00:00 to 03-06 10:00:00", "c1 2: open 03-06 10:00:00 to -",
				"c2 1: open 03-05 10:00:00 to -",
			},
		},
		{
			name: "an expired round is followed by another in the same life",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.bot("c1", "2024-03-05 20:00:00")
				s.consumer("c1", "2024-03-06 10:00:00")
			},
			rounds: []string{
				"c1 1: expired 03-05 10:00:00 to 03-06 10:00:00, counted", "c1 2: open 03-06 10:00:00 to -, counted",
			},
			lives: []string{"c1 1: open 03-05 10:00:00 to -"},
		},
		{
			name: "a left-out message does nothing at all",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00").GetMessage().Shielded = true
				s.consumer("c1", "2024-03-05 10:00:01").Actor.Sanctioned = true
				s.agent("c1", "ann", "2024-03-05 10:00:02").Actor.Sanctioned = true
				s.add("c2", "2024-03-05 10:00:00", chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConsumerBlocked{ConsumerId: "of-c2"})
				message := s.consumer("c2", "2024-03-05 10:00:01")
				s.add("c2", "2024-03-05 10:00:02", chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConsumerUnblocked{ConsumerId: "of-c2"})
				s.put(message) // was not remembered
			},
			rounds: []string{"c2 1: open 03-05 10:00:02 to -, counted"},
			lives:  []string{"c2 1: open 03-05 10:00:02 to -"},
		},
		{
			name: "a file is no reply, but prolongs the life",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.add("c1", "2024-03-05 20:00:00", chatv1.Role_ROLE_AGENT, "ann", chatv1.MessageKind_MESSAGE_KIND_FILE)
				s.rated("c1", "2024-03-06 11:00:00", 3, 0)
			},
			rounds: []string{"c1 1: expired 03-05 10:00:00 to 03-06 10:00:00, counted"},
			lives:  []string{"c1 1: open 03-05 10:00:00 to -"},
		},
		{
			name: "opened by the shop counts from the consumer's first message on",
			script: func(s *script) {
				s.add("c1", "2024-03-05 09:00:00", chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConversationOpened{})
				s.agent("c1", "ann", "2024-03-05 09:00:01")
				s.consumer("c1", "2024-03-05 09:30:00")
				s.add("c1", "2024-03-05 09:30:10", chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConversationOpened{})
				s.agent("c1", "bob", "2024-03-05 09:31:00")
			},
			rounds: []string{"c1 1: answered 03-05 09:30:00 to 03-05 09:31:00 by bob after 1m0s, counted, within"},
			lives:  []string{"c1 1: open 03-05 09:00:00 to -"},
		},
		{
			name: "a time that runs backwards is that of the event before",
			script: func(s *script) {
				s.consumer("c1", "2024-03-05 10:00:00")
				s.consumer("c1", "2024-03-05 09:00:00")
				s.agent("c1", "ann", "2024-03-05 09:59:00")
				s.consumer("c1", "2024-03-05 09:00:00")
			},
			rounds: []string{
				"c1 1: answered 03-05 10:00:00 to 03-05 10:00:00 by ann, counted, within", "c1 2: open 03-05 10:00:00 to -, counted",
			},
		},
		{
			name: "a shield moves the round's start, withdraws it, or comes too late",
			script: func(s *script) {
				a := s.consumer("c1", "2024-03-05 07:59:00")
				b := s.consumer("c1", "2024-03-05 08:01:00")
				s.shielded("c1", "2024-03-05 08:02:00", a)
				s.agent("c1", "ann", "2024-03-05 08:03:00")
				s.shielded("c1", "2024-03-05 08:04:00", b)
				c := s.consumer("c1", "2024-03-05 09:00:00")
				s.shielded("c1", "2024-03-05 09:00:01", c)
				s.shielded("c1", "2024-03-05 09:00:01", c)
				s.consumer("c1", "2024-03-05 10:00:00")
				d := s.consumer("c2", "2024-03-05 10:00:00")
				s.shielded("c2", "2024-03-05 10:00:01", d)
			},
			rounds: []string{
				"c1 1: answered 03-05 08:01:00 to 03-05 08:03:00 by ann after 2m0s, counted, within",
				"c1 2: open 03-05 10:00:00 to -, counted",
				"c2 1: withdrawn 03-05 10:00:00 to -, counted",
			},
			lives: []string{"c1 1: open 03-05 07:59:00 to -", "c2 1: open 03-05 10:00:00 to -"},
		},
		{
			name: "a shield of a later message leaves the start, and another conversation's shield everything",
			script: func(s *script) {
				a := s.consumer("c1", "2024-03-05 10:00:00")
				b := s.consumer("c1", "2024-03-05 10:01:00")
				s.shielded("c1", "2024-03-05 10:01:10", b)
				s.shielded("c2", "2024-03-05 10:01:20", a)
				s.agent("c1", "ann", "2024-03-05 10:02:00")
			},
			rounds: []string{"c1 1: answered 03-05 10:00:00 to 03-05 10:02:00 by ann after 2m0s, counted, within"},
			lives:  []string{"c1 1: open 03-05 10:00:00 to -"},
		},
		{
			name: "repeats are known for 64 ids",
			script: func(s *script) {
				first := s.consumer("c1", "2024-03-05 10:00:00")
				s.agent("c1", "ann", "2024-03-05 10:00:01")
				for range 62 {
					s.bot("c1", "2024-03-05 10:00:02")
				}
				s.put(first) // the 64th
				s.bot("c1", "2024-03-05 10:00:03")
				s.put(first) // forgotten
			},
			rounds: []string{
				"c1 1: answered 03-05 10:00:00 to 03-05 10:00:01 by ann after 1s, counted, within",
				"c1 2: open 03-05 10:00:03 to -, counted",
			},
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
		})
	}
}

// TestFirstRounds averages the waits of the first rounds of lives: a withdrawn one leaves its place.
func TestFirstRounds(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	s.consumer("c1", "2024-03-05 10:00:00")
	s.agent("c1", "ann", "2024-03-05 10:01:00") // first, 60 s
	s.consumer("c1", "2024-03-05 10:10:00")
	s.agent("c1", "ann", "2024-03-05 10:11:40") // second
	s.closed("c1", "2024-03-05 11:00:00")
	taken := s.consumer("c1", "2024-03-05 12:00:00")
	s.shielded("c1", "2024-03-05 12:00:10", taken)
	s.consumer("c1", "2024-03-05 12:10:00")
	s.agent("c1", "ann", "2024-03-05 12:10:30") // first of the second life, 30 s
	s.closed("c1", "2024-03-05 13:00:00")
	s.tick("2024-03-05 14:00:00")
	r := s.run()
	if i := r.Kpis[0].Indicators[9]; i.Name != policy.AvgFirstResponseSeconds || i.Value != 45 || i.Samples != 2 {
		t.Errorf("%v, want 45 s of 2", i)
	}
	for i, want := range []struct{ number, life, inLife int64 }{{1, 1, 1}, {2, 1, 2}, {3, 2, 1}} {
		if o := r.Rounds[i]; o.Number != want.number || o.Life != want.life || o.NumberInLife != want.inLife {
			t.Errorf("round %d: %v", i, o.Round)
		}
	}
	if l := r.Lives[1]; l.Rounds != 1 || l.FirstAgentId != "ann" {
		t.Errorf("second life: %v", l.ConversationLife)
	}
}

// TestRatingsFarBack rates lives that are just near enough, and one that is not.
func TestRatingsFarBack(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	for i := range 65 {
		s.add("c1", fmt.Sprintf("2024-03-05 10:%02d:00", i%60), chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConversationOpened{})
		s.closed("c1", "2024-03-05 10:00:00")
	}
	s.rated("c1", "2024-03-05 12:00:00", 5, 1) // 64 back
	s.rated("c1", "2024-03-05 12:00:00", 4, 2) // 63 back
	s.rated("c1", "2024-03-05 12:00:00", 3, 66)
	s.rated("c1", "2024-03-05 12:00:00", 3, -1)
	if r := s.run().Ratings; len(r) != 1 || r[0].Life != 2 || r[0].Score != 4 {
		t.Errorf("%v, want one of life 2", r)
	}
}

// TestFlood pushes messages out of an over-long round.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	first := s.consumer("c1", "2024-03-05 10:00:00")
	var second, held *chatv1.ChatEvent
	for i := range 259 {
		e := s.consumer("c1", fmt.Sprintf("2024-03-05 10:0%d:%02d", (i+1)/60, (i+1)%60))
		switch i {
		case 0:
			second = e
		case 119:
			held = e
		}
	}
	// The last is the 260th, at 10:04:19. Four were pushed out, but after 256 s: they stay counted.
	s.shielded("c1", "2024-03-05 10:04:19", first)
	s.shielded("c1", "2024-03-05 10:04:19", second)
	s.shielded("c1", "2024-03-05 10:04:19", held) // of 10:02:00: taken back, but the round began before it
	s.agent("c1", "ann", "2024-03-05 10:04:20")
	for i := range 258 {
		s.consumer("c2", fmt.Sprintf("2024-03-05 11:0%d:%02d", i/2/60, i/2%60))
	}
	// Two were pushed out after 128 s: nobody knows any more.
	s.agent("c2", "ann", "2024-03-05 11:02:10")
	s.tick("2024-03-05 12:00:00")
	r := s.run()
	same(t, "rounds", rounds(r),
		"c1 1: answered 03-05 10:00:00 to 03-05 10:04:20 by ann after 4m20s, counted",
		"c2 1: answered 03-05 11:00:00 to 03-05 11:02:10 by ann after 2m10s, counted, within")
	// c1: of 10:00:00 to 10:04:19 the 180 from 10:01:20 on are good, but for the shielded one. c2: 256 left, all good.
	same(t, "windows", windows(r)[:1],
		"day 03-05: rounds 2 answered 2 within 1, conversations 2 mean 1 strict 1 unanswered 0, messages 515 within 435, ratings 0 bad 0, takeovers 2 bot 6m15s")
}
