package chatrelay

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/inbox"
	"github.com/feigeio/feige/chatrelay/protocol"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	// inboxSpan is how far back an inbox is drawn from: a life lapses after a day.
	inboxSpan = 24 * time.Hour
	// inboxItems is how many conversations the inbox frame has at most.
	inboxItems = 200
)

// desk is the work of one shop, as long as agents of it are connected to this relay.
type desk struct {
	relay    *Relay
	shop     string
	follower *feed.Follower
	// loaded is closed once box holds what the log says, or err why not.
	loaded chan struct{}
	err    error

	mu     sync.Mutex
	box    *inbox.Box
	agents map[*session]struct{}
	live   bool
	// asked are assignments on their way, by the message that began the waiting.
	asked     map[string]ask
	assigning bool
}

// desks are the desks of a relay.
type desks struct {
	relay *Relay
	// shielded are messages that the log itself has shielded.
	shielded *recent

	mu     sync.Mutex
	byShop map[string]*desk
}

func newDesks(r *Relay) *desks {
	return &desks{relay: r, byShop: map[string]*desk{}, shielded: newRecent(1 << 16)}
}

// join brings an agent to its shop's desk, and the inbox to the agent.
func (ds *desks) join(ctx context.Context, s *session) error {
	ds.mu.Lock()
	d := ds.byShop[s.shop]
	if d == nil {
		d = &desk{relay: ds.relay, shop: s.shop, loaded: make(chan struct{}), box: inbox.New(s.shop, ds.relay.deps.Policy),
			agents: map[*session]struct{}{}, asked: map[string]ask{}}
		ds.byShop[s.shop] = d
		go d.load()
	}
	d.mu.Lock()
	d.agents[s] = struct{}{}
	d.mu.Unlock()
	ds.mu.Unlock()
	select {
	case <-d.loaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.err != nil {
		return d.err
	}
	d.welcome(s)
	d.tellPresence(s)
	d.assign()
	return nil
}

// leave takes an agent away; the last one's desk is cleared.
func (ds *desks) leave(s *session) {
	ds.mu.Lock()
	d := ds.byShop[s.shop]
	if d == nil {
		ds.mu.Unlock()
		return
	}
	d.mu.Lock()
	delete(d.agents, s)
	last := len(d.agents) == 0
	d.mu.Unlock()
	if last {
		delete(ds.byShop, s.shop)
	}
	ds.mu.Unlock()
	if last {
		go func() {
			<-d.loaded
			ds.relay.feed.Leave(d.follower)
		}()
		return
	}
	s.state.Store(protocol.StateOffline)
	d.tellPresence(s)
}

func (ds *desks) of(shop string) *desk {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	return ds.byShop[shop]
}

// shield takes a message out of the shop's inbox.
func (ds *desks) shield(shop, conversation, eventID string) {
	d := ds.of(shop)
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if it := d.box.Shield(conversation, eventID); it != nil {
		d.tellItem(it)
	}
}

// load draws the inbox from the log.
func (d *desk) load() {
	defer close(d.loaded)
	r := d.relay
	ctx, cancel := context.WithTimeout(r.ctx, 5*r.cfg.Feed.LoadTimeout)
	defer cancel()
	d.follower = &feed.Follower{Shop: d.shop, Deliver: d.deliver}
	after, err := r.feed.Since(ctx, d.shop, r.nowUS()/1000-inboxSpan.Milliseconds(), r.cfg.InboxRecords)
	if err == nil {
		err = r.feed.Follow(ctx, d.follower, after, func(rec *feed.Record) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.box.Apply(rec.Event, d.hidden(rec))
			return nil
		})
	}
	d.mu.Lock()
	d.err, d.live = err, err == nil
	d.box.Expire(r.nowUS())
	d.mu.Unlock()
	if err != nil {
		// The next agent tries again.
		r.desks.mu.Lock()
		if r.desks.byShop[d.shop] == d {
			delete(r.desks.byShop, d.shop)
		}
		r.desks.mu.Unlock()
	}
}

// hidden tells whether a message is hidden from the shop.
func (d *desk) hidden(rec *feed.Record) bool {
	return rec.Event.GetMessage() != nil && rec.Event.Actor.GetRole() == chatv1.Role_ROLE_CONSUMER &&
		(d.relay.tables.Shielded(rec.Event.EventId) || d.relay.desks.shielded.has(rec.Event.EventId))
}

// deliver takes the next event. It runs under the partition's lock.
func (d *desk) deliver(rec *feed.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	it := d.box.Apply(rec.Event, d.hidden(rec))
	if it == nil {
		return
	}
	d.tellItem(it)
	if it.Agent == "" && it.WaitingSinceUS != 0 && d.relay.cfg.AutoAssign && !d.assigning {
		go d.assign()
	}
}

// tellItem tells the agents of a change. The lock is held.
func (d *desk) tellItem(it *inbox.Item) {
	item := itemFrame(it)
	data, err := json.Marshal(&protocol.Frame{Type: protocol.TypeInboxItem, ShopID: d.shop, Item: &item})
	if err != nil {
		return
	}
	for s := range d.agents {
		s.out.put(data)
	}
}

func itemFrame(it *inbox.Item) protocol.InboxItem {
	out := protocol.InboxItem{
		ConversationID: it.Conversation, ConsumerID: it.Consumer, AgentID: it.Agent, WaitingSinceUS: it.WaitingSinceUS, DueUS: it.DueUS,
		Unreplied: it.Unreplied, LastAtUS: it.LastAtUS, LastText: it.LastText, Blocked: it.Blocked, Closed: it.Closed,
	}
	if it.LastEvent != "" {
		out.LastRole = it.LastRole.String()
	}
	return out
}

// welcome brings the inbox and the others' states to an agent.
func (d *desk) welcome(s *session) {
	d.mu.Lock()
	items, more := d.box.Items(inboxItems)
	f := &protocol.Frame{Type: protocol.TypeInbox, ShopID: d.shop, More: more, Items: make([]protocol.InboxItem, 0, len(items))}
	for i := range items {
		f.Items = append(f.Items, itemFrame(&items[i]))
	}
	s.tell(f)
	for o := range d.agents {
		if o != s {
			s.tell(presenceOf(o))
		}
	}
	d.mu.Unlock()
}

func presenceOf(s *session) *protocol.Frame {
	state, _ := s.state.Load().(string)
	return &protocol.Frame{Type: protocol.TypePresence, ShopID: s.shop, AccountID: s.id.Account, State: state}
}

// tellPresence tells all agents the state of one.
func (d *desk) tellPresence(of *session) {
	f := presenceOf(of)
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.agents {
		s.tell(f)
	}
}

// expire takes conversations off the list whose life has ended.
func (d *desk) expire(nowUS int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.live {
		return
	}
	for _, id := range d.box.Expire(nowUS) {
		for s := range d.agents {
			s.tell(&protocol.Frame{Type: protocol.TypeInboxItem, ShopID: d.shop, Item: &protocol.InboxItem{ConversationID: id, Gone: true}})
		}
	}
	for id, a := range d.asked {
		if nowUS-a.atUS > 10*time.Second.Microseconds() {
			delete(d.asked, id)
		}
	}
}
