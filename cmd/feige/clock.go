package main

import (
	"fmt"

	"github.com/feigeio/feige/chatrelay/shielding"
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
	shielding, err := r.parts().shielding(publisher)
	if err != nil {
		return err
	}
	r.group.Add(r.parts().clock(publisher), shielding)
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

// shielding puts the shields of sanctions on chat.events. A replay's namespace has none: what it holds is the recording's.
func (p parts) shielding(publisher *ingest.Publisher) (ops.Service, error) {
	s, err := shielding.New(shielding.Dependencies{
		Broker: p.settings.Kafka, Namespace: p.namespace, Publisher: publisher, Logger: p.logger, Registry: p.registry,
	})
	if err != nil {
		return ops.Service{}, err
	}
	return ops.Service{Name: "shielding", Run: s.Run}, nil
}

func (p parts) clock(publisher *ingest.Publisher) ops.Service {
	return ops.Service{Name: "clock", Run: ingest.NewClock(p.settings.Ingest, publisher, p.ingestDependencies()).Run}
}
