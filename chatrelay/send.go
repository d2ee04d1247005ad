package chatrelay

import (
	"math"
	"strings"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// send publishes a message.
func (s *session) send(req *protocol.Request, t target) {
	if p := s.relay.maySpeak(s.id, t); p != nil {
		s.fail(p, req.ID)
		return
	}
	m, p := s.message(req, t)
	if p != nil {
		s.fail(p, req.ID)
		return
	}
	ev := s.event(t.shop, t.conversation, &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_Message{Message: m}})
	ev.Actor.Automatic = req.Automatic && s.ofShop()
	s.commit(req, ev)
}

// offender is who answers for what an account does.
func offender(id signin.Identity, shop string) string {
	if id.Role == signin.Consumer {
		return schemas.OffenderKey("consumer", id.Account)
	}
	return schemas.OffenderKey("shop", shop)
}

// maySpeak refuses those who are banned, muted, or blocked, before anything is published.
func (r *Relay) maySpeak(id signin.Identity, t target) *protocol.Problem {
	standing := r.tables.Standing(offender(id, t.shop))
	switch {
	case standing.Banned:
		return protocol.Problemf(protocol.CodeBanned, "the account is banned")
	case standing.Muted(r.nowUS()):
		return protocol.Problemf(protocol.CodeMuted, "the account is muted")
	case id.Role == signin.Consumer && r.tables.Blocked(t.shop, t.conversation):
		return protocol.Problemf(protocol.CodeBlocked, "the shop has blocked this account")
	}
	return nil
}

// sanction is what a client is told of what is in force against its account.
func (r *Relay) sanction(a account, shop string) protocol.Sanction {
	if a.role != signin.Consumer && shop == "" {
		return protocol.Sanction{}
	}
	st := r.tables.Standing(offender(signin.Identity{Role: a.role, Account: a.id}, shop))
	out := protocol.Sanction{Banned: st.Banned}
	switch {
	case st.MutedUntilUS == math.MaxInt64:
		out.MutedUntilUS = -1
	case st.Muted(r.nowUS()):
		out.MutedUntilUS = st.MutedUntilUS
	}
	return out
}

// message is what a request says, checked.
func (s *session) message(req *protocol.Request, t target) (*chatv1.Message, *protocol.Problem) {
	m := &chatv1.Message{Text: req.Text, ClientMessageId: req.ID}
	if limit := s.relay.deps.Policy.At(s.relay.nowUS()).Messages.TextLimitBytes; len(m.Text) > limit {
		return nil, protocol.Problemf(protocol.CodeInvalid, "text has %d bytes, at most %d", len(m.Text), limit)
	}
	if req.Card != nil {
		m.Card = &chatv1.Card{Kind: req.Card.Kind, Id: req.Card.ID, Title: req.Card.Title}
	}
	for _, receipt := range req.Attachments {
		if s.relay.files == nil {
			return nil, protocol.Problemf(protocol.CodeInvalid, "this relay takes no attachments")
		}
		a, err := s.relay.files.Redeem(receipt, s.place(t), s.relay.nowUS())
		if err != nil {
			return nil, protocol.Problemf(protocol.CodeInvalid, "attachments: a receipt is not good: upload again")
		}
		m.Attachments = append(m.Attachments, a)
	}
	var p *protocol.Problem
	m.Kind, p = kindOf(req.Kind, m)
	return m, p
}

// kindOf finds the kind of a message, and refuses one that the message is not.
func kindOf(name string, m *chatv1.Message) (chatv1.MessageKind, *protocol.Problem) {
	text := strings.TrimSpace(m.Text) != ""
	pictures := false
	for _, a := range m.Attachments {
		pictures = pictures || strings.HasPrefix(a.MimeType, "image/")
	}
	var kind chatv1.MessageKind
	switch {
	case name != "":
		kind = chatv1.MessageKind(chatv1.MessageKind_value[name])
	case m.Card != nil:
		kind = chatv1.MessageKind_MESSAGE_KIND_CARD
	case pictures:
		kind = chatv1.MessageKind_MESSAGE_KIND_PICTURE
	case len(m.Attachments) > 0:
		kind = chatv1.MessageKind_MESSAGE_KIND_FILE
	default:
		kind = chatv1.MessageKind_MESSAGE_KIND_TEXT
	}
	fits := false
	switch kind {
	case chatv1.MessageKind_MESSAGE_KIND_TEXT, chatv1.MessageKind_MESSAGE_KIND_EMOJI:
		fits = text
	case chatv1.MessageKind_MESSAGE_KIND_CARD:
		fits = m.Card.GetId() != "" || m.Card.GetTitle() != ""
	case chatv1.MessageKind_MESSAGE_KIND_PICTURE:
		fits = pictures
	case chatv1.MessageKind_MESSAGE_KIND_FILE:
		fits = len(m.Attachments) > 0
	}
	if !fits {
		return 0, protocol.Problemf(protocol.CodeInvalid, "the message is empty, or not of the kind that it says")
	}
	return kind, nil
}
