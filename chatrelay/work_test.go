package chatrelay

import (
	"testing"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
)

// item is how an agent sees a conversation now.
func (p *person) item(conversation string) (it protocol.InboxItem) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.frames {
		for _, i := range f.Items {
			if i.ConversationID == conversation {
				it = i
			}
		}
		if f.Item != nil && f.Item.ConversationID == conversation {
			it = *f.Item
		}
	}
	return it
}

func TestInbox(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	one, two := h.relay(nil), h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", one.URL()).in()
	first := consumer.say("", "hello")
	consumer.say("", "anybody?")
	agent := h.person(signin.Agent, "a1", "tea", one.URL()).in()
	other := h.person(signin.Agent, "a2", "tea", two.URL()).in()
	for _, p := range []*person{agent, other} {
		p.await("the inbox", func() bool { return p.has(protocol.TypeInbox) == 1 })
		it := p.item("c1")
		if it.WaitingSinceUS != first.OccurredAtUS || it.DueUS != first.OccurredAtUS+180e6 || it.Unreplied != 2 || it.LastText != "anybody?" || it.ConsumerID != "c1" {
			t.Errorf("item %+v", it)
		}
	}
	agent.must(&protocol.Request{Type: protocol.TypeClaim, ConversationID: "c1"})
	other.await("the claim at the other relay", func() bool { return other.item("c1").AgentID == "a1" })

	// A macro is no reply, a word by hand is.
	agent.must(&protocol.Request{Type: protocol.TypeSend, ConversationID: "c1", Text: "welcome", Automatic: true})
	agent.await("the macro", func() bool { return agent.item("c1").LastText == "welcome" })
	if it := agent.item("c1"); it.WaitingSinceUS == 0 || it.Unreplied != 2 {
		t.Errorf("after the macro: %+v", it)
	}
	agent.say("c1", "hello, I am here")
	agent.await("nobody to wait", func() bool { return agent.item("c1").WaitingSinceUS == 0 })

	agent.must(&protocol.Request{Type: protocol.TypeTransfer, ConversationID: "c1", AgentID: "a2"})
	agent.await("the transfer", func() bool { return agent.item("c1").AgentID == "a2" })
	other.await("the transfer", func() bool { return other.item("c1").AgentID == "a2" })
	agent.refused(&protocol.Request{Type: protocol.TypeTransfer, ConversationID: "c1", AgentID: "a1"}, protocol.CodeClaimed)
	manager := h.person(signin.Manager, "m1", "tea", one.URL()).in()
	manager.must(&protocol.Request{Type: protocol.TypeTransfer, ConversationID: "c1", AgentID: "a1"})
	other.await("the manager's transfer", func() bool { return other.item("c1").AgentID == "a1" })

	agent.must(&protocol.Request{Type: protocol.TypeClose, ConversationID: "c1", Reason: "solved"})
	agent.await("the end", func() bool { it := agent.item("c1"); return it.Closed && it.AgentID == "" })
	consumer.await("to be asked for a rating", func() bool { return consumer.has(protocol.TypeAskRating) == 1 })
	consumer.refused(&protocol.Request{Type: protocol.TypeRate, Score: 6}, protocol.CodeInvalid)
	rate := protocol.Request{Type: protocol.TypeRate, ID: "rating", Score: 5}
	again := rate
	consumer.must(&rate)
	consumer.await("the rating", func() bool {
		for _, d := range consumer.got() {
			if d.Event.GetConversationRated().GetScore() == 5 {
				return true
			}
		}
		return false
	})
	consumer.must(&again) // the same once more is acknowledged
	consumer.refused(&protocol.Request{Type: protocol.TypeRate, Score: 1}, protocol.CodeRated)
	consumer.say("", "a new life")
	agent.must(&protocol.Request{Type: protocol.TypeClose, ConversationID: "c1"})
	consumer.await("to be asked once more", func() bool { return consumer.has(protocol.TypeAskRating) == 2 })
	if n := len(h.rated()); n != 1 {
		t.Errorf("%d ratings in the log", n)
	}
}

func (h *bench) rated() (scores []int32) {
	for _, ev := range h.log() {
		if r := ev.GetConversationRated(); r != nil {
			scores = append(scores, r.Score)
		}
	}
	return scores
}

func TestAutomaticAssignment(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	auto := func(c *Config, _ *Dependencies) { c.AutoAssign = true }
	one, two := h.relay(auto), h.relay(auto)
	var agents []*person
	for i, id := range []string{"a1", "a2", "a3"} {
		agents = append(agents, h.person(signin.Agent, id, "tea", []string{one.URL(), two.URL()}[i%2]).in())
	}
	agents[0].must(&protocol.Request{Type: protocol.TypePresence, State: protocol.StateBreak})
	const consumers = 12
	for n := range consumers {
		id := numberOf(n)
		h.person(signin.Consumer, id, "tea", []string{one.URL(), two.URL()}[n%2]).in().say("", "hello")
	}
	seen := func(p *person) map[string]int {
		load := map[string]int{}
		for n := range consumers {
			load[p.item(numberOf(n)).AgentID]++
		}
		return load
	}
	for _, p := range agents {
		p.await("all to be assigned", func() bool { return seen(p)[""] == 0 })
	}
	// All agree, and nobody on a break has got anything.
	want := seen(agents[0])
	for _, p := range agents[1:] {
		for n := range consumers {
			if a, b := p.item(numberOf(n)).AgentID, agents[0].item(numberOf(n)).AgentID; a != b {
				t.Errorf("conversation %d: %s or %s", n, a, b)
			}
		}
	}
	if want["a1"] != 0 {
		t.Errorf("load %v", want)
	}
}

func TestPresenceAndTyping(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	other := h.person(signin.Agent, "a2", "tea", r.URL()).in()
	agent.refused(&protocol.Request{Type: protocol.TypePresence, ID: "p", State: "asleep"}, protocol.CodeInvalid)
	consumer.Post(&protocol.Request{Type: protocol.TypeTyping, On: true})
	agent.await("the consumer's typing", func() bool { return agent.has(protocol.TypeTyping) == 1 })
	if f := agent.of(protocol.TypeTyping)[0]; f.AccountID != "c1" || f.ConversationID != "c1" || !f.On {
		t.Errorf("told %+v", f)
	}
	agent.Post(&protocol.Request{Type: protocol.TypeTyping, ConversationID: "c1", On: true})
	consumer.await("the agent's typing", func() bool { return consumer.has(protocol.TypeTyping) == 1 })
	other.stop()
	agent.await("the other to be gone", func() bool {
		last := agent.of(protocol.TypePresence)
		return len(last) > 0 && last[len(last)-1].AccountID == "a2" && last[len(last)-1].State == protocol.StateOffline
	})
	for _, ev := range h.log() {
		if ev.GetMessage() != nil {
			t.Error("something was published")
		}
	}
}
