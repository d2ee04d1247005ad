package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	kindOutcome = "Enum8('moved' = 0, 'open' = 1, 'answered' = 2, 'expired' = 3, 'closed' = 4, 'withdrawn' = 5)"
	kindLifeEnd = "Enum8('open' = 0, 'closed' = 1, 'lapsed' = 2)"
)

const outcomeMoved int8 = 0

// roundsTable is rounds_data.
type roundsTable struct {
	*table
	shop, conversation   *columnOf[string]
	number, life, inLife *columnOf[int64]
	outcome              *columnOf[int8]
	started              *columnOf[time.Time]
	ended                *columnOf[*time.Time]
	wait                 *columnOf[*int64]
	agent, consumer      *columnOf[string]
	counted, within      *columnOf[bool]
	startOffset          *columnOf[int64]
	partition            *columnOf[int32]
	sourceOffset         *columnOf[int64]
	version              *columnOf[uint64]
}

func newRoundsTable() *roundsTable {
	t := newTable("rounds_data")
	return &roundsTable{
		table:        t,
		shop:         add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"),
		number:       add[int64](t, "number", "Int64"),
		life:         add[int64](t, "life", "Int64"),
		inLife:       add[int64](t, "number_in_life", "Int64"),
		outcome:      add[int8](t, "outcome", kindOutcome),
		started:      add[time.Time](t, "started_at", kindTime),
		ended:        add[*time.Time](t, "ended_at", kindMaybeTime),
		wait:         add[*int64](t, "wait_us", "Nullable(Int64)"),
		agent:        add[string](t, "agent_id", "String"),
		consumer:     add[string](t, "consumer_id", "String"),
		counted:      add[bool](t, "counted", "Bool"),
		within:       add[bool](t, "within", "Bool"),
		startOffset:  add[int64](t, "start_offset", "Int64"),
		partition:    add[int32](t, "log_partition", "Int32"),
		sourceOffset: add[int64](t, "source_offset", "Int64"),
		version:      add[uint64](t, "version", "UInt64"),
	}
}

func (t *roundsTable) write(origin int32, rec *kgo.Record, f *chatv1.Fact, r *chatv1.Round) {
	if left, ok := leftMonth(f, r); ok {
		t.row(origin, rec, f, r, outcomeMoved, left)
	}
	t.row(origin, rec, f, r, int8(r.Outcome), instant(r.StartedAtUs))
}

// leftMonth is an instant of the month that a round may have left. A shield that takes back the first message of a round moves
// its start to a later message, at most 24 h later, and so perhaps into the next month and out of its row's
// partition; a query that looks at the old month only would then still see the old row. A row of outcome
// "moved" replaces it there; its version is below that of the round's row in the new month.
func leftMonth(f *chatv1.Fact, r *chatv1.Round) (time.Time, bool) {
	if f.Kind != chatv1.FactKind_FACT_KIND_OTHER || r.Outcome != chatv1.RoundOutcome_ROUND_OUTCOME_OPEN {
		return time.Time{}, false
	}
	start := instant(r.StartedAtUs)
	month := time.Date(start.Year(), start.Month(), 1, 0, 0, 0, 0, time.UTC)
	return month.Add(-time.Microsecond), start.Sub(month) < 24*time.Hour
}

func (t *roundsTable) row(origin int32, rec *kgo.Record, f *chatv1.Fact, r *chatv1.Round, outcome int8, started time.Time) {
	version := 2 * uint64(f.SourceOffset)
	if outcome != outcomeMoved {
		version++
	}
	var wait *int64
	if r.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED {
		us := r.WaitUs // not into the message, which is read into again
		wait = &us
	}
	i := t.next(origin)
	t.shop.put(i, f.ShopId)
	t.conversation.put(i, f.ConversationId)
	t.number.put(i, r.Number)
	t.life.put(i, r.Life)
	t.inLife.put(i, r.NumberInLife)
	t.outcome.put(i, outcome)
	t.started.put(i, started)
	t.ended.put(i, maybe(r.EndedAtUs))
	t.wait.put(i, wait)
	t.agent.put(i, r.AgentId)
	t.consumer.put(i, r.ConsumerId)
	t.counted.put(i, r.Counted)
	t.within.put(i, r.Within)
	t.startOffset.put(i, r.StartOffset)
	t.partition.put(i, rec.Partition)
	t.sourceOffset.put(i, f.SourceOffset)
	t.version.put(i, version)
}

// livesTable is conversations_data.
type livesTable struct {
	*table
	shop, conversation   *columnOf[string]
	life                 *columnOf[int64]
	started              *columnOf[time.Time]
	ended                *columnOf[*time.Time]
	end                  *columnOf[int8]
	consumer, firstAgent *columnOf[string]
	firstReply           *columnOf[*time.Time]
	rounds               *columnOf[int64]
	partition            *columnOf[int32]
	sourceOffset         *columnOf[int64]
}

func newLivesTable() *livesTable {
	t := newTable("conversations_data")
	return &livesTable{
		table:        t,
		shop:         add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"),
		life:         add[int64](t, "life", "Int64"),
		started:      add[time.Time](t, "started_at", kindTime),
		ended:        add[*time.Time](t, "ended_at", kindMaybeTime),
		end:          add[int8](t, "life_end", kindLifeEnd),
		consumer:     add[string](t, "consumer_id", "String"),
		firstAgent:   add[string](t, "first_agent_id", "String"),
		firstReply:   add[*time.Time](t, "first_reply_at", kindMaybeTime),
		rounds:       add[int64](t, "rounds", "Int64"),
		partition:    add[int32](t, "log_partition", "Int32"),
		sourceOffset: add[int64](t, "source_offset", "Int64"),
	}
}

func (t *livesTable) write(origin int32, rec *kgo.Record, f *chatv1.Fact, l *chatv1.ConversationLife) {
	i := t.next(origin)
	t.shop.put(i, f.ShopId)
	t.conversation.put(i, f.ConversationId)
	t.life.put(i, l.Life)
	t.started.put(i, instant(l.StartedAtUs))
	t.ended.put(i, maybe(l.EndedAtUs))
	t.end.put(i, int8(l.End))
	t.consumer.put(i, l.ConsumerId)
	t.firstAgent.put(i, l.FirstAgentId)
	t.firstReply.put(i, maybe(l.FirstReplyAtUs))
	t.rounds.put(i, l.Rounds)
	t.partition.put(i, rec.Partition)
	t.sourceOffset.put(i, f.SourceOffset)
}

// ratingsTable is ratings_data.
type ratingsTable struct {
	*table
	shop, conversation *columnOf[string]
	life               *columnOf[int64]
	score              *columnOf[uint8]
	rated              *columnOf[time.Time]
	consumer           *columnOf[string]
	partition          *columnOf[int32]
	sourceOffset       *columnOf[int64]
}

func newRatingsTable() *ratingsTable {
	t := newTable("ratings_data")
	return &ratingsTable{
		table:        t,
		shop:         add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"),
		life:         add[int64](t, "life", "Int64"),
		score:        add[uint8](t, "score", "UInt8"),
		rated:        add[time.Time](t, "rated_at", kindTime),
		consumer:     add[string](t, "consumer_id", "String"),
		partition:    add[int32](t, "log_partition", "Int32"),
		sourceOffset: add[int64](t, "source_offset", "Int64"),
	}
}

func (t *ratingsTable) write(origin int32, rec *kgo.Record, f *chatv1.Fact, r *chatv1.Rating) {
	i := t.next(origin)
	t.shop.put(i, f.ShopId)
	t.conversation.put(i, f.ConversationId)
	t.life.put(i, r.Life)
	t.score.put(i, uint8(r.Score))
	t.rated.put(i, instant(r.RatedAtUs))
	t.consumer.put(i, r.ConsumerId)
	t.partition.put(i, rec.Partition)
	t.sourceOffset.put(i, f.SourceOffset)
}

// checkFact refuses what would make no true row.
func checkFact(f *chatv1.Fact) *refusal {
	if f.SourceOffset < 0 {
		return refuse(CodeInvalid, "a fact from offset %d", f.SourceOffset)
	}
	for _, r := range f.Rounds {
		if r.Outcome <= 0 || r.Outcome > chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN {
			return refuse(CodeInvalid, "a round of outcome %d, which this version does not know", r.Outcome)
		}
		if bad := checkTimes("a round", r.StartedAtUs, r.EndedAtUs); bad != nil {
			return bad
		}
	}
	for _, l := range f.Lives {
		if l.End < 0 || l.End > chatv1.LifeEnd_LIFE_END_LAPSED {
			return refuse(CodeInvalid, "a life of end %d, which this version does not know", l.End)
		}
		if bad := checkTimes("a life", l.StartedAtUs, l.EndedAtUs, l.FirstReplyAtUs); bad != nil {
			return bad
		}
	}
	if r := f.Rating; r != nil {
		if r.Score < 0 || r.Score > 255 {
			return refuse(CodeInvalid, "a score of %d", r.Score)
		}
		return checkTimes("a rating", r.RatedAtUs)
	}
	return nil
}
