package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// sanctionsTable is sanctions_data.
type sanctionsTable struct {
	*table
	offender                         offenderColumns
	id                               *columnOf[string]
	kind                             *columnOf[int8]
	flag                             *columnOf[string]
	category                         *columnOf[int8]
	shop, conversation, event, actor *columnOf[string]
	time                             *columnOf[time.Time]
	until                            *columnOf[*time.Time]
	points                           *columnOf[int32]
	restrictions                     *columnOf[[]string]
	offence                          *columnOf[int32]
	reversed                         *columnOf[bool]
	policy                           *columnOf[string]
	decided                          *columnOf[time.Time]
	place                            placeColumns
}

func newSanctionsTable() *sanctionsTable {
	t := newTable("sanctions_data")
	return &sanctionsTable{
		table: t, offender: addOffender(t), id: add[string](t, "sanction_id", "String"), kind: add[int8](t, "kind", kindSanction),
		flag: add[string](t, "flag_id", "String"), category: add[int8](t, "category", kindCategory), shop: add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"), event: add[string](t, "event_id", "String"), actor: add[string](t, "actor_id", "String"),
		time: add[time.Time](t, "time", kindTime), until: add[*time.Time](t, "until", kindMaybeTime), points: add[int32](t, "points", "Int32"),
		restrictions: add[[]string](t, "restrictions", kindWords), offence: add[int32](t, "offence", "Int32"), reversed: add[bool](t, "reversed", "Bool"),
		policy: add[string](t, "policy_version", kindWord), decided: add[time.Time](t, "decided_at", kindTime), place: addPlace(t),
	}
}

func (t *sanctionsTable) write(origin int32, rec *kgo.Record, s *chatv1.Sanction) {
	i := t.next(origin)
	t.offender.put(i, s.Offender)
	t.id.put(i, s.SanctionId)
	t.kind.put(i, int8(s.Kind))
	t.flag.put(i, s.FlagId)
	t.category.put(i, int8(s.Category))
	t.shop.put(i, s.ShopId)
	t.conversation.put(i, s.ConversationId)
	t.event.put(i, s.EventId)
	t.actor.put(i, s.ActorId)
	t.time.put(i, instant(s.FromUs))
	t.until.put(i, maybe(s.UntilUs))
	t.points.put(i, s.Points)
	t.restrictions.put(i, s.Restrictions)
	t.offence.put(i, s.Offence)
	t.reversed.put(i, s.Reversed)
	t.policy.put(i, s.PolicyVersion)
	t.decided.put(i, instant(s.DecidedAtUs))
	t.place.put(i, rec.Partition, s.Version)
}

func (m *mapper) sanctionRows(b *batch, rec *kgo.Record) *refusal {
	s := &m.sanction
	if bad := decode(rec, s); bad != nil {
		return bad
	}
	if key := offenderKey(s.Offender); key == "" || string(rec.Key) != key {
		return refuse(CodeMisplaced, "a sanction of %q under key %q", key, rec.Key)
	}
	switch {
	case s.SanctionId == "":
		return refuse(CodeInvalid, "a sanction without an id")
	case s.Version < 0:
		return refuse(CodeInvalid, "a sanction of version %d", s.Version)
	case s.Kind < 0 || s.Kind > chatv1.SanctionKind_SANCTION_KIND_ORDER_FLAG:
		return refuse(CodeInvalid, "a sanction of kind %d, which this version does not know", s.Kind)
	}
	if bad := checkCategory(s.Category); bad != nil {
		return bad
	}
	if bad := m.checkPartition(rec); bad != nil {
		return bad
	}
	for _, us := range []int64{s.FromUs, s.DecidedAtUs} {
		if bad := checkTimes("a sanction", us, s.UntilUs); bad != nil {
			return bad
		}
	}
	b.sanctions.write(b.source(rec), rec, s)
	return nil
}

// readsTable is audit_reads_data.
type readsTable struct {
	*table
	shop, conversation, read *columnOf[string]
	time                     *columnOf[time.Time]
	role, reader             *columnOf[string]
	authorised, purpose      *columnOf[string]
	address                  *columnOf[string]
	messages                 *columnOf[uint32]
	statement                *columnOf[string]
}

func newReadsTable() *readsTable {
	t := newTable("audit_reads_data")
	return &readsTable{
		table: t, shop: add[string](t, "shop_id", "String"), conversation: add[string](t, "conversation_id", "String"),
		read: add[string](t, "read_id", "String"), time: add[time.Time](t, "time", kindTime), role: add[string](t, "reader_role", kindWord),
		reader: add[string](t, "reader_id", "String"), authorised: add[string](t, "authorised_by", "String"),
		purpose: add[string](t, "purpose", "String"), address: add[string](t, "address", "String"), messages: add[uint32](t, "messages", "UInt32"),
		statement: add[string](t, "statement", "String"),
	}
}

func (m *mapper) readRows(b *batch, rec *kgo.Record) *refusal {
	r := &m.read
	if bad := decode(rec, r); bad != nil {
		return bad
	}
	if string(rec.Key) != schemas.EventKey(r.ShopId, r.ConversationId) || r.ShopId == "" && r.Statement == "" {
		return refuse(CodeMisplaced, "a read of %q under key %q", schemas.EventKey(r.ShopId, r.ConversationId), rec.Key)
	}
	if r.ReadId == "" || r.AccountId == "" {
		return refuse(CodeInvalid, "a read without an id or an account")
	}
	if bad := m.checkPartition(rec); bad != nil {
		return bad
	}
	if bad := checkTimes("a read", r.AtUs); bad != nil {
		return bad
	}
	t := b.reads
	i := t.next(b.source(rec))
	t.shop.put(i, r.ShopId)
	t.conversation.put(i, r.ConversationId)
	t.read.put(i, r.ReadId)
	t.time.put(i, instant(r.AtUs))
	t.role.put(i, r.Role)
	t.reader.put(i, r.AccountId)
	t.authorised.put(i, r.Reason)
	t.purpose.put(i, r.What)
	t.address.put(i, r.Address)
	t.messages.put(i, r.Messages)
	t.statement.put(i, r.Statement)
	return nil
}
