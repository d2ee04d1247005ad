package queries_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// The seed: five shops in the first half of November 2026, 10 days into it. Every shop has conversations/day rounds a day, one
// a conversation, of which good are answered in 60 s, late in 600 s, and the rest never.
type shopSeed struct {
	id                    string
	perDay, good, late    int
	ratings, dissatisfied int
	takeovers             int // a takeover a day at noon for an hour
	lasting               bool
	restricted            bool // by the decision about 2026-10-H2
	flags, points         int
}

const (
	quoted  = "it's a shop"
	emoji   = "🏪 店铺"
	dropper = `'; DROP TABLE rounds_data; --`
	slashed = `back\' slash\`
)

var shops = []shopSeed{
	{id: "shop-a", perDay: 20, good: 18, late: 1, ratings: 40, dissatisfied: 4},
	{id: quoted, perDay: 10, good: 5, late: 4, ratings: 30, dissatisfied: 9, takeovers: 3, lasting: true, restricted: true, flags: 4, points: 12},
	{id: emoji, perDay: 8, good: 6, late: 2, ratings: 10, dissatisfied: 1, takeovers: 1},
	{id: dropper, perDay: 5, good: 4, late: 0, ratings: 0, flags: 1},
	{id: slashed, perDay: 1, good: 1, late: 0, ratings: 1, dissatisfied: 1, lasting: true},
}

const days = 10

var (
	shanghai    = time.FixedZone("CST", 8*3600)
	periodStart = time.Date(2026, 11, 1, 0, 0, 0, 0, shanghai)
	periodEnd   = time.Date(2026, 11, 16, 0, 0, 0, 0, shanghai)
	now         = periodStart.AddDate(0, 0, days)
)

const period = "2026-11-H1"

func (s shopSeed) conversations() int { return s.perDay * days }

func (s shopSeed) rate() float64 { return float64(s.good) / float64(s.perDay) }

func (s shopSeed) wait() float64 {
	return float64(s.good*60+s.late*600) / float64(s.good+s.late)
}

func (s shopSeed) dissatisfaction() *float64 {
	if s.ratings == 0 {
		return nil
	}
	share := float64(s.dissatisfied) / float64(s.ratings)
	return &share
}

// verdicts are those of reply rate, mean wait, and dissatisfaction.
func (s shopSeed) verdicts() [3]string {
	judge := func(ok bool, samples int) string {
		switch {
		case samples < 30:
			return "not_judged"
		case ok:
			return "met"
		}
		return "missed"
	}
	d := s.dissatisfaction()
	return [3]string{judge(s.rate() >= 0.7, s.conversations()), judge(s.wait() <= 180, s.conversations()), judge(d == nil || *d <= 0.2, s.ratings)}
}

func (s shopSeed) misses() []string {
	missed := []string{}
	for i, verdict := range s.verdicts() {
		if verdict == "missed" {
			missed = append(missed, indicators[i])
		}
	}
	return missed
}

var indicators = []string{"manual_reply_3min_rate", "avg_response_seconds", "dissatisfaction_rate"}

type planter struct {
	ctx    context.Context
	conn   driver.Conn
	err    error
	offset int64
	// database to plant into.
	database string
}

// rows inserts what fill gives, in one batch.
func (p *planter) rows(table, columns string, fill func(row func(...any))) {
	if p.err != nil {
		return
	}
	batch, err := p.conn.PrepareBatch(p.ctx, "INSERT INTO "+p.database+"."+table+" ("+columns+")")
	if err != nil {
		p.err = fmt.Errorf("%s: %w", table, err)
		return
	}
	fill(func(values ...any) {
		if err := batch.Append(values...); err != nil && p.err == nil {
			p.err = fmt.Errorf("%s: %w", table, err)
		}
	})
	if err := batch.Send(); err != nil && p.err == nil {
		p.err = fmt.Errorf("%s: %w", table, err)
	}
}

func (p *planter) next() int64 { p.offset++; return p.offset }

func plant(ctx context.Context, conn driver.Conn) error {
	p := &planter{ctx: ctx, conn: conn, database: "seeded"}
	p.windows()
	p.chats()
	p.takeovers()
	p.decisions()
	p.cases()
	return p.err
}

func noon(day int) time.Time { return periodStart.AddDate(0, 0, day).Add(12 * time.Hour) }

func conversation(shop, day, n int) string { return fmt.Sprintf("c-%d-%02d-%02d", shop, day, n) }

func consumer(n int) string { return fmt.Sprintf("buyer-%02d", n) }

func agent(n int) string { return fmt.Sprintf("agent-%d", n%2+1) }

func (p *planter) windows() {
	const columns = `shop_id, window_kind, window_start, window_end, version, rounds, rounds_answered, rounds_within, wait_sum_us,
		conversations, conversations_mean_within, ratings, ratings_dissatisfied, takeovers, bot_us,
		indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, indicator_verdicts, indicator_definitions, policy_version, log_offset`
	p.rows("service_kpis_data", columns, func(row func(...any)) {
		for _, s := range shops {
			standards := []*float64{ptr(0.7), ptr(180.), ptr(0.2)}
			comparisons := []string{">=", "<=", "<="}
			definitions := []string{"conversation", "", ""}
			window := func(kind string, start, end time.Time, n int, ratings, bad int, verdicts [3]string) {
				var unhappy *float64
				if ratings > 0 {
					unhappy = ptr(float64(bad) / float64(ratings))
				}
				answered := int64(n * (s.good + s.late))
				row(s.id, kind, start, end, uint64(p.next()), int64(n*s.perDay), answered, int64(n*s.good), int64(n*(s.good*60+s.late*600))*1e6,
					int64(n*s.perDay), int64(n*s.good), int64(ratings), int64(bad), int64(s.takeovers), int64(s.takeovers)*3600*1e6,
					indicators, []*float64{ptr(s.rate()), ptr(s.wait()), unhappy}, []int64{int64(n * s.perDay), answered, int64(ratings)},
					standards, comparisons, verdicts[:], definitions, "v1", p.next())
			}
			window("half_month", periodStart, periodEnd, days, s.ratings, s.dissatisfied, s.verdicts())
			for day := range days {
				start := periodStart.AddDate(0, 0, day)
				window("day", start, start.AddDate(0, 0, 1), 1, 0, 0, [3]string{"not_judged", "not_judged", "not_judged"})
			}
		}
	})
}

func (p *planter) chats() {
	events := func(row func(...any)) {
		for i, s := range shops {
			for day := range days {
				for n := range s.perDay {
					at := noon(day).Add(time.Duration(n) * time.Minute)
					offset := p.next()
					row(s.id, conversation(i, day, n), fmt.Sprintf("e-%d", offset), at, "message", "consumer", consumer(n), "text", offset)
					if n < s.good+s.late {
						offset = p.next()
						row(s.id, conversation(i, day, n), fmt.Sprintf("e-%d", offset), at.Add(s.waitOf(n)), "message", "agent", agent(n), "text", offset)
					}
				}
			}
		}
	}
	p.rows("chat_events_data", "shop_id, conversation_id, event_id, time, kind, actor_role, actor_id, message_kind, log_offset", events)
	p.rows("rounds_data", "shop_id, conversation_id, number, life, number_in_life, outcome, started_at, ended_at, wait_us, agent_id, consumer_id, counted, within, source_offset", func(row func(...any)) {
		for i, s := range shops {
			for day := range days {
				for n := range s.perDay {
					at := noon(day).Add(time.Duration(n) * time.Minute)
					outcome, who := "answered", agent(n)
					var end *time.Time
					var wait *int64
					switch {
					case n < s.good+s.late:
						w := s.waitOf(n)
						replied, us := at.Add(w), w.Microseconds()
						end, wait = &replied, &us
					case day == days-1:
						outcome, who = "open", ""
					default:
						expired := at.Add(24 * time.Hour)
						outcome, who, end = "expired", "", &expired
					}
					row(s.id, conversation(i, day, n), int64(1), int64(1), int64(1), outcome, at, end, wait, who, consumer(n), true, n < s.good, p.next())
				}
			}
		}
	})
	p.rows("conversations_data", "shop_id, conversation_id, life, started_at, life_end, consumer_id, first_agent_id, rounds, source_offset", func(row func(...any)) {
		for i, s := range shops {
			for day := range days {
				for n := range s.perDay {
					who := ""
					if n < s.good+s.late {
						who = agent(n)
					}
					row(s.id, conversation(i, day, n), int64(1), noon(day).Add(time.Duration(n)*time.Minute), "open", consumer(n), who, int64(1), p.next())
				}
			}
		}
	})
	p.rows("ratings_data", "shop_id, conversation_id, life, score, rated_at, consumer_id, source_offset", func(row func(...any)) {
		for i, s := range shops {
			for k := range s.ratings {
				day, n := k%days, k/days
				score := uint8(5)
				if k < s.dissatisfied {
					score = 1
				}
				row(s.id, conversation(i, day, n), int64(1), score, noon(day).Add(time.Hour), consumer(n), p.next())
			}
		}
	})
	p.rows("sign_ins_data", "shop_id, event_id, time, kind, account_role, account_id, client, log_offset", func(row func(...any)) {
		for _, s := range shops {
			for n := range 2 {
				row(s.id, fmt.Sprintf("in-%d", n), noon(days-1), "signed_in", "agent", agent(n), "desk", p.next())
			}
			row(s.id, "out", noon(days-1).Add(time.Hour), "signed_out", "agent", agent(1), "desk", p.next())
		}
	})
}

func (s shopSeed) waitOf(n int) time.Duration {
	if n < s.good {
		return time.Minute
	}
	return 10 * time.Minute
}

func (p *planter) takeovers() {
	p.rows("takeovers_data", "shop_id, number, trigger, started_at, ended_at, takeover_end, ended_by, trigger_conversation_id, trigger_consumer_id, unreplied, consumers, source_offset", func(row func(...any)) {
		for i, s := range shops {
			for n := range s.takeovers {
				start, end := noon(n), noon(n).Add(time.Hour)
				row(s.id, int64(n+1), "across_consumers", start, &end, "manual_reply", "agent-1", conversation(i, n, 0), consumer(0), int32(11), int32(4), p.next())
			}
			if s.lasting {
				row(s.id, int64(s.takeovers+1), "same_consumer", now.Add(-time.Hour), nil, "lasting", "", conversation(i, days-1, 0), consumer(0), int32(11), int32(1), p.next())
			}
		}
	})
}

func (p *planter) decisions() {
	const columns = `shop_id, period_start, period_end, revision, restricted, restrictions, restricted_from, restricted_until, missed, conversations, ratings,
		indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, indicator_verdicts, indicator_definitions, policy_version, checkpoint_seconds, source_offset`
	p.rows("restrictions_data", columns, func(row func(...any)) {
		before := time.Date(2026, 10, 16, 0, 0, 0, 0, shanghai)
		for _, s := range shops {
			decide := func(revision uint32, rate float64, restricted bool, checkpoint int64) {
				verdict, missed, measures := "met", []string{}, []string{}
				var from, until *time.Time
				if restricted {
					verdict, missed, measures = "missed", []string{"manual_reply_3min_rate"}, []string{"marketing_campaigns", "traffic_weighted_down"}
					from, until = &periodStart, &periodEnd
				}
				row(s.id, before, periodStart, revision, restricted, measures, from, until, missed, int64(100), int64(40),
					indicators, []*float64{ptr(rate), ptr(100.), ptr(0.1)}, []int64{100, 100, 40}, []*float64{ptr(0.7), ptr(180.), ptr(0.2)},
					[]string{">=", "<=", "<="}, []string{verdict, "met", "met"}, []string{"conversation", "", ""}, "v1", checkpoint, p.next())
			}
			if s.restricted {
				decide(1, 0.71, false, 0)
				decide(2, 0.69, true, 21600)
				continue
			}
			decide(1, 0.9, false, 0)
		}
	})
}

func (p *planter) cases() {
	p.rows("violation_flags_data", "offender_kind, offender_id, flag_id, shop_id, conversation_id, time, category, sub_kind, severity, confidence, auto_confirmed, detector, log_offset", func(row func(...any)) {
		for i, s := range shops {
			for n := range s.flags {
				row("shop", s.id, fmt.Sprintf("f-%d-%d", i, n), s.id, conversation(i, n, 0), noon(n), "third_party_info", "wechat", "high", 0.95, n%2 == 0, "contacts", p.next())
			}
		}
	})
	p.rows("verdicts_data", "offender_kind, offender_id, flag_id, verdict_id, time, ruling, reviewer_id, log_offset", func(row func(...any)) {
		row("shop", quoted, "f-1-1", "v-1", noon(2), "confirmed", "reviewer-1", p.next())
	})
	p.rows("sanctions_data", "offender_kind, offender_id, sanction_id, kind, flag_id, category, shop_id, conversation_id, time, until, points, offence, reversed, decided_at, log_offset", func(row func(...any)) {
		for i, s := range shops {
			if s.points > 0 {
				until := noon(0).AddDate(1, 0, 0)
				row("shop", s.id, "s-points", "points", "f-1-0", "third_party_info", s.id, conversation(i, 0, 0), noon(0), &until, int32(s.points), int32(1), false, noon(0), p.next())
				row("shop", s.id, "s-back", "points", "f-1-2", "third_party_info", s.id, conversation(i, 2, 0), noon(2), &until, int32(99), int32(2), true, noon(2), p.next())
				muted := noon(3)
				row("consumer", "buyer-01", "s-mute", "mute", "f-1-3", "abuse", s.id, conversation(i, 1, 0), noon(1), &muted, int32(0), int32(1), false, noon(1), p.next())
			}
		}
	})
	p.rows("dead_letters_data", "topic, log_partition, log_offset, stage, code, reason, record_at, letter_at, resubmitted_at, letter_offset", func(row func(...any)) {
		again := noon(1)
		row("chat.events", int32(0), int64(7), "conversations", "decode", "not a chat event", noon(0), noon(0), nil, int64(1))
		row("chat.events", int32(0), int64(8), "conversations", "decode", "not a chat event", noon(0), noon(0), nil, int64(2))
		row("chat.facts", int32(0), int64(9), "sinks", "invalid", "no shop", noon(0), noon(0), &again, int64(3))
	})
}

func ptr[T any](v T) *T { return &v }
