package tables

import (
	"math"
	"sync"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Reception is who receives in a shop. The zero value: by hand, nothing unreplied.
type Reception struct {
	Bot bool
	// Unreplied messages (or conversations, by the policy) since the last manual reply to anyone.
	Unreplied int
	// Number of the newest takeover, and since when it lasts, UTC microseconds.
	Number  int64
	SinceUS int64
}

// Standing is what is in force against an account or shop. The zero value: nothing.
type Standing struct {
	Banned bool
	// MutedUntilUS is the end of the mute, UTC microseconds; math.MaxInt64: for good.
	MutedUntilUS int64
}

// Muted tells whether the mute is in force.
func (s Standing) Muted(nowUS int64) bool { return nowUS < s.MutedUntilUS }

// ForGood tells whether the mute has no end.
func (s Standing) ForGood() bool { return s.MutedUntilUS == math.MaxInt64 }

// Shield is one shielded message.
type Shield struct {
	Shop, Conversation, EventID string
	// On is false when the shield was taken back.
	On bool
}

// Watcher is told of what changes, after it has changed, while no lock is held. It must be quick. Nothing
// is told of what the tables held when reading began.
type Watcher interface {
	ReceptionChanged(shop string, r Reception)
	StandingChanged(offender string, s Standing)
	ShieldChanged(s Shield)
}

type receptionEntry struct {
	applied int64
	Reception
}

type penaltyEntry struct {
	applied int64
	Standing
	shields []Shield
}

// blockEntry is kept for every conversation that was ever blocked.
type blockEntry struct {
	applied int64
	blocked bool
}

// views is what is kept in memory. Among records of a key the one with the highest applied offset holds.
type views struct {
	mu         sync.RWMutex
	receptions map[string]receptionEntry
	penalties  map[string]penaltyEntry
	// shields counts the sanctions that hide an event.
	shields map[string]int
	blocks  map[string]blockEntry
}

func newViews() *views {
	return &views{receptions: map[string]receptionEntry{}, penalties: map[string]penaltyEntry{}, shields: map[string]int{}, blocks: map[string]blockEntry{}}
}

// reception takes a value of the reception table.
func (v *views) reception(key string, value []byte) (now Reception, changed bool) {
	applied, ok := statev1.Applied(value)
	if !ok {
		return now, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	before, had := v.receptions[key]
	if had && applied < before.applied {
		return now, false
	}
	var st statev1.Reception
	if st.UnmarshalVT(value) != nil {
		return now, false
	}
	t := st.GetTakeover()
	now = Reception{Bot: t.GetBot(), Unreplied: len(t.GetStreak()), Number: t.GetNumber(), SinceUS: t.GetLasting().GetStartedAtUs()}
	v.receptions[key] = receptionEntry{applied, now}
	return now, now != before.Reception
}

// penalty takes a value of the penalties table.
func (v *views) penalty(key string, value []byte) (now Standing, changed bool, shields []Shield) {
	applied, ok := statev1.Applied(value)
	if !ok {
		return now, false, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	before, had := v.penalties[key]
	if had && applied < before.applied {
		return now, false, nil
	}
	var st statev1.Penalty
	if st.UnmarshalVT(value) != nil {
		return now, false, nil
	}
	e := penaltyEntry{applied: applied, Standing: Standing{Banned: st.Banned, MutedUntilUS: st.MutedUntilUs}}
	for _, s := range st.Sanctions {
		if s.Kind == chatv1.SanctionKind_SANCTION_KIND_SHIELD && !s.Reversed && s.EventId != "" {
			e.shields = append(e.shields, Shield{Shop: s.ShopId, Conversation: s.ConversationId, EventID: s.EventId, On: true})
		}
	}
	v.penalties[key] = e
	return e.Standing, e.Standing != before.Standing, v.reshield(before.shields, e.shields)
}

// reshield counts shields anew for one offender and returns those that came or went.
func (v *views) reshield(before, now []Shield) (changed []Shield) {
	old := make(map[string]Shield, len(before))
	for _, s := range before {
		old[s.EventID] = s
	}
	for _, s := range now {
		if _, same := old[s.EventID]; same {
			delete(old, s.EventID)
			continue
		}
		if v.shields[s.EventID]++; v.shields[s.EventID] == 1 {
			changed = append(changed, s)
		}
	}
	for id, s := range old {
		if v.shields[id]--; v.shields[id] <= 0 {
			delete(v.shields, id)
			s.On = false
			changed = append(changed, s)
		}
	}
	return changed
}

// conversation takes a value of the conversations table.
func (v *views) conversation(key string, value []byte) {
	applied, ok := statev1.Applied(value)
	if !ok {
		return
	}
	v.mu.RLock()
	before, had := v.blocks[key]
	v.mu.RUnlock()
	if had && applied < before.applied {
		return
	}
	var st statev1.Conversation
	if st.UnmarshalVT(value) != nil || !st.Blocked && !had {
		return
	}
	v.block(key, applied, st.Blocked)
}

func (v *views) block(key string, applied int64, blocked bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if before, had := v.blocks[key]; !had || applied >= before.applied {
		v.blocks[key] = blockEntry{applied, blocked}
	}
}

// Reception is who receives in a shop.
func (t *Tables) Reception(shop string) Reception {
	t.views.mu.RLock()
	defer t.views.mu.RUnlock()
	return t.views.receptions[shop].Reception
}

// Standing is what is in force against an offender, by schemas.OffenderKey.
func (t *Tables) Standing(offender string) Standing {
	t.views.mu.RLock()
	defer t.views.mu.RUnlock()
	return t.views.penalties[offender].Standing
}

// Shielded tells whether a sanction hides the message from the other side.
func (t *Tables) Shielded(eventID string) bool {
	t.views.mu.RLock()
	defer t.views.mu.RUnlock()
	return t.views.shields[eventID] > 0
}

// Blocked tells whether the shop has blocked the conversation's consumer.
func (t *Tables) Blocked(shop, conversation string) bool {
	t.views.mu.RLock()
	defer t.views.mu.RUnlock()
	return t.views.blocks[schemas.EventKey(shop, conversation)].blocked
}

// NoteBlock takes a block or its end from the log itself, before the table has it.
func (t *Tables) NoteBlock(shop, conversation string, offset int64, blocked bool) {
	t.views.block(schemas.EventKey(shop, conversation), offset, blocked)
}
