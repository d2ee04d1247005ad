package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/decisions"
	"github.com/feigeio/feige/dashboards/review"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

// consoleConfig is where the platform's people work.
type consoleConfig struct {
	// Addr of the desks and their APIs, host:port.
	Addr string `yaml:"addr"`
	// Review is the reviewers' desk.
	Review review.Config `yaml:"review"`
	// Decisions is the API that other systems ask.
	Decisions decisions.Config `yaml:"decisions"`
}

func defaultConsole() consoleConfig {
	return consoleConfig{Addr: "127.0.0.1:9191", Review: review.DefaultConfig(), Decisions: decisions.DefaultConfig()}
}

func (c consoleConfig) validate() error {
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		return fmt.Errorf("addr: %q is not host:port", c.Addr)
	}
	if err := c.Review.Validate(); err != nil {
		return fmt.Errorf("review.%w", err)
	}
	if err := c.Decisions.Validate(); err != nil {
		return fmt.Errorf("decisions.%w", err)
	}
	return nil
}

type consoleCmd struct{}

func (consoleCmd) Run(a *app) error {
	// Its memory is small: collecting less often costs little, and every collection is felt in the slowest answers.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
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
	conn, err := r.settings.openWarehouse(a.ctx, r.settings.Namespace)
	if err != nil {
		return err
	}
	defer conn.Close()
	services, url, err := r.parts().console(conn, set)
	if err != nil {
		return err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.group.Add(services...)
	fmt.Fprintf(a.stdout, "review      %s/review\ndecisions   %s%s/shops/ID/restrictions\n", url, url, decisions.Base)
	return r.group.Run(a.ctx)
}

// console builds the desks of the platform's people and the server they answer on. It takes the address.
func (p parts) console(conn driver.Conn, set *policy.Set) (services []ops.Service, url string, err error) {
	cfg := p.settings.Console
	keys := p.settings.relayConfig()
	verifier, err := signin.NewVerifier(keys.KeysFile, keys.RevokedFile)
	if err != nil {
		return nil, "", withCode(codeUsage, fmt.Errorf("console: %w (relay.keys_file; feige token --new-keys makes one)", err))
	}
	deps := review.Dependencies{Broker: p.settings.Kafka, Namespace: p.namespace, Policy: set, Verifier: verifier, Logger: p.logger, Registry: p.registry}
	if conn != nil {
		deps.Texts = review.NewTexts(conn, p.settings.ClickHouse.DatabaseFor(p.namespace))
	}
	desk, err := review.New(cfg.Review, deps)
	if err != nil {
		return nil, "", withCode(codeUsage, fmt.Errorf("building the review desk: %w", err))
	}
	cfg.Decisions.Webhook.SecretFile = p.settings.inDataDir(cfg.Decisions.Webhook.SecretFile)
	answers, err := decisions.New(cfg.Decisions, decisions.Dependencies{Broker: p.settings.Kafka, Namespace: p.namespace, Policy: set, Verifier: verifier, Logger: p.logger, Registry: p.registry})
	if err != nil {
		return nil, "", withCode(codeUsage, fmt.Errorf("building the decision API: %w", err))
	}
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		code := codeUnavailable
		if errors.Is(err, syscall.EADDRINUSE) {
			code = codeInUse
		}
		return nil, "", withCode(code, fmt.Errorf("console cannot listen on %s (console.addr): %w", cfg.Addr, err))
	}
	p.checks.Register("review", desk.Ready)
	p.checks.Register("decisions", answers.Ready)
	server := &http.Server{Handler: consoleHandler(desk.Handler(), answers.Handler()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	serve := func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() {
			grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			_ = server.Shutdown(grace) // what does not end in time is closed with the process
		})
		defer stop()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving the console on %s: %w", cfg.Addr, err)
		}
		return nil
	}
	reload := func(ctx context.Context) error {
		for tick := time.NewTicker(5 * time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return nil
			case <-tick.C:
				if _, err := verifier.Reload(); err != nil {
					p.logger.Error("console: keys or revocations cannot be read again", "error", err)
				}
			}
		}
	}
	return []ops.Service{{Name: "review", Run: desk.Run}, {Name: "decisions", Run: answers.Run}, {Name: "console keys", Run: reload}, {Name: "console", Run: serve}}, "http://" + reachable(listener.Addr().String()), nil
}

func consoleHandler(desk, answers http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(review.Base+"/", desk)
	mux.Handle(decisions.Base+"/", answers)
	mux.Handle("/review", desk)
	mux.Handle("/review/", desk)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/review", http.StatusFound) })
	return mux
}
