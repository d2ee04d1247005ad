package ingest

import (
	"errors"
	"strings"
	"testing"
	"time"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC).UnixMicro()
	check := func(name string, change func(ev *chatv1.ChatEvent), code Code, field string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := say("shop", "conv", 1)
			change(ev)
			err := Validate(ev, now)
			if code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var ve *ValidationError
			if !errors.As(err, &ve) || ve.Code != code || ve.Field != field || ve.Reason == "" {
				t.Fatalf("got %v, want %s of %s", err, code, field)
			}
		})
	}
	check("good", func(*chatv1.ChatEvent) {}, "", "")
	check("no event id", func(ev *chatv1.ChatEvent) { ev.EventId = "" }, CodeEmptyID, "event_id")
	check("no shop", func(ev *chatv1.ChatEvent) { ev.ShopId = "" }, CodeEmptyID, "shop_id")
	check("slash in shop", func(ev *chatv1.ChatEvent) { ev.ShopId = "a/b" }, CodeBadID, "shop_id")
	check("shop like a tick", func(ev *chatv1.ChatEvent) { ev.ShopId = "~tick-0" }, CodeBadID, "shop_id")
	check("longest shop", func(ev *chatv1.ChatEvent) { ev.ShopId = strings.Repeat("x", 128) }, "", "")
	check("long shop", func(ev *chatv1.ChatEvent) { ev.ShopId = strings.Repeat("x", 129) }, CodeBadID, "shop_id")
	check("shop not UTF-8", func(ev *chatv1.ChatEvent) { ev.ShopId = "a\xff" }, CodeInvalidUTF8, "shop_id")
	check("line end in shop", func(ev *chatv1.ChatEvent) { ev.ShopId = "a\nb" }, CodeBadID, "shop_id")
	check("no conversation", func(ev *chatv1.ChatEvent) { ev.ConversationId = "" }, CodeEmptyID, "conversation_id")
	check("slash in conversation", func(ev *chatv1.ChatEvent) { ev.ConversationId = "a/b" }, "", "")
	check("year 2000", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = minTimeUS }, CodeBadTime, "occurred_at_us")
	check("after 2000", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = minTimeUS + 1 }, "", "")
	check("no time", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = 0 }, CodeBadTime, "occurred_at_us")
	check("10 minutes ahead", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = now + 600e6 }, "", "")
	check("more than 10 minutes ahead", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = now + 600e6 + 1 }, CodeFutureTime, "occurred_at_us")
	check("no actor", func(ev *chatv1.ChatEvent) { ev.Actor = nil }, CodeUnknownRole, "actor.role")
	check("unknown role", func(ev *chatv1.ChatEvent) { ev.Actor.Role = 9 }, CodeUnknownRole, "actor.role")
	check("negative role", func(ev *chatv1.ChatEvent) { ev.Actor.Role = -1 }, CodeUnknownRole, "actor.role")
	check("no account", func(ev *chatv1.ChatEvent) { ev.Actor.Id = "" }, CodeEmptyID, "actor.id")
	check("system without account", func(ev *chatv1.ChatEvent) { ev.Actor = &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM} }, "", "")
	check("no payload", func(ev *chatv1.ChatEvent) { ev.Payload = nil }, CodeNoPayload, "payload")
	check("tick", func(ev *chatv1.ChatEvent) { ev.Payload = &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: 1}} }, CodeTick, "payload")
	check("empty message", func(ev *chatv1.ChatEvent) { ev.Payload = &chatv1.ChatEvent_Message{} }, CodeUnknownKind, "message.kind")
	check("unknown kind", func(ev *chatv1.ChatEvent) { ev.GetMessage().Kind = 8 }, CodeUnknownKind, "message.kind")
	check("16 KiB", func(ev *chatv1.ChatEvent) { ev.GetMessage().Text = strings.Repeat("x", 16<<10) }, "", "")
	check("more than 16 KiB", func(ev *chatv1.ChatEvent) { ev.GetMessage().Text = strings.Repeat("x", 16<<10+1) }, CodeLongText, "message.text")
	check("text not UTF-8", func(ev *chatv1.ChatEvent) { ev.GetMessage().Text = "\xc3" }, CodeInvalidUTF8, "message.text")
	check("attachment not UTF-8", func(ev *chatv1.ChatEvent) {
		ev.GetMessage().Attachments = []*chatv1.Attachment{{FileName: "\xc3"}}
	}, CodeInvalidUTF8, "message.attachments")
	check("nil attachment", func(ev *chatv1.ChatEvent) { ev.GetMessage().Attachments = []*chatv1.Attachment{nil} }, "", "")
	check("too large", func(ev *chatv1.ChatEvent) {
		for range 20 {
			ev.GetMessage().Attachments = append(ev.GetMessage().Attachments, &chatv1.Attachment{QrPayloads: []string{strings.Repeat("x", 16<<10)}})
		}
	}, CodeTooLarge, "event")
	check("score 0", func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{}}
	}, CodeBadScore, "conversation_rated.score")
	check("score 6", func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 6}}
	}, CodeBadScore, "conversation_rated.score")
	check("score 5", func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 5}}
	}, "", "")
	check("agent rates", func(ev *chatv1.ChatEvent) {
		ev.Actor.Role = chatv1.Role_ROLE_AGENT
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 5}}
	}, CodeRoleMismatch, "actor.role")
	check("consumer signs in as agent", func(ev *chatv1.ChatEvent) {
		ev.ConversationId = ""
		ev.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{}}
	}, CodeRoleMismatch, "actor.role")
	check("resume of a conversation", func(ev *chatv1.ChatEvent) {
		ev.Actor.Role = chatv1.Role_ROLE_AGENT
		ev.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
	}, CodeMisplacedField, "conversation_id")
	check("resume", func(ev *chatv1.ChatEvent) {
		ev.Actor.Role, ev.ConversationId = chatv1.Role_ROLE_AGENT, ""
		ev.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
	}, "", "")
	check("shields nothing", func(ev *chatv1.ChatEvent) {
		ev.Actor.Role = chatv1.Role_ROLE_SYSTEM
		ev.Payload = &chatv1.ChatEvent_MessageShielded{}
	}, CodeEmptyID, "message_shielded.message_event_id")
	check("blocks nobody", func(ev *chatv1.ChatEvent) {
		ev.Actor.Role = chatv1.Role_ROLE_AGENT
		ev.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{}}
	}, CodeEmptyID, "consumer_blocked.consumer_id")
	if err := Validate(nil, now); err == nil {
		t.Error("nil event is accepted")
	}
}

// FuzzValidate: whatever bytes decode to, the check answers and what it lets through can be published.
func FuzzValidate(f *testing.F) {
	good, err := say("shop", "conv", 1).MarshalVT()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		ev := &chatv1.ChatEvent{}
		if ev.UnmarshalVT(data) != nil {
			return
		}
		if Validate(ev, 1_800_000_000_000_000) != nil {
			return
		}
		rec, err := encode(ev)
		if err != nil || rec.size() > MaxEvent+MaxShopID+MaxID+1+recordOverhead {
			t.Errorf("accepted, but %v, %d bytes", err, rec.size())
		}
	})
}
