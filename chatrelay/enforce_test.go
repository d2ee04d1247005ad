package chatrelay

import (
	"math"
	"testing"
	"time"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// penalty writes a value of the penalties table.
func (h *bench) penalty(applied int64, p *statev1.Penalty) {
	h.t.Helper()
	p.AppliedPlusOne = uint64(applied + 1)
	kind := "consumer"
	if p.Offender.Kind == chatv1.OffenderKind_OFFENDER_KIND_SHOP {
		kind = "shop"
	}
	value, err := p.MarshalVT()
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(schemas.TableOf(schemas.GroupPenalties), schemas.OffenderKey(kind, p.Offender.Id), value)
}

func consumerOffender(id string) *chatv1.Offender {
	return &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, Id: id}
}

func TestSanctionedAccountsCannotSpeak(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	say := &protocol.Request{Type: protocol.TypeSend, Text: "hello"}
	fresh := func() *protocol.Request { c := *say; return &c }
	standing := func(what string, n int) {
		t.Helper()
		consumer.await(what, func() bool { return consumer.has(protocol.TypeSanction) == n })
	}

	h.penalty(10, &statev1.Penalty{Offender: consumerOffender("c1"), MutedUntilUs: math.MaxInt64})
	standing("the mute for good", 1)
	if s := consumer.of(protocol.TypeSanction)[0].Sanction; s.MutedUntilUS != -1 || s.Banned {
		t.Errorf("told %+v", s)
	}
	consumer.refused(fresh(), protocol.CodeMuted)
	// A record that a zombie wrote late does not undo it.
	h.penalty(9, &statev1.Penalty{Offender: consumerOffender("c1")})
	h.penalty(11, &statev1.Penalty{Offender: consumerOffender("c1"), Banned: true})
	standing("the ban", 2)
	consumer.refused(fresh(), protocol.CodeBanned)

	until := time.Now().Add(1500 * time.Millisecond)
	h.penalty(12, &statev1.Penalty{Offender: consumerOffender("c1"), MutedUntilUs: until.UnixMicro()})
	standing("the short mute", 3)
	if time.Now().Before(until.Add(-300 * time.Millisecond)) {
		consumer.refused(fresh(), protocol.CodeMuted)
	}
	standing("its end", 4)
	consumer.say("", "I may speak")

	h.penalty(13, &statev1.Penalty{Offender: &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_SHOP, Id: "tea"}, Banned: true})
	agent.await("the shop's ban", func() bool { return agent.has(protocol.TypeSanction) == 1 })
	f := fresh()
	f.ConversationID = "c1"
	agent.refused(f, protocol.CodeBanned)

	messages := 0
	for _, ev := range h.log() {
		if ev.GetMessage() != nil {
			messages++
		}
	}
	if messages != 1 {
		t.Errorf("%d messages in the log, want 1: nothing refused is published", messages)
	}
}

func TestBlockedConsumersCannotSpeak(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	one, two := h.relay(nil), h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", one.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", two.URL()).in()
	consumer.say("", "hello")
	agent.refused(&protocol.Request{Type: protocol.TypeBlock, ConversationID: "c1"}, protocol.CodeInvalid) // no reason
	agent.must(&protocol.Request{Type: protocol.TypeBlock, ConversationID: "c1", Reason: "spam"})
	await(t, "the block at the other relay", func() bool { return one.tables.Blocked("tea", "c1") })
	consumer.refused(&protocol.Request{Type: protocol.TypeSend, Text: "x"}, protocol.CodeBlocked)
	for _, d := range consumer.got() {
		if d.Event.GetConsumerBlocked() != nil {
			t.Error("the consumer was told of the block")
		}
	}
	agent.must(&protocol.Request{Type: protocol.TypeUnblock, ConversationID: "c1"})
	await(t, "its end", func() bool { return !one.tables.Blocked("tea", "c1") })
	consumer.say("", "again")

	// A relay that never saw the event knows it from the table.
	value, err := (&statev1.Conversation{AppliedPlusOne: 1 << 30, Blocked: true}).MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	h.write(schemas.TableOf(schemas.GroupConversations), schemas.EventKey("tea", "c9"), value)
	three := h.relay(nil)
	blocked := h.person(signin.Consumer, "c9", "tea", three.URL()).in()
	blocked.refused(&protocol.Request{Type: protocol.TypeSend, Text: "x"}, protocol.CodeBlocked)
}

func TestShield(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	bad := consumer.say("", "bad")
	consumer.say("", "good")
	agent.await("both", func() bool { return len(agent.texts()) == 2 })
	shield := func(applied int64, reversed bool) {
		h.penalty(applied, &statev1.Penalty{Offender: consumerOffender("c1"), Sanctions: []*chatv1.Sanction{{
			SanctionId: "s1", Kind: chatv1.SanctionKind_SANCTION_KIND_SHIELD, ShopId: "tea", ConversationId: "c1", EventId: bad.EventID, Reversed: reversed}}})
	}
	start := time.Now()
	shield(1, false)
	agent.await("the shield", func() bool { return agent.has(protocol.TypeShield) == 1 })
	t.Logf("sanction to the other side's client: %v", time.Since(start).Round(time.Millisecond))
	if f := agent.of(protocol.TypeShield)[0]; f.EventID != bad.EventID || !f.On || f.ConversationID != "c1" {
		t.Errorf("told %+v", f)
	}
	if consumer.has(protocol.TypeShield) != 0 {
		t.Error("its own side was told to hide it")
	}
	history := func(p *person, want int) {
		t.Helper()
		f := p.must(&protocol.Request{Type: protocol.TypeHistory, ConversationID: "c1"})
		messages := 0
		for _, e := range f.Events {
			if ev := eventOf(t, e.Event); ev.GetMessage() != nil {
				messages++
			}
		}
		if messages != want {
			t.Errorf("%d messages in history, want %d", messages, want)
		}
	}
	history(agent, 1)
	history(consumer, 2)
	late := h.person(signin.Agent, "a2", "tea", r.URL()).in()
	history(late, 1)
	late.await("the inbox", func() bool { return late.has(protocol.TypeInbox) == 1 })
	if it := late.of(protocol.TypeInbox)[0].Items; len(it) != 1 || it[0].Unreplied != 1 || it[0].LastText != "good" {
		t.Errorf("inbox %+v", it)
	}

	shield(2, true)
	agent.await("its end", func() bool { return agent.has(protocol.TypeShield) == 2 })
	if f := agent.of(protocol.TypeShield)[1]; f.On {
		t.Errorf("told %+v", f)
	}
	history(agent, 2)

	// The log itself can shield, too.
	h.publishEvent(&chatv1.ChatEvent{EventId: "0198c0de-0000-7000-8000-000000000001", ShopId: "tea", ConversationId: "c1", OccurredAtUs: time.Now().UnixMicro(),
		Actor:   &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM},
		Payload: &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: bad.EventID}}})
	agent.await("the log's shield", func() bool { return agent.has(protocol.TypeShield) == 3 })
	history(agent, 1)
}

func TestReceptionIsTold(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	write := func(applied int64, bot bool, streak int) {
		st := &statev1.Reception{AppliedPlusOne: uint64(applied + 1), Takeover: &statev1.TakeoverState{Bot: bot}}
		if bot {
			st.Takeover.Number = 1
			st.Takeover.Lasting = &statev1.Lasting{StartedAtUs: 77}
		}
		for range streak {
			st.Takeover.Streak = append(st.Takeover.Streak, &statev1.StreakEntry{})
		}
		value, err := st.MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		h.write(schemas.TableOf(schemas.GroupReception), "tea", value)
	}
	write(1, false, 4)
	agent.await("the count", func() bool { return agent.has(protocol.TypeReception) == 1 })
	if f := agent.of(protocol.TypeReception)[0].Reception; f.Mode != protocol.ModeManual || f.Unreplied != 4 || f.Limit != 10 {
		t.Errorf("agent told %+v", f)
	}
	write(2, true, 11)
	consumer.await("the bot", func() bool { return consumer.has(protocol.TypeReception) == 1 })
	if f := consumer.of(protocol.TypeReception)[0].Reception; f.Mode != protocol.ModeBot || f.Unreplied != 0 || f.SinceUS != 77 || f.Number != 1 {
		t.Errorf("consumer told %+v", f)
	}
	late := h.person(signin.Consumer, "c2", "tea", r.URL()).in()
	if w := late.Welcome(); w.Reception == nil || w.Reception.Mode != protocol.ModeBot {
		t.Errorf("welcome %+v", w.Reception)
	}
	write(3, false, 0)
	consumer.await("its end", func() bool { return consumer.has(protocol.TypeReception) == 2 })
}
