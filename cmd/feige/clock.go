package main

import (
	"fmt"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/ops"
)

type clockCmd struct{}

func (clockCmd) Run(a *app) error {
	r, err := a.newProcess()
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(); err != nil {
		return err
	}
	if err := r.settings.pingKafka(a.ctx); err != nil {
		return err
	}
	publisher, err := r.parts().publisher()
	if err != nil {
		return err
	}
	defer publisher.Close()
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.group.Add(r.parts().clock(publisher))
	return r.group.Run(a.ctx)
}

func (p parts) ingestDependencies() ingest.Dependencies {
	return ingest.Dependencies{Broker: p.settings.Kafka, Namespace: p.namespace, Logger: p.logger, Registry: p.registry}
}

func (p parts) publisher() (*ingest.Publisher, error) {
	publisher, err := ingest.NewPublisher(p.settings.Ingest, p.ingestDependencies())
	if err != nil {
		return nil, fmt.Errorf("building the publisher: %w", err)
	}
	return publisher, nil
}

func (p parts) clock(publisher *ingest.Publisher) ops.Service {
	return ops.Service{Name: "clock", Run: ingest.NewClock(p.settings.Ingest, publisher, p.ingestDependencies()).Run}
}
