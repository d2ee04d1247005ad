package chatrelay

import (
	"context"
	"slices"
	"time"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

const (
	// scanBack is how many records of the partition are read back where there is no archive.
	scanBack = 50_000
	// historyTimeout bounds the reading of one answer.
	historyTimeout = 10 * time.Second
	// maxReason is the longest reason for a reading, bytes.
	maxReason = 1024
)

// history answers with a stretch of a conversation, newest last.
func (s *session) history(req *protocol.Request, t target) {
	r := s.relay
	if p := s.mayRead(req, t, "history"); p != nil {
		s.fail(p, req.ID)
		return
	}
	before := feed.Now
	if req.Before != "" {
		var p *protocol.Problem
		if before, p = r.parsePosition(t.shop, req.Before); p != nil {
			s.fail(p, req.ID)
			return
		}
	}
	limit := req.Limit
	if limit <= 0 || limit > protocol.MaxHistory {
		limit = protocol.MaxHistory
	}
	ctx, cancel := context.WithTimeout(r.ctx, historyTimeout)
	defer cancel()
	recs, more, err := r.past(ctx, s.id, t, before, limit)
	if err != nil {
		s.fail(err, req.ID)
		return
	}
	f := &protocol.Frame{Type: protocol.TypeHistory, Re: req.ID, ShopID: t.shop, ConversationID: t.conversation, More: more, Events: []protocol.Entry{}}
	size := 0
	for i, rec := range recs { // newest first
		body, err := feed.EventJSON(rec.Event)
		if err != nil {
			continue // no publisher lets that through
		}
		// The answer must fit the queue.
		if size += len(body) + 64; size > r.cfg.Queue.Bytes/2 && i > 0 {
			f.More = true
			break
		}
		f.Events = append(f.Events, protocol.Entry{Position: rec.Position().String(), Event: body})
	}
	slices.Reverse(f.Events)
	if len(f.Events) > 0 && f.More {
		f.Before = f.Events[0].Position
	}
	s.tell(f)
}

// mayRead takes from the limits and keeps a record where one is due.
func (s *session) mayRead(req *protocol.Request, t target, what string) *protocol.Problem {
	if ok, wait := s.relay.limits.reads.take(s.id.Key(), time.Now()); !ok {
		return limited("this account reads too much", wait)
	}
	if len(req.Reason) > maxReason {
		return protocol.Problemf(protocol.CodeInvalid, "reason has at most %d bytes", maxReason)
	}
	op := signin.OpHistory
	if req.Type == protocol.TypeLink {
		op = signin.OpLink
	}
	_, recorded := s.id.Allowed(op, t.shop, t.conversation)
	if recorded || s.relay.deps.Policy.At(s.relay.nowUS()).Confidentiality.AuditedReaders == policy.ReadersEveryone {
		return s.record(t, what, req.Reason)
	}
	return nil
}

// past returns what the identity may see of a conversation before an offset, newest first: what memory holds,
// and then what the archive does.
func (r *Relay) past(ctx context.Context, id signin.Identity, t target, before int64, limit int) (recs []*feed.Record, more bool, err error) {
	seen := map[string]bool{}
	take := func(rec *feed.Record) bool {
		if !seen[rec.Event.EventId] && r.visible(id.Role, id.Account, rec) {
			seen[rec.Event.EventId] = true
			recs = append(recs, rec)
		}
		return len(recs) <= limit
	}
	first, err := r.feed.Newest(ctx, t.shop, t.conversation, before, take)
	if err != nil {
		return nil, false, feedProblem(err)
	}
	if before != feed.Now {
		first = min(first, before)
	}
	for len(recs) <= limit {
		older, err := r.older(ctx, t, first, limit+1)
		if err != nil {
			if len(recs) > 0 {
				return recs, true, nil // the rest is there for the next request, and its error
			}
			return nil, false, protocol.Problemf(protocol.CodeHistoryAway, "older history cannot be read now")
		}
		for _, rec := range older {
			if first = rec.Offset; !take(rec) {
				break
			}
		}
		if len(older) <= limit {
			break
		}
	}
	if len(recs) > limit {
		return recs[:limit], true, nil
	}
	return recs, false, nil
}

// older asks the archive, or reads back a bounded part of the log.
func (r *Relay) older(ctx context.Context, t target, before int64, limit int) ([]*feed.Record, error) {
	number := r.feed.PartitionOf(t.shop)
	if r.deps.Archive != nil {
		return r.deps.Archive.Older(ctx, t.shop, t.conversation, number, before, limit)
	}
	start, err := r.feed.Start(ctx, t.shop)
	if err != nil {
		return nil, err
	}
	var recs []*feed.Record
	err = r.feed.Scan(ctx, number, max(start, before-scanBack), before, t.shop, func(rec *feed.Record) error {
		if rec.Event.ConversationId == t.conversation {
			recs = append(recs, rec)
		}
		return nil
	})
	slices.Reverse(recs)
	return recs[:min(limit, len(recs))], err
}
