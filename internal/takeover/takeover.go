// Package takeover is rule 2.1: when a shop's reception goes to the bot, and when it comes back. It is a
// pure state machine over the facts of one shop, in the order of the log; it knows no Kafka and no clock.
// The reception processor publishes what it says, and the service processor counts it.
package takeover

import (
	"slices"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Machine applies facts by the policy. It is immutable and safe for concurrent use.
type Machine struct{ policy *policy.Set }

// New returns the machine of a policy.
func New(p *policy.Set) *Machine { return &Machine{p} }

// Concerns tells the facts that can change a shop's state from all others.
func Concerns(f *chatv1.Fact) bool {
	switch f.Kind {
	case chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE, chatv1.FactKind_FACT_KIND_MANUAL_REPLY, chatv1.FactKind_FACT_KIND_RECEPTION_RESUMED:
		return true
	}
	return f.UnrepliedWithdrawnPlusOne > 0
}

// Apply takes a fact into the shop's state, which it changes in place. It returns the takeover that the
// fact began or ended, or nil. The caller has dropped repeated facts.
func (m *Machine) Apply(st *statev1.TakeoverState, f *chatv1.Fact) *chatv1.Takeover {
	switch f.Kind {
	case chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE:
		st.LastAtUs = max(st.LastAtUs, f.AtUs)
		if f.UnrepliedInRow > 0 {
			return m.unreplied(st, f)
		}
	case chatv1.FactKind_FACT_KIND_MANUAL_REPLY:
		st.LastAtUs = max(st.LastAtUs, f.AtUs)
		rule := &m.policy.At(f.AtUs).Reception
		if rule.AcrossConsumersClearedBy == policy.ClearedByReplyToConsumer {
			conversation := schemas.Fingerprint(f.ConversationId)
			st.Streak = slices.DeleteFunc(st.Streak, func(e *statev1.StreakEntry) bool { return e.Conversation == conversation })
		} else {
			st.Streak = empty(st.Streak)
		}
		if rule.SameConsumerClearedBy == policy.ClearedByReplyToAnyone {
			st.ClearedPlusOne = f.SourceOffset + 1
		}
		if rule.HandBack == policy.HandBackManualReply {
			return end(st, f, chatv1.TakeoverEnd_TAKEOVER_END_MANUAL_REPLY)
		}
	case chatv1.FactKind_FACT_KIND_RECEPTION_RESUMED:
		st.LastAtUs = max(st.LastAtUs, f.AtUs)
		if m.policy.At(f.AtUs).Reception.ResumeClearsCounts {
			st.Streak = empty(st.Streak)
			st.ClearedPlusOne = f.SourceOffset + 1
		}
		return end(st, f, chatv1.TakeoverEnd_TAKEOVER_END_RESUMED)
	default:
		// A message that no longer counts in its row stays in the streak.
		if off := f.UnrepliedWithdrawnPlusOne - 1; off >= st.ClearedPlusOne {
			st.Streak = slices.DeleteFunc(st.Streak, func(e *statev1.StreakEntry) bool { return e.Offset == uint64(off) })
		}
	}
	return nil
}

// empty also forgets the entries behind the end: a reused state is decoded into what stands there.
func empty(entries []*statev1.StreakEntry) []*statev1.StreakEntry {
	clear(entries)
	return entries[:0]
}

// unreplied counts a message and begins a takeover when a limit is passed with it.
func (m *Machine) unreplied(st *statev1.TakeoverState, f *chatv1.Fact) *chatv1.Takeover {
	pol := m.policy.At(f.AtUs)
	trigger := pol.Reception.UnrepliedLimit + 1
	perMessage := pol.Reception.Unit != policy.UnitConversation
	if len(st.Streak) < trigger {
		e := &statev1.StreakEntry{
			Offset: uint64(f.SourceOffset), Consumer: schemas.Fingerprint(f.ConsumerId), Conversation: schemas.Fingerprint(f.ConversationId),
		}
		if perMessage || !slices.ContainsFunc(st.Streak, func(o *statev1.StreakEntry) bool { return o.Conversation == e.Conversation }) {
			st.Streak = append(st.Streak, e)
		}
	}
	if st.Bot {
		return nil
	}
	inRow := perMessage && len(f.UnrepliedOffsets) == trigger && f.UnrepliedOffsets[0] >= st.ClearedPlusOne
	if !inRow && len(st.Streak) < trigger {
		return nil
	}
	l := &statev1.Lasting{
		Trigger: int32(chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_SAME_CONSUMER), StartedAtUs: st.LastAtUs,
		TriggerEventId: f.EventId, TriggerConversationId: f.ConversationId, TriggerConsumerId: f.ConsumerId,
		Limit: int32(pol.Reception.UnrepliedLimit), PolicyVersion: pol.Version, Consumers: 1,
	}
	if inRow {
		for _, o := range f.UnrepliedOffsets {
			l.EvidenceOffsets = append(l.EvidenceOffsets, uint64(o))
		}
	} else {
		seen := map[uint64]bool{}
		for _, e := range st.Streak {
			seen[e.Consumer] = true
			l.EvidenceOffsets = append(l.EvidenceOffsets, e.Offset)
		}
		if l.Consumers = int32(len(seen)); len(seen) > 1 {
			l.Trigger = int32(chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_ACROSS_CONSUMERS)
		}
	}
	l.Unreplied = int32(len(l.EvidenceOffsets))
	st.Bot = true
	st.Number++
	st.Lasting = l
	return record(st, f)
}

func end(st *statev1.TakeoverState, f *chatv1.Fact, how chatv1.TakeoverEnd) *chatv1.Takeover {
	if !st.Bot {
		return nil
	}
	t := record(st, f)
	t.EndedAtUs, t.End, t.EndedBy = st.LastAtUs, how, f.AgentId
	st.Bot, st.Lasting = false, nil
	return t
}

// record is the lasting takeover as it is published.
func record(st *statev1.TakeoverState, f *chatv1.Fact) *chatv1.Takeover {
	l := st.Lasting
	t := &chatv1.Takeover{
		ShopId: f.ShopId, Number: st.Number, Trigger: chatv1.TakeoverTrigger(l.Trigger), StartedAtUs: l.StartedAtUs,
		TriggerEventId: l.TriggerEventId, TriggerConversationId: l.TriggerConversationId, TriggerConsumerId: l.TriggerConsumerId,
		Unreplied: l.Unreplied, Consumers: l.Consumers, Limit: l.Limit, PolicyVersion: l.PolicyVersion, SourceOffset: f.SourceOffset,
	}
	for _, o := range l.EvidenceOffsets {
		t.EvidenceOffsets = append(t.EvidenceOffsets, int64(o))
	}
	return t
}
