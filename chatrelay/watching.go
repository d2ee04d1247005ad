package chatrelay

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/chatrelay/tables"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// reception is what people are told of who receives. Only the shop's own side learns the count.
func (r *Relay) reception(shop string, ownSide bool) *protocol.Reception {
	t := r.tables.Reception(shop)
	out := &protocol.Reception{Mode: protocol.ModeManual, Limit: r.deps.Policy.At(r.nowUS()).Reception.UnrepliedLimit, Number: t.Number}
	if t.Bot {
		out.Mode, out.SinceUS = protocol.ModeBot, t.SinceUS
	}
	if ownSide {
		out.Unreplied = t.Unreplied
	}
	return out
}

// ReceptionChanged tells the shop, and its consumers when the mode has changed.
func (r *Relay) ReceptionChanged(shop string, now tables.Reception) {
	r.metrics.receptions.Inc()
	if data, err := json.Marshal(&protocol.Frame{Type: protocol.TypeReception, ShopID: shop, Reception: r.reception(shop, true)}); err == nil {
		r.registry.ofShop(shop, func(s *session) { s.out.put(data) })
	}
	if !r.modes.changed(shop, now.Bot) {
		return
	}
	if data, err := json.Marshal(&protocol.Frame{Type: protocol.TypeReception, ShopID: shop, Reception: r.reception(shop, false)}); err == nil {
		r.registry.consumersOf(shop, func(s *session) { s.out.put(data) })
	}
}

// StandingChanged tells the account, or the shop's accounts.
func (r *Relay) StandingChanged(key string, now tables.Standing) {
	r.noteMute(key, now.MutedUntilUS)
	tell := func(s *session) {
		sanction := r.sanction(s.account(), s.shop)
		s.tell(&protocol.Frame{Type: protocol.TypeSanction, Sanction: &sanction})
	}
	kind, id, _ := strings.Cut(key, ":")
	switch kind {
	case "consumer":
		r.registry.ofAccount(account{signin.Consumer, id}, tell)
	case "shop":
		r.registry.ofShop(id, tell)
	}
}

// ShieldChanged hides a message from the other side, or shows it again. Which side that is, the message says
// where it is still in memory; else both are told, and a client does not hide its own.
func (r *Relay) ShieldChanged(s tables.Shield) {
	frame := &protocol.Frame{Type: protocol.TypeShield, ShopID: s.Shop, ConversationID: s.Conversation, EventID: s.EventID, On: s.On}
	data, err := json.Marshal(frame)
	if err != nil {
		return
	}
	var from string
	if rec, ok := r.feed.Known(s.Shop, s.EventID); ok {
		from = rec.Event.Actor.GetRole().String()
	}
	const consumer = "ROLE_CONSUMER"
	if from != consumer {
		r.registry.ofAccount(account{signin.Consumer, s.Conversation}, func(o *session) {
			if o.shop == s.Shop {
				o.out.put(data)
			}
		})
	}
	if from == "" || from == consumer {
		r.registry.ofShop(s.Shop, func(o *session) { o.out.put(data) })
	}
	if s.On {
		r.desks.shield(s.Shop, s.Conversation, s.EventID)
	}
	r.metrics.shields.Inc()
}

// modes remembers which shops' bots receive, to tell a change of mode from a change of the count.
type modes struct {
	mu  sync.Mutex
	bot map[string]struct{}
}

func (m *modes) changed(shop string, bot bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, was := m.bot[shop]
	switch {
	case bot == was:
		return false
	case bot:
		if m.bot == nil {
			m.bot = map[string]struct{}{}
		}
		m.bot[shop] = struct{}{}
	default:
		delete(m.bot, shop)
	}
	return true
}

// observe sees every event that the relay reads, in the order of its partition, before anybody is told.
func (r *Relay) observe(rec *feed.Record) {
	ev := rec.Event
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_ConsumerBlocked:
		r.tables.NoteBlock(ev.ShopId, ev.ConversationId, rec.Offset, true)
	case *chatv1.ChatEvent_ConsumerUnblocked:
		r.tables.NoteBlock(ev.ShopId, ev.ConversationId, rec.Offset, false)
	case *chatv1.ChatEvent_MessageShielded:
		id := p.MessageShielded.GetMessageEventId()
		r.desks.shielded.add(id)
		// Not here: the partition is locked.
		go r.ShieldChanged(tables.Shield{Shop: ev.ShopId, Conversation: ev.ConversationId, EventID: id, On: true})
	}
}

// recent is a set of the newest ids.
type recent struct {
	mu    sync.RWMutex
	ids   map[string]struct{}
	order []string
	next  int
}

func newRecent(size int) *recent {
	return &recent{ids: map[string]struct{}{}, order: make([]string, size)}
}

func (s *recent) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.ids[id]; there {
		return
	}
	delete(s.ids, s.order[s.next])
	s.order[s.next] = id
	s.next = (s.next + 1) % len(s.order)
	s.ids[id] = struct{}{}
}

func (s *recent) has(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, there := s.ids[id]
	return there
}
