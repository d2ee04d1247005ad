package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	kindTrigger     = "Enum8('unspecified' = 0, 'same_consumer' = 1, 'across_consumers' = 2)"
	kindTakeoverEnd = "Enum8('lasting' = 0, 'manual_reply' = 1, 'resumed' = 2)"
	kindWindow      = "Enum8('unspecified' = 0, 'day' = 1, 'half_month' = 2)"
	kindVerdicts    = "Array(Enum8('unspecified' = 0, 'reported' = 1, 'not_judged' = 2, 'met' = 3, 'missed' = 4))"
)

// takeoversTable is takeovers_data.
type takeoversTable struct {
	*table
	shop                                               *columnOf[string]
	number                                             *columnOf[int64]
	trigger                                            *columnOf[int8]
	started                                            *columnOf[time.Time]
	ended                                              *columnOf[*time.Time]
	end                                                *columnOf[int8]
	endedBy                                            *columnOf[string]
	triggerEvent, triggerConversation, triggerConsumer *columnOf[string]
	unreplied, consumers                               *columnOf[int32]
	evidence                                           *columnOf[[]int64]
	limit                                              *columnOf[int32]
	policy                                             *columnOf[string]
	partition                                          *columnOf[int32]
	sourceOffset                                       *columnOf[int64]
}

func newTakeoversTable() *takeoversTable {
	t := newTable("takeovers_data")
	return &takeoversTable{
		table:               t,
		shop:                add[string](t, "shop_id", "String"),
		number:              add[int64](t, "number", "Int64"),
		trigger:             add[int8](t, "trigger", kindTrigger),
		started:             add[time.Time](t, "started_at", kindTime),
		ended:               add[*time.Time](t, "ended_at", kindMaybeTime),
		end:                 add[int8](t, "takeover_end", kindTakeoverEnd),
		endedBy:             add[string](t, "ended_by", "String"),
		triggerEvent:        add[string](t, "trigger_event_id", "String"),
		triggerConversation: add[string](t, "trigger_conversation_id", "String"),
		triggerConsumer:     add[string](t, "trigger_consumer_id", "String"),
		unreplied:           add[int32](t, "unreplied", "Int32"),
		consumers:           add[int32](t, "consumers", "Int32"),
		evidence:            add[[]int64](t, "evidence_offsets", "Array(Int64)"),
		limit:               add[int32](t, "unreplied_limit", "Int32"),
		policy:              add[string](t, "policy_version", kindWord),
		partition:           add[int32](t, "log_partition", "Int32"),
		sourceOffset:        add[int64](t, "source_offset", "Int64"),
	}
}

func checkTakeover(o *chatv1.Takeover) *refusal {
	switch {
	case o.SourceOffset < 0:
		return refuse(CodeInvalid, "a takeover from offset %d", o.SourceOffset)
	case o.Trigger < 0 || o.Trigger > chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_ACROSS_CONSUMERS:
		return refuse(CodeInvalid, "a takeover of trigger %d, which this version does not know", o.Trigger)
	case o.End < 0 || o.End > chatv1.TakeoverEnd_TAKEOVER_END_RESUMED:
		return refuse(CodeInvalid, "a takeover of end %d, which this version does not know", o.End)
	}
	return checkTimes("a takeover", o.StartedAtUs, o.EndedAtUs)
}

func (t *takeoversTable) write(origin int32, rec *kgo.Record, o *chatv1.Takeover) {
	i := t.next(origin)
	t.shop.put(i, o.ShopId)
	t.number.put(i, o.Number)
	t.trigger.put(i, int8(o.Trigger))
	t.started.put(i, instant(o.StartedAtUs))
	t.ended.put(i, maybe(o.EndedAtUs))
	t.end.put(i, int8(o.End))
	t.endedBy.put(i, o.EndedBy)
	t.triggerEvent.put(i, o.TriggerEventId)
	t.triggerConversation.put(i, o.TriggerConversationId)
	t.triggerConsumer.put(i, o.TriggerConsumerId)
	t.unreplied.put(i, o.Unreplied)
	t.consumers.put(i, o.Consumers)
	t.evidence.put(i, o.EvidenceOffsets)
	t.limit.put(i, o.Limit)
	t.policy.put(i, o.PolicyVersion)
	t.partition.put(i, rec.Partition)
	t.sourceOffset.put(i, o.SourceOffset)
}

// kpisTable is service_kpis_data. Of the snapshots of one window in a batch only the newest makes a row:
// a replay tells a window many times within one batch.
type kpisTable struct {
	*table
	shop           *columnOf[string]
	kind           *columnOf[int8]
	start, end     *columnOf[time.Time]
	version        *columnOf[uint64]
	final          *columnOf[bool]
	counts         countColumns
	takeovers, bot *columnOf[int64]
	indicators     indicatorColumns
	policy         *columnOf[string]
	partition      *columnOf[int32]
	offset         *columnOf[int64]
	places         map[windowKey]int
}

type windowKey struct {
	shop  string
	kind  chatv1.WindowKind
	start int64
}

func newKpisTable() *kpisTable {
	t := newTable("service_kpis_data")
	return &kpisTable{
		table:      t,
		places:     make(map[windowKey]int),
		shop:       add[string](t, "shop_id", "String"),
		kind:       add[int8](t, "window_kind", kindWindow),
		start:      add[time.Time](t, "window_start", kindTime),
		end:        add[time.Time](t, "window_end", kindTime),
		version:    add[uint64](t, "version", "UInt64"),
		final:      add[bool](t, "is_final", "Bool"),
		counts:     addCounts(t),
		takeovers:  add[int64](t, "takeovers", "Int64"),
		bot:        add[int64](t, "bot_us", "Int64"),
		indicators: addIndicators(t),
		policy:     add[string](t, "policy_version", kindWord),
		partition:  add[int32](t, "log_partition", "Int32"),
		offset:     add[int64](t, "log_offset", "Int64"),
	}
}

func checkKpi(k *chatv1.Kpi) *refusal {
	switch {
	case k.Version < 0:
		return refuse(CodeInvalid, "a snapshot of version %d", k.Version)
	case k.Kind < 0 || k.Kind > chatv1.WindowKind_WINDOW_KIND_HALF_MONTH:
		return refuse(CodeInvalid, "a window of kind %d, which this version does not know", k.Kind)
	}
	if bad := checkTimes("the end of a window", k.EndUs); bad != nil {
		return bad
	}
	if bad := checkIndicators(k.Indicators); bad != nil {
		return bad
	}
	return checkTimes("a window", k.StartUs)
}

func (t *kpisTable) write(origin int32, rec *kgo.Record, k *chatv1.Kpi) {
	key := windowKey{k.ShopId, k.Kind, k.StartUs}
	i, told := t.places[key]
	switch {
	case !told:
		i = t.next(origin)
		t.places[key] = i
	case t.version.values[i] > uint64(k.Version):
		return
	default:
		t.origins[i] = origin
	}
	t.shop.put(i, k.ShopId)
	t.kind.put(i, int8(k.Kind))
	t.start.put(i, instant(k.StartUs))
	t.end.put(i, instant(k.EndUs))
	t.version.put(i, uint64(k.Version))
	t.final.put(i, k.Final)
	t.counts.put(i, k.Counts)
	t.takeovers.put(i, k.Takeovers)
	t.bot.put(i, k.BotUs)
	t.indicators.put(i, k.Indicators)
	t.policy.put(i, k.PolicyVersion)
	t.partition.put(i, rec.Partition)
	t.offset.put(i, rec.Offset)
}

func (t *kpisTable) reset() {
	t.table.reset()
	clear(t.places)
}

// restrictionsTable is restrictions_data.
type restrictionsTable struct {
	*table
	shop         *columnOf[string]
	start, end   *columnOf[time.Time]
	revision     *columnOf[uint32]
	restricted   *columnOf[bool]
	restrictions *columnOf[[]string]
	from, until  *columnOf[*time.Time]
	missed       *columnOf[[]string]
	checkpoint   *columnOf[int64]
	counts       countColumns
	indicators   indicatorColumns
	policy       *columnOf[string]
	partition    *columnOf[int32]
	sourceOffset *columnOf[int64]
}

func newRestrictionsTable() *restrictionsTable {
	t := newTable("restrictions_data")
	return &restrictionsTable{
		table:        t,
		shop:         add[string](t, "shop_id", "String"),
		start:        add[time.Time](t, "period_start", kindTime),
		end:          add[time.Time](t, "period_end", kindTime),
		revision:     add[uint32](t, "revision", "UInt32"),
		restricted:   add[bool](t, "restricted", "Bool"),
		restrictions: add[[]string](t, "restrictions", kindWords),
		from:         add[*time.Time](t, "restricted_from", kindMaybeTime),
		until:        add[*time.Time](t, "restricted_until", kindMaybeTime),
		missed:       add[[]string](t, "missed", kindWords),
		checkpoint:   add[int64](t, "checkpoint_seconds", "Int64"),
		counts:       addCounts(t),
		indicators:   addIndicators(t),
		policy:       add[string](t, "policy_version", kindWord),
		partition:    add[int32](t, "log_partition", "Int32"),
		sourceOffset: add[int64](t, "source_offset", "Int64"),
	}
}

func checkDecision(d *chatv1.Decision) *refusal {
	if d.Revision < 1 {
		return refuse(CodeInvalid, "a decision of revision %d", d.Revision)
	}
	if d.SourceOffset < -1 {
		return refuse(CodeInvalid, "a decision from offset %d", d.SourceOffset)
	}
	if bad := checkTimes("the end of a period", d.PeriodEndUs); bad != nil {
		return bad
	}
	if bad := checkIndicators(d.Evidence); bad != nil {
		return bad
	}
	return checkTimes("a decision", d.PeriodStartUs, d.RestrictedFromUs, d.RestrictedUntilUs)
}

func (t *restrictionsTable) write(origin int32, rec *kgo.Record, d *chatv1.Decision) {
	i := t.next(origin)
	t.shop.put(i, d.ShopId)
	t.start.put(i, instant(d.PeriodStartUs))
	t.end.put(i, instant(d.PeriodEndUs))
	t.revision.put(i, uint32(d.Revision))
	t.restricted.put(i, d.Restricted)
	t.restrictions.put(i, d.Restrictions)
	t.from.put(i, maybe(d.RestrictedFromUs))
	t.until.put(i, maybe(d.RestrictedUntilUs))
	t.missed.put(i, d.Missed)
	t.checkpoint.put(i, d.CheckpointSeconds)
	t.counts.put(i, d.Counts)
	t.indicators.put(i, d.Evidence)
	t.policy.put(i, d.PolicyVersion)
	t.partition.put(i, rec.Partition)
	t.sourceOffset.put(i, d.SourceOffset)
}
