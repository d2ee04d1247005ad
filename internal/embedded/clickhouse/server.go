package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/feigeio/feige/internal/embedded/clickhouse/chdb"
)

// Server is the running engine and its HTTP interface.
type Server struct {
	cfg      Config
	log      *slog.Logger
	metrics  *metrics
	accounts map[string]account
	keep     func(context.Context, Reading) error // Dependencies.Record
	engine   *chdb.Engine
	lock     *flock.Flock
	listener net.Listener
	http     *http.Server
	places   chan struct{}

	displayName, version, timezone string

	requests  sync.WaitGroup
	stop      context.CancelFunc // cancels what still runs
	serving   chan struct{}
	closeOnce sync.Once
	closeErr  error
}

// Start opens the data directory and serves it. It returns when requests are answered. The context bounds
// the start only; Close ends the server.
func Start(ctx context.Context, cfg Config, deps Dependencies) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("embedded clickhouse: %w", err)
	}
	s := &Server{cfg: cfg, log: deps.Logger, keep: deps.Record, places: make(chan struct{}, cfg.MaxConcurrent), serving: make(chan struct{})}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.start(ctx, deps); err != nil {
		s.release()
		return nil, fmt.Errorf("embedded clickhouse: %w", err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, deps Dependencies) error {
	library, err := Locate(s.cfg.Library)
	if err != nil {
		return err
	}
	if s.accounts, err = accounts(s.cfg.Users); err != nil {
		return err
	}
	if s.cfg.Dir, err = filepath.Abs(s.cfg.Dir); err != nil {
		return err
	}
	if err := s.lockDir(); err != nil {
		return err
	}
	var listen net.ListenConfig
	if s.listener, err = listen.Listen(ctx, "tcp", s.cfg.Addr); err != nil {
		return fmt.Errorf("listen on %s: %w (is another ClickHouse running there? set embedded.clickhouse.addr)", s.cfg.Addr, plainCause(err))
	}
	if err := s.startEngine(library); err != nil {
		return err
	}
	if s.metrics, err = newMetrics(deps.Registry); err != nil {
		return err
	}
	s.serve()
	s.log.Info("embedded clickhouse answers", "addr", s.Addr(), "dir", s.cfg.Dir, "version", s.version)
	return nil
}

func (s *Server) lockDir() error {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("create the data directory: %w", err)
	}
	s.lock = flock.New(filepath.Join(s.cfg.Dir, "lock"))
	switch ok, err := s.lock.TryLock(); {
	case err != nil:
		return fmt.Errorf("lock the data directory %s: %w", s.cfg.Dir, err)
	case !ok:
		s.lock = nil
		return fmt.Errorf("the data directory %s is in use by another process; stop it or set embedded.clickhouse.dir", s.cfg.Dir)
	}
	return nil
}

func (s *Server) startEngine(path string) error {
	library, err := chdb.Load(path)
	if err != nil {
		return err
	}
	file, err := engineFiles(s.cfg)
	if err != nil {
		return err
	}
	// On a terminal the engine would write what it deems fatal to standard error, and does so for threads of
	// its own that end well. What matters comes back as an error.
	s.engine, err = library.Start(filepath.Join(s.cfg.Dir, "data"), "--config-file="+file, "--log-level=none")
	if err != nil {
		return fmt.Errorf("start the engine in %s: %w", s.cfg.Dir, err)
	}
	conn, err := s.engine.Open()
	if err != nil {
		return fmt.Errorf("open a session: %w", err)
	}
	defer conn.Close()
	text, err := conn.Text("SELECT displayName(), version(), timezone(), has(currentRoles(), 'reader')", "TSV")
	if err != nil {
		return fmt.Errorf("ask the engine for its version: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(text), "\t")
	if len(fields) != 4 || fields[3] != "1" {
		return errors.New("the engine did not take its configuration; is this the right libchdb?")
	}
	s.displayName, s.version, s.timezone = fields[0], fields[1], fields[2]
	return nil
}

// Timeouts of the connection; bodies and answers have IdleTimeout.
const (
	headerTimeout  = 10 * time.Second
	keepAlive      = 2 * time.Minute
	maxHeaderBytes = 1 << 20
)

func (s *Server) serve() {
	base, stop := context.WithCancel(context.Background())
	s.stop = stop
	// A page from elsewhere, open in this machine's browser, must not post here.
	guard := http.NewCrossOriginProtection()
	s.http = &http.Server{
		Handler:           guard.Handler(s),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       keepAlive,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(s.serving)
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("embedded clickhouse stopped serving", "error", err)
		}
	}()
}

// Addr is where the server listens, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Version is the engine's, such as 26.7.3.
func (s *Server) Version() string { return s.version }

// stuckTimeout is how long a cancelled statement may take to notice.
const stuckTimeout = 30 * time.Second

// Close lets running requests end for up to CloseTimeout, cancels the rest, and stops the engine, which
// writes what it holds. Only the first call does something; all return the same.
func (s *Server) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.CloseTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		s.stop()
		_ = s.http.Close()
	}
	<-s.serving
	s.stop()
	ended := make(chan struct{})
	go func() {
		s.requests.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(stuckTimeout):
		// Closing the engine below a running statement would bring the process down.
		return fmt.Errorf("embedded clickhouse: statements still run %s after they were cancelled; the engine stays open", stuckTimeout)
	}
	s.release()
	return nil
}

// release gives back what start took, in reverse.
func (s *Server) release() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.engine != nil {
		s.engine.Close()
	}
	if s.lock != nil {
		_ = s.lock.Unlock()
	}
}

// plainCause is the system's own word on why listening failed.
func plainCause(err error) error {
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}
