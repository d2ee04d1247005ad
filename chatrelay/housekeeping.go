package chatrelay

import (
	"context"
	"math"
	"time"

	"github.com/feigeio/feige/chatrelay/protocol"
)

// housekeep does what nobody asks for: ends connections that are silent or whose tokens are no longer good,
// tells positions, reads key files anew, and clears inboxes.
func (r *Relay) housekeep(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed := false
		if n%5 == 0 {
			var err error
			if changed, err = r.verifier.Reload(); err != nil {
				r.log.Error("relay: keys or revocation list cannot be read anew; what was known stands", "error", err)
			}
			r.desks.each(func(d *desk) { d.expire(r.nowUS()); d.assign() })
		}
		if n%60 == 59 {
			r.feed.Rest()
		}
		now := time.Now()
		at := time.UnixMicro(r.nowUS())
		r.registry.each(func(s *session) {
			switch {
			case now.UnixNano()-s.heard.Load() > int64(r.cfg.Timeouts.Idle):
				s.out.end(protocol.Problemf(protocol.CodeTimeout, "nothing was sent for %v", r.cfg.Timeouts.Idle), "")
			case changed && !r.verifier.Good(s.id, at), at.UnixMicro() >= s.id.ExpiresUS:
				s.out.end(protocol.Problemf(protocol.CodeUnauthorized, "the token has expired or is revoked"), "")
			case s.shop != "" && now.Sub(s.out.quietSince()) >= r.cfg.Timeouts.Position:
				s.tellPosition()
			}
		})
		r.unmute(at.UnixMicro())
	}
}

// tellPosition keeps a quiet connection's position near the end of the log, so that resuming is cheap. Only
// what has been handed to the connection already is behind it: both go through its queue, in order.
func (s *session) tellPosition() {
	if !s.caught.Load() {
		return
	}
	s.relay.feed.At(s.shop, func(at protocol.Position) {
		s.tell(&protocol.Frame{Type: protocol.TypePosition, ShopID: s.shop, Position: at.String()})
	})
}

// unmute tells accounts whose mute has ended by the clock.
func (r *Relay) unmute(nowUS int64) {
	r.mutes.Lock()
	var over []string
	for key, until := range r.mutes.until {
		if nowUS >= until {
			over = append(over, key)
			delete(r.mutes.until, key)
		}
	}
	r.mutes.Unlock()
	for _, key := range over {
		r.StandingChanged(key, r.tables.Standing(key))
	}
}

// noteMute remembers when somebody who is connected may speak again.
func (r *Relay) noteMute(key string, untilUS int64) {
	if untilUS <= r.nowUS() || untilUS == math.MaxInt64 {
		return
	}
	r.mutes.Lock()
	defer r.mutes.Unlock()
	if r.mutes.until == nil {
		r.mutes.until = map[string]int64{}
	}
	r.mutes.until[key] = untilUS
}

func (ds *desks) each(do func(*desk)) {
	ds.mu.Lock()
	all := make([]*desk, 0, len(ds.byShop))
	for _, d := range ds.byShop {
		all = append(all, d)
	}
	ds.mu.Unlock()
	for _, d := range all {
		do(d)
	}
}
