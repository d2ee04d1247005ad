package oracle_test

import (
	"fmt"
	"testing"

	"github.com/feigeio/feige/internal/oracle"
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

// TestFlood pushes messages out of an over-long round.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	first := s.consumer("c1", "2024-03-05 10:00:00")
	var second *chatv1.ChatEvent
	for i := range 259 {
		e := s.consumer("c1", fmt.Sprintf("2024-03-05 10:0%d:%02d", (i+1)/60, (i+1)%60))
		if i == 0 {
			second = e
		}
	}
	// The last is the 260th, at 10:04:19. Four were pushed out, but after 256 s: they stay counted.
	s.shielded("c1", "2024-03-05 10:04:19", first)
	s.shielded("c1", "2024-03-05 10:04:19", second)
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
	// c1: of 10:00:00 to 10:04:19 the 180 from 10:01:20 on are good. c2: 256 left, all good.
	same(t, "windows", windows(r)[:1],
		"day 03-05: rounds 2 answered 2 within 1, conversations 2 mean 1 strict 1 unanswered 0, messages 516 within 436, ratings 0 bad 0, takeovers 2 bot 6m15s")
}

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

// TestVerdicts judges a shop by few samples.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	for i := range 40 {
		c := fmt.Sprintf("c%02d", i)
		s.consumer(c, "2024-03-05 10:00:00")
		if i < 27 { // 27 of 40 in 3 minutes: 0.675
			s.agent(c, "ann", "2024-03-05 10:03:00")
		}
		if i < 29 {
			s.rated(c, "2024-03-05 12:00:00", 1, 0) // all bad, but one too few
		}
	}
	s.tick("2024-03-16 00:00:00")
	r := s.run()
	same(t, "decisions", decisions(r),
		"03-01 revision 1 at 0s: rounds 40, missed [manual_reply_3min_rate], restricted 03-16 00:00:00 to 04-01 00:00:00")
	verdicts := map[string]string{}
	for _, i := range r.Decisions[0].Evidence {
		verdicts[i.Name] = i.Verdict.String()
	}
	for name, want := range map[string]string{
		policy.ManualReplyRate: "VERDICT_MISSED", policy.AvgResponseSeconds: "VERDICT_MET",
		policy.DissatisfactionRate: "VERDICT_NOT_JUDGED", policy.UnansweredRate: "VERDICT_REPORTED",
	} {
		if verdicts[name] != want {
			t.Errorf("%s: %s, want %s", name, verdicts[name], want)
		}
	}
	if got := r.Decisions[0].Restrictions; len(got) != 3 {
		t.Errorf("restrictions %v", got)
	}
	s.rated("c30", "2024-03-15 23:30:00", 5, 0)
	s.tick("2024-03-16 01:00:00")
	same(t, "decisions", decisions(s.run())[1:],
		"03-01 revision 2 at 3600s: rounds 40, missed [manual_reply_3min_rate dissatisfaction_rate], restricted 03-16 00:00:00 to 04-01 00:00:00")
}

// TestCompare finds every kind of difference.
func TestCompare(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	s.consumer("c1", "2024-03-05 10:00:00")
	s.agent("c1", "ann", "2024-03-05 10:01:40")
	s.rated("c1", "2024-03-05 10:02:00", 5, 0)
	s.tick("2024-03-16 00:00:00")
	if d := oracle.Compare(s.run(), s.run()); len(d) > 0 {
		t.Fatalf("a result differs from itself: %v", d)
	}
	got := s.run()
	got.Rounds[0].AgentId = "bob"
	got.Lives = append(got.Lives, got.Lives[0])
	got.Ratings = nil
	got.Kpis[0].Indicators[6].Value *= 1.009  // within the tolerance of percentiles
	got.Kpis[0].Indicators[7].Value *= 1.0101 // not so
	got.Decisions = append(got.Decisions, &chatv1.Decision{ShopId: "shop", Revision: 7})
	var found []string
	for _, d := range oracle.Compare(s.run(), got) {
		found = append(found, d.String())
	}
	same(t, "differences", found,
		"rounds shop/c1 round 1: agent_id: want ann, got bob",
		"conversations shop/c1 life 1: duplicate",
		"ratings shop/c1 life 1: missing",
		"service_indicators shop day from 2024-03-04T16:00:00.000000Z p90_response_seconds: value: want 100, got 101.01",
		"restrictions shop period from 1970-01-01T00:00:00.000000Z revision 7: unexpected",
	)
}

// BenchmarkRun reads 60,000 events over 14 years of one partition.
func BenchmarkRun(b *testing.B) {
	var log []oracle.Record
	at := int64(1_267_400_000_000_000)
	for i := range 60_000 {
		e := &chatv1.ChatEvent{
			EventId: fmt.Sprint(i), ShopId: fmt.Sprintf("shop-%d", i%3), ConversationId: fmt.Sprintf("c%d", i%1000), OccurredAtUs: at,
			Actor:   &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: fmt.Sprintf("u%d", i%1000)},
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: written}},
		}
		if i%17 == 5 {
			e.Actor = &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "ann"}
		}
		if i%2 == 0 {
			log = append(log, oracle.Record{Offset: int64(len(log)), Event: &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at}}}})
		}
		log = append(log, oracle.Record{Offset: int64(len(log)), Event: e})
		at += 14 * 365 * 86_400_000_000 / 60_000
	}
	p := policy.Default()
	for b.Loop() {
		oracle.Run(p, log)
	}
}
