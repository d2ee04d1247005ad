package sinks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
)

// Group is the consumer group of the sinks, without namespace.
const Group = "sinks"

// Topics are what sinks read, without namespace.
func Topics() []string { return sources() }

// Dependencies are what a sink reads from and writes to.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	// Conn to ClickHouse; it stays open when the sink stops.
	Conn driver.Conn
	// Database that the schema was applied to.
	Database string
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Sink copies topics to tables. Any number of them, in any number of processes, share the work.
type Sink struct {
	cfg     Config
	deps    Dependencies
	metrics *metrics
	options []kgo.Opt
	session atomic.Pointer[session] // of the newest Run
}

// New checks the configuration. Neither Kafka nor ClickHouse needs to be there yet.
func New(cfg Config, deps Dependencies) (*Sink, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("sinks: %w", err)
	}
	if err := deps.Namespace.Validate(); err != nil {
		return nil, fmt.Errorf("sinks: %w", err)
	}
	if deps.Conn == nil || deps.Database == "" {
		return nil, errors.New("sinks: a connection to ClickHouse and the name of a database are needed")
	}
	if deps.Broker.Partitions < 1 {
		return nil, fmt.Errorf("sinks: %d partitions", deps.Broker.Partitions)
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	options, err := deps.Broker.KGO()
	if err != nil {
		return nil, fmt.Errorf("sinks: %w", err)
	}
	m, err := newMetrics(deps.Registry)
	if err != nil {
		return nil, err
	}
	return &Sink{cfg: cfg, deps: deps, metrics: m, options: options}, nil
}

// Run reads and writes until the context ends; then it inserts and commits what was read, for at most
// Config.StopTimeout, and leaves the group. What is not done by then is read again by the next run.
func (s *Sink) Run(ctx context.Context) error {
	// Work that was begun outlives the context by StopTimeout.
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.cfg.StopTimeout, cancel) })()

	session, err := s.newSession(working)
	if err != nil {
		return err
	}
	defer session.close()
	s.session.Store(session)
	return session.run(ctx)
}
