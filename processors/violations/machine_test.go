package violations

import (
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

const noon = 1_790_000_000_000_000

func message(role chatv1.Role, id, text string) *chatv1.ChatEvent {
	return &chatv1.ChatEvent{
		EventId: "e-" + text, ShopId: "shop", ConversationId: "c", Actor: &chatv1.Actor{Role: role, Id: id}, OccurredAtUs: noon,
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: text}},
	}
}

func moderator(t *testing.T) *moderation.Moderator {
	t.Helper()
	m, err := moderation.New(moderation.DefaultConfig(), moderation.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessages(t *testing.T) {
	t.Parallel()
	m := NewMachine(policy.Default(), moderator(t))
	for _, c := range []struct {
		name     string
		ev       *chatv1.ChatEvent
		category chatv1.Category
		offender string
	}{
		{"a consumer's phone number", message(chatv1.Role_ROLE_CONSUMER, "u1", "加我微信 wx_13800138000 详聊"), chatv1.Category_CATEGORY_THIRD_PARTY_INFO, "u1"},
		{"an agent's is the shop's", message(chatv1.Role_ROLE_AGENT, "a1", "加我微信 wx_13800138000 详聊"), chatv1.Category_CATEGORY_THIRD_PARTY_INFO, "shop"},
		{"ordinary service", message(chatv1.Role_ROLE_CONSUMER, "u1", "这件衣服什么时候发货呀"), 0, ""},
		{"the platform's own words", message(chatv1.Role_ROLE_SYSTEM, "", "加我微信 wx_13800138000 详聊"), 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			flags := m.Apply(&statev1.Conduct{}, c.ev, 7).Flags
			if c.category == 0 {
				if len(flags) != 0 {
					t.Fatalf("flagged: %v", flags)
				}
				return
			}
			if len(flags) == 0 {
				t.Fatal("not flagged")
			}
			f := flags[0]
			if f.Category != c.category || f.Offender.Id != c.offender || f.Kind == "" || f.PolicyVersion == "" {
				t.Errorf("flag %v", f)
			}
			text := []rune(c.ev.GetMessage().Text)
			if f.SpanFrom < 0 || f.SpanTo <= f.SpanFrom || int(f.SpanTo) > len(text) {
				t.Errorf("span %d to %d of %d runes", f.SpanFrom, f.SpanTo, len(text))
			}
			again := m.Apply(&statev1.Conduct{}, c.ev, 9).Flags
			if len(again) != len(flags) || again[0].FlagId != f.FlagId {
				t.Error("the same event yields other flags the second time")
			}
		})
	}
}

func TestShieldedMessagesAreNotJudgedAgain(t *testing.T) {
	t.Parallel()
	ev := message(chatv1.Role_ROLE_CONSUMER, "u1", "加我微信 wx_13800138000 详聊")
	ev.GetMessage().Shielded = true
	if out := NewMachine(policy.Default(), moderator(t)).Apply(&statev1.Conduct{}, ev, 1); len(out.Flags)+len(out.Signals) > 0 || out.Changed {
		t.Errorf("%+v", out)
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	m := NewMachine(policy.Default(), moderator(t))
	soon := policy.Default().At(noon).Detection.MaliciousBlock.SoonAfterUS
	at := func(ev *chatv1.ChatEvent, us int64) *chatv1.ChatEvent { ev.OccurredAtUs = us; return ev }
	block := func(us int64) *chatv1.ChatEvent {
		return &chatv1.ChatEvent{EventId: "b", ShopId: "shop", ConversationId: "c", Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a1"}, OccurredAtUs: us,
			Payload: &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: "u1"}}}
	}
	rating := func(score int32) *chatv1.ChatEvent {
		return &chatv1.ChatEvent{EventId: "r", ShopId: "shop", ConversationId: "c", Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: "u1"}, OccurredAtUs: noon,
			Payload: &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: score}}}
	}
	for _, c := range []struct {
		name string
		log  []*chatv1.ChatEvent
		want string
	}{
		{"after a question, at the last instant", []*chatv1.ChatEvent{message(chatv1.Role_ROLE_CONSUMER, "u1", "多久到货？"), block(noon + soon)}, "after_question"},
		{"an instant later", []*chatv1.ChatEvent{message(chatv1.Role_ROLE_CONSUMER, "u1", "多久到货？"), block(noon + soon + 1)}, ""},
		{"after a complaint", []*chatv1.ChatEvent{message(chatv1.Role_ROLE_CONSUMER, "u1", "我要投诉你们"), block(noon + 1)}, "after_complaint"},
		{"a bad rating outweighs a question", []*chatv1.ChatEvent{message(chatv1.Role_ROLE_CONSUMER, "u1", "多久到货？"), rating(1), block(noon + 1)}, "after_bad_rating"},
		{"a good rating is no reason", []*chatv1.ChatEvent{rating(5), block(noon + 1)}, ""},
		{"out of the blue", []*chatv1.ChatEvent{block(noon)}, ""},
		{"before the question", []*chatv1.ChatEvent{at(message(chatv1.Role_ROLE_CONSUMER, "u1", "多久到货？"), noon+10), block(noon)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			st := &statev1.Conduct{}
			var got []string
			for i, ev := range c.log {
				out := m.Apply(st, ev, int64(i))
				if out.Changed && st.AppliedPlusOne != uint64(i)+1 {
					t.Errorf("state rests on offset %d", int64(st.AppliedPlusOne)-1)
				}
				for _, f := range out.Flags {
					if f.AutoConfirmed || f.Offender.Id != "shop" {
						t.Errorf("flag %v", f)
					}
					got = append(got, f.Kind)
				}
			}
			if strings.Join(got, ",") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
