package chatrelay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"github.com/feigeio/feige/chatrelay/attachments"
	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/tables"
	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/readlog"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Publisher writes events to chat.events: ingest.Publisher.
type Publisher interface {
	Publish(ctx context.Context, evs ...*chatv1.ChatEvent) error
}

// Archive is the long memory of conversations: what the log's newest part does not hold.
type Archive interface {
	// Older returns at most limit records of a conversation with offsets below before, newest first.
	Older(ctx context.Context, shop, conversation string, partition int32, before int64, limit int) ([]*feed.Record, error)
}

// Dependencies of a Relay. Publisher and Policy are needed.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Publisher Publisher
	Policy    *policy.Set
	// Archive, if nil, is replaced by reading back a bounded part of the log.
	Archive Archive
	// Pages answers every path that is not the relay's own.
	Pages    http.Handler
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// NowUS is the clock, UTC microseconds; it defaults to the system's.
	NowUS func() int64
}

// Relay is one relay. Run must be called once.
type Relay struct {
	cfg       Config
	deps      Dependencies
	log       *slog.Logger
	nowUS     func() int64
	feed      *feed.Feed
	tables    *tables.Tables
	verifier  *signin.Verifier
	files     *attachments.Store // nil: none
	reads     *readlog.Log
	quick     quickReplies
	metrics   *metrics
	listener  net.Listener
	server    *http.Server
	registry  *registry
	desks     *desks
	modes     modes
	mutes     mutes
	limits    *limiters
	ctx       context.Context // ends when the relay is to stop
	cancel    context.CancelFunc
	stopping  atomic.Bool
	sessions  sync.WaitGroup
	leftovers sync.WaitGroup // what is published after a session has ended
	farewells chan struct{}  // bounds leftovers
}

// New takes the address, so that one in use is known at once. It does not talk to Kafka yet.
func New(cfg Config, deps Dependencies) (_ *Relay, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("relay.%w", err)
	}
	if deps.Publisher == nil || deps.Policy == nil {
		return nil, errors.New("relay: no publisher or no policy")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.NowUS == nil {
		deps.NowUS = func() int64 { return time.Now().UnixMicro() }
	}
	r := &Relay{cfg: cfg, deps: deps, log: deps.Logger, nowUS: deps.NowUS, metrics: newMetrics(deps.Registry),
		registry: newRegistry(), limits: newLimiters(cfg.Limits), farewells: make(chan struct{}, 64)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.desks = newDesks(r)
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.verifier, err = signin.NewVerifier(cfg.KeysFile, cfg.RevokedFile); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if r.quick, err = loadQuickReplies(cfg.QuickRepliesFile); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if r.feed, err = feed.New(cfg.Feed, feed.Dependencies{Broker: deps.Broker, Namespace: deps.Namespace, Logger: deps.Logger, Registry: deps.Registry, Observe: r.observe}); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if r.tables, err = tables.New(cfg.Tables, tables.Dependencies{Broker: deps.Broker, Namespace: deps.Namespace, Watcher: r, Logger: deps.Logger, Registry: deps.Registry}); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if r.reads, err = readlog.New(deps.Broker, deps.Namespace); err != nil {
		return nil, fmt.Errorf("relay: %w", err)
	}
	if cfg.Attachments.URL != "" {
		if r.files, err = attachments.Open(r.ctx, cfg.Attachments); err != nil {
			return nil, fmt.Errorf("relay: %w", err)
		}
	}
	return r, r.listen()
}

func (r *Relay) listen() error {
	l, err := net.Listen("tcp", r.cfg.Addr)
	if err != nil {
		return fmt.Errorf("relay cannot listen on %s (relay.addr): %w", r.cfg.Addr, err)
	}
	// A little room beyond, so that those above the limit can be told so.
	l = netutil.LimitListener(l, r.cfg.Limits.Connections+256)
	if r.cfg.TLS.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(r.cfg.TLS.CertFile, r.cfg.TLS.KeyFile)
		if err != nil {
			l.Close()
			return fmt.Errorf("relay.tls: load cert_file and key_file: %w", err)
		}
		l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}})
	}
	r.listener = l
	r.server = &http.Server{
		Handler: r.handler(), ReadHeaderTimeout: r.cfg.Timeouts.Header, IdleTimeout: r.cfg.Timeouts.Idle,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	return nil
}

// Addr is where clients connect.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// URL is where clients connect, as a URL.
func (r *Relay) URL() string {
	if r.cfg.TLS.CertFile != "" {
		return "https://" + r.Addr()
	}
	return "http://" + r.Addr()
}

// Close gives back what New took, where Run is not called.
func (r *Relay) Close() {
	r.cancel()
	if r.listener != nil {
		r.listener.Close()
	}
	if r.reads != nil {
		r.reads.Close()
	}
	if r.feed != nil {
		r.feed.Close()
	}
	if r.tables != nil {
		r.tables.Close()
	}
	if r.files != nil {
		r.files.Close()
	}
}

// Ready returns nil when people can sign in: the tables are known.
func (r *Relay) Ready(context.Context) error {
	if !r.tables.Ready() {
		return errors.New("the tables of reception and penalties are not read yet")
	}
	return nil
}

// Run serves until ctx ends. Then every client is told to go to another relay.
func (r *Relay) Run(ctx context.Context) error {
	defer r.Close()
	var wait sync.WaitGroup
	background, stop := context.WithCancel(context.Background())
	defer wait.Wait()
	defer stop()
	failed := make(chan error, 3)
	wait.Go(func() { failed <- r.feed.Run(background) })
	wait.Go(func() { failed <- r.tables.Run(background) })
	wait.Go(func() { r.housekeep(background) })
	wait.Go(func() {
		if err := r.server.Serve(r.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("relay: serving on %s: %w", r.Addr(), err)
		}
	})
	r.log.Info("relay is up", "addr", r.Addr())
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	r.leave()
	return err
}

// leave ends all connections and what is under way, in bounded time.
func (r *Relay) leave() {
	r.stopping.Store(true)
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	r.registry.each(func(s *session) { s.goAway() })
	_ = r.server.Shutdown(grace) // what does not end in time is closed below
	wait(grace, &r.sessions)
	r.cancel()
	r.server.Close()
	rest, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	wait(rest, &r.sessions)
	wait(rest, &r.leftovers)
}

// mutes are the ends of mutes to come, by offender.
type mutes struct {
	sync.Mutex
	until map[string]int64
}

func wait(ctx context.Context, wg *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
