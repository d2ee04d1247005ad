package stream_test

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/takeover"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/service"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// place is an offset of a partition of chat.events: what caused a record.
type place struct {
	partition int32
	source    int64
}

type windowKey struct {
	shop  string
	kind  chatv1.WindowKind
	start int64
}

type decisionKey struct {
	shop     string
	start    int64
	revision int32
}

// reference is what one pass over chat.events leads to. Records are kept as they are encoded.
type reference struct {
	facts         [partitions][]int64 // source offsets in order
	fact          map[place][]byte
	takeovers     map[place][]byte
	snapshots     map[windowKey]map[int64][]byte // by version
	newest        map[windowKey]int64
	decisions     map[decisionKey][]byte
	letters       map[place]string // code
	tables        map[string]map[string][]byte
	events, ticks int
	contradiction error
}

// refer reads the partitions of chat.events one after the other. factOffset tells where a fact first stood
// on chat.facts: tables rest on that.
func refer(pol *policy.Set, log [][]*kgo.Record, factOffset map[place]int64) *reference {
	ref := &reference{
		fact: map[place][]byte{}, takeovers: map[place][]byte{}, snapshots: map[windowKey]map[int64][]byte{},
		newest: map[windowKey]int64{}, decisions: map[decisionKey][]byte{}, letters: map[place]string{},
		tables: map[string]map[string][]byte{
			schemas.GroupConversations: {}, schemas.GroupReception: {}, schemas.GroupService: {},
		},
	}
	for p, records := range log {
		ref.events += len(records)
		pass := &pass{
			ref: ref, partition: int32(p), factOffset: factOffset,
			conversations: conversations.NewMachine(pol), takeover: takeover.New(pol), service: service.NewMachine(pol),
			chats: map[string]*statev1.Conversation{}, receptions: map[string]*statev1.Reception{}, shops: map[string]*statev1.Service{},
		}
		for _, r := range records {
			pass.event(r)
		}
		for key, st := range pass.chats {
			if st.AppliedPlusOne > 0 {
				ref.tables[schemas.GroupConversations][key] = mustMarshal(st)
			}
		}
		for shop, st := range pass.receptions {
			ref.tables[schemas.GroupReception][shop] = mustMarshal(st)
		}
		for shop, st := range pass.shops {
			ref.tables[schemas.GroupService][shop] = mustMarshal(st)
		}
		if pass.tick != nil {
			ref.tables[schemas.GroupService][pass.tickKey] = mustMarshal(pass.tick)
		}
	}
	return ref
}

// pass is the reading of one partition.
type pass struct {
	ref           *reference
	partition     int32
	factOffset    map[place]int64
	conversations *conversations.Machine
	takeover      *takeover.Machine
	service       *service.Machine

	chats      map[string]*statev1.Conversation
	receptions map[string]*statev1.Reception
	shops      map[string]*statev1.Service
	now        int64
	tickKey    string
	tick       *statev1.Service
}

// refused tells by docs/semantics.md ("The log") what is no event.
func (p *pass) refused(r *kgo.Record, ev *chatv1.ChatEvent) string {
	if r.Value == nil || ev.UnmarshalVT(r.Value) != nil {
		return "decode"
	}
	key, at := string(r.Key), ev.OccurredAtUs
	if t := ev.GetTick(); t != nil {
		at = t.AtUs
		if !schemas.IsTickKey(key) {
			return "misplaced"
		}
	} else if ev.ShopId == "" || key != ev.ShopId+"/"+ev.ConversationId {
		return "misplaced"
	}
	if schemas.Partition(r.Key, partitions) != r.Partition {
		return "misplaced"
	}
	if at < 946684800*secondUS || at >= 7258118400*secondUS {
		return "invalid"
	}
	return ""
}

func (p *pass) event(r *kgo.Record) {
	ev := &chatv1.ChatEvent{}
	if code := p.refused(r, ev); code != "" {
		p.ref.letters[place{p.partition, r.Offset}] = code
		return
	}
	if t := ev.GetTick(); t != nil {
		p.ref.ticks++
		p.tell(string(r.Key), &chatv1.Fact{SourceOffset: r.Offset, AtUs: t.AtUs, Kind: chatv1.FactKind_FACT_KIND_TICK})
		return
	}
	st := p.chats[string(r.Key)]
	if st == nil {
		st = &statev1.Conversation{}
		p.chats[string(r.Key)] = st
	}
	if fact, _ := p.conversations.Apply(st, ev, r.Offset); fact != nil {
		p.tell(ev.ShopId, fact)
	}
}

// tell takes a fact to the two stages that read it.
func (p *pass) tell(key string, f *chatv1.Fact) {
	at := place{p.partition, f.SourceOffset}
	p.ref.fact[at] = mustMarshal(f)
	p.ref.facts[p.partition] = append(p.ref.facts[p.partition], f.SourceOffset)
	applied := uint64(p.factOffset[at]) + 1
	if f.Kind == chatv1.FactKind_FACT_KIND_TICK {
		if f.AtUs > p.now {
			p.now, p.tickKey = f.AtUs, key
			p.tick = &statev1.Service{AppliedPlusOne: applied, TickUs: f.AtUs}
			for shop, st := range p.shops {
				p.due(p.service.Advance(st.CloneVT(), shop, p.now)) // a visit leaves the state as it is
			}
		}
		return
	}
	if takeover.Concerns(f) {
		st := p.receptions[key]
		if st == nil {
			st = &statev1.Reception{Takeover: &statev1.TakeoverState{}}
			p.receptions[key] = st
		}
		st.AppliedPlusOne, st.SourcePlusOne = applied, f.SourceOffset+1
		if t := p.takeover.Apply(st.Takeover, f); t != nil {
			p.ref.takeovers[at] = mustMarshal(t)
		}
	}
	st := p.shops[key]
	if st == nil {
		st = &statev1.Service{Takeover: &statev1.TakeoverState{}}
		p.shops[key] = st
	}
	out, _ := p.service.Apply(st, f, p.now)
	st.AppliedPlusOne = applied
	p.due(out)
}

func (p *pass) due(out service.Output) {
	for _, k := range out.Kpis {
		key := windowKey{k.ShopId, k.Kind, k.StartUs}
		if p.ref.snapshots[key] == nil {
			p.ref.snapshots[key] = map[int64][]byte{}
		}
		b := mustMarshal(k)
		if was := p.ref.snapshots[key][k.Version]; was != nil && string(was) != string(b) {
			p.ref.contradiction = fmt.Errorf("two snapshots of %v with version %d differ", key, k.Version)
		}
		p.ref.snapshots[key][k.Version] = b
		p.ref.newest[key] = max(p.ref.newest[key], k.Version)
	}
	for _, d := range out.Decisions {
		key := decisionKey{d.ShopId, d.PeriodStartUs, d.Revision}
		b := mustMarshal(d)
		if was := p.ref.decisions[key]; was != nil && string(was) != string(b) {
			p.ref.contradiction = fmt.Errorf("two decisions %v differ", key)
		}
		p.ref.decisions[key] = b
	}
}
