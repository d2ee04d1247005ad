package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/chatrelay"
	"github.com/feigeio/feige/chatrelay/archive"
	"github.com/feigeio/feige/chatrelay/web"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
)

type relayCmd struct {
	Without bool `name:"without-history" help:"Do not connect to ClickHouse: long history is read back from a part of the log."`
}

// lean lets the collector begin earlier: most of a relay's memory is connections that wait, and room for garbage of the
// same size again would cost more than it saves. GOGC in the environment outweighs it.
func lean() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(65)
	}
}

func (c relayCmd) Run(a *app) error {
	lean()
	r, err := a.newProcess()
	if err != nil {
		return err
	}
	defer r.close()
	set, err := r.settings.policySet()
	if err != nil {
		return err
	}
	if err := r.serve(); err != nil {
		return err
	}
	if err := r.settings.pingKafka(a.ctx); err != nil {
		return err
	}
	var conn driver.Conn
	if !c.Without {
		if conn, err = r.settings.openWarehouse(a.ctx, r.settings.Namespace); err != nil {
			return err
		}
		defer conn.Close()
		r.checks.Register("clickhouse", conn.Ping)
	}
	publisher, err := r.parts().publisher()
	if err != nil {
		return err
	}
	defer publisher.Close()
	relay, err := r.parts().relay(publisher, conn, set, web.Handler())
	if err != nil {
		return err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.checks.Register("relay", relay.Ready)
	r.group.Add(ops.Service{Name: "relay", Run: relay.Run})
	fmt.Fprintf(a.stdout, "relay       %s\n", relay.URL())
	return r.group.Run(a.ctx)
}

// relay builds the relay of the namespace. conn may be nil: no long history. pages may be nil: none.
func (p parts) relay(publisher chatrelay.Publisher, conn driver.Conn, set *policy.Set, pages http.Handler) (*chatrelay.Relay, error) {
	cfg := p.settings.relayConfig()
	deps := chatrelay.Dependencies{
		Broker: p.settings.Kafka, Namespace: p.namespace, Publisher: publisher, Policy: set, Pages: pages, Logger: p.logger, Registry: p.registry,
	}
	if conn != nil {
		deps.Archive = archive.New(conn, p.settings.ClickHouse.DatabaseFor(p.namespace))
	}
	relay, err := chatrelay.New(cfg, deps)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, withCode(codeInUse, fmt.Errorf("%w: --set relay.addr=HOST:PORT takes another", err))
		}
		return nil, withCode(codeUsage, fmt.Errorf("building the relay: %w", err))
	}
	return relay, nil
}

// relayConfig puts relative files under the data directory.
func (s settings) relayConfig() chatrelay.Config {
	cfg := s.Relay
	cfg.KeysFile = s.inDataDir(cfg.KeysFile)
	cfg.RevokedFile = s.inDataDir(cfg.RevokedFile)
	cfg.QuickRepliesFile = s.inDataDir(cfg.QuickRepliesFile)
	cfg.Attachments.SecretFile = s.inDataDir(cfg.Attachments.SecretFile)
	return cfg
}
