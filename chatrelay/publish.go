package chatrelay

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// actorRole is on whose behalf an account acts.
func actorRole(role signin.Role) chatv1.Role {
	switch role {
	case signin.Consumer:
		return chatv1.Role_ROLE_CONSUMER
	case signin.Agent, signin.Manager:
		return chatv1.Role_ROLE_AGENT
	case signin.Service:
		return chatv1.Role_ROLE_BOT
	}
	return chatv1.Role_ROLE_SYSTEM
}

// event fills in what all events of the session have.
func (s *session) event(shop, conversation string, ev *chatv1.ChatEvent) *chatv1.ChatEvent {
	ev.ShopId, ev.ConversationId = shop, conversation
	ev.OccurredAtUs = s.relay.nowUS()
	ev.Actor = &chatv1.Actor{Role: actorRole(s.id.Role), Id: s.id.Account}
	if id, err := uuid.NewV7(); err == nil { // it fails only where the system has no randomness
		ev.EventId = id.String()
	}
	return ev
}

// publish returns nil once Kafka has the event.
func (s *session) publish(ev *chatv1.ChatEvent) *protocol.Problem {
	return s.relay.publish(s.relay.ctx, ev)
}

func (r *Relay) publish(ctx context.Context, ev *chatv1.ChatEvent) *protocol.Problem {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeouts.Publish)
	defer cancel()
	err := r.deps.Publisher.Publish(ctx, ev)
	if err == nil {
		return nil
	}
	var invalid *ingest.ValidationError
	if errors.As(err, &invalid) {
		return protocol.Problemf(protocol.CodeInvalid, "%s: %s (%s)", invalid.Field, invalid.Reason, invalid.Code)
	}
	if errors.Is(err, ingest.ErrRefused) {
		r.log.Error("relay: kafka refuses what is published", "error", err)
		return protocol.Problemf(protocol.CodeInternal, "Kafka refuses the event")
	}
	if errors.Is(err, ingest.ErrNoTopic) || errors.Is(err, ingest.ErrPartitions) {
		r.log.Error("relay: publishing fails", "error", err)
	}
	p := protocol.Problemf(protocol.CodeTryAgain, "Kafka does not take it now; nothing acknowledged is lost")
	p.RetryAfterMS = 500
	return p
}

// publishLater publishes what nobody waits for. What cannot be published in time is counted and left.
func (r *Relay) publishLater(ev *chatv1.ChatEvent) {
	r.leftovers.Add(1)
	go func() {
		defer r.leftovers.Done()
		select {
		case r.farewells <- struct{}{}:
			defer func() { <-r.farewells }()
		default:
			r.metrics.unpublished.Inc()
			return
		}
		if p := r.publish(context.WithoutCancel(r.ctx), ev); p != nil {
			r.metrics.unpublished.Inc()
		}
	}()
}

// commit publishes the event of a request and acknowledges it. The same request again is the same event.
func (s *session) commit(req *protocol.Request, ev *chatv1.ChatEvent) {
	r := s.relay
	if req.ID == "" {
		s.fail(protocol.Problemf(protocol.CodeBadFrame, "%s needs an id", req.Type), "")
		return
	}
	if p := r.limits.message(s.id, s.address, ev.ShopId); p != nil {
		s.fail(p, req.ID)
		return
	}
	ev.EventId = protocol.EventID(ev.ShopId, ev.ConversationId, string(s.id.Role), s.id.Account, req.Type, req.ID)
	at := ev.OccurredAtUs
	if known, ok := r.feed.Known(ev.ShopId, ev.EventId); ok {
		at = known.Event.OccurredAtUs
		r.metrics.resent.Inc()
	} else {
		if p := s.publish(ev); p != nil {
			s.fail(p, req.ID)
			return
		}
		r.metrics.ack.Observe(float64(r.nowUS()-at) / 1e6)
	}
	s.tell(&protocol.Frame{Type: protocol.TypeAck, Re: req.ID, EventID: ev.EventId, OccurredAtUS: at})
}

// feedProblem is what a client is told when the log cannot be read.
func feedProblem(err error) *protocol.Problem {
	if isGone(err) {
		return protocol.Problemf(protocol.CodePositionGone, "the log does not reach back that far")
	}
	if errors.Is(err, feed.ErrUnavailable) {
		return protocol.Problemf(protocol.CodeTryAgain, "the log cannot be read now")
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return protocol.Problemf(protocol.CodeGoingAway, "the connection ends")
	}
	return asProblem(err)
}

func isGone(err error) bool { return errors.Is(err, feed.ErrGone) }

// parsePosition makes sure that a position is one of the shop's partition.
func (r *Relay) parsePosition(shop, text string) (int64, *protocol.Problem) {
	p, err := protocol.ParsePosition(text)
	if err != nil {
		return 0, asProblem(err)
	}
	if p.Partition != r.feed.PartitionOf(shop) {
		return 0, protocol.Problemf(protocol.CodeBadFrame, "the position is not one of this shop")
	}
	return p.Offset, nil
}
