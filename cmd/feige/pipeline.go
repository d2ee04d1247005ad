package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/internal/catchup"
	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/patterns"
	"github.com/feigeio/feige/processors/penalties"
	"github.com/feigeio/feige/processors/reception"
	"github.com/feigeio/feige/processors/service"
	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/processors/violations"
	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks"
)

// parts are what the stages of one namespace are built from.
type parts struct {
	settings  settings
	namespace schemas.Namespace
	logger    *slog.Logger
	registry  prometheus.Registerer
	checks    *ops.Checks
}

func (r *process) parts() parts {
	return parts{settings: r.settings, namespace: r.settings.Namespace, logger: r.logger, registry: r.registry, checks: r.checks}
}

// processors builds all processors of the namespace.
func (p parts) processors(set *policy.Set) ([]ops.Service, error) {
	deps := stream.Dependencies{Broker: p.settings.Kafka, Namespace: p.namespace, Policy: set, Logger: p.logger, Registry: p.registry}
	moderator, err := moderation.New(p.settings.Moderation, moderation.Dependencies{Logger: p.logger})
	if err != nil {
		return nil, withCode(codeUsage, err)
	}
	judged := func(cfg stream.Config, deps stream.Dependencies) (*stream.Processor, error) {
		return violations.New(cfg, deps, moderator)
	}
	services := []ops.Service{{Name: "word packs", Run: moderator.Run}}
	for _, stage := range []struct {
		name  string
		build func(stream.Config, stream.Dependencies) (*stream.Processor, error)
	}{
		{schemas.GroupConversations, conversations.New},
		{schemas.GroupReception, reception.New},
		{schemas.GroupService, service.New},
		{schemas.GroupViolations, judged},
		{schemas.GroupPatterns, patterns.New},
		{schemas.GroupPenalties, penalties.New},
	} {
		processor, err := stage.build(p.settings.Processors, deps)
		if err != nil {
			return nil, fmt.Errorf("building processor %s: %w", stage.name, err)
		}
		p.checks.Register(p.namespace.Topic(stage.name), func(context.Context) error {
			if !processor.Ready() {
				return errors.New("has no partitions yet")
			}
			return nil
		})
		services = append(services, ops.Service{Name: "processor " + stage.name, Run: processor.Run})
	}
	return services, nil
}

// sink builds the sink of the namespace.
func (p parts) sink(conn driver.Conn) (ops.Service, error) {
	sink, err := sinks.New(p.settings.Sinks, sinks.Dependencies{
		Broker: p.settings.Kafka, Namespace: p.namespace, Conn: conn,
		Database: p.settings.ClickHouse.DatabaseFor(p.namespace), Logger: p.logger, Registry: p.registry,
	})
	if err != nil {
		return ops.Service{}, fmt.Errorf("building the sinks: %w", err)
	}
	p.checks.Register(p.namespace.Topic(sinks.Group), sink.Ready)
	return ops.Service{Name: "sinks", Run: sink.Run}, nil
}

// stages are the consumer groups of a namespace in the order in which records pass them.
func stages(ns schemas.Namespace) []catchup.Stage {
	stage := func(group string, topics ...string) catchup.Stage {
		s := catchup.Stage{Group: ns.Topic(group)}
		for _, topic := range topics {
			s.Topics = append(s.Topics, ns.Topic(topic))
		}
		return s
	}
	return []catchup.Stage{
		stage(schemas.GroupConversations, schemas.TopicEvents),
		stage(schemas.GroupReception, schemas.TopicFacts),
		stage(schemas.GroupService, schemas.TopicFacts),
		stage(schemas.GroupViolations, schemas.TopicEvents),
		stage(schemas.GroupPatterns, schemas.TopicSignals),
		stage(schemas.GroupPenalties, schemas.TopicCases),
		stage(sinks.Group, sinks.Topics()...),
	}
}

// openWarehouse connects to ClickHouse.
func (s settings) openWarehouse(ctx context.Context, ns schemas.Namespace) (driver.Conn, error) {
	conn, err := warehouse.Open(ctx, s.ClickHouse, ns)
	return conn, withCode(codeUnavailable, err)
}

// applySchema brings the namespace's database to the newest schema and returns the applied files.
func (s settings) applySchema(ctx context.Context, conn driver.Conn, ns schemas.Namespace, set *policy.Set, logger *slog.Logger) ([]string, error) {
	applied, err := warehouse.Migrate(ctx, conn, warehouse.MigrateOptions{
		Database:   s.ClickHouse.DatabaseFor(ns),
		Cluster:    s.ClickHouse.Cluster,
		Replicated: s.Schema.Replicated,
		TimeZone:   set.Calendar().Location().String(),
		Retention:  s.Schema.Retention,
		Fsync:      s.Schema.Fsync,
		Logger:     logger,
	})
	return applied, withCode(codeUnavailable, err)
}

// pingKafka says in one line why Kafka cannot be used.
func (s settings) pingKafka(ctx context.Context) error {
	return withCode(codeUnavailable, s.Kafka.Ping(ctx))
}
