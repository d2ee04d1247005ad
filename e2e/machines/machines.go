// Package machines plays a log through the processors' state machines without Kafka, for tests that
// compare them with the oracle. States and facts are encoded and decoded between events, into reused
// objects, as in the running processors; every fact is offered twice, as a restart would.
package machines

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/takeover"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/service"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// run is a log on its way through the machines.
type run struct {
	conv  *conversations.Machine
	recep *takeover.Machine
	serv  *service.Machine
	now   int64

	convs, receptions, shops map[string][]byte // encoded states, as in the group tables

	rounds    map[string]oracle.Round
	lives     map[string]oracle.Life
	ratings   map[string]oracle.Rating
	takeovers map[string]*chatv1.Takeover
	kpis      map[string]*chatv1.Kpi
	decisions map[string]*chatv1.Decision
}

// Run is what the processors make of one partition's log: the newest record under every key. An error
// is a contradiction among their own records.
func Run(p *policy.Set, log []oracle.Record) (*oracle.Result, error) {
	r := &run{
		conv: conversations.NewMachine(p), recep: takeover.New(p), serv: service.NewMachine(p),
		convs: map[string][]byte{}, receptions: map[string][]byte{}, shops: map[string][]byte{},
		rounds: map[string]oracle.Round{}, lives: map[string]oracle.Life{}, ratings: map[string]oracle.Rating{},
		takeovers: map[string]*chatv1.Takeover{}, kpis: map[string]*chatv1.Kpi{}, decisions: map[string]*chatv1.Decision{},
	}
	for _, rec := range log {
		if err := r.event(rec); err != nil {
			return nil, fmt.Errorf("offset %d: %w", rec.Offset, err)
		}
	}
	return r.result(), nil
}

func (r *run) event(rec oracle.Record) error {
	if t := rec.Event.GetTick(); t != nil {
		return r.tick(t.AtUs)
	}
	key := schemas.EventKey(rec.Event.ShopId, rec.Event.ConversationId)
	st := statev1.ConversationFromVTPool()
	defer st.ReturnToVTPool()
	if err := decode(r.convs[key], st); err != nil {
		return err
	}
	made, changed := r.conv.Apply(st, rec.Event, rec.Offset)
	if changed {
		if err := encode(r.convs, key, st); err != nil {
			return err
		}
	}
	if made == nil {
		return nil
	}
	defer made.ReturnToVTPool()
	b, err := made.MarshalVT()
	if err != nil {
		return err
	}
	f := chatv1.FactFromVTPool()
	defer f.ReturnToVTPool()
	if err := f.UnmarshalVTUnsafe(b); err != nil {
		return err
	}
	r.note(f)
	return r.fact(f)
}

// tick visits every shop, and leaves the states as they are.
func (r *run) tick(at int64) error {
	if at <= r.now {
		return nil
	}
	r.now = at
	for shop, b := range r.shops {
		st := statev1.ServiceFromVTPool()
		if err := decode(b, st); err != nil {
			return err
		}
		err := r.emit(r.serv.Advance(st, shop, at))
		st.ReturnToVTPool()
		if err != nil {
			return err
		}
	}
	return nil
}

// note keeps what a fact tells of rounds, lives, and ratings.
func (r *run) note(f *chatv1.Fact) {
	at := func(n int64) string { return fmt.Sprintf("%s/%s/%d", f.ShopId, f.ConversationId, n) }
	shop, conv := strings.Clone(f.ShopId), strings.Clone(f.ConversationId)
	for _, x := range f.Rounds {
		r.rounds[at(x.Number)] = oracle.Round{ShopID: shop, ConversationID: conv, Round: proto.CloneOf(x)}
	}
	for _, x := range f.Lives {
		r.lives[at(x.Life)] = oracle.Life{ShopID: shop, ConversationID: conv, ConversationLife: proto.CloneOf(x)}
	}
	if x := f.Rating; x != nil {
		r.ratings[at(x.Life)] = oracle.Rating{ShopID: shop, ConversationID: conv, Rating: proto.CloneOf(x)}
	}
}

func (r *run) fact(f *chatv1.Fact) error {
	if takeover.Concerns(f) {
		rs := statev1.ReceptionFromVTPool()
		defer rs.ReturnToVTPool()
		rs.Takeover = statev1.TakeoverStateFromVTPool()
		if err := decode(r.receptions[f.ShopId], rs); err != nil {
			return err
		}
		if t := r.recep.Apply(rs.Takeover, f); t != nil {
			r.takeovers[fmt.Sprintf("%s/%d", t.ShopId, t.Number)] = proto.CloneOf(t)
		}
		if err := encode(r.receptions, strings.Clone(f.ShopId), rs); err != nil {
			return err
		}
	}
	st := service.NewState()
	defer st.ReturnToVTPool()
	if err := decode(r.shops[f.ShopId], st); err != nil {
		return err
	}
	out, ok := r.serv.Apply(st, f, r.now)
	if !ok {
		return fmt.Errorf("taken for a repeat")
	}
	if err := r.emit(out); err != nil {
		return err
	}
	if _, again := r.serv.Apply(st, f, r.now); again {
		return fmt.Errorf("applied twice")
	}
	return encode(r.shops, strings.Clone(f.ShopId), st)
}

// emit keeps the newest snapshots and all decisions. Records that say the same thing twice must agree.
func (r *run) emit(out service.Output) error {
	for _, k := range out.Kpis {
		key := fmt.Sprintf("%s/%d/%d", k.ShopId, k.Kind, k.StartUs)
		if old := r.kpis[key]; old != nil {
			if k.Version < old.Version {
				return fmt.Errorf("window %s: version %d after %d", key, k.Version, old.Version)
			}
			if k.Version == old.Version && !proto.Equal(old, k) {
				return fmt.Errorf("window %s: two contents of version %d: %v and %v", key, k.Version, old, k)
			}
		}
		r.kpis[key] = k
	}
	for _, d := range out.Decisions {
		key := fmt.Sprintf("%s/%d/%d", d.ShopId, d.PeriodStartUs, d.Revision)
		if old := r.decisions[key]; old != nil && !proto.Equal(old, d) {
			return fmt.Errorf("decision %s: issued twice with different contents: %v and %v", key, old, d)
		}
		r.decisions[key] = d
	}
	return nil
}

func (r *run) result() *oracle.Result {
	res := &oracle.Result{}
	for _, key := range sorted(r.rounds) {
		res.Rounds = append(res.Rounds, r.rounds[key])
	}
	for _, key := range sorted(r.lives) {
		res.Lives = append(res.Lives, r.lives[key])
	}
	for _, key := range sorted(r.ratings) {
		res.Ratings = append(res.Ratings, r.ratings[key])
	}
	for _, key := range sorted(r.takeovers) {
		res.Takeovers = append(res.Takeovers, r.takeovers[key])
	}
	for _, key := range sorted(r.kpis) {
		res.Kpis = append(res.Kpis, oracle.Kpi{Kpi: r.kpis[key]})
	}
	for _, key := range sorted(r.decisions) {
		res.Decisions = append(res.Decisions, r.decisions[key])
	}
	return res
}

func sorted[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func decode(b []byte, m interface{ UnmarshalVTUnsafe([]byte) error }) error {
	if b == nil {
		return nil
	}
	return m.UnmarshalVTUnsafe(b)
}

func encode(to map[string][]byte, key string, m interface{ MarshalVT() ([]byte, error) }) error {
	b, err := m.MarshalVT()
	to[key] = b
	return err
}
