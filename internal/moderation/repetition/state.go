package repetition

import (
	"slices"
)

// Capacity of a sender's memory. An entry takes 40 bytes and its ids, so a state stays below 8 KiB with ids of up to
// 64 bytes each.
const Capacity = 64

// Entry is one remembered message.
type Entry struct {
	Signature Signature `json:"signature"`
	AtUS      int64     `json:"at_us"`
	// Conversation is a hash of shop and conversation, EventID the event's.
	Conversation uint64 `json:"conversation"`
	EventID      string `json:"event_id"`
}

// State is the memory of one sender, oldest first. The zero value is ready.
type State struct {
	Entries []Entry `json:"entries"`
}

// Rule is the policy's: so many copies, this similar, within this time.
type Rule struct {
	Copies     int
	WithinUS   int64
	Similarity float64
}

// Finding is a repetition: the copies' events, newest first, with the one that was just added.
type Finding struct {
	EventIDs []string
	// Conversations is in how many different ones.
	Conversations int
	// Similarity of the least similar copy to the newest.
	Similarity float64
}

// maxRelated bounds the events that a finding names.
const maxRelated = 16

// Add takes a message into the memory and tells whether it is one copy too many. Times that run backwards count as
// the newest before; an event that is in the memory already is not counted again.
func (s *State) Add(e Entry, rule Rule) (Finding, bool) {
	if e.Signature == (Signature{}) {
		return Finding{}, false
	}
	if n := len(s.Entries); n > 0 {
		e.AtUS = max(e.AtUS, s.Entries[n-1].AtUS)
	}
	s.Entries = slices.DeleteFunc(s.Entries, func(old Entry) bool { return e.AtUS-old.AtUS >= rule.WithinUS })
	if slices.ContainsFunc(s.Entries, func(old Entry) bool { return old.EventID == e.EventID }) {
		return Finding{}, false
	}
	f := Finding{EventIDs: []string{e.EventID}, Similarity: 1}
	seen := map[uint64]bool{e.Conversation: true}
	for i := len(s.Entries) - 1; i >= 0; i-- {
		old := &s.Entries[i]
		similarity := e.Signature.Similarity(old.Signature)
		if similarity < rule.Similarity {
			continue
		}
		f.Similarity = min(f.Similarity, similarity)
		seen[old.Conversation] = true
		if len(f.EventIDs) < maxRelated {
			f.EventIDs = append(f.EventIDs, old.EventID)
		}
	}
	if len(s.Entries) >= Capacity {
		s.Entries = slices.Delete(s.Entries, 0, len(s.Entries)-Capacity+1)
	}
	s.Entries = append(s.Entries, e)
	f.Conversations = len(seen)
	return f, len(f.EventIDs) >= max(rule.Copies, 2)
}

// Size of the state in memory, in bytes.
func (s *State) Size() int {
	size := 24
	for i := range s.Entries {
		size += 56 + len(s.Entries[i].EventID)
	}
	return size
}
