package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks/deadletters"
)

// mapper makes rows of records. It is not safe for concurrent use.
type mapper struct {
	namespace  schemas.Namespace
	partitions int32
	plain      map[string]string // full topic name to plain

	// Messages to decode into, over and over.
	event    chatv1.ChatEvent
	fact     chatv1.Fact
	takeover chatv1.Takeover
	kpi      chatv1.Kpi
	decision chatv1.Decision
	letter   chatv1.DeadLetter
	step     chatv1.Case
	sanction chatv1.Sanction
	read     chatv1.ReadRecord
}

// sources are the topics that a sink reads: all that are no tables.
func sources() []string {
	var names []string
	for _, t := range schemas.Topics() {
		if !t.Table && !t.Inner {
			names = append(names, t.Name)
		}
	}
	return names
}

func newMapper(namespace schemas.Namespace, partitions int32) *mapper {
	m := &mapper{namespace: namespace, partitions: partitions, plain: make(map[string]string)}
	for _, name := range sources() {
		m.plain[namespace.Topic(name)] = name
	}
	return m
}

// add puts a record's rows into the batch, or a letter that says why it has none.
func (m *mapper) add(b *batch, rec *kgo.Record, now time.Time) {
	b.read(rec, now)
	if bad := m.rows(b, rec); bad != nil {
		b.refused = append(b.refused, letterAbout(rec, bad))
	}
}

func letterAbout(rec *kgo.Record, bad *refusal) *deadletters.Letter {
	return &deadletters.Letter{DeadLetter: &chatv1.DeadLetter{
		Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Key: rec.Key, Value: rec.Value,
		Code: bad.code, Reason: bad.reason, Stage: deadletters.StageSinks, RecordAtUs: rec.Timestamp.UnixMicro(),
	}}
}

// rows puts all of a record's rows into the batch, or none.
func (m *mapper) rows(b *batch, rec *kgo.Record) *refusal {
	switch m.plain[rec.Topic] {
	case schemas.TopicEvents:
		return m.eventRows(b, rec)
	case schemas.TopicFacts:
		return m.factRows(b, rec)
	case schemas.TopicTakeovers:
		return m.takeoverRows(b, rec)
	case schemas.TopicKpis:
		return m.kpiRows(b, rec)
	case schemas.TopicRestrictions:
		return m.decisionRows(b, rec)
	case schemas.TopicDeadLetters:
		return m.letterRows(b, rec)
	case schemas.TopicCases:
		return m.caseRows(b, rec)
	case schemas.TopicSanctions:
		return m.sanctionRows(b, rec)
	case schemas.TopicReads:
		return m.readRows(b, rec)
	}
	return refuse(CodeInvalid, "a record of a topic that sinks do not know")
}

type message interface {
	Reset()
	UnmarshalVTUnsafe([]byte) error
}

// decode reads a record. Strings of the message are the record's own bytes: rows keep the record, so that they stay.
func decode(rec *kgo.Record, into message) *refusal {
	into.Reset()
	if err := into.UnmarshalVTUnsafe(rec.Value); err != nil {
		return refuse(CodeDecode, "%v", err)
	}
	return nil
}

// checkKey wants a record under its shop's key and in the partition of that key.
func (m *mapper) checkKey(rec *kgo.Record, shop string) *refusal {
	if shop == "" || string(rec.Key) != shop {
		return refuse(CodeMisplaced, "a record of shop %q under key %q", shop, rec.Key)
	}
	return m.checkPartition(rec)
}

func (m *mapper) checkPartition(rec *kgo.Record) *refusal {
	if want := schemas.Partition(rec.Key, m.partitions); want != rec.Partition {
		return refuse(CodeMisplaced, "key %q belongs to partition %d", rec.Key, want)
	}
	return nil
}

func (m *mapper) eventRows(b *batch, rec *kgo.Record) *refusal {
	ev := &m.event
	if bad := decode(rec, ev); bad != nil {
		return bad
	}
	if ev.GetTick() != nil {
		return nil
	}
	if ev.ShopId == "" || !schemas.IsEventKey(rec.Key, ev.ShopId, ev.ConversationId) {
		return refuse(CodeMisplaced, "an event of %q under key %q", schemas.EventKey(ev.ShopId, ev.ConversationId), rec.Key)
	}
	if bad := m.checkPartition(rec); bad != nil {
		return bad
	}
	if bad := checkTimes("an event", ev.OccurredAtUs); bad != nil {
		return bad
	}
	if role := ev.Actor.GetRole(); role < 0 || role > chatv1.Role_ROLE_SYSTEM {
		return refuse(CodeInvalid, "an actor of role %d, which this version does not know", role)
	}
	row, bad := chatRowOf(ev)
	if bad != nil {
		return bad
	}
	origin := b.source(rec)
	b.chats.write(origin, rec, ev, row)
	if row.kind == eventMessage {
		b.texts.write(origin, rec, ev)
		b.attachments.write(origin, rec, ev)
	} else {
		b.signIns.write(origin, rec, ev, row)
	}
	return nil
}

func (m *mapper) factRows(b *batch, rec *kgo.Record) *refusal {
	f := &m.fact
	if bad := decode(rec, f); bad != nil {
		return bad
	}
	if f.Kind == chatv1.FactKind_FACT_KIND_TICK {
		return nil
	}
	if bad := m.checkKey(rec, f.ShopId); bad != nil {
		return bad
	}
	if bad := checkFact(f); bad != nil {
		return bad
	}
	if len(f.Rounds)+len(f.Lives) == 0 && f.Rating == nil {
		return nil
	}
	origin := b.source(rec)
	for _, r := range f.Rounds {
		b.rounds.write(origin, rec, f, r)
	}
	for _, l := range f.Lives {
		b.lives.write(origin, rec, f, l)
	}
	if f.Rating != nil {
		b.ratings.write(origin, rec, f, f.Rating)
	}
	return nil
}

func (m *mapper) takeoverRows(b *batch, rec *kgo.Record) *refusal {
	if bad := decode(rec, &m.takeover); bad != nil {
		return bad
	}
	if bad := m.checkKey(rec, m.takeover.ShopId); bad != nil {
		return bad
	}
	if bad := checkTakeover(&m.takeover); bad != nil {
		return bad
	}
	b.takeovers.write(b.source(rec), rec, &m.takeover)
	return nil
}

func (m *mapper) kpiRows(b *batch, rec *kgo.Record) *refusal {
	if bad := decode(rec, &m.kpi); bad != nil {
		return bad
	}
	if bad := m.checkKey(rec, m.kpi.ShopId); bad != nil {
		return bad
	}
	if bad := checkKpi(&m.kpi); bad != nil {
		return bad
	}
	b.kpis.write(b.source(rec), rec, &m.kpi)
	return nil
}

func (m *mapper) decisionRows(b *batch, rec *kgo.Record) *refusal {
	if bad := decode(rec, &m.decision); bad != nil {
		return bad
	}
	if bad := m.checkKey(rec, m.decision.ShopId); bad != nil {
		return bad
	}
	if bad := checkDecision(&m.decision); bad != nil {
		return bad
	}
	b.restrictions.write(b.source(rec), rec, &m.decision)
	return nil
}

// letterRows makes the row of a letter. A letter of ours that was submitted again brings its record back: the
// record's rows are made as if it had just been read where it stands.
func (m *mapper) letterRows(b *batch, rec *kgo.Record) *refusal {
	d := &m.letter
	if bad := decode(rec, d); bad != nil {
		return bad
	}
	if d.Topic == "" {
		return refuse(CodeInvalid, "a letter that names no topic")
	}
	resubmittedUS := deadletters.ResubmittedUS(rec)
	b.deadLetters.write(b.source(rec), rec, d, resubmittedUS)
	if resubmittedUS == 0 || d.Stage != deadletters.StageSinks || d.Topic == rec.Topic {
		return nil
	}
	record := &kgo.Record{
		Topic: d.Topic, Partition: d.Partition, Offset: d.Offset, Key: d.Key, Value: d.Value,
		Timestamp: time.UnixMicro(d.RecordAtUs),
	}
	if bad := m.rows(b, record); bad != nil {
		b.refused = append(b.refused, letterAbout(record, bad))
	}
	return nil
}
