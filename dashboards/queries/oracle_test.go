package queries_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	"github.com/feigeio/feige/internal/warehouse"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// foretold is what the oracle makes of many random logs, each with shops of its own, whose names are as bad as names can be.
type foretold struct {
	events    []oracle.Record
	rounds    []oracle.Round
	lives     []oracle.Life
	ratings   []oracle.Rating
	takeovers []*chatv1.Takeover
	kpis      []*chatv1.Kpi
	decisions []*chatv1.Decision
}

const seeds = 12

func foretell() *foretold {
	f := &foretold{}
	for seed := range uint64(seeds) {
		s := scenario.Generate(seed)
		r := oracle.Run(s.Policy, s.Log)
		rename := func(shop string) string {
			return fmt.Sprintf("%s %d %s", shop, seed, []string{quoted, emoji, dropper, slashed}[seed%4])
		}
		for _, e := range s.Log {
			if _, tick := e.Event.Payload.(*chatv1.ChatEvent_Tick); !tick {
				e.Event.ShopId = rename(e.Event.ShopId)
				e.Offset += int64(seed) * 1_000_000
				f.events = append(f.events, e)
			}
		}
		for _, o := range r.Rounds {
			o.ShopID = rename(o.ShopID)
			f.rounds = append(f.rounds, o)
		}
		for _, o := range r.Lives {
			o.ShopID = rename(o.ShopID)
			f.lives = append(f.lives, o)
		}
		for _, o := range r.Ratings {
			o.ShopID = rename(o.ShopID)
			f.ratings = append(f.ratings, o)
		}
		for _, o := range r.Takeovers {
			o.ShopId = rename(o.ShopId)
			f.takeovers = append(f.takeovers, o)
		}
		for _, o := range r.Kpis {
			o.ShopId = rename(o.ShopId)
			f.kpis = append(f.kpis, o.Kpi)
		}
		for _, o := range r.Decisions {
			o.ShopId = rename(o.ShopId)
			f.decisions = append(f.decisions, o)
		}
	}
	return f
}

func maybeInstant(us int64) *time.Time {
	if us == 0 {
		return nil
	}
	at := time.UnixMicro(us)
	return &at
}

// told are the columns of indicators.
func told(evidence []*chatv1.Indicator) []any {
	var (
		names, comparisons, definitions []string
		values, standards               []*float64
		samples                         []int64
		verdicts                        []int8
	)
	for _, i := range evidence {
		var value, standard *float64
		if i.HasValue {
			value = &i.Value
		}
		if i.HasStandard {
			standard = &i.Standard
		}
		names, values, samples, standards = append(names, i.Name), append(values, value), append(samples, i.Samples), append(standards, standard)
		comparisons, verdicts, definitions = append(comparisons, i.Comparison), append(verdicts, int8(i.Verdict)), append(definitions, i.Definition)
	}
	verdictNames := make([]string, len(verdicts))
	for n, v := range verdicts {
		verdictNames[n] = []string{"unspecified", "reported", "not_judged", "met", "missed"}[v]
	}
	return []any{names, values, samples, standards, comparisons, verdictNames, definitions}
}

const toldColumns = "indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, indicator_verdicts, indicator_definitions"

// plant puts all of it into a database, twice.
func (f *foretold) plant(ctx context.Context, conn driver.Conn, database string) error {
	p := &planter{ctx: ctx, conn: conn, database: database}
	for range 2 {
		p.rows("chat_events_data", "shop_id, conversation_id, event_id, time, kind, actor_role, actor_id, automatic, log_offset", func(row func(...any)) {
			for _, e := range f.events {
				if kind := kindOf(e.Event); kind != "" {
					role := strings.ToLower(strings.TrimPrefix(e.Event.GetActor().GetRole().String(), "ROLE_"))
					row(e.Event.ShopId, e.Event.ConversationId, e.Event.EventId, time.UnixMicro(e.Event.OccurredAtUs), kind, role, e.Event.GetActor().GetId(), e.Event.GetActor().GetAutomatic(), e.Offset)
				}
			}
		})
		p.rows("rounds_data", "shop_id, conversation_id, number, life, number_in_life, outcome, started_at, ended_at, wait_us, agent_id, consumer_id, counted, within, source_offset, version", func(row func(...any)) {
			for n, o := range f.rounds {
				var wait *int64
				if o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED {
					wait = &o.WaitUs
				}
				outcome := strings.ToLower(strings.TrimPrefix(o.Outcome.String(), "ROUND_OUTCOME_"))
				row(o.ShopID, o.ConversationID, o.Number, o.Life, o.NumberInLife, outcome, time.UnixMicro(o.StartedAtUs), maybeInstant(o.EndedAtUs), wait, o.AgentId, o.ConsumerId, o.Counted, o.Within, int64(n), uint64(n))
			}
		})
		p.rows("conversations_data", "shop_id, conversation_id, life, started_at, ended_at, life_end, consumer_id, first_agent_id, rounds, source_offset", func(row func(...any)) {
			for n, o := range f.lives {
				row(o.ShopID, o.ConversationID, o.Life, time.UnixMicro(o.StartedAtUs), maybeInstant(o.EndedAtUs), []string{"open", "closed", "lapsed"}[o.End], o.ConsumerId, o.FirstAgentId, o.Rounds, int64(n))
			}
		})
		p.rows("ratings_data", "shop_id, conversation_id, life, score, rated_at, source_offset", func(row func(...any)) {
			for n, o := range f.ratings {
				row(o.ShopID, o.ConversationID, o.Life, uint8(o.Score), time.UnixMicro(o.RatedAtUs), int64(n))
			}
		})
		p.rows("takeovers_data", "shop_id, number, trigger, started_at, ended_at, takeover_end, ended_by, trigger_conversation_id, trigger_consumer_id, unreplied, consumers, source_offset", func(row func(...any)) {
			for n, o := range f.takeovers {
				row(o.ShopId, o.Number, []string{"unspecified", "same_consumer", "across_consumers"}[o.Trigger], time.UnixMicro(o.StartedAtUs), maybeInstant(o.EndedAtUs), []string{"lasting", "manual_reply", "resumed"}[o.End], o.EndedBy,
					o.TriggerConversationId, o.TriggerConsumerId, o.Unreplied, o.Consumers, int64(n))
			}
		})
		p.rows("service_kpis_data", "shop_id, window_kind, window_start, window_end, version, is_final, rounds, rounds_answered, rounds_within, wait_sum_us, conversations, ratings, ratings_dissatisfied, takeovers, bot_us, "+toldColumns+", policy_version, log_offset", func(row func(...any)) {
			for n, k := range f.kpis {
				c := k.Counts
				row(append(append([]any{k.ShopId, []string{"unspecified", "day", "half_month"}[k.Kind], time.UnixMicro(k.StartUs), time.UnixMicro(k.EndUs), uint64(n), k.Final, c.GetRounds(), c.GetRoundsAnswered(), c.GetRoundsWithin(), c.GetWaitSumUs(),
					c.GetConversations(), c.GetRatings(), c.GetRatingsDissatisfied(), k.Takeovers, k.BotUs}, told(k.Indicators)...), k.PolicyVersion, int64(n))...)
			}
		})
		p.rows("restrictions_data", "shop_id, period_start, period_end, revision, restricted, restrictions, restricted_from, restricted_until, missed, conversations, ratings, "+toldColumns+", policy_version, checkpoint_seconds, source_offset", func(row func(...any)) {
			for n, d := range f.decisions {
				row(append(append([]any{d.ShopId, time.UnixMicro(d.PeriodStartUs), time.UnixMicro(d.PeriodEndUs), uint32(d.Revision), d.Restricted, d.Restrictions, maybeInstant(d.RestrictedFromUs), maybeInstant(d.RestrictedUntilUs), d.Missed,
					d.Counts.GetConversations(), d.Counts.GetRatings()}, told(d.Evidence)...), d.PolicyVersion, d.CheckpointSeconds, int64(n))...)
			}
		})
	}
	return p.err
}

func kindOf(e *chatv1.ChatEvent) string {
	switch e.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return "message"
	case nil:
		return ""
	}
	return "conversation_read" // whatever it is: no message
}

var prophecy struct {
	once sync.Once
	*foretold
	conn driver.Conn
	err  error
}

func oracles(t *testing.T) (*foretold, driver.Conn) {
	t.Helper()
	seeded, _ := engine(t)
	prophecy.once.Do(func() {
		ctx := context.Background()
		prophecy.foretold = foretell()
		if _, prophecy.err = warehouse.Migrate(ctx, seeded, warehouse.MigrateOptions{Database: "oracle"}); prophecy.err != nil {
			return
		}
		if prophecy.err = prophecy.plant(ctx, seeded, "oracle"); prophecy.err == nil {
			prophecy.conn, prophecy.err = open("oracle")
		}
	})
	if prophecy.err != nil {
		t.Fatal(prophecy.err)
	}
	return prophecy.foretold, prophecy.conn
}

// periods are the half-months that have a row, by name.
func (f *foretold) periods() map[string][2]int64 {
	out := map[string][2]int64{}
	for _, k := range f.kpis {
		if k.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
			start := time.UnixMicro(k.StartUs).In(shanghai)
			name := start.Format("2006-01") + "-H1"
			if start.Day() != 1 {
				name = start.Format("2006-01") + "-H2"
			}
			out[name] = [2]int64{k.StartUs, k.EndUs}
		}
	}
	return out
}

// lines are rows as text, for comparing.
func lines(rows [][]string) []string {
	var out []string
	for _, row := range rows {
		out = append(out, strings.Join(row, " | "))
	}
	return out
}

func line(values ...any) string {
	var out []string
	for _, v := range values {
		out = append(out, show(v))
	}
	return strings.Join(out, " | ")
}

// picked asks a panel and takes columns of its answer, as lines.
func picked(t *testing.T, conn driver.Conn, id string, v queries.Values, columns ...string) []string {
	t.Helper()
	i := slices.IndexFunc(queries.Every(), func(q queries.Query) bool { return q.ID == id })
	if i < 0 {
		t.Fatalf("no query %s", id)
	}
	names, rows := ask(t, conn, grafana(queries.Every()[i].SQL, v))
	for n, row := range rows {
		var some []string
		for _, c := range columns {
			some = append(some, row[slices.Index(names, c)])
		}
		rows[n] = some
	}
	return lines(rows)
}

// Every panel that shows a figure shows the oracle's.
func TestPanelsShowTheOraclesNumbers(t *testing.T) {
	f, conn := oracles(t)
	periods := f.periods()
	if len(periods) < 2 {
		t.Fatalf("the oracle's half-months are %v", periods)
	}
	compared := map[string]int{}
	same := func(id, of string, got, want []string) {
		t.Helper()
		compared[id] += len(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s of %s: %d rows, the oracle has %d\ngot  %.600q\nwant %.600q", id, of, len(got), len(want), got, want)
		}
	}
	for _, period := range slices.Sorted(maps.Keys(periods)) {
		start, end := periods[period][0], periods[period][1]
		v := queries.Values{Period: period, Shop: queries.All, Agent: queries.All, Category: queries.All, From: time.UnixMicro(start), To: time.UnixMicro(end).Add(-time.Second), Now: time.UnixMicro(end), Step: time.Hour, TimeZone: "Asia/Shanghai"}
		f.overview(v, start, func(id string, want []string, columns ...string) {
			t.Helper()
			same(id, period, picked(t, conn, id, v, columns...), want)
		})
		for _, shop := range f.assessed(start) {
			one := v
			one.Shop = shop
			f.shop(shop, start, end, func(id string, want []string, columns ...string) {
				t.Helper()
				id, asked := id, one
				id, asked.Conversation, _ = strings.Cut(id, "@")
				got := picked(t, conn, id, asked, columns...)
				if id == "overview.standards" { // of all shops
					got = slices.DeleteFunc(got, func(row string) bool { return !strings.HasPrefix(row, shop+" | ") })
				}
				same(id, period+" "+shop, got, want)
			})
		}
	}
	now := int64(0)
	for _, o := range f.rounds {
		if o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_OPEN {
			now = max(now, o.StartedAtUs+3_600_000_000)
		}
	}
	for _, shop := range append(f.shops(), queries.All) {
		v := queries.Values{Shop: shop, Agent: queries.All, Now: time.UnixMicro(now), From: time.UnixMicro(0), To: time.UnixMicro(now), TimeZone: "Asia/Shanghai"}
		var open []int64
		lasting := 0
		for _, o := range f.rounds {
			if o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_OPEN && (shop == queries.All || o.ShopID == shop) && o.StartedAtUs > now-86_400_000_000 && o.StartedAtUs <= now {
				open = append(open, o.StartedAtUs)
			}
		}
		for _, o := range f.takeovers {
			if o.End == chatv1.TakeoverEnd_TAKEOVER_END_UNSPECIFIED && (shop == queries.All || o.ShopId == shop) {
				lasting++
			}
		}
		same("live.waiting_count", shop, picked(t, conn, "live.waiting_count", v, "waiting"), []string{line(len(open))})
		same("live.bot_count", shop, picked(t, conn, "live.bot_count", v, "shops"), []string{line(lasting)})
		if longest := picked(t, conn, "live.longest", v, "seconds"); len(open) > 0 {
			same("live.longest", shop, longest, []string{line(now/1e6 - slices.Min(open)/1e6)})
		}
		if got := picked(t, conn, "live.waiting", v, "shop_id"); len(got) != min(len(open), 500) {
			t.Errorf("live.waiting of %s: %d rows, want %d", shop, len(got), len(open))
		}
		compared["live.waiting"] += len(open)
	}
	for _, id := range []string{
		"overview.shops", "overview.missing", "overview.standards", "overview.messages", "shop.indicators", "shop.daily", "shop.trend", "shop.waits", "shop.slowest", "shop.ratings", "shop.dissatisfied", "shop.takeovers", "agents.table", "agents.slowest", "agents.messages",
		"live.waiting_count", "live.longest", "live.waiting", "live.bot_count", "live.takeovers", "assessment.decided", "assessment.restricted", "assessment.revised", "assessment.decisions", "assessment.evidence", "assessment.revisions", "assessment.missed", "pipeline.rate", "conversation.lives", "conversation.rounds",
	} {
		if compared[id] == 0 {
			t.Errorf("%s: nothing was compared", id)
		}
	}
}
