package service

import (
	"sync"

	"github.com/lovoo/goka"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// graph binds the machine to the topics. Ticks are kept under their key in the table. What a tick makes
// due for a shop is told by whichever comes first, a visit or the shop's next fact; only the fact moves
// the shop's state on. A fact tells again what a visit has told: its commit must not depend on a visit.
type graph struct {
	m    *Machine
	proc *stream.Processor
	// partitions of every topic.
	partitions int32

	mu    sync.Mutex
	parts map[int32]*partition
}

// partition is what is known of a partition held, and not persisted.
type partition struct {
	tickKey string

	mu  sync.Mutex
	now int64 // newest tick; -1: to be read from the table
	// touched are shops with facts that no pass after a later tick has visited, with now at the newest fact.
	touched map[string]int64
	// A pass under way: the shops to visit, and whether all.
	visiting map[string]struct{}
	all      bool
	// passNow is now when the pass began, visited when the last whole pass did; 0: none yet.
	passNow, visited int64
}

// New is the processor from chat.facts to service.kpis and service.restrictions.
func New(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
	g := &graph{m: NewMachine(deps.Policy), partitions: deps.Broker.Partitions, parts: map[int32]*partition{}}
	p, err := stream.New(cfg, deps, stream.Spec{
		Group: schemas.GroupService,
		Input: schemas.TopicFacts,
		Edges: func(p *stream.Processor) []goka.Edge {
			return []goka.Edge{
				stream.Input(p, chatv1.FactFromVTPool, g.fact),
				stream.Output[chatv1.Kpi](p, schemas.TopicKpis),
				stream.Output[chatv1.Decision](p, schemas.TopicRestrictions),
				stream.Persist(statev1.ServiceFromVTPool),
			}
		},
		Assigned:    g.assigned,
		Visit:       g.visit,
		BeforeVisit: g.beforeVisit,
		AfterVisit:  g.afterVisit,
	})
	g.proc = p
	return p, err
}

func (g *graph) assigned(partitions []int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.parts = make(map[int32]*partition, len(partitions))
	for _, p := range partitions {
		g.parts[p] = &partition{tickKey: schemas.TickKey(p, g.partitions), now: -1, touched: map[string]int64{}}
	}
}

func (g *graph) part(n int32) *partition {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.parts[n]
}

// nowOf is the partition's newest tick as of the last tick that was processed.
func (g *graph) nowOf(p *partition, n int32) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now < 0 {
		p.now = 0
		var st statev1.Service
		if v := g.proc.Stored(n, p.tickKey); v != nil && st.UnmarshalVT(v) == nil {
			p.now = st.TickUs
		}
	}
	return p.now
}

func (g *graph) fact(ctx goka.Context, f *chatv1.Fact) error {
	p := g.part(ctx.Partition())
	now := g.nowOf(p, ctx.Partition())
	if f.Kind == chatv1.FactKind_FACT_KIND_TICK {
		if !schemas.IsTickKey(ctx.Key()) {
			return stream.Refusal{Code: "misplaced", Reason: "a tick under a shop's key"}
		}
		if f.AtUs > now {
			ctx.SetValue(&statev1.Service{AppliedPlusOne: uint64(ctx.Offset()) + 1, TickUs: f.AtUs})
			p.mu.Lock()
			p.now = f.AtUs
			p.mu.Unlock()
			g.proc.Visit()
		}
		return nil
	}
	if ctx.Key() != f.ShopId || f.ShopId == "" {
		return stream.Refusal{Code: "misplaced", Reason: "a fact of another shop than its key's"}
	}
	st, _ := ctx.Value().(*statev1.Service)
	if st == nil {
		st = NewState()
	}
	defer st.ReturnToVTPool()
	out, ok := g.m.Apply(st, f, now)
	if !ok {
		return nil // repeated by a restart of the stage before
	}
	g.emit(ctx, f.ShopId, out)
	st.AppliedPlusOne = uint64(ctx.Offset()) + 1
	ctx.SetValue(st)
	p.mu.Lock()
	p.touched[ctx.Key()] = now
	p.mu.Unlock()
	return nil
}

func (g *graph) emit(ctx goka.Context, shop string, out Output) {
	for _, k := range out.Kpis {
		ctx.Emit(g.proc.Topic(schemas.TopicKpis), shop, k)
	}
	for _, d := range out.Decisions {
		ctx.Emit(g.proc.Topic(schemas.TopicRestrictions), shop, d)
	}
}

func (g *graph) beforeVisit() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n, p := range g.parts {
		p.passNow = g.nowOf(p, n)
		p.mu.Lock()
		p.visiting = make(map[string]struct{}, len(p.touched))
		for shop, since := range p.touched {
			if since < p.passNow {
				p.visiting[shop] = struct{}{}
				delete(p.touched, shop)
			}
		}
		p.all = p.visited == 0 || g.m.DueBetween(p.visited, p.passNow)
		p.visited = 0 // until the pass is whole
		p.mu.Unlock()
	}
}

func (g *graph) afterVisit() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.parts {
		p.mu.Lock()
		p.visited, p.visiting = p.passNow, nil
		p.mu.Unlock()
	}
}

// visit tells what is due for a shop, and leaves its state as it is.
func (g *graph) visit(ctx goka.Context) {
	shop := ctx.Key()
	if schemas.IsTickKey(shop) {
		return
	}
	p := g.part(ctx.Partition())
	p.mu.Lock()
	_, touched := p.visiting[shop]
	now, due := p.now, p.all || touched
	p.mu.Unlock()
	if !due || now <= 0 {
		return
	}
	if st, ok := ctx.Value().(*statev1.Service); ok {
		g.emit(ctx, shop, g.m.Advance(st, shop, now))
		st.ReturnToVTPool()
	}
}
