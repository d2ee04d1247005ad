package behaviour

import (
	"fmt"
	"math"
	"testing"
)

const minute = 60_000_000

func TestBlock(t *testing.T) {
	t.Parallel()
	check := func(name string, touch Touch, at int64, want Cause, suspicious bool) {
		t.Helper()
		cause, confidence, got := touch.Block(at, 10*minute)
		if got != suspicious || cause != want || got && !(confidence > 0.5 && confidence <= 1) {
			t.Errorf("%s: %q, %.2f, %v; want %q, %v", name, cause, confidence, got, want, suspicious)
		}
	}
	check("nothing before", Touch{}, 5*minute, "", false)
	check("a question", Touch{QuestionUS: minute}, 2*minute, AfterQuestion, true)
	check("exactly the bound", Touch{QuestionUS: minute}, 11*minute, AfterQuestion, true)
	check("after the bound", Touch{QuestionUS: minute}, 11*minute+1, "", false)
	check("the worst is named", Touch{QuestionUS: 9 * minute, ComplaintUS: 8 * minute, BadRatingUS: 7 * minute}, 10*minute, AfterBadRating, true)
	check("an abuser", Touch{QuestionUS: 9 * minute, ViolationUS: 9 * minute}, 10*minute, "", false)
	check("an abuser of long ago", Touch{QuestionUS: 99 * minute, ViolationUS: minute}, 100*minute, AfterQuestion, true)
	check("later than the block", Touch{QuestionUS: 20 * minute}, 10*minute, "", false)
	var touch Touch
	touch.Note(AfterComplaint, 5)
	touch.Note(AfterComplaint, 3)
	if touch.ComplaintUS != 5 {
		t.Errorf("a time that runs backwards: %d", touch.ComplaintUS)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	rule := RateRule{TimesPeerRate: 5, MinConversations: 30}
	check := func(name string, shop, peers Tally, want bool) {
		t.Helper()
		f, got := Rate(shop, peers, rule)
		if got != want || math.IsNaN(f.Times) || math.IsInf(f.Times, 0) || f.Confidence < 0 || f.Confidence > 1 {
			t.Errorf("%s: %+v, %v; want %v", name, f, got, want)
		}
	}
	check("five times", Tally{100, 10}, Tally{10_000, 200}, true)
	check("less", Tally{100, 9}, Tally{10_000, 200}, false)
	check("too few conversations", Tally{29, 29}, Tally{10_000, 200}, false)
	check("too few blocks", Tally{30, 4}, Tally{10_000, 1}, false)
	check("no peers", Tally{100, 50}, Tally{}, false)
	check("peers that never block", Tally{100, 50}, Tally{1000, 0}, true)
}

func TestBlocksByDay(t *testing.T) {
	t.Parallel()
	var b Blocks
	for day := range int64(10) {
		b.Add(day*dayUS+5, Tally{Conversations: 1, Blocks: day})
	}
	if got := b.Sum(9*dayUS + 6); got != (Tally{7, 3 + 4 + 5 + 6 + 7 + 8 + 9}) {
		t.Errorf("seven days: %+v", got)
	}
	b.Add(4*dayUS, Tally{Conversations: 1})
	b.Add(2*dayUS, Tally{Conversations: 100})
	if got := b.Sum(9*dayUS + 6).Conversations; got != 8 {
		t.Errorf("late counts: %d conversations, want 8", got)
	}
	if got := b.Sum(13 * dayUS).Conversations; got != 3 {
		t.Errorf("four days on: %d conversations, want 3", got)
	}
	if got := b.Sum(99 * dayUS); got != (Tally{}) {
		t.Errorf("long after: %+v", got)
	}
	b.Add(1000*dayUS, Tally{Conversations: 1})
	if got := b.Sum(1000 * dayUS); got != (Tally{Conversations: 1}) {
		t.Errorf("after a gap: %+v", got)
	}
}

func TestSignIns(t *testing.T) {
	t.Parallel()
	rule := SignInRule{WithinUS: 10 * minute, MaxNetworks: 2}
	in := func(at int64, session, client, address string) SignIn {
		return SignIn{AtUS: at, SessionID: session, Client: client, Network: NetworkOf(address, 16, 32)}
	}
	check := func(name, want string, ins ...SignIn) {
		t.Helper()
		var s SignIns
		got := ""
		for _, i := range ins {
			got = ""
			if f, found := s.Add(i, rule); found {
				got = f.Kind
				if f.Confidence <= 0 || f.Confidence > 1 {
					t.Errorf("%s: confidence %v", name, f.Confidence)
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	home, away := "10.1.2.3:5000", "172.20.1.1"
	check("the first ever", "", in(1, "a", "web", home))
	check("new client and network within minutes", NewClientAndNetwork, in(1, "a", "web", home), in(2*minute, "b", "app", away))
	check("new client, known network", "", in(1, "a", "web", home), in(2*minute, "b", "app", "10.1.99.9"))
	check("known client, new network", "", in(1, "a", "web", home), in(2*minute, "b", "web", away))
	check("much later", "", in(1, "a", "web", home), in(20*minute, "b", "app", away))
	check("three networks at once", ImpossibleConcurrency, in(1, "a", "web", home), in(20*minute, "b", "web", away), in(40*minute, "c", "web", "192.168.1.1"))
	check("the same session again", "", in(1, "a", "web", home), in(2*minute, "a", "app", away))

	var s SignIns
	s.Add(in(1, "a", "web", home), rule)
	s.Add(in(20*minute, "b", "web", away), rule)
	s.SignOut("a")
	if f, found := s.Add(in(40*minute, "c", "web", "192.168.1.1"), rule); found {
		t.Errorf("a closed session counts: %+v", f)
	}
	for i := range 100 {
		s.Add(in(int64(i)*minute, fmt.Sprint("s", i), fmt.Sprint("client", i), fmt.Sprintf("10.%d.0.1", i)), rule)
	}
	if len(s.Recent) > maxSignIns || len(s.Clients) > maxKnown || len(s.Networks) > maxKnown {
		t.Errorf("%d sign-ins, %d clients, %d networks", len(s.Recent), len(s.Clients), len(s.Networks))
	}
}

func TestNetworkOf(t *testing.T) {
	t.Parallel()
	check := func(address, want string) {
		t.Helper()
		if got := NetworkOf(address, 16, 32); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
	check("10.1.2.3", "10.1.0.0/16")
	check("10.1.2.3:99", "10.1.0.0/16")
	check("::ffff:10.1.2.3", "10.1.0.0/16")
	check("[2001:db8:1::1]:99", "2001:db8::/32")
	check("fe80::1%eth0", "fe80::/32")
	check("somewhere", "somewhere")
	check("", "")
}
