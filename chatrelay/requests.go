package chatrelay

import (
	"context"
	"time"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// operations are the requests about one conversation or shop, and what a role must be allowed for them.
var operations = map[protocol.Type]struct {
	op signin.Op
	do func(*session, *protocol.Request, target)
}{
	protocol.TypeSend:            {signin.OpSend, (*session).send},
	protocol.TypeTyping:          {signin.OpTyping, (*session).typing},
	protocol.TypeRead:            {signin.OpRead, (*session).markRead},
	protocol.TypeOpen:            {signin.OpOpen, (*session).open},
	protocol.TypeClose:           {signin.OpClose, (*session).close},
	protocol.TypeRate:            {signin.OpRate, (*session).rate},
	protocol.TypeClaim:           {signin.OpClaim, (*session).claim},
	protocol.TypeTransfer:        {signin.OpTransfer, (*session).transfer},
	protocol.TypeBlock:           {signin.OpBlock, (*session).block},
	protocol.TypeUnblock:         {signin.OpBlock, (*session).block},
	protocol.TypeResumeReception: {signin.OpResumeReception, (*session).resumeReception},
	protocol.TypePresence:        {signin.OpPresence, (*session).presence},
	protocol.TypeHistory:         {signin.OpHistory, (*session).history},
	protocol.TypeLink:            {signin.OpLink, (*session).link},
}

// target is what a request is about.
type target struct{ shop, conversation string }

// handle answers one request.
func (s *session) handle(req *protocol.Request) {
	switch req.Type {
	case protocol.TypePing:
		s.tell(&protocol.Frame{Type: protocol.TypePong, Re: req.ID})
		return
	case protocol.TypeHello:
		s.out.end(protocol.Problemf(protocol.CodeHelloFirst, "hello has been said"), req.ID)
		return
	case protocol.TypeResume:
		s.resume(req)
		return
	case protocol.TypeWatch:
		s.watch(req)
		return
	}
	o, known := operations[req.Type]
	if !known {
		s.fail(protocol.Problemf(protocol.CodeBadFrame, "unknown type"), req.ID)
		if s.bad++; s.bad >= maxBadFrames {
			s.out.end(protocol.Problemf(protocol.CodeBadFrame, "%d frames that are none", s.bad), "")
		}
		return
	}
	t, p := s.target(req, o.op)
	if p != nil {
		s.fail(p, req.ID)
		return
	}
	o.do(s, req, t)
}

// target finds what the request is about and makes sure that the account may do it there.
func (s *session) target(req *protocol.Request, op signin.Op) (target, *protocol.Problem) {
	t := target{shop: s.shop, conversation: req.ConversationID}
	if req.ShopID != "" && (s.id.Role == signin.Service || s.id.Role == signin.Reviewer || s.id.Role == signin.Auditor) {
		t.shop = req.ShopID
	}
	ofShop := op == signin.OpResumeReception || op == signin.OpPresence
	if ofShop {
		t.conversation = ""
	} else if t.conversation == "" {
		t.conversation = s.conversation
	}
	forbidden := protocol.Problemf(protocol.CodeForbidden, "not for this role, or not in this shop or conversation")
	if t.shop == "" || !plausibleShop(t.shop) || !ofShop && t.conversation == "" {
		return t, forbidden
	}
	if ok, _ := s.id.Allowed(op, t.shop, t.conversation); !ok || req.ShopID != "" && t.shop != req.ShopID {
		return t, forbidden
	}
	return t, nil
}

// resume begins delivery again after a position.
func (s *session) resume(req *protocol.Request) {
	if s.shop == "" || len(s.follows) == 0 {
		s.fail(protocol.Problemf(protocol.CodeForbidden, "nothing is delivered here"), req.ID)
		return
	}
	after := feed.Now
	if req.Position != "" {
		var p *protocol.Problem
		if after, p = s.relay.parsePosition(s.shop, req.Position); p != nil {
			s.fail(p, req.ID)
			return
		}
	}
	s.caught.Store(false)
	s.relay.feed.Leave(s.follows[0])
	s.follows = s.follows[1:]
	ctx, cancel := context.WithCancel(s.relay.ctx)
	defer cancel()
	if p := s.follow(ctx, s.shop, after, req.ID); p != nil {
		s.out.end(p, req.ID) // without delivery the connection is of no use
	}
}

// maxWatched is how many shops one service connection may watch.
const maxWatched = 100_000

// watch delivers one more shop to a service.
func (s *session) watch(req *protocol.Request) {
	if ok, _ := s.id.Allowed(signin.OpWatch, req.ShopID, ""); !ok || !plausibleShop(req.ShopID) {
		s.fail(protocol.Problemf(protocol.CodeForbidden, "not for this role, or not this shop"), req.ID)
		return
	}
	if _, already := s.watched[req.ShopID]; already || req.ShopID == s.shop {
		s.fail(protocol.Problemf(protocol.CodeInvalid, "the shop is watched already"), req.ID)
		return
	}
	if len(s.watched) >= maxWatched {
		s.fail(protocol.Problemf(protocol.CodeTooMany, "at most %d shops", maxWatched), req.ID)
		return
	}
	after := feed.Now
	if req.Position != "" {
		var p *protocol.Problem
		if after, p = s.relay.parsePosition(req.ShopID, req.Position); p != nil {
			s.fail(p, req.ID)
			return
		}
	}
	s.relay.registry.watch(s, req.ShopID)
	ctx, cancel := context.WithCancel(s.relay.ctx)
	defer cancel()
	if p := s.follow(ctx, req.ShopID, after, req.ID); p != nil {
		s.relay.registry.unwatch(s, req.ShopID)
		s.fail(p, req.ID)
		return
	}
	s.tell(&protocol.Frame{Type: protocol.TypeReception, ShopID: req.ShopID, Reception: s.relay.reception(req.ShopID, true)})
}

func (s *session) typing(req *protocol.Request, t target) {
	if ok, _ := s.relay.limits.typing.take(s.id.Key(), time.Now()); !ok {
		return
	}
	f := &protocol.Frame{Type: protocol.TypeTyping, ShopID: t.shop, ConversationID: t.conversation, AccountID: s.id.Account, Role: string(s.id.Role), On: req.On}
	if s.id.Role == signin.Consumer {
		if p := s.relay.maySpeak(s.id, t); p == nil {
			s.relay.registry.ofShop(t.shop, func(o *session) { o.tell(f) })
		}
		return
	}
	s.relay.registry.ofAccount(account{signin.Consumer, t.conversation}, func(o *session) {
		if o.shop == t.shop {
			o.tell(f)
		}
	})
}

func (s *session) markRead(req *protocol.Request, t target) {
	s.commit(req, s.event(t.shop, t.conversation, &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationRead{
		ConversationRead: &chatv1.ConversationRead{UpToEventId: req.UpToEventID}}}))
}

func (s *session) open(req *protocol.Request, t target) {
	s.commit(req, s.event(t.shop, t.conversation, &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationOpened{
		ConversationOpened: &chatv1.ConversationOpened{}}}))
}

func (s *session) close(req *protocol.Request, t target) {
	reason := req.Reason
	if reason == "" {
		reason = string(s.id.Role)
	}
	s.commit(req, s.event(t.shop, t.conversation, &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationClosed{
		ConversationClosed: &chatv1.ConversationClosed{Reason: reason}}}))
}

func (s *session) rate(req *protocol.Request, t target) {
	if req.Life == 0 && s.hasRated() {
		// A resend of the rating that stands is acknowledged as it was.
		id := protocol.EventID(t.shop, t.conversation, string(s.id.Role), s.id.Account, req.Type, req.ID)
		if _, same := s.relay.feed.Known(t.shop, id); !same {
			s.fail(protocol.Problemf(protocol.CodeRated, "the conversation has its rating"), req.ID)
			return
		}
	}
	s.commit(req, s.event(t.shop, t.conversation, &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ConversationRated{
		ConversationRated: &chatv1.ConversationRated{Score: req.Score, Life: req.Life}}}))
}

func (s *session) resumeReception(req *protocol.Request, t target) {
	s.commit(req, s.event(t.shop, "", &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}}))
}
