package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	second = int64(1_000_000)
	day    = 86_400 * second
	// noon is 12:00 of 5 March 2024 in Shanghai.
	noon = int64(1_709_611_200) * second
)

// sample is a small log: a conversation answered on one day and one that waits on the next, ticks behind both.
func sample() []oracle.Record {
	message := func(id, conversation string, role chatv1.Role, at int64) *chatv1.ChatEvent {
		return &chatv1.ChatEvent{
			EventId: id, ShopId: "shop", ConversationId: conversation, OccurredAtUs: at, Actor: &chatv1.Actor{Role: role, Id: fmt.Sprint(role)},
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT}},
		}
	}
	tick := func(at int64) *chatv1.ChatEvent {
		return &chatv1.ChatEvent{OccurredAtUs: at, Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at}}}
	}
	rated := message("e3", "c1", chatv1.Role_ROLE_CONSUMER, noon+100*second)
	rated.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 5}}
	var log []oracle.Record
	for _, e := range []*chatv1.ChatEvent{
		message("e1", "c1", chatv1.Role_ROLE_CONSUMER, noon),
		message("e2", "c1", chatv1.Role_ROLE_AGENT, noon+60*second),
		rated,
		message("e1", "c1", chatv1.Role_ROLE_CONSUMER, noon), // once more
		tick(noon + 12*3600*second),
		message("e4", "c2", chatv1.Role_ROLE_CONSUMER, noon+day),
		tick(noon + 12*day),
		message("e5", "c2", chatv1.Role_ROLE_CONSUMER, noon+12*day),
	} {
		log = append(log, oracle.Record{Offset: int64(len(log)), Event: e})
	}
	return log
}

// agreeing is a match in which everything stored is as wanted.
func agreeing(cfg Config) *match {
	log := sample()
	p := policy.Default()
	m := &match{cfg: cfg, policy: p, extent: extent{end: int64(len(log))}, want: oracle.Run(p, log), got: &stored{}}
	known := map[string]bool{}
	for _, r := range log {
		ev := r.Event
		if ev.GetTick() != nil || known[ev.EventId] {
			continue
		}
		known[ev.EventId] = true
		m.events = append(m.events, event{
			shop: ev.ShopId, id: ev.EventId, conversation: ev.ConversationId, atUS: ev.OccurredAtUs, kind: kindOf(ev),
			role: int32(ev.Actor.Role), offset: r.Offset,
		})
	}
	m.got.events = slices.Clone(m.events)
	for _, o := range m.want.Rounds {
		m.got.rounds = append(m.got.rounds, versioned[oracle.Round]{row: oracle.Round{ShopID: o.ShopID, ConversationID: o.ConversationID, Round: proto.CloneOf(o.Round)}})
	}
	for _, l := range m.want.Lives {
		m.got.lives = append(m.got.lives, versioned[oracle.Life]{row: l})
	}
	for _, o := range m.want.Ratings {
		m.got.ratings = append(m.got.ratings, versioned[oracle.Rating]{row: o})
	}
	for _, o := range m.want.Takeovers {
		m.got.takeovers = append(m.got.takeovers, versioned[*chatv1.Takeover]{row: o})
	}
	for _, k := range m.want.Kpis {
		row := proto.CloneOf(k.Kpi)
		for _, i := range row.Indicators {
			m.got.indicators = append(m.got.indicators, indicator{shop: row.ShopId, kind: row.Kind, startUS: row.StartUs, Indicator: i})
		}
		row.Indicators = nil
		m.got.kpis = append(m.got.kpis, versioned[oracle.Kpi]{row: oracle.Kpi{Kpi: row}})
	}
	for _, d := range m.want.Decisions {
		m.got.decisions = append(m.got.decisions, versioned[*chatv1.Decision]{row: proto.CloneOf(d)})
	}
	return m
}

func TestMatch(t *testing.T) {
	t.Parallel()
	p := policy.Default()
	cases := []struct {
		name   string
		cfg    Config
		change func(m *match)
		want   []string       // differences
		newer  map[string]int // rows set aside
		rows   map[string]int // rows compared, where looked at
	}{
		{
			name: "everything agrees", change: func(*match) {},
			rows: map[string]int{
				"chat_events": 5, "rounds": 3, "conversations": 3, "ratings": 1, "service_kpis": 3, "service_indicators": 42, "restrictions": 1,
			},
		},
		{
			name: "a missing, a changed, and an invented row",
			change: func(m *match) {
				m.got.rounds[0].row.AgentId = "somebody"
				m.got.lives = m.got.lives[1:]
				m.got.decisions = append(m.got.decisions, versioned[*chatv1.Decision]{row: &chatv1.Decision{ShopId: "shop", Revision: 9}})
				m.got.events[1].offset++
				m.got.events = append(m.got.events, event{shop: "shop", id: "none"}, m.got.events[0])
				m.got.indicators = m.got.indicators[1:]
			},
			want: []string{
				"chat_events shop event e1: duplicate",
				"chat_events shop event e2: log_offset: want 1, got 2",
				"chat_events shop event none: unexpected",
				"rounds shop/c1 round 1: agent_id: want ROLE_AGENT, got somebody",
				"conversations shop/c1 life 1: missing",
				"service_indicators shop day from 2024-03-04T16:00:00.000000Z manual_reply_3min_rate: missing",
				"restrictions shop period from 1970-01-01T00:00:00.000000Z revision 9: unexpected",
			},
		},
		{
			name: "rows that rest on events behind the end",
			change: func(m *match) {
				end := m.extent.end
				m.got.rounds[0].row.Outcome = chatv1.RoundOutcome_ROUND_OUTCOME_CLOSED
				m.got.rounds[0].source = end
				m.got.lives[0].source = end + 1
				m.got.kpis[0].row.BotUs, m.got.kpis[0].source = 5, end
				m.got.takeovers = append(m.got.takeovers, versioned[*chatv1.Takeover]{row: &chatv1.Takeover{ShopId: "shop"}, source: end})
				m.got.events = append(m.got.events, event{shop: "shop", id: "later", offset: end})
			},
			newer: map[string]int{"rounds": 1, "conversations": 1, "service_kpis": 1, "takeovers": 1, "chat_events": 1},
			rows:  map[string]int{"rounds": 2, "conversations": 2, "service_kpis": 2},
		},
		{
			name: "a round withdrawn behind the end",
			change: func(m *match) {
				last := m.got.rounds[2]
				m.got.rounds = m.got.rounds[:2]
				m.got.gone = []versioned[oracle.Round]{{row: last.row, source: m.extent.end}}
			},
			newer: map[string]int{"rounds": 1},
		},
		{
			name: "a round withdrawn before the end, which it should not be",
			change: func(m *match) {
				last := m.got.rounds[2]
				m.got.rounds = m.got.rounds[:2]
				m.got.gone = []versioned[oracle.Round]{{row: last.row, source: m.extent.end - 1}}
			},
			want: []string{"rounds shop/c2 round 2: missing"},
		},
		{
			name: "ticks behind the end tell more",
			change: func(m *match) {
				m.grown = true
				u := m.want.Untold[0]
				m.got.kpis = append(m.got.kpis, versioned[oracle.Kpi]{row: oracle.Kpi{Kpi: &chatv1.Kpi{
					ShopId: u.ShopID, Kind: u.Kind, StartUs: u.StartUS, Counts: &chatv1.Counts{},
				}}})
				m.got.decisions = append(m.got.decisions, versioned[*chatv1.Decision]{row: &chatv1.Decision{
					ShopId: "shop", PeriodEndUs: noon + 12*day, CheckpointSeconds: 1, Revision: 1, Counts: &chatv1.Counts{},
				}})
			},
			newer: map[string]int{"service_kpis": 1, "restrictions": 1},
		},
		{
			name: "the same, where no tick can have come",
			change: func(m *match) {
				u := m.want.Untold[0]
				m.got.kpis = append(m.got.kpis, versioned[oracle.Kpi]{row: oracle.Kpi{Kpi: &chatv1.Kpi{
					ShopId: u.ShopID, Kind: u.Kind, StartUs: u.StartUS, Counts: &chatv1.Counts{},
				}}})
			},
			want: []string{"service_kpis shop day from 2024-03-16T16:00:00.000000Z: unexpected"},
		},
		{
			name: "a snapshot replaced between two queries",
			change: func(m *match) {
				m.grown = true
				m.got.indicators[0].version = 17
				m.got.indicators[0].Value = 0
			},
			newer: map[string]int{"service_kpis": 1},
		},
		{
			name: "one day only",
			cfg:  Config{Period: p.Calendar().Day(noon)},
			change: func(m *match) {
				// A query limited to the period finds these.
				m.got.events = m.got.events[:3]
				m.got.rounds = m.got.rounds[:1]
				m.got.lives = m.got.lives[:1]
				m.got.kpis = m.got.kpis[:1]
				m.got.indicators = m.got.indicators[:14]
				m.got.decisions = nil
			},
			rows: map[string]int{"chat_events": 3, "rounds": 1, "conversations": 1, "ratings": 1, "service_kpis": 1, "restrictions": 0},
		},
		{
			name: "a half-month has its days",
			cfg:  Config{Period: p.Calendar().HalfMonth(noon)},
			change: func(m *match) {
				m.got.events = m.got.events[:4]
				m.got.rounds = m.got.rounds[:2]
				m.got.lives = m.got.lives[:2]
			},
			rows: map[string]int{"rounds": 2, "service_kpis": 3, "restrictions": 1},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := agreeing(c.cfg)
			c.change(m)
			got := newTally()
			m.chats(got)
			m.derived(got)
			var words []string
			for _, d := range got.differences {
				words = append(words, d.String())
			}
			if !slices.Equal(words, c.want) {
				t.Errorf("differences:\n%s\nwant:\n%s", strings.Join(words, "\n"), strings.Join(c.want, "\n"))
			}
			for _, name := range []string{"chat_events", "rounds", "conversations", "ratings", "takeovers", "service_kpis", "restrictions"} {
				if got.newer[name] != c.newer[name] {
					t.Errorf("%s: %d rows are newer, want %d", name, got.newer[name], c.newer[name])
				}
			}
			for name, n := range c.rows {
				if got.rows[name] != n {
					t.Errorf("%s: %d rows, want %d", name, got.rows[name], n)
				}
			}
		})
	}
}

func TestEventsBeforeTheLogsStart(t *testing.T) {
	t.Parallel()
	m := agreeing(Config{})
	m.extent.start = 2 // e1 and e2 are gone, but e1 was repeated
	m.events = append(m.events[2:], event{shop: "shop", id: "e1", conversation: "c1", atUS: noon, kind: 10, role: 1, offset: 3})
	got := newTally()
	m.chats(got)
	if len(got.differences) != 0 || got.older[tableEvents] != 2 || got.rows[tableEvents] != 3 {
		t.Errorf("differences %v, older %d, rows %d", got.differences, got.older[tableEvents], got.rows[tableEvents])
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"audit.show":          func(c *Config) { c.Show = -1 },
		"audit.stall_timeout": func(c *Config) { c.StallTimeout = 0 },
		"ends before":         func(c *Config) { c.Period = worktime.Span{Start: 2, End: 1} },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want a word of %s", err, want)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	m := agreeing(Config{})
	m.got.rounds[0].row.AgentId, m.got.rounds[0].row.ConsumerId = "x", "y" // one row
	m.got.lives = nil
	tally := newTally()
	m.chats(tally)
	m.derived(tally)
	r := newReport(Config{Show: 3}, "test")
	r.add(Partition{Partition: 1, Start: 4, End: 8, Events: 3, Ticks: 1, Dropped: map[string]int{"undecodable": 2}, Unaudited: "rounds"}, tally)
	r.stray(map[string]int64{"rounds": 5})
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"test.chat.events/1: offsets 4 to 8, 3 events, 1 ticks, no tick, 2 undecodable\n",
		"the log before offset 4 is gone; not audited: rounds",
		"rounds shop/c1 round 1: agent_id: want ROLE_AGENT, got x\n",
		"… and 3 more differences\n",
		"9 rows differ; part of the log is gone, see above\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	if r.OK() || r.Whole() || r.table("rounds").Different != 1 || r.table("rounds").Unexpected != 5 || r.table("conversations").Missing != 3 {
		t.Errorf("tables: %+v", r.Tables)
	}
}
