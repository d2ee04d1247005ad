package chatrelay

import (
	"fmt"
	"slices"
	"testing"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func TestTalk(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	one, two := h.relay(nil), h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", one.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", two.URL()).in()
	other := h.person(signin.Consumer, "c2", "tea", two.URL()).in()
	for n := range 20 {
		consumer.say("", fmt.Sprint("question ", n))
		agent.say("c1", fmt.Sprint("answer ", n))
	}
	var want []string
	for n := range 20 {
		want = append(want, fmt.Sprint("question ", n), fmt.Sprint("answer ", n))
	}
	for _, p := range []*person{consumer, agent} {
		p.await("all messages", func() bool { return len(p.texts()) >= len(want) })
		if got := p.texts(); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		if k := p.Check(); !k.OK() || k.Repeats != 0 {
			t.Errorf("check: %+v", k)
		}
	}
	if got := other.got(); len(got) != 0 {
		t.Errorf("another consumer got %v", got)
	}
	d := agent.got()
	last := d[len(d)-1].Event
	if last.Actor.Role != chatv1.Role_ROLE_AGENT || last.Actor.Id != "a1" || last.ConversationId != "c1" || last.ShopId != "tea" || last.GetMessage().Kind != chatv1.MessageKind_MESSAGE_KIND_TEXT {
		t.Errorf("event %v", last)
	}
}

func TestResume(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	small := func(c *Config, _ *Dependencies) { c.Feed.Records = 64 }
	one, two := h.relay(small), h.relay(small)
	agent := h.person(signin.Agent, "a1", "tea", one.URL()).in()
	noise := h.person(signin.Consumer, "c2", "tea", one.URL()).in()
	reader := h.person(signin.Consumer, "c1", "tea", one.URL()).in()
	agent.say("c1", "0000")
	reader.await("the first message", func() bool { return len(reader.texts()) == 1 })
	position := reader.Position()
	reader.stop()
	<-reader.done
	var want []string
	for n := 1; n <= 300; n++ { // more than the relays hold in memory
		text := numberOf(n)
		agent.say("c1", text)
		want = append(want, text)
		if n%3 == 0 {
			noise.say("", "noise")
		}
	}
	for _, r := range []*Relay{one, two} {
		again := h.personWith(clientFrom(h, "c1", position, r.URL()))
		again.in()
		again.await("what was missed", func() bool { return len(again.texts()) >= len(want) })
		agent.say("c1", "live")
		again.await("what comes", func() bool { return len(again.texts()) > len(want) })
		want = append(want, "live")
		if got := again.texts(); !slices.Equal(got, want) {
			t.Errorf("got %d messages: %q", len(got), got)
		}
		if k := again.Check(); !k.OK() {
			t.Errorf("check: %+v", k)
		}
		again.stop()
	}

	t.Run("a position that is none of this log", func(t *testing.T) {
		p := protocol.Position{Partition: one.feed.PartitionOf("tea"), Offset: 1 << 40}
		again := h.personWith(clientFrom(h, "c1", p.String(), one.URL()))
		again.in()
		if k := again.Check(); k.Gaps != 1 {
			t.Errorf("check: %+v", k)
		}
	})
}

func TestResendIsOneEvent(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	one, two := h.relay(nil), h.relay(nil)
	agent := h.person(signin.Agent, "a1", "tea", one.URL()).in()
	ids := map[string]bool{}
	for _, r := range []*Relay{one, two, one} {
		c := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
		for range 3 {
			f := c.must(&protocol.Request{Type: protocol.TypeSend, ID: "again", Text: "once"})
			ids[f.EventID] = true
		}
		c.say("", "next "+r.Addr())
	}
	agent.await("all messages", func() bool { return len(agent.texts()) >= 4 })
	if got := agent.texts(); len(ids) != 1 || len(got) != 4 || got[0] != "once" || slices.Contains(got[1:], "once") {
		t.Errorf("ids %v, texts %q", ids, got)
	}
}
