package audit

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Run audits a namespace. Differences are in the report; an error means that there was no whole audit.
func Run(ctx context.Context, cfg Config, deps Dependencies) (*Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	logger := deps.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	opts, err := deps.Broker.KGO()
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	log := chatLog{opts: opts, topic: deps.Namespace.Topic(schemas.TopicEvents), stall: cfg.StallTimeout}
	tables := warehouse{conn: deps.Conn, database: deps.Database, cfg: cfg}

	extents, err := log.extents(ctx, cfg.Until)
	if err != nil {
		return nil, err
	}
	report := newReport(cfg, deps.Namespace)
	for _, e := range extents {
		part, m, err := recompute(ctx, log, e, int32(len(extents)), cfg, deps)
		if err != nil {
			return nil, err
		}
		derived := e.start == 0
		if m.got, err = tables.read(ctx, e.partition, derived); err != nil {
			return nil, err
		}
		now, err := log.extents(ctx, nil)
		if err != nil {
			return nil, err
		}
		for _, n := range now {
			m.grown = m.grown || n.partition == e.partition && n.end > e.end
		}
		t := newTally()
		m.chats(t)
		if derived {
			m.derived(t)
		} else {
			part.Unaudited = "rounds, conversations, ratings, takeovers, service_kpis, service_indicators, restrictions of its shops: " +
				"they may rest on earlier events"
		}
		report.add(part, t)
		logger.Info("audit: partition done", "partition", e.partition, "records", part.Records, "differences", len(t.differences))
	}
	cases := log
	cases.topic = deps.Namespace.Topic(schemas.TopicCases)
	if err := auditCases(ctx, cases, tables, cfg, deps, report); err != nil {
		return nil, err
	}
	strays, err := tables.strays(ctx, int32(len(extents)))
	if err != nil {
		return nil, err
	}
	report.stray(strays)
	if report.DeadLetters, err = tables.deadLetters(ctx, log.topic); err != nil {
		return nil, err
	}
	return report, nil
}

// recompute reads a partition's log and works out what must come of it.
func recompute(ctx context.Context, log chatLog, e extent, partitions int32, cfg Config, deps Dependencies) (Partition, *match, error) {
	part := Partition{Partition: e.partition, Start: e.start, End: e.end, Dropped: map[string]int{}}
	m := &match{cfg: cfg, policy: deps.Policy, extent: e}
	var records []oracle.Record
	known := map[string]bool{}
	err := log.read(ctx, e, func(r *kgo.Record) error {
		part.Records++
		ev, why := decode(r, partitions)
		if why != "" {
			part.Dropped[string(why)]++
			return nil
		}
		records = append(records, lean(r.Offset, ev))
		if _, tick := ev.Payload.(*chatv1.ChatEvent_Tick); tick {
			part.Ticks++
			return nil
		}
		part.Events++
		seen := event{
			shop: ev.GetShopId(), id: ev.GetEventId(), conversation: ev.GetConversationId(), atUS: ev.GetOccurredAtUs(),
			kind: kindOf(ev), role: int32(ev.GetActor().GetRole()), offset: r.Offset,
		}
		if key := seen.key(); !known[key] {
			known[key] = true
			m.events = append(m.events, seen)
		}
		return nil
	})
	if err != nil {
		return part, nil, err
	}
	m.want = oracle.Run(deps.Policy, records)
	part.NowUS, part.HasNow = m.want.NowUS, m.want.HasNow
	return part, m, nil
}
