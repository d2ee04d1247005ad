package oracle_test

import (
	"fmt"
	"testing"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/scenario"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestReception goes through the section on reception.
func TestReception(t *testing.T) {
	t.Parallel()
	at := func(i int) string { return fmt.Sprintf("2024-03-05 10:%02d:00", i) }
	row := func(s *script, conversation string, from, n int) (sent []*chatv1.ChatEvent) {
		for i := range n {
			sent = append(sent, s.consumer(conversation, at(from+i)))
		}
		return sent
	}
	cases := []struct {
		name      string
		script    func(s *script)
		takeovers []string
	}{
		{
			name: "across consumers, until a reply to anyone",
			script: func(s *script) {
				for i := range 11 {
					s.consumer(fmt.Sprintf("c%d", i%3), at(i))
				}
				s.agent("c9", "ann", at(20))
			},
			takeovers: []string{"1: across, 11 of 3 consumers, 03-05 10:10:00 to 03-05 10:20:00, evidence [0 1 2 3 4 5 6 7 8 9 10]"},
		},
		{
			name: "a reply to anyone breaks the streak across, but not another consumer's row",
			script: func(s *script) {
				row(s, "c1", 0, 10)
				s.agent("c2", "ann", at(10))
				row(s, "c1", 11, 1)
			},
			takeovers: []string{"1: same, 11 of 1 consumers, 03-05 10:11:00 to -, evidence [0 1 2 3 4 5 6 7 8 9 11]"},
		},
		{
			name: "a row that still stands triggers again",
			script: func(s *script) {
				row(s, "c1", 0, 12)
				s.agent("c2", "ann", at(12))
				row(s, "c1", 13, 1)
			},
			takeovers: []string{
				"1: same, 11 of 1 consumers, 03-05 10:10:00 to 03-05 10:12:00, evidence [0 1 2 3 4 5 6 7 8 9 10]",
				"2: same, 11 of 1 consumers, 03-05 10:13:00 to -, evidence [2 3 4 5 6 7 8 9 10 11 13]",
			},
		},
		{
			name: "a resume empties everything",
			script: func(s *script) {
				row(s, "c1", 0, 12)
				s.resumed(at(12))
				row(s, "c1", 13, 10)
			},
			takeovers: []string{"1: same, 11 of 1 consumers, 03-05 10:10:00 to 03-05 10:12:00, evidence [0 1 2 3 4 5 6 7 8 9 10]"},
		},
		{
			name: "a shielded message is taken out of both counts",
			script: func(s *script) {
				sent := row(s, "c1", 0, 10)
				s.shielded("c1", at(10), sent[4])
				row(s, "c1", 11, 1)
				row(s, "c2", 12, 1)
			},
			takeovers: []string{"1: across, 11 of 2 consumers, 03-05 10:12:00 to -, evidence [0 1 2 3 5 6 7 8 9 11 12]"},
		},
		{
			name: "expiry and closing do not make a message replied",
			script: func(s *script) {
				row(s, "c1", 0, 10)
				s.closed("c1", at(20))
				s.consumer("c1", "2024-03-07 10:00:00")
			},
			takeovers: []string{"1: same, 11 of 1 consumers, 03-07 10:00:00 to -, evidence [0 1 2 3 4 5 6 7 8 9 11]"},
		},
		{
			name: "a takeover goes by the shop's newest time",
			script: func(s *script) {
				row(s, "c2", 30, 1)
				row(s, "c1", 0, 10)
				s.resumed(at(5))
			},
			takeovers: []string{"1: across, 11 of 2 consumers, 03-05 10:30:00 to 03-05 10:30:00, evidence [0 1 2 3 4 5 6 7 8 9 10]"},
		},
		{
			name: "nothing of a bot, a macro, or a left-out message counts",
			script: func(s *script) {
				row(s, "c1", 0, 10)
				s.consumer("c1", at(10)).Actor.Automatic = true
				s.consumer("c1", at(11)).Actor.Sanctioned = true
				s.consumer("c1", at(12)).GetMessage().Shielded = true
				s.bot("c1", at(13))
				s.agent("c1", "ann", at(14)).Actor.Automatic = true
			},
			takeovers: []string{},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &script{t: t}
			c.script(s)
			same(t, "takeovers", takeovers(s.run()), c.takeovers...)
		})
	}
}

// TestBotTime tells how long a takeover that lasts is taken to last.
func TestBotTime(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	for range 11 {
		s.consumer("c1", "2024-03-05 22:00:00")
	}
	s.tick("2024-03-06 01:00:00")
	want := func(step string, values ...string) {
		t.Helper()
		var got []string
		for _, k := range s.run().Kpis {
			got = append(got, fmt.Sprintf("%s %v %d s", clockOf(k.StartUs), k.Pending, k.BotUs/1e6))
		}
		same(t, step, got, values...)
	}
	want("up to the newest message", "03-05 00:00:00 false 0 s", "03-01 00:00:00 false 0 s")
	s.consumer("c2", "2024-03-06 09:00:00") // changes all that the takeover touches
	want("before the tick", "03-05 00:00:00 true 0 s", "03-01 00:00:00 true 0 s")
	s.tick("2024-03-06 09:30:00")
	want("in the morning", "03-05 00:00:00 false 3600 s", "03-06 00:00:00 false 3600 s", "03-01 00:00:00 false 7200 s")
	s.tick("2024-03-08 00:00:00") // the second day is final, and the bot had it to its end
	want("after two days", "03-05 00:00:00 false 3600 s", "03-06 00:00:00 false 54000 s", "03-01 00:00:00 false 7200 s")
	s.agent("c2", "ann", "2024-03-08 10:00:00")
	s.tick("2024-03-08 11:00:00")
	want("handed back", "03-05 00:00:00 false 3600 s", "03-06 00:00:00 false 54000 s", "03-01 00:00:00 false 118800 s")
	s.tick("2024-03-16 00:00:00")
	if d := s.run().Decisions[0].Evidence[13]; d.Name != policy.BotSeconds || d.Value != 118800 {
		t.Errorf("decision: %v", d)
	}
}

// TestPolicies reads logs by other policies than the built-in one.
func TestPolicies(t *testing.T) {
	t.Parallel()
	variant := func(name string) *policy.Set {
		for _, v := range scenario.Policies() {
			if v.Name == name {
				return v.Set
			}
		}
		t.Fatalf("no policy %q", name)
		return nil
	}
	at := func(i int) string { return fmt.Sprintf("2024-03-05 10:%02d:00", i) }
	t.Run("a resume that keeps the counts", func(t *testing.T) {
		t.Parallel()
		s := &script{t: t} // limit 3
		for i := range 6 {
			s.consumer(fmt.Sprintf("c%d", i%3), at(i))
		}
		s.resumed(at(10))
		s.consumer("c9", at(11)) // (b) holds the first four, and still does
		same(t, "takeovers", takeovers(s.runBy(variant("resume keeps counts"))),
			"1: across, 4 of 3 consumers, 03-05 10:03:00 to 03-05 10:10:00, evidence [0 1 2 3]",
			"2: across, 4 of 3 consumers, 03-05 10:11:00 to -, evidence [0 1 2 3]")
	})
	t.Run("conversations as the unit", func(t *testing.T) {
		t.Parallel()
		s := &script{t: t} // limit 2
		for i := range 9 {
			s.consumer("c1", at(i)) // one conversation
		}
		for i := range 2 {
			s.consumer(fmt.Sprintf("c%d", i+2), at(10+i)).Actor.Id = "of-c1"
		}
		same(t, "takeovers", takeovers(s.runBy(variant("unit conversation"))),
			"1: same, 3 of 1 consumers, 03-05 10:11:00 to -, evidence [0 9 10]")
	})
	t.Run("a reply does not hand back", func(t *testing.T) {
		t.Parallel()
		s := &script{t: t} // limit 3
		for i := range 4 {
			s.consumer("c1", at(i))
		}
		s.agent("c1", "ann", at(5))
		s.resumed(at(9))
		same(t, "takeovers", takeovers(s.runBy(variant("resume only"))),
			"1: same, 4 of 1 consumers, 03-05 10:03:00 to 03-05 10:09:00, evidence [0 1 2 3]")
	})
	t.Run("the version at a round's start decides about it", func(t *testing.T) {
		t.Parallel()
		s := &script{t: t}
		s.consumer("c1", "2024-02-28 22:59:00") // version one: 08:00 to 23:00, 180 s
		s.agent("c1", "ann", "2024-02-29 00:00:00")
		s.consumer("c2", "2024-02-29 08:59:00") // version two: from 09:00 on, 60 s, expiry after 12 h
		s.consumer("c3", "2024-02-29 09:00:00")
		s.agent("c3", "ann", "2024-02-29 09:01:01")
		s.bot("c2", "2024-02-29 20:59:00") // version three since 20:00
		same(t, "rounds", rounds(s.runBy(variant("several versions"))),
			"c1 1: answered 02-28 22:59:00 to 02-29 00:00:00 by ann after 1h1m0s, counted",
			"c2 1: expired 02-29 08:59:00 to 02-29 20:59:00",
			"c3 1: answered 02-29 09:00:00 to 02-29 09:01:01 by ann after 1m1s, counted")
	})
}
