package main

import (
	"fmt"

	"github.com/feigeio/feige/chatrelay/bot"
	"github.com/feigeio/feige/internal/ops"
)

type botCmd struct{}

func (botCmd) Run(a *app) error {
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
	service, err := r.parts().bot(publisher)
	if err != nil {
		return err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.group.Add(service)
	return r.group.Run(a.ctx)
}

// bot builds the reception bot of the namespace.
func (p parts) bot(publisher bot.Publisher) (ops.Service, error) {
	b, err := bot.New(p.settings.botConfig(), bot.Dependencies{
		Broker: p.settings.Kafka, Namespace: p.namespace, Publisher: publisher, Logger: p.logger, Registry: p.registry,
	})
	if err != nil {
		return ops.Service{}, withCode(codeUsage, fmt.Errorf("building the bot: %w", err))
	}
	p.checks.Register("bot", b.Ready)
	return ops.Service{Name: "bot", Run: b.Run}, nil
}

// botConfig puts relative files under the data directory.
func (s settings) botConfig() bot.Config {
	cfg := s.Bot
	cfg.FAQ = s.inDataDir(cfg.FAQ)
	cfg.Webhook.SecretFile = s.inDataDir(cfg.Webhook.SecretFile)
	return cfg
}
