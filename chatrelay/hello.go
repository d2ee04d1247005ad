package chatrelay

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// maxClientName is the longest name or version of a client, bytes.
const maxClientName = 64

// begin finds out who it is and whether it may come in. After it the session is registered.
func (s *session) begin(h *protocol.Request) *protocol.Problem {
	r := s.relay
	if !slices.Contains(h.Versions, protocol.Version) {
		return protocol.Problemf(protocol.CodeVersion, "this relay speaks version %d only", protocol.Version)
	}
	id, p := r.identify(h.Token)
	if p != nil {
		return p
	}
	s.id, s.shop = id, id.Shop
	if p := s.placeIn(h.ShopID); p != nil {
		return p
	}
	if p := s.checkClient(h); p != nil {
		return p
	}
	if !r.tables.Ready() {
		return protocol.Problemf(protocol.CodeTryAgain, "the relay is not ready: it reads what is in force")
	}
	key, err := uuid.NewV7()
	if err != nil {
		return asProblem(err)
	}
	s.key = key.String()
	if !r.limits.open.enter("account "+id.Key(), r.accountConnections(id.Role)) {
		return protocol.Problemf(protocol.CodeTooMany, "too many connections of this account")
	}
	if s.works() {
		s.state.Store(protocol.StateOnline)
		if p := s.publish(s.event(s.shop, "", &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{
			Client: h.Client, ClientVersion: h.ClientVersion, Address: s.address, SessionId: s.key}}})); p != nil {
			r.limits.open.leave("account " + id.Key())
			return p
		}
	}
	r.registry.add(s)
	r.metrics.connections.WithLabelValues(string(id.Role)).Inc()
	return nil
}

// identify verifies a token.
func (r *Relay) identify(token string) (signin.Identity, *protocol.Problem) {
	id, err := r.verifier.Verify(token, time.UnixMicro(r.nowUS()))
	if err != nil {
		return id, protocol.Problemf(protocol.CodeUnauthorized, "%s", err.Error())
	}
	return id, nil
}

func (r *Relay) accountConnections(role signin.Role) int {
	if role == signin.Service {
		return r.cfg.Limits.Connections
	}
	return r.cfg.Limits.AccountConnections
}

// placeIn takes the shop that the hello names where the token names none.
func (s *session) placeIn(shop string) *protocol.Problem {
	if s.shop == "" {
		if shop != "" && !plausibleShop(shop) {
			return protocol.Problemf(protocol.CodeForbidden, "no such shop")
		}
		s.shop = shop
	} else if shop != "" && shop != s.shop {
		return protocol.Problemf(protocol.CodeForbidden, "the token is for another shop")
	}
	if s.id.Role == signin.Consumer {
		if s.shop == "" {
			return protocol.Problemf(protocol.CodeForbidden, "neither token nor hello names a shop")
		}
		s.conversation = s.id.Account
	}
	return nil
}

func plausibleShop(shop string) bool {
	return len(shop) <= ingest.MaxShopID && shop[0] != '~' && !strings.ContainsFunc(shop, func(c rune) bool { return c < 0x20 || c == 0x7f || c == '/' })
}

// checkClient is 2.10: unauthorised clients and pages are refused, and that is an event.
func (s *session) checkClient(h *protocol.Request) *protocol.Problem {
	if len(h.Client) > maxClientName || len(h.ClientVersion) > maxClientName {
		return protocol.Problemf(protocol.CodeBadFrame, "client and clientVersion have at most %d bytes", maxClientName)
	}
	r := s.relay
	var reason string
	rule := &r.deps.Policy.At(r.nowUS()).Accounts
	switch {
	case s.id.Client != "" && s.id.Client != h.Client:
		reason = "the token is for another client"
	case !rule.IsAuthorised(h.Client) && !slices.Contains(r.cfg.Clients, h.Client):
		reason = "the client is not authorised"
	case !r.allowed(s.origin):
		reason = "the origin is not authorised"
	default:
		return nil
	}
	if s.shop != "" {
		ev := s.event(s.shop, "", &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_ClientRefused{ClientRefused: &chatv1.ClientRefused{
			Client: h.Client, Address: s.address, Reason: reason}}})
		if role := ev.Actor.Role; role != chatv1.Role_ROLE_CONSUMER && role != chatv1.Role_ROLE_AGENT {
			ev.Actor.Role = chatv1.Role_ROLE_SYSTEM
		}
		r.publishLater(ev)
	}
	return protocol.Problemf(protocol.CodeClientRefused, "%s", reason)
}

// start welcomes, hands over what was missed, and begins delivery.
func (s *session) start(h *protocol.Request) *protocol.Problem {
	r := s.relay
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	follows := s.shop != "" && signin.May(s.id.Role, signin.OpFollow) != signin.Never
	after := feed.Now
	if h.Position != "" && follows {
		p, problem := r.parsePosition(s.shop, h.Position)
		if problem != nil {
			return problem
		}
		after = p
	}
	if follows {
		// The welcome tells of a position, so the partition must be open.
		if err := r.feed.Open(ctx, s.shop); err != nil {
			return feedProblem(err)
		}
	}
	s.welcome(h)
	if follows {
		if p := s.follow(ctx, s.shop, after, h.ID); p != nil {
			return p
		}
	}
	if s.works() {
		if err := r.desks.join(ctx, s); err != nil {
			return feedProblem(err)
		}
	}
	return nil
}

func (s *session) welcome(h *protocol.Request) {
	r := s.relay
	now := r.nowUS()
	rule := r.deps.Policy.At(now)
	f := &protocol.Frame{
		Type: protocol.TypeWelcome, Re: h.ID, Version: protocol.Version, AccountID: s.id.Account, Role: string(s.id.Role), SessionID: s.key,
		ShopID: s.shop, ConversationID: s.conversation, NowUS: now,
		Limits: &protocol.Limits{FrameBytes: protocol.MaxFrame, TextBytes: rule.Messages.TextLimitBytes, UploadBytes: r.cfg.Attachments.MaxBytes,
			Attachments: protocol.MaxAttachments, PingSeconds: max(1, int(r.cfg.Timeouts.Idle/(3*time.Second)))},
	}
	if s.shop != "" {
		if at, ok := r.feed.Head(s.shop); ok && h.Position == "" {
			f.Position = at.String()
		}
		f.Reception = r.reception(s.shop, s.ofShop())
	}
	if sanction := r.sanction(s.account(), s.shop); sanction != (protocol.Sanction{}) {
		f.Sanction = &sanction
	}
	if s.works() {
		f.QuickText = r.quick.of(s.shop)
	}
	s.tell(f)
}

// follow delivers a shop's events after a position, first what was missed.
func (s *session) follow(ctx context.Context, shop string, after int64, re string) *protocol.Problem {
	fo := &feed.Follower{Shop: shop, Conversation: s.conversation, Deliver: s.deliver}
	fo.Caught = func(at protocol.Position) {
		s.tell(&protocol.Frame{Type: protocol.TypeCaughtUp, Re: re, ShopID: shop, Position: at.String()})
		if shop == s.shop {
			s.caught.Store(true)
		}
	}
	missed := s.deliverMissed(ctx)
	err := s.relay.feed.Follow(ctx, fo, after, missed)
	if isGone(err) {
		s.fail(protocol.Problemf(protocol.CodePositionGone, "the log does not reach back to that position; read history"), re)
		err = s.relay.feed.Follow(ctx, fo, feed.Now, missed)
	}
	if err != nil {
		return feedProblem(err)
	}
	s.follows = append(s.follows, fo)
	if s.conversation != "" {
		s.askRating()
	}
	return nil
}

// finish takes the session out of everything.
func (s *session) finish() {
	r := s.relay
	for _, fo := range s.follows {
		r.feed.Leave(fo)
	}
	r.registry.remove(s)
	r.metrics.connections.WithLabelValues(string(s.id.Role)).Dec()
	r.limits.open.leave("account " + s.id.Key())
	if s.works() {
		r.desks.leave(s)
		r.publishLater(s.event(s.shop, "", &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_AgentSignedOut{AgentSignedOut: &chatv1.AgentSignedOut{SessionId: s.key}}}))
	}
}
