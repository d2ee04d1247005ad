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

	"github.com/feigeio/feige/dashboards/console"
	"github.com/feigeio/feige/dashboards/decisions"
	"github.com/feigeio/feige/dashboards/review"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/internal/warehouse"
)

// consoleConfig is where the platform's people work.
type consoleConfig struct {
	// Addr of the desks and their APIs, host:port.
	Addr string `yaml:"addr"`
	// ClickHouse is the account that the pages ask with: one that may not read chat texts is enough. Without a name it is
	// clickhouse.username, and the analyst on the embedded engine.
	ClickHouse consoleAccount `yaml:"clickhouse"`
	// Pages are the boards in a browser.
	Pages console.Config `yaml:"pages"`
	// Review is the reviewers' desk.
	Review review.Config `yaml:"review"`
	// Decisions is the API that other systems ask.
	Decisions decisions.Config `yaml:"decisions"`
}

type consoleAccount struct {
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
}

func defaultConsole() consoleConfig {
	return consoleConfig{Addr: "127.0.0.1:9191", Pages: console.DefaultConfig(), Review: review.DefaultConfig(), Decisions: decisions.DefaultConfig()}
}

func (c consoleConfig) validate() error {
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		return fmt.Errorf("addr: %q is not host:port", c.Addr)
	}
	if c.ClickHouse.Password != "" && c.ClickHouse.PasswordFile != "" {
		return errors.New("clickhouse: password and password_file are both given; give one")
	}
	if err := c.Pages.Validate(); err != nil {
		return fmt.Errorf("pages.%w", err)
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
	services, url, err := r.parts().console(a.ctx, conn, set)
	if err != nil {
		return err
	}
	r.checks.Register("kafka", r.settings.Kafka.Ping)
	r.group.Add(services...)
	fmt.Fprintf(a.stdout, "console     %s/console/\nreview      %s/review\ndecisions   %s%s/shops/ID/restrictions\n", url, url, url, decisions.Base)
	return r.group.Run(a.ctx)
}

// console builds the desks of the platform's people and the server they answer on. It takes the address.
func (p parts) console(ctx context.Context, conn driver.Conn, set *policy.Set) (services []ops.Service, url string, err error) {
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
	pages, asking, err := p.pages(ctx, set, verifier)
	if err != nil {
		return nil, "", err
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
	server := &http.Server{Handler: consoleHandler(pages.Handler(), desk.Handler(), answers.Handler()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
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
	return []ops.Service{asking, {Name: "review", Run: desk.Run}, {Name: "decisions", Run: answers.Run}, {Name: "console keys", Run: reload}, {Name: "console", Run: serve}}, "http://" + reachable(listener.Addr().String()), nil
}

// asker is a connection under the account of console.clickhouse.
func (p parts) asker(ctx context.Context) (driver.Conn, error) {
	account, s := p.settings.Console.ClickHouse, p.settings
	switch {
	case account.Username != "":
		s.ClickHouse.Username, s.ClickHouse.Password, s.ClickHouse.PasswordFile = account.Username, account.Password, account.PasswordFile
	case s.Embedded.has(engineClickHouse):
		if user, ok := s.Embedded.ClickHouse.Users[string(eclickhouse.RoleAnalyst)]; ok && user.Password == "" {
			s.ClickHouse.Username, s.ClickHouse.Password, s.ClickHouse.PasswordFile = string(eclickhouse.RoleAnalyst), "", ""
		}
	}
	conn, err := warehouse.OpenIn(ctx, s.ClickHouse, p.namespace)
	return conn, withCode(codeUnavailable, err)
}

// pages builds the boards in a browser, and the service that asks for them.
func (p parts) pages(ctx context.Context, set *policy.Set, verifier *signin.Verifier) (*console.Console, ops.Service, error) {
	conn, err := p.asker(ctx)
	if err != nil {
		return nil, ops.Service{}, fmt.Errorf("console.clickhouse: %w", err)
	}
	pages, err := console.New(p.settings.Console.Pages, console.Dependencies{Conn: conn, Calendar: set.Calendar(), Verifier: verifier, Logger: p.logger, Registry: p.registry})
	if err != nil {
		return nil, ops.Service{}, withCode(codeUsage, errors.Join(fmt.Errorf("building the console: %w", err), conn.Close()))
	}
	return pages, ops.Service{Name: "console pages", Run: func(ctx context.Context) error {
		return errors.Join(pages.Run(ctx), conn.Close())
	}}, nil
}

func consoleHandler(pages, desk, answers http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(console.Base, pages)
	mux.Handle(console.Base+"/", pages)
	mux.Handle(review.Base+"/", desk)
	mux.Handle(decisions.Base+"/", answers)
	mux.Handle("/review", desk)
	mux.Handle("/review/", desk)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, console.Base+"/", http.StatusFound) })
	return mux
}
