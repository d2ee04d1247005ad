package inbox

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Bounds of what is kept.
const (
	// maxItems is the most conversations of a shop.
	maxItems = 5000
	// maxHeld is how many unreplied messages of a conversation are held for taking back.
	maxHeld = 256
	// maxPreview is the longest beginning of a message, runes.
	maxPreview = 60
)

// held is one unreplied message.
type held struct {
	eventID string
	atUS    int64
}

// Item is one conversation.
type Item struct {
	Conversation string
	Consumer     string
	// Agent to whom it is assigned; empty: nobody.
	Agent string
	// WaitingSinceUS is the time of the first message without a manual reply; 0: nobody waits. WaitingEvent
	// is that message.
	WaitingSinceUS int64
	WaitingEvent   string
	// DueUS is when the time to answer is over.
	DueUS int64
	// Unreplied messages since the last manual reply.
	Unreplied int
	LastAtUS  int64
	LastText  string
	LastRole  chatv1.Role
	LastEvent string
	Blocked   bool
	// Closed: the newest life has been closed.
	Closed bool
	// Rated: the newest life has its rating.
	Rated bool

	// known: an assignment, or its end, has been seen.
	known   bool
	pending []held
}

// Box is the inbox of one shop. It is not safe for concurrent use.
type Box struct {
	shop   string
	policy *policy.Set
	items  map[string]*Item
}

// New is an empty inbox.
func New(shop string, set *policy.Set) *Box {
	return &Box{shop: shop, policy: set, items: map[string]*Item{}}
}

// Get is a copy of a conversation's item.
func (b *Box) Get(conversation string) (Item, bool) {
	it, ok := b.items[conversation]
	if !ok {
		return Item{}, false
	}
	return *it, true
}

// Len is the number of conversations.
func (b *Box) Len() int { return len(b.items) }

// Apply takes the shop's next event. It returns the item that changed, or nil. shielded tells that the
// message is hidden from the shop.
func (b *Box) Apply(ev *chatv1.ChatEvent, shielded bool) *Item {
	if ev.ShopId != b.shop || ev.ConversationId == "" {
		return nil
	}
	it := b.items[ev.ConversationId]
	if it == nil {
		it = &Item{Conversation: ev.ConversationId}
	} else {
		b.lapse(it, ev.OccurredAtUs)
	}
	if !b.change(it, ev, shielded) {
		return nil
	}
	if it.LastAtUS == 0 {
		it.LastAtUS = ev.OccurredAtUs // its messages are out of sight
	}
	if b.items[ev.ConversationId] == nil {
		b.items[ev.ConversationId] = it
		if len(b.items) > maxItems {
			b.evict(it)
		}
	}
	return it
}

func (b *Box) change(it *Item, ev *chatv1.ChatEvent, shielded bool) bool {
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return b.message(it, ev, p.Message, shielded)
	case *chatv1.ChatEvent_ConversationOpened:
		it.begin()
		it.LastAtUS = max(it.LastAtUS, ev.OccurredAtUs)
		if ev.Actor.GetRole() == chatv1.Role_ROLE_CONSUMER {
			it.Consumer = ev.Actor.Id
		}
	case *chatv1.ChatEvent_ConversationClosed:
		it.answered()
		it.Closed, it.Agent, it.known = true, "", true
		it.LastAtUS = max(it.LastAtUS, ev.OccurredAtUs)
	case *chatv1.ChatEvent_ConversationTransferred:
		t := p.ConversationTransferred
		if it.known && it.Agent != t.GetFromAgentId() || it.Agent == t.GetToAgentId() && it.known {
			return false // somebody else was faster
		}
		it.Agent, it.known = t.GetToAgentId(), true
	case *chatv1.ChatEvent_ConversationRated:
		it.Rated = true
	case *chatv1.ChatEvent_ConsumerBlocked:
		it.Blocked = true
		it.Consumer = cmp.Or(it.Consumer, p.ConsumerBlocked.GetConsumerId())
	case *chatv1.ChatEvent_ConsumerUnblocked:
		it.Blocked = false
	case *chatv1.ChatEvent_MessageShielded:
		return b.withdraw(it, p.MessageShielded.GetMessageEventId())
	default:
		return false
	}
	return true
}

// begin opens a new life where the last one was closed.
func (it *Item) begin() {
	if it.Closed {
		it.Closed, it.Rated = false, false
	}
}

// answered ends the waiting.
func (it *Item) answered() {
	it.pending = nil
	it.WaitingSinceUS, it.WaitingEvent, it.DueUS, it.Unreplied = 0, "", 0, 0
}

func (b *Box) message(it *Item, ev *chatv1.ChatEvent, m *chatv1.Message, shielded bool) bool {
	actor := ev.GetActor()
	role := actor.GetRole()
	if role == chatv1.Role_ROLE_SYSTEM {
		return false
	}
	consumer := role == chatv1.Role_ROLE_CONSUMER
	if m.Shielded || actor.Sanctioned || consumer && (it.Blocked || shielded) {
		return false // left out
	}
	it.begin()
	it.LastAtUS = max(it.LastAtUS, ev.OccurredAtUs)
	it.LastText, it.LastRole, it.LastEvent = preview(m), role, ev.EventId
	switch {
	case consumer:
		it.Consumer = actor.Id
		if actor.Automatic {
			break
		}
		it.pending = append(it.pending, held{ev.EventId, it.LastAtUS})
		if len(it.pending) > maxHeld {
			// The first one says since when they wait; the next oldest goes.
			it.pending = slices.Delete(it.pending, 1, 2)
		}
		it.Unreplied++
		if it.WaitingSinceUS == 0 {
			b.wait(it, it.pending[0])
		}
	case role == chatv1.Role_ROLE_AGENT && !actor.Automatic && b.policy.At(ev.OccurredAtUs).Reception.IsManualReplyKind(m.Kind):
		it.answered()
	}
	return true
}

func (b *Box) wait(it *Item, first held) {
	it.WaitingSinceUS, it.WaitingEvent = first.atUS, first.eventID
	it.DueUS = first.atUS + b.policy.At(first.atUS).Assessment.ResponseLimitUS
}

// Shield hides a message of a conversation.
func (b *Box) Shield(conversation, eventID string) *Item {
	it := b.items[conversation]
	if it == nil || !b.withdraw(it, eventID) {
		return nil
	}
	return it
}

func (b *Box) withdraw(it *Item, eventID string) bool {
	changed := false
	if it.LastEvent == eventID {
		it.LastText, changed = "", true
	}
	i := slices.IndexFunc(it.pending, func(h held) bool { return h.eventID == eventID })
	if i < 0 {
		return changed
	}
	it.pending = slices.Delete(it.pending, i, i+1)
	it.Unreplied--
	switch {
	case len(it.pending) == 0:
		it.answered()
	case i == 0:
		b.wait(it, it.pending[0])
	}
	return true
}

// lapse ends a life that had no message for too long, as seen at a time.
func (b *Box) lapse(it *Item, atUS int64) bool {
	if it.LastAtUS == 0 || atUS-it.LastAtUS < b.policy.At(it.LastAtUS).Conversation.LifeLapseUS {
		return false
	}
	it.answered()
	it.Agent, it.known, it.Closed, it.Rated = "", true, false, false
	return true
}

// Expire drops conversations whose life has ended by the clock, and returns them.
func (b *Box) Expire(nowUS int64) (gone []string) {
	for id, it := range b.items {
		if b.lapse(it, nowUS) && !it.Blocked {
			delete(b.items, id)
			gone = append(gone, id)
		}
	}
	return gone
}

// evict drops the conversation that is missed least, but not the one given.
func (b *Box) evict(keep *Item) {
	var worst *Item
	for _, it := range b.items {
		if it != keep && (worst == nil || order(worst, it) < 0) {
			worst = it
		}
	}
	delete(b.items, worst.Conversation)
}

// order puts who waits longest first, then what is newest.
func order(a, b *Item) int {
	if (a.WaitingSinceUS == 0) != (b.WaitingSinceUS == 0) {
		if a.WaitingSinceUS != 0 {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.WaitingSinceUS, b.WaitingSinceUS), cmp.Compare(b.LastAtUS, a.LastAtUS),
		cmp.Compare(a.Conversation, b.Conversation))
}

// Items are copies of the first n by longest wait; more tells that there are others.
func (b *Box) Items(n int) (items []Item, more bool) {
	all := make([]*Item, 0, len(b.items))
	for _, it := range b.items {
		all = append(all, it)
	}
	slices.SortFunc(all, order)
	for _, it := range all[:min(n, len(all))] {
		items = append(items, *it)
	}
	return items, len(all) > n
}

// Load counts the conversations that are open and assigned, by agent.
func (b *Box) Load() map[string]int {
	load := map[string]int{}
	for _, it := range b.items {
		if it.Agent != "" && !it.Closed {
			load[it.Agent]++
		}
	}
	return load
}

// Unassigned are the conversations in which somebody waits and that nobody has, longest wait first, at most n.
func (b *Box) Unassigned(n int) []Item {
	var out []Item
	items, _ := b.Items(len(b.items))
	for _, it := range items {
		if it.WaitingSinceUS == 0 || len(out) == n {
			break
		}
		if it.Agent == "" && !it.Blocked {
			out = append(out, it)
		}
	}
	return out
}

func preview(m *chatv1.Message) string {
	if m.Text == "" {
		return m.GetCard().GetTitle()
	}
	n := 0
	for i := range m.Text {
		if n == maxPreview {
			return m.Text[:i] + "…"
		}
		n++
	}
	if !utf8.ValidString(m.Text) {
		return ""
	}
	return m.Text
}
