package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	kindOffender = "Enum8('unspecified' = 0, 'consumer' = 1, 'shop' = 2)"
	kindCategory = "Enum8('unspecified' = 0, 'third_party_info' = 1, 'abuse' = 2, 'political' = 3, 'obscene' = 4, 'spam' = 5, 'fraud' = 6, " +
		"'malicious_block' = 7, 'malicious_claim' = 8, 'misuse' = 9, 'account_takeover' = 10)"
	kindSeverity = "Enum8('unspecified' = 0, 'low' = 1, 'medium' = 2, 'high' = 3)"
	kindRuling   = "Enum8('unspecified' = 0, 'confirmed' = 1, 'dismissed' = 2)"
	kindStep     = "Enum8('filed' = 1, 'decided' = 2)"
	kindSanction = "Enum8('unspecified' = 0, 'shield' = 1, 'mute' = 2, 'ban' = 3, 'points' = 4, 'milestone' = 5, 'order_flag' = 6)"
)

// offenderColumns name who answers for something.
type offenderColumns struct {
	kind *columnOf[int8]
	id   *columnOf[string]
}

func addOffender(t *table) offenderColumns {
	return offenderColumns{add[int8](t, "offender_kind", kindOffender), add[string](t, "offender_id", "String")}
}

func (c offenderColumns) put(row int, o *chatv1.Offender) {
	c.kind.put(row, int8(o.GetKind()))
	c.id.put(row, o.GetId())
}

// placeColumns say where a row stands in the log.
type placeColumns struct {
	partition *columnOf[int32]
	offset    *columnOf[int64]
}

func addPlace(t *table) placeColumns {
	return placeColumns{add[int32](t, "log_partition", "Int32"), add[int64](t, "log_offset", "Int64")}
}

func (c placeColumns) put(row int, partition int32, offset int64) {
	c.partition.put(row, partition)
	c.offset.put(row, offset)
}

// casesTables are the tables of topic violations.cases.
type casesTables struct {
	flags    *flagsTable
	evidence *evidenceTable
	verdicts *verdictsTable
	appeals  *appealsTable
}

func newCasesTables() casesTables {
	return casesTables{newFlagsTable(), newEvidenceTable(), newVerdictsTable(), newAppealsTable()}
}

func (c casesTables) all() []*table {
	return []*table{c.flags.table, c.evidence.table, c.verdicts.table, c.appeals.table}
}

type flagsTable struct {
	*table
	offender                                 offenderColumns
	flag, shop, conversation, event, actor   *columnOf[string]
	time                                     *columnOf[time.Time]
	category                                 *columnOf[int8]
	subKind                                  *columnOf[string]
	severity                                 *columnOf[int8]
	confidence                               *columnOf[float64]
	auto                                     *columnOf[bool]
	detector, detectorVersion, policyVersion *columnOf[string]
	place                                    placeColumns
}

func newFlagsTable() *flagsTable {
	t := newTable("violation_flags_data")
	return &flagsTable{
		table: t, offender: addOffender(t),
		flag: add[string](t, "flag_id", "String"), shop: add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"), event: add[string](t, "event_id", "String"),
		actor: add[string](t, "actor_id", "String"), time: add[time.Time](t, "time", kindTime),
		category: add[int8](t, "category", kindCategory), subKind: add[string](t, "sub_kind", kindWord),
		severity: add[int8](t, "severity", kindSeverity), confidence: add[float64](t, "confidence", "Float64"),
		auto: add[bool](t, "auto_confirmed", "Bool"), detector: add[string](t, "detector", kindWord),
		detectorVersion: add[string](t, "detector_version", kindWord), policyVersion: add[string](t, "policy_version", kindWord),
		place: addPlace(t),
	}
}

func (t *flagsTable) write(origin int32, rec *kgo.Record, f *chatv1.Flag) {
	i := t.next(origin)
	t.offender.put(i, f.Offender)
	t.flag.put(i, f.FlagId)
	t.shop.put(i, f.ShopId)
	t.conversation.put(i, f.ConversationId)
	t.event.put(i, f.EventId)
	t.actor.put(i, f.ActorId)
	t.time.put(i, instant(f.AtUs))
	t.category.put(i, int8(f.Category))
	t.subKind.put(i, f.SubKind)
	t.severity.put(i, int8(f.Severity))
	t.confidence.put(i, f.Confidence)
	t.auto.put(i, f.AutoConfirmed)
	t.detector.put(i, f.Detector)
	t.detectorVersion.put(i, f.DetectorVersion)
	t.policyVersion.put(i, f.PolicyVersion)
	t.place.put(i, rec.Partition, rec.Offset)
}

type evidenceTable struct {
	*table
	flag     *columnOf[string]
	time     *columnOf[time.Time]
	from, to *columnOf[int32]
	evidence *columnOf[string]
	place    placeColumns
}

func newEvidenceTable() *evidenceTable {
	t := newTable("violation_evidence_data")
	return &evidenceTable{
		table: t, flag: add[string](t, "flag_id", "String"), time: add[time.Time](t, "time", kindTime),
		from: add[int32](t, "span_from", "Int32"), to: add[int32](t, "span_to", "Int32"),
		evidence: add[string](t, "evidence", "String"), place: addPlace(t),
	}
}

func (t *evidenceTable) write(origin int32, rec *kgo.Record, f *chatv1.Flag) {
	i := t.next(origin)
	t.flag.put(i, f.FlagId)
	t.time.put(i, instant(f.AtUs))
	t.from.put(i, f.SpanFrom)
	t.to.put(i, f.SpanTo)
	t.evidence.put(i, f.Evidence)
	t.place.put(i, rec.Partition, rec.Offset)
}

type verdictsTable struct {
	*table
	offender         offenderColumns
	flag, verdict    *columnOf[string]
	time             *columnOf[time.Time]
	ruling, category *columnOf[int8]
	reviewer, note   *columnOf[string]
	place            placeColumns
}

func newVerdictsTable() *verdictsTable {
	t := newTable("verdicts_data")
	return &verdictsTable{
		table: t, offender: addOffender(t), flag: add[string](t, "flag_id", "String"), verdict: add[string](t, "verdict_id", "String"),
		time: add[time.Time](t, "time", kindTime), ruling: add[int8](t, "ruling", kindRuling), category: add[int8](t, "category", kindCategory),
		reviewer: add[string](t, "reviewer_id", "String"), note: add[string](t, "note", "String"), place: addPlace(t),
	}
}

func (t *verdictsTable) write(origin int32, rec *kgo.Record, v *chatv1.ReviewVerdict) {
	i := t.next(origin)
	t.offender.put(i, v.Offender)
	t.flag.put(i, v.FlagId)
	t.verdict.put(i, v.VerdictId)
	t.time.put(i, instant(v.AtUs))
	t.ruling.put(i, int8(v.Ruling))
	t.category.put(i, int8(v.Category))
	t.reviewer.put(i, v.ReviewerId)
	t.note.put(i, v.Note)
	t.place.put(i, rec.Partition, rec.Offset)
}

// Steps of an appeal.
const (
	stepFiled   int8 = 1
	stepDecided int8 = 2
)

type appealsTable struct {
	*table
	offender      offenderColumns
	flag, appeal  *columnOf[string]
	step          *columnOf[int8]
	time          *columnOf[time.Time]
	granted       *columnOf[bool]
	account, note *columnOf[string]
	place         placeColumns
}

func newAppealsTable() *appealsTable {
	t := newTable("appeal_steps_data")
	return &appealsTable{
		table: t, offender: addOffender(t), flag: add[string](t, "flag_id", "String"), appeal: add[string](t, "appeal_id", "String"),
		step: add[int8](t, "step", kindStep), time: add[time.Time](t, "time", kindTime), granted: add[bool](t, "granted", "Bool"),
		account: add[string](t, "account_id", "String"), note: add[string](t, "note", "String"), place: addPlace(t),
	}
}

func (t *appealsTable) write(origin int32, rec *kgo.Record, o *chatv1.Offender, flag, appeal string, step int8, atUS int64, granted bool, account, note string) {
	i := t.next(origin)
	t.offender.put(i, o)
	t.flag.put(i, flag)
	t.appeal.put(i, appeal)
	t.step.put(i, step)
	t.time.put(i, instant(atUS))
	t.granted.put(i, granted)
	t.account.put(i, account)
	t.note.put(i, note)
	t.place.put(i, rec.Partition, rec.Offset)
}

// offenderKey is the key that the offender's records stand under.
func offenderKey(o *chatv1.Offender) string {
	switch o.GetKind() {
	case chatv1.OffenderKind_OFFENDER_KIND_CONSUMER:
		return schemas.OffenderKey("consumer", o.Id)
	case chatv1.OffenderKind_OFFENDER_KIND_SHOP:
		return schemas.OffenderKey("shop", o.Id)
	}
	return ""
}

func (m *mapper) caseRows(b *batch, rec *kgo.Record) *refusal {
	c := &m.step
	if bad := decode(rec, c); bad != nil {
		return bad
	}
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		return m.flagRows(b, rec, s.Flag)
	case *chatv1.Case_Verdict:
		v := s.Verdict
		if bad := m.checkStep(rec, v.Offender, v.AtUs, v.FlagId, v.VerdictId); bad != nil {
			return bad
		}
		if v.Ruling < 0 || v.Ruling > chatv1.Ruling_RULING_DISMISSED {
			return refuse(CodeInvalid, "a verdict of ruling %d, which this version does not know", v.Ruling)
		}
		if bad := checkCategory(v.Category); bad != nil {
			return bad
		}
		b.cases.verdicts.write(b.source(rec), rec, v)
	case *chatv1.Case_Appeal:
		a := s.Appeal
		if bad := m.checkStep(rec, a.Offender, a.AtUs, a.FlagId, a.AppealId); bad != nil {
			return bad
		}
		b.cases.appeals.write(b.source(rec), rec, a.Offender, a.FlagId, a.AppealId, stepFiled, a.AtUs, false, "", a.Reason)
	case *chatv1.Case_AppealDecision:
		d := s.AppealDecision
		if bad := m.checkStep(rec, d.Offender, d.AtUs, d.FlagId, d.AppealId); bad != nil {
			return bad
		}
		b.cases.appeals.write(b.source(rec), rec, d.Offender, d.FlagId, d.AppealId, stepDecided, d.AtUs, d.Granted, d.ReviewerId, d.Note)
	default:
		return refuse(CodeInvalid, "a case without a step")
	}
	return nil
}

func (m *mapper) flagRows(b *batch, rec *kgo.Record, f *chatv1.Flag) *refusal {
	if bad := m.checkStep(rec, f.Offender, f.AtUs, f.FlagId, f.FlagId); bad != nil {
		return bad
	}
	if bad := checkCategory(f.Category); bad != nil {
		return bad
	}
	if f.Severity < 0 || f.Severity > chatv1.Severity_SEVERITY_HIGH {
		return refuse(CodeInvalid, "a flag of severity %d, which this version does not know", f.Severity)
	}
	origin := b.source(rec)
	b.cases.flags.write(origin, rec, f)
	b.cases.evidence.write(origin, rec, f)
	return nil
}

func (m *mapper) checkStep(rec *kgo.Record, o *chatv1.Offender, atUS int64, flag, id string) *refusal {
	if key := offenderKey(o); key == "" || string(rec.Key) != key {
		return refuse(CodeMisplaced, "a step of %q under key %q", key, rec.Key)
	}
	if flag == "" || id == "" {
		return refuse(CodeInvalid, "a step without the id of its flag or its own")
	}
	if bad := m.checkPartition(rec); bad != nil {
		return bad
	}
	return checkTimes("a step of a case", atUS)
}

func checkCategory(c chatv1.Category) *refusal {
	if c < 0 || c > chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER {
		return refuse(CodeInvalid, "category %d, which this version does not know", c)
	}
	return nil
}
