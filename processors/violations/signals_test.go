package violations

import (
	"fmt"
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

func TestSignals(t *testing.T) {
	t.Parallel()
	m := NewMachine(policy.Default(), moderator(t))
	agent := &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a1"}
	event := func(conversation string, actor *chatv1.Actor, payload any) *chatv1.ChatEvent {
		ev := &chatv1.ChatEvent{EventId: "e", ShopId: "shop", ConversationId: conversation, Actor: actor, OccurredAtUs: noon}
		switch p := payload.(type) {
		case *chatv1.AgentSignedIn:
			ev.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: p}
		case *chatv1.AgentSignedOut:
			ev.Payload = &chatv1.ChatEvent_AgentSignedOut{AgentSignedOut: p}
		case *chatv1.ConsumerBlocked:
			ev.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: p}
		}
		return ev
	}
	ad := "专业代运营，刷单返佣，真人刷单，加微信 wx_13800138000 详聊"
	for _, c := range []struct {
		name string
		ev   *chatv1.ChatEvent
		want string
	}{
		{"a consumer's advertisement is the consumer's, whatever the shop", message(chatv1.Role_ROLE_CONSUMER, "u1", ad), "consumer:u1 Advertisement, shop/blocks Contacted"},
		{"a shop's is the shop's", message(chatv1.Role_ROLE_AGENT, "a1", ad), "shop/ads Advertisement"},
		{"a question is none", message(chatv1.Role_ROLE_CONSUMER, "u1", "这件衣服什么时候发货呀，我急着穿"), "shop/blocks Contacted"},
		{"a shop's own goods are none", message(chatv1.Role_ROLE_AGENT, "a1", "亲，全场低价出售，新品上架，欢迎选购，满二百减三十"), ""},
		{"a sign-in", event("", agent, &chatv1.AgentSignedIn{Client: "workbench-web"}), "shop/agent/a1 SignIn"},
		{"a sign-out", event("", agent, &chatv1.AgentSignedOut{}), "shop/agent/a1 SignOut"},
		{"a block", event("c", agent, &chatv1.ConsumerBlocked{ConsumerId: "u1"}), "shop/blocks Blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range m.Apply(&statev1.Conduct{}, c.ev, 7).Signals {
				got = append(got, s.Key+" "+strings.TrimPrefix(fmt.Sprintf("%T", s.Payload), "*chatv1.Signal_"))
				if s.EventId != c.ev.EventId || s.AtUs != noon || s.ShopId != "shop" || s.Consumer != strings.HasPrefix(s.Key, "consumer:") {
					t.Errorf("signal %v", s)
				}
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

func TestAConversationIsCountedOnceADay(t *testing.T) {
	t.Parallel()
	m := NewMachine(policy.Default(), moderator(t))
	st := &statev1.Conduct{}
	for i, c := range []struct{ at, want int64 }{{noon, 1}, {noon + 1, 0}, {noon + dayUS, 1}, {noon, 0}} {
		ev := message(chatv1.Role_ROLE_CONSUMER, "u1", "好的")
		ev.OccurredAtUs = c.at
		if got := len(m.Apply(st, ev, int64(i)).Signals); int64(got) != c.want {
			t.Errorf("message %d: %d signals, want %d", i, got, c.want)
		}
	}
}

func TestRefusedClients(t *testing.T) {
	t.Parallel()
	m := NewMachine(policy.Default(), moderator(t))
	refuse := func(actor, client string, at int64) *chatv1.Flag {
		ev := &chatv1.ChatEvent{EventId: fmt.Sprint(at), ShopId: "shop", Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: actor}, OccurredAtUs: at,
			Payload: &chatv1.ChatEvent_ClientRefused{ClientRefused: &chatv1.ClientRefused{Client: client}}}
		got := m.Apply(&statev1.Conduct{}, ev, 1).Flags
		if len(got) != 1 || got[0].Category != chatv1.Category_CATEGORY_MISUSE || got[0].AutoConfirmed || got[0].Offender.Id != "shop" {
			t.Fatalf("flags %v", got)
		}
		return got[0]
	}
	first := refuse("a1", "plugin", noon)
	if again := refuse("a1", "plugin", noon+1); again.FlagId != first.FlagId {
		t.Error("the same client on the same day is another flag")
	}
	for name, other := range map[string]*chatv1.Flag{
		"another account": refuse("a2", "plugin", noon), "another client": refuse("a1", "robot", noon), "another day": refuse("a1", "plugin", noon+dayUS),
	} {
		if other.FlagId == first.FlagId {
			t.Errorf("%s is the same flag", name)
		}
	}
}

func TestAnAbuserMayBeBlocked(t *testing.T) {
	t.Parallel()
	m := NewMachine(policy.Default(), moderator(t))
	st := &statev1.Conduct{}
	if out := m.Apply(st, message(chatv1.Role_ROLE_CONSUMER, "u1", "什么时候发货？你们这些傻逼"), 1); len(out.Flags) == 0 {
		t.Fatal("not flagged")
	}
	block := &chatv1.ChatEvent{EventId: "b", ShopId: "shop", ConversationId: "c", Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a1"}, OccurredAtUs: noon + 1,
		Payload: &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: "u1"}}}
	if out := m.Apply(st, block, 2); len(out.Flags) > 0 {
		t.Errorf("flagged: %v", out.Flags)
	}
}
