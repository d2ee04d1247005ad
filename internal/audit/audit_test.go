package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/audit"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const partitions = 3

// world is a namespace in which everything stored is as the log wants it.
type world struct {
	deps   audit.Dependencies
	client *kgo.Client
	store  storage
	logs   [][]oracle.Record
	want   []*oracle.Result
	cases  [][]oracle.CaseRecord
}

func newWorld(t *testing.T, ns schemas.Namespace) *world {
	t.Helper()
	conn, database := openDatabase(t, ns)
	cfg, client := openBroker(t, ns, partitions)
	s := eventful(t)
	w := &world{client: client, store: storage{t, conn, database}, logs: s.Partitions(partitions)}
	w.deps = audit.Dependencies{Broker: cfg, Namespace: ns, Conn: conn, Database: database, Policy: s.Policy}
	publish(t, client, w.logs)
	for p, log := range w.logs {
		w.want = append(w.want, oracle.Run(s.Policy, log))
		w.store.fill(int32(p), log, w.want[p])
	}
	w.cases = eventfulCases(t, s.Policy)
	publishCases(t, client, ns, w.cases)
	for p, log := range w.cases {
		w.store.fillCases(int32(p), log, oracle.RunCases(s.Policy, log))
	}
	return w
}

// eventful is a scenario in which a bit of everything happens.
func eventful(t *testing.T) scenario.Scenario {
	t.Helper()
	for seed := range uint64(2000) {
		s := scenario.Generate(seed)
		var rounds, ratings, takeovers, decisions, restricted int
		for _, log := range s.Partitions(partitions) {
			r := oracle.Run(s.Policy, log)
			rounds, ratings, takeovers = rounds+len(r.Rounds), ratings+len(r.Ratings), takeovers+len(r.Takeovers)
			decisions += len(r.Decisions)
			for _, d := range r.Decisions {
				if d.Restricted {
					restricted++
				}
			}
		}
		if rounds > 20 && ratings > 3 && takeovers > 2 && decisions > 3 && restricted > 0 && restricted < decisions {
			return s
		}
	}
	t.Fatal("no seed is eventful")
	return scenario.Scenario{}
}

func (w *world) audit(t *testing.T, change func(*audit.Config)) *audit.Report {
	t.Helper()
	cfg := audit.DefaultConfig()
	cfg.StallTimeout = 30 * time.Second
	if change != nil {
		change(&cfg)
	}
	r, err := audit.Run(t.Context(), cfg, w.deps)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func words(r *audit.Report) string {
	var out strings.Builder
	if err := r.Write(&out); err != nil {
		return err.Error()
	}
	return out.String()
}

func table(r *audit.Report, name string) audit.Table {
	return r.Tables[slices.IndexFunc(r.Tables, func(t audit.Table) bool { return t.Name == name })]
}

func TestEverythingAgrees(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "agrees")
	r := w.audit(t, nil)
	if !r.OK() || !r.Whole() {
		t.Fatal(words(r))
	}
	for _, tab := range r.Tables {
		if tab.Rows == 0 {
			t.Errorf("%s: no row was compared", tab.Name)
		}
	}
	// Bytes that are no event, and an event under another's key, are as if they had not been.
	ev, err := w.logs[0][0].Event.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.client.ProduceSync(t.Context(),
		&kgo.Record{Partition: 1, Key: []byte("shop/c"), Value: []byte("\xff\xff")},
		&kgo.Record{Partition: 1, Key: []byte("another/key"), Value: ev},
	).FirstErr(); err != nil {
		t.Fatal(err)
	}
	r = w.audit(t, nil)
	if dropped := r.Partitions[1].Dropped; !r.OK() || dropped["undecodable"] != 1 || dropped["under another key"] != 1 {
		t.Error(words(r))
	}
}

func TestDifferencesAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "differs")
	p := slices.IndexFunc(w.want, func(r *oracle.Result) bool { return len(r.Takeovers) > 0 && len(r.Decisions) > 0 && len(r.Rounds) > 1 })
	wrong := oracle.Run(w.deps.Policy, w.logs[p])
	round, takeover, decision, kpi := wrong.Rounds[0], wrong.Takeovers[0], wrong.Decisions[0], wrong.Kpis[0]
	round.AgentId, takeover.EvidenceOffsets, decision.Restricted = "somebody else", []int64{1, 2}, !decision.Restricted
	kpi.Counts.Rounds++
	kpi.Indicators[2].Samples++
	invented := *wrong
	invented.Lives = []oracle.Life{{ShopID: "shop-x", ConversationID: "c", ConversationLife: wrong.Lives[0].ConversationLife}}
	invented.Rounds, invented.Ratings = wrong.Rounds[:1], nil
	invented.Takeovers, invented.Decisions, invented.Kpis = wrong.Takeovers[:1], wrong.Decisions[:1], wrong.Kpis[:1]
	w.store.fill(int32(p), nil, &invented) // of rows of one version the last stands
	w.store.fill(partitions, nil, &oracle.Result{Ratings: []oracle.Rating{{ShopID: "s", ConversationID: "c", Rating: firstRating(w)}}})
	r := w.audit(t, nil)
	text := words(r)
	for _, want := range []string{
		fmt.Sprintf("rounds %s/%s round %d: agent_id: ", round.ShopID, round.ConversationID, round.Number),
		fmt.Sprintf("takeovers %s takeover %d: evidence_offsets: ", takeover.ShopId, takeover.Number),
		": restricted: want ", ": rounds: want ", "manual_reply_3min_rate_round: samples: ",
		"conversations shop-x/c life 1: unexpected", "ratings 1 rows of partitions that the topic does not have: unexpected",
		"\n7 rows differ\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if r.OK() || r.Wrong() != 7 {
		t.Errorf("%d rows differ, want 7", r.Wrong())
	}

	// A period that ended before anything happened has no difference.
	early := w.audit(t, func(c *audit.Config) {
		c.Period, _ = w.deps.Policy.Calendar().ParsePeriod("2001-01-H1")
	})
	if early.Wrong() != 1 { // the stray row lies in no period
		t.Error(words(early))
	}
}

func firstRating(w *world) *chatv1.Rating {
	for _, want := range w.want {
		if len(want.Ratings) > 0 {
			return want.Ratings[0].Rating
		}
	}
	return nil
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "period")
	start := int64(0)
	for _, r := range w.want {
		if len(r.Decisions) > 0 {
			start = r.Decisions[0].PeriodStartUs
		}
	}
	r := w.audit(t, func(c *audit.Config) { c.Period = w.deps.Policy.Calendar().HalfMonth(start) })
	if !r.OK() || table(r, oracle.TableDecisions).Rows == 0 || table(r, oracle.TableRounds).Rows == 0 {
		t.Error(words(r))
	}
	r = w.audit(t, func(c *audit.Config) { c.Period = w.deps.Policy.Calendar().Day(w.want[0].NowUS - 40*86_400_000_000) })
	if !r.OK() {
		t.Error(words(r))
	}
}

func TestLogWithoutItsBeginning(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "retention")
	event := func(r oracle.Record) bool { return r.Event.GetTick() == nil }
	p := int32(slices.IndexFunc(w.logs, func(log []oracle.Record) bool { return len(log) > 20 && slices.ContainsFunc(log[:10], event) }))
	offsets := kadm.Offsets{}
	offsets.AddOffset(w.deps.Namespace.Topic(schemas.TopicEvents), p, 10, -1)
	deleted, err := kadm.NewClient(w.client).DeleteRecords(t.Context(), offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	r := w.audit(t, nil)
	if !r.OK() || r.Whole() || !strings.Contains(words(r), "the log before offset 10 is gone") {
		t.Error(words(r))
	}
	if tab := table(r, "chat_events"); tab.Older == 0 || tab.Rows == 0 {
		t.Errorf("chat_events: %+v", tab)
	}
}

func TestNoTopic(t *testing.T) {
	t.Parallel()
	cfg, _ := openBroker(t, "other", 1)
	_, err := audit.Run(t.Context(), audit.DefaultConfig(), audit.Dependencies{Broker: cfg, Namespace: "missing"})
	if err == nil || !strings.Contains(err.Error(), "missing.chat.events") {
		t.Errorf("error %v, want one that names the topic", err)
	}
}

// An audit up to given offsets wants nothing of what came after them, and takes no row of that for a difference.
func TestUntil(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "until")
	until, whole := map[int32]int64{}, int64(0)
	for p, log := range w.logs {
		until[int32(p)] = log[len(log)-1].Offset + 1
		whole += until[int32(p)]
	}
	// What is not stored yet: an event and a tick in each partition.
	for p, log := range w.logs {
		for _, r := range log {
			if r.Event.GetTick() != nil {
				continue
			}
			again := r.Event.CloneVT()
			again.EventId = "later"
			value, err := again.MarshalVT()
			if err != nil {
				t.Fatal(err)
			}
			key := []byte(schemas.EventKey(again.ShopId, again.ConversationId))
			if err := w.client.ProduceSync(t.Context(), &kgo.Record{Partition: int32(p), Key: key, Value: value}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if r := w.audit(t, nil); r.OK() {
		t.Error("the audit to the end misses nothing of what is not stored")
	}
	r := w.audit(t, func(c *audit.Config) {
		c.Until = map[string]map[int32]int64{w.deps.Namespace.Topic(schemas.TopicEvents): until}
	})
	if !r.OK() {
		t.Error(words(r))
	}
	read := int64(0)
	for _, p := range r.Partitions {
		read += int64(p.Records)
	}
	if read != whole {
		t.Errorf("%d records were read, want %d", read, whole)
	}
}
