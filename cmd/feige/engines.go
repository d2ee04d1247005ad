package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/feigeio/feige/ingest"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks"
)

// engines are those of embedded Kafka and ClickHouse that the settings ask for, over one data directory.
type engines struct {
	kafka      *ekafka.Broker
	clickhouse *eclickhouse.Server
	unlock     func()
}

// startEngines locks the data directory, takes the addresses, starts the engines, and turns the settings of the process to them.
func (a *app) startEngines(ctx context.Context, r *process) (*engines, error) {
	s := &r.settings
	e := &engines{}
	var err error
	if e.unlock, err = lockDataDir(s.DataDir); err != nil {
		return nil, err
	}
	if err := e.start(ctx, a, r); err != nil {
		e.close(r)
		return nil, err
	}
	if e.kafka != nil {
		s.Kafka.Brokers = []string{e.kafka.Addr()}
		s.Kafka.Replication = 1
		r.group.Add(ops.Service{Name: "embedded kafka", Run: e.kafka.Run})
	}
	if e.clickhouse != nil {
		s.ClickHouse.Addr = []string{e.clickhouse.Addr()}
		s.ClickHouse.Protocol = "http"
		s.ClickHouse.Cluster = ""
	}
	return e, nil
}

func (e *engines) start(ctx context.Context, a *app, r *process) error {
	if err := r.serve(); err != nil {
		return err
	}
	s := r.settings
	for _, port := range []struct{ engine, key, addr string }{
		{engineKafka, "embedded.kafka.addr", s.Embedded.Kafka.Addr},
		{engineClickHouse, "embedded.clickhouse.addr", s.Embedded.ClickHouse.Addr},
	} {
		if !s.Embedded.has(port.engine) {
			continue
		}
		if err := portFree(port.key, port.addr); err != nil {
			return err
		}
	}
	if !s.Embedded.has(engineKafka) {
		if err := s.pingKafka(ctx); err != nil {
			return err
		}
	}
	if s.Embedded.has(engineClickHouse) {
		if err := e.startClickHouse(ctx, a, r); err != nil {
			return err
		}
	}
	if s.Embedded.has(engineKafka) {
		return e.startKafka(ctx, r)
	}
	return nil
}

func (e *engines) startKafka(ctx context.Context, r *process) (err error) {
	config := r.settings.Embedded.Kafka
	config.Dir = r.settings.inDataDir(config.Dir)
	e.kafka, err = ekafka.Start(ctx, config, ekafka.Dependencies{Logger: r.logger, Registry: r.registry, Readers: sinkReaders()})
	return withCode(codeUnavailable, err)
}

func (e *engines) startClickHouse(ctx context.Context, a *app, r *process) (err error) {
	config := r.settings.Embedded.ClickHouse
	config.Dir = r.settings.inDataDir(config.Dir)
	if config.Library, err = a.library(r.settings); err != nil {
		return err
	}
	for _, ns := range []schemas.Namespace{r.settings.Namespace, examplesNamespace} {
		config.AnalystGrants = append(config.AnalystGrants, warehouse.AnalystGrants(r.settings.ClickHouse.DatabaseFor(ns))...)
	}
	e.clickhouse, err = eclickhouse.Start(ctx, config, eclickhouse.Dependencies{Logger: r.logger, Registry: r.registry, Record: r.readings.keep})
	return withCode(codeUnavailable, err)
}

// close stops the engines after their clients.
func (e *engines) close(r *process) {
	var err error
	if e.clickhouse != nil {
		err = e.clickhouse.Close()
	}
	if e.kafka != nil {
		err = errors.Join(err, e.kafka.Close())
	}
	e.unlock()
	if err != nil {
		r.logger.Error("stopping the embedded engines", "error", err)
	}
}

// sinkReaders keeps retention from dropping what the sinks have not read.
func sinkReaders() []ekafka.Reader {
	var readers []ekafka.Reader
	for _, topic := range sinks.Topics() {
		readers = append(readers, ekafka.Reader{Group: sinks.Group, Topic: topic})
	}
	return readers
}

// applyTopics creates what is missing in a namespace.
func applyTopics(ctx context.Context, s settings, ns schemas.Namespace, policy ingest.TopicPolicy) ([]ingest.TopicResult, error) {
	results, err := ingest.ApplyTopics(ctx, s.Kafka, ns, policy)
	switch {
	case errors.Is(err, ingest.ErrPartitions):
		return results, withCode(codeUsage, fmt.Errorf("%w (kafka.partitions is %d)", err, s.Kafka.Partitions))
	case err != nil:
		return results, withCode(codeUnavailable, err)
	}
	return results, nil
}
