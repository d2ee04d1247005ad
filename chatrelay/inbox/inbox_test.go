package inbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const start = int64(1_764_000_000_000_000)

// script feeds a box.
type script struct {
	*testing.T
	box *Box
	n   int
}

func newScript(t *testing.T) *script { return &script{t, New("tea", policy.Default()), 0} }

func (s *script) event(at time.Duration, conv string, actor *chatv1.Actor, ev *chatv1.ChatEvent) *Item {
	s.n++
	if ev.EventId == "" {
		ev.EventId = fmt.Sprint("e", s.n)
	}
	ev.ShopId, ev.ConversationId, ev.OccurredAtUs, ev.Actor = "tea", conv, start+at.Microseconds(), actor
	return s.box.Apply(ev, false)
}

func consumer(id string) *chatv1.Actor {
	return &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: id}
}
func agent(id string) *chatv1.Actor { return &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: id} }

func text(t string) *chatv1.ChatEvent {
	return &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: t}}}
}

func transfer(from, to string) *chatv1.ChatEvent {
	return &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{FromAgentId: from, ToAgentId: to}}}
}

func closed() *chatv1.ChatEvent {
	return &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{}}}
}

func shielded(id string) *chatv1.ChatEvent {
	return &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: id}}}
}

func (s *script) waits(conv string, since time.Duration, unreplied int) {
	s.Helper()
	it, _ := s.box.Get(conv)
	want := int64(0)
	if unreplied > 0 {
		want = start + since.Microseconds()
	}
	if it.WaitingSinceUS != want || it.Unreplied != unreplied {
		s.Errorf("%s waits since %d with %d, want %d with %d", conv, it.WaitingSinceUS, it.Unreplied, want, unreplied)
	}
	if unreplied > 0 && it.DueUS != want+180e6 {
		s.Errorf("%s is due at %d", conv, it.DueUS)
	}
}

func (s *script) has(conv, who string) {
	s.Helper()
	if it, _ := s.box.Get(conv); it.Agent != who {
		s.Errorf("%s is with %q, want %q", conv, it.Agent, who)
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	s.event(0, "c", consumer("c"), text("1"))
	s.event(time.Second, "c", consumer("c"), text("2"))
	s.waits("c", 0, 2)
	bot := &chatv1.Actor{Role: chatv1.Role_ROLE_BOT, Id: "b"}
	s.event(2*time.Second, "c", bot, text("I am a bot"))
	s.waits("c", 0, 2)
	macro := agent("a")
	macro.Automatic = true
	s.event(3*time.Second, "c", macro, text("welcome"))
	s.waits("c", 0, 2)
	file := text("")
	file.GetMessage().Kind = chatv1.MessageKind_MESSAGE_KIND_FILE
	s.event(3*time.Second, "c", agent("a"), file)
	s.waits("c", 0, 2)
	s.event(4*time.Second, "c", agent("a"), text("hello"))
	s.waits("c", 0, 0)

	s.event(5*time.Second, "c", consumer("c"), text("3"))
	sanctioned := consumer("c")
	sanctioned.Sanctioned = true
	if it := s.event(6*time.Second, "c", sanctioned, text("muted")); it != nil {
		t.Error("a left-out message changed something")
	}
	s.waits("c", 5*time.Second, 1)
	s.event(7*time.Second, "c", agent("a"), closed())
	s.waits("c", 0, 0)
}

func TestShielding(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	for i := range 3 {
		ev := text(fmt.Sprint(i))
		ev.EventId = fmt.Sprint("m", i)
		s.event(time.Duration(i)*time.Second, "c", consumer("c"), ev)
	}
	s.event(4*time.Second, "c", &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM}, shielded("m0"))
	s.waits("c", time.Second, 2)
	if it := s.box.Shield("c", "m2"); it == nil || it.LastText != "" {
		t.Errorf("item %+v", it)
	}
	s.waits("c", time.Second, 1)
	if s.box.Shield("c", "unknown") != nil || s.box.Shield("nobody", "m1") != nil {
		t.Error("a shield of nothing changed something")
	}
	s.box.Shield("c", "m1")
	s.waits("c", 0, 0)
}

func TestAssignment(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	s.event(0, "c", consumer("c"), text("1"))
	s.event(1, "c", agent("a"), transfer("", "a"))
	s.has("c", "a")
	if it := s.event(2, "c", agent("b"), transfer("", "b")); it != nil {
		t.Error("a claim that came too late changed something")
	}
	s.has("c", "a")
	s.event(3, "c", agent("a"), transfer("a", "b"))
	s.has("c", "b")
	// Who comes in the middle believes the first that it sees.
	s.event(4, "d", agent("x"), transfer("y", "x"))
	s.has("d", "x")
	if load := s.box.Load(); load["b"] != 1 || load["x"] != 1 {
		t.Errorf("load %v", load)
	}
	s.event(5, "c", agent("b"), closed())
	s.has("c", "")
	s.event(6, "c", consumer("c"), text("again"))
	if un := s.box.Unassigned(10); len(un) != 1 || un[0].Conversation != "c" {
		t.Errorf("unassigned %v", un)
	}
	// A life that lapsed takes its assignment along.
	s.event(25*time.Hour, "d", consumer("d"), text("1"))
	s.event(25*time.Hour, "d", agent("a"), transfer("x", "z"))
	s.has("d", "")
}

func TestOrderAndBounds(t *testing.T) {
	t.Parallel()
	s := newScript(t)
	for i := range maxItems + 50 {
		id := fmt.Sprint("c", i)
		s.event(time.Duration(i)*time.Second, id, consumer(id), text(strings.Repeat("长", 100)))
		if i%2 == 1 {
			s.event(time.Duration(i)*time.Second, id, agent("a"), text("hello"))
		}
	}
	if s.box.Len() != maxItems {
		t.Errorf("%d items", s.box.Len())
	}
	items, more := s.box.Items(10)
	if len(items) != 10 || !more || items[0].Conversation != "c0" || items[1].Conversation != "c2" {
		t.Errorf("items %+v", items)
	}
	if got := []rune(items[0].LastText); len(got) != maxPreview+1 {
		t.Errorf("preview of %d runes", len(got))
	}
	for i := range 3 * maxHeld {
		s.event(time.Duration(maxItems+i)*time.Second, "flood", consumer("flood"), text("x"))
	}
	it, _ := s.box.Get("flood")
	if len(it.pending) != maxHeld || it.Unreplied != 3*maxHeld || it.WaitingSinceUS != start+maxItems*1e6 {
		t.Errorf("flood: %d held, %d unreplied", len(it.pending), it.Unreplied)
	}
	gone := s.box.Expire(start + (200 * time.Hour).Microseconds())
	if len(gone) != maxItems || s.box.Len() != 0 {
		t.Errorf("%d gone, %d left", len(gone), s.box.Len())
	}
}
