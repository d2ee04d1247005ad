package e2e

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/scenario"
	"github.com/feigeio/feige/internal/takeover"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/service"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// tables is what the pipeline would leave in ClickHouse: the newest record under every key.
type tables struct {
	rows      map[string]proto.Message
	decisions int
}

func (t *tables) put(key string, m proto.Message) { t.rows[key] = m }

// runMachines sends one partition's log through the processors' state machines, with every state encoded
// and decoded between events as a table would, and a visit of all shops after every tick.
func runMachines(tb testing.TB, p *policy.Set, log []oracle.Record) *tables {
	tb.Helper()
	out := &tables{rows: map[string]proto.Message{}}
	conv, recep, serv := conversations.NewMachine(p), takeover.New(p), service.NewMachine(p)
	convs, shops, receptions := map[string][]byte{}, map[string][]byte{}, map[string][]byte{}
	versions := map[string]int64{}
	var now int64
	emit := func(o service.Output) {
		for _, k := range o.Kpis {
			key := fmt.Sprintf("kpi %s %v %d", k.ShopId, k.Kind, k.StartUs)
			if k.Version < versions[key] {
				tb.Fatalf("%s: version %d after %d", key, k.Version, versions[key])
			}
			if old := out.rows[key]; old != nil && k.Version == versions[key] && !proto.Equal(old, k) {
				tb.Fatalf("%s: two contents of version %d:\n%v\n%v", key, k.Version, old, k)
			}
			versions[key] = k.Version
			out.put(key, k)
		}
		for _, d := range o.Decisions {
			key := fmt.Sprintf("decision %s %d %d", d.ShopId, d.PeriodStartUs, d.Revision)
			if old := out.rows[key]; old != nil && !proto.Equal(old, d) {
				tb.Fatalf("%s: issued twice with different contents:\n%v\n%v", key, old, d)
			}
			out.put(key, d)
		}
	}
	for _, r := range log {
		if t := r.Event.GetTick(); t != nil {
			if t.AtUs > now {
				now = t.AtUs
				for shop, raw := range shops {
					st := decode(tb, raw, service.NewState())
					emit(serv.Advance(st, shop, now))
					st.ReturnToVTPool()
				}
			}
			continue
		}
		key := schemas.EventKey(r.Event.ShopId, r.Event.ConversationId)
		st := decode(tb, convs[key], statev1.ConversationFromVTPool())
		made, changed := conv.Apply(st, r.Event, r.Offset)
		if changed {
			convs[key] = encode(tb, st)
		}
		if made == nil {
			st.ReturnToVTPool()
			continue
		}
		f := decode(tb, encode(tb, made), chatv1.FactFromVTPool())
		made.ReturnToVTPool()
		st.ReturnToVTPool()
		for _, x := range f.Rounds {
			out.put(fmt.Sprintf("round %s %d", key, x.Number), proto.Clone(x))
		}
		for _, x := range f.Lives {
			out.put(fmt.Sprintf("life %s %d", key, x.Life), proto.Clone(x))
		}
		if x := f.Rating; x != nil {
			out.put(fmt.Sprintf("rating %s %d", key, x.Life), proto.Clone(x))
		}
		if takeover.Concerns(f) {
			rs := decode(tb, receptions[f.ShopId], statev1.ReceptionFromVTPool())
			if rs.Takeover == nil {
				rs.Takeover = &statev1.TakeoverState{}
			}
			if t := recep.Apply(rs.Takeover, f); t != nil {
				out.put(fmt.Sprintf("takeover %s %d", t.ShopId, t.Number), t)
			}
			receptions[f.ShopId] = encode(tb, rs)
			rs.ReturnToVTPool()
		}
		ss := decode(tb, shops[f.ShopId], service.NewState())
		o, ok := serv.Apply(ss, f, now)
		if !ok {
			tb.Fatalf("fact of offset %d taken for a repeat", r.Offset)
		}
		emit(o)
		if _, again := serv.Apply(ss, f, now); again {
			tb.Fatalf("fact of offset %d applied twice", r.Offset)
		}
		shops[strings.Clone(f.ShopId)] = encode(tb, ss)
		ss.ReturnToVTPool()
		f.ReturnToVTPool()
	}
	return out
}

func runOracle(p *policy.Set, log []oracle.Record) (*tables, *oracle.Result) {
	out := &tables{rows: map[string]proto.Message{}}
	res := oracle.Run(p, log)
	for _, x := range res.Rounds {
		out.put(fmt.Sprintf("round %s %d", schemas.EventKey(x.ShopID, x.ConversationID), x.Number), x.Round)
	}
	for _, x := range res.Lives {
		out.put(fmt.Sprintf("life %s %d", schemas.EventKey(x.ShopID, x.ConversationID), x.Life), x.ConversationLife)
	}
	for _, x := range res.Ratings {
		out.put(fmt.Sprintf("rating %s %d", schemas.EventKey(x.ShopID, x.ConversationID), x.Life), x.Rating)
	}
	for _, x := range res.Takeovers {
		out.put(fmt.Sprintf("takeover %s %d", x.ShopId, x.Number), x)
	}
	for _, x := range res.Kpis {
		out.put(fmt.Sprintf("kpi %s %v %d", x.ShopId, x.Kind, x.StartUs), x.Kpi)
	}
	for _, x := range res.Decisions {
		out.put(fmt.Sprintf("decision %s %d %d", x.ShopId, x.PeriodStartUs, x.Revision), x)
	}
	return out, res
}

// normal clears what the oracle does not compute, and takes percentiles out for a comparison of their own.
func normal(m proto.Message) (proto.Message, []float64) {
	m = proto.Clone(m)
	var ind []*chatv1.Indicator
	switch x := m.(type) {
	case *chatv1.Takeover:
		x.SourceOffset = 0
	case *chatv1.Kpi:
		x.Version = 0
		ind = x.Indicators
	case *chatv1.Decision:
		x.SourceOffset = 0
		ind = x.Evidence
	}
	var ps []float64
	for _, i := range ind {
		if i.Name[0] == 'p' && i.HasValue {
			ps = append(ps, i.Value)
			i.Value = 0
		}
	}
	return m, ps
}

// differences compares two sets of tables row by row.
func differences(want, got *tables) (out []string) {
	for key, w := range want.rows {
		g := got.rows[key]
		if g == nil {
			out = append(out, fmt.Sprintf("%s: missing, want %v", key, w))
			continue
		}
		nw, pw := normal(w)
		ng, pg := normal(g)
		if !proto.Equal(nw, ng) || len(pw) != len(pg) {
			out = append(out, fmt.Sprintf("%s:\n  want %v\n  got  %v", key, nw, ng))
			continue
		}
		for i := range pw {
			if math.Abs(pw[i]-pg[i]) > pw[i]*0.0101+1e-6 {
				out = append(out, fmt.Sprintf("%s: percentile want %v, got %v", key, pw[i], pg[i]))
			}
		}
	}
	for key, g := range got.rows {
		if want.rows[key] == nil {
			out = append(out, fmt.Sprintf("%s: unexpected %v", key, g))
		}
	}
	return out
}

type vt[T any] interface {
	*T
	MarshalVT() ([]byte, error)
	UnmarshalVTUnsafe([]byte) error
}

func encode[T any, P vt[T]](tb testing.TB, m P) []byte {
	tb.Helper()
	b, err := m.MarshalVT()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// decode reads into the fresh object, as the processors do; without bytes that is the value.
func decode[T any, P vt[T]](tb testing.TB, b []byte, fresh P) P {
	tb.Helper()
	if b != nil {
		if err := fresh.UnmarshalVTUnsafe(b); err != nil {
			tb.Fatal(err)
		}
	}
	return fresh
}

// scenarios is how many random logs TestRulesAgainstOracle plays: fewer where the race detector slows it
// down; `make test` plays the whole number without it.
func scenarios() int {
	if n, err := strconv.Atoi(os.Getenv("FEIGE_SCENARIOS")); err == nil {
		return n
	}
	if raceEnabled {
		return 800
	}
	return 10_000
}

func TestRulesAgainstOracle(t *testing.T) {
	t.Parallel()
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			for seed := shard; seed < scenarios(); seed += shards {
				s := scenario.Generate(uint64(seed))
				want, _ := runOracle(s.Policy, s.Log)
				if ds := differences(want, runMachines(t, s.Policy, s.Log)); len(ds) > 0 {
					t.Fatalf("seed %d, %d events, policy %s: %d differences, the first:\n%s", seed, len(s.Log), s.PolicyName, len(ds), ds[0])
				}
			}
		})
	}
}
