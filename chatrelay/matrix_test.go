package chatrelay

import (
	"errors"
	"fmt"
	"testing"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
)

// TestMatrix has every role try every request in its own conversation, in another's of its shop, and in another
// shop. What it is not allowed by the table of roles and operations must be forbidden, and the rest must not.
func TestMatrix(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(func(c *Config, _ *Dependencies) { c.Attachments.URL = "mem://" })
	for _, role := range signin.Roles() {
		shop := "tea"
		if role == signin.Reviewer || role == signin.Auditor || role == signin.Service {
			shop = ""
		}
		p := h.person(role, "me", shop, r.URL())
		<-p.Ready()
		id := signin.Identity{Role: role, Account: "me", Shop: shop}
		for typ, o := range operations {
			if typ == protocol.TypeTyping {
				continue // it has no answer
			}
			for n, place := range []target{{"tea", "me"}, {"tea", "other"}, {"toys", "me"}} {
				req := &protocol.Request{Type: typ, ID: fmt.Sprint(typ, n), ShopID: place.shop, ConversationID: place.conversation,
					Text: "x", Score: 5, Reason: "r", AgentID: "a", State: protocol.StateOnline, AttachmentID: "none"}
				want, _ := id.Allowed(o.op, place.shop, place.conversation)
				_, err := p.do(req)
				var problem *protocol.Problem
				forbidden := errors.As(err, &problem) && problem.Code == protocol.CodeForbidden
				if forbidden == want {
					t.Errorf("%s %s in %v: %v, allowed is %v", role, typ, place, err, want)
				}
			}
		}
	}
	// What was published came from those who may.
	for _, ev := range h.log() {
		if c := ev.ConversationId; ev.ShopId != "tea" && ev.Actor.Id == "me" && ev.Actor.Role.String() != "ROLE_BOT" || c == "other" && ev.Actor.Role.String() == "ROLE_CONSUMER" {
			t.Errorf("event %v", ev)
		}
	}
}
