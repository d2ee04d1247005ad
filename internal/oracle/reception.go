package oracle

import (
	"slices"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

type moveKind int

const (
	moveMessage moveKind = iota
	moveReply
	moveResume
	moveShield
)

// move is an event that reception goes by.
type move struct {
	kind         moveKind
	pos          int
	offset       int64
	at           int64 // effective time in the conversation; of a resume, its own
	event        *chatv1.ChatEvent
	conversation string
	consumer     string
	shielded     string // id of the message that a shield names
	// shopAt is the time that takeovers go by, after the move.
	shopAt int64
	// lasting is the takeover during which the move came, or which it began or ended.
	lasting *takeover
}

// takeover is one stretch of bot reception.
type takeover struct {
	begunPos, endedPos int
	record             *chatv1.Takeover
}

func (s *shop) noteMessage(e entry, at int64, c *conversation) {
	s.moves = append(s.moves, move{
		kind: moveMessage, pos: e.pos, offset: e.offset, at: at, event: e.event, conversation: c.id, consumer: c.consumer,
	})
}

func (s *shop) noteReply(e entry, at int64, c *conversation) {
	s.moves = append(s.moves, move{
		kind: moveReply, pos: e.pos, offset: e.offset, at: at, event: e.event, conversation: c.id,
	})
}

func (s *shop) noteResume(e entry, at int64) {
	s.moves = append(s.moves, move{kind: moveResume, pos: e.pos, offset: e.offset, at: at, event: e.event})
}

func (s *shop) noteShield(e entry, id string, c *conversation) {
	s.moves = append(s.moves, move{
		kind: moveShield, pos: e.pos, offset: e.offset, event: e.event, conversation: c.id, shielded: id,
	})
}

// receive replays reception over the shop's moves.
func (s *shop) receive() {
	// row is (a) of each conversation: its newest unreplied messages since its last manual reply.
	row := map[string][]*move{}
	// across is (b): the first unreplied messages of the shop since its last manual reply.
	var across []*move
	var lasting *takeover
	var shopAt int64
	started := false
	for i := range s.moves {
		m := &s.moves[i]
		if m.kind == moveShield {
			m.shopAt, m.lasting = shopAt, nil
			at := slices.IndexFunc(row[m.conversation], func(u *move) bool { return u.event.GetEventId() == m.shielded })
			if at < 0 {
				continue
			}
			s.seen.UnrepliedBack++
			back := row[m.conversation][at]
			row[m.conversation] = without(row[m.conversation], back)
			across = without(across, back)
			continue
		}
		if !started || m.at > shopAt {
			shopAt, started = m.at, true
		}
		m.shopAt, m.lasting = shopAt, lasting
		p := s.clock.set.At(m.at)
		switch m.kind {
		case moveMessage:
			if !s.clock.isWorking(m.at) {
				continue
			}
			limit := p.Reception.UnrepliedLimit
			row[m.conversation] = newest(append(slices.Clone(row[m.conversation]), m), limit+1)
			if len(across) <= limit && !(byConversation(p) && holds(across, m.conversation)) {
				across = append(slices.Clone(across), m)
			}
			if lasting == nil {
				lasting = s.trigger(p, m, row[m.conversation], across)
				m.lasting = lasting
			}
		case moveReply:
			if p.Reception.SameConsumerClearedBy == policy.ClearedByReplyToAnyone {
				clear(row)
			}
			delete(row, m.conversation)
			if p.Reception.AcrossConsumersClearedBy == policy.ClearedByReplyToConsumer {
				across = slices.DeleteFunc(slices.Clone(across), func(u *move) bool { return u.conversation == m.conversation })
			} else {
				across = nil
			}
			if lasting != nil && p.Reception.HandBack != policy.HandBackResumeOnly {
				lasting.finish(m, chatv1.TakeoverEnd_TAKEOVER_END_MANUAL_REPLY)
				lasting = nil
			}
		case moveResume:
			if p.Reception.ResumeClearsCounts {
				clear(row)
				across = nil
			}
			if lasting != nil {
				lasting.finish(m, chatv1.TakeoverEnd_TAKEOVER_END_RESUMED)
				lasting = nil
			}
		}
	}
}

// trigger begins a takeover if the message m makes one of the rules fire.
func (s *shop) trigger(p *policy.Policy, m *move, row, across []*move) *takeover {
	over := p.Reception.UnrepliedLimit + 1
	rowFires := len(row) >= over && !byConversation(p)
	if !rowFires && len(across) < over {
		return nil
	}
	counted := across
	if rowFires {
		counted = row
	}
	consumers := map[string]bool{}
	var offsets []int64
	for _, u := range counted {
		consumers[u.consumer] = true
		offsets = append(offsets, u.offset)
	}
	fired := chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_ACROSS_CONSUMERS
	if rowFires || len(consumers) == 1 {
		fired = chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_SAME_CONSUMER
	}
	t := &takeover{begunPos: m.pos, endedPos: never, record: &chatv1.Takeover{
		ShopId: s.id, Number: int64(len(s.takeovers)) + 1, Trigger: fired, StartedAtUs: m.shopAt,
		TriggerEventId: m.event.GetEventId(), TriggerConversationId: m.conversation, TriggerConsumerId: m.consumer,
		Unreplied: int32(len(counted)), Consumers: int32(len(consumers)), EvidenceOffsets: offsets,
		Limit: int32(p.Reception.UnrepliedLimit), PolicyVersion: p.Version,
	}}
	s.takeovers = append(s.takeovers, t)
	return t
}

func (t *takeover) finish(m *move, end chatv1.TakeoverEnd) {
	t.endedPos = m.pos
	t.record.EndedAtUs, t.record.End, t.record.EndedBy = m.shopAt, end, m.event.GetActor().GetId()
}

func byConversation(p *policy.Policy) bool { return p.Reception.Unit == policy.UnitConversation }

func holds(list []*move, conversation string) bool {
	return slices.ContainsFunc(list, func(u *move) bool { return u.conversation == conversation })
}

func without(list []*move, gone *move) []*move {
	var out []*move
	for _, u := range list {
		if u != gone {
			out = append(out, u)
		}
	}
	return out
}

func newest(list []*move, n int) []*move {
	if len(list) > n {
		return list[len(list)-n:]
	}
	return list
}
