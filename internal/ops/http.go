package ops

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// HTTPConfig is the `http` section of the configuration: metrics and health.
type HTTPConfig struct {
	// Addr is host:port; port 0 takes a free one; empty switches the server off.
	Addr string `yaml:"addr"`
	// Pprof adds /debug/pprof. It shows memory contents: keep it off where others reach the address.
	Pprof bool `yaml:"pprof"`
}

// DefaultHTTPConfig listens on loopback only.
func DefaultHTTPConfig() HTTPConfig { return HTTPConfig{Addr: "127.0.0.1:9180"} }

// Validate names the key and value that cannot be used.
func (c HTTPConfig) Validate() error {
	if c.Addr == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("http.addr must be host:port, or empty for none (got %q)", c.Addr)
	}
	return nil
}

// Server answers /metrics, /healthz, /readyz, and, if configured, /debug/pprof.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Listen takes the address at once, so that a port in use is known before anything else starts.
func Listen(c HTTPConfig, gatherer prometheus.Gatherer, checks *Checks) (*Server, error) {
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return nil, fmt.Errorf("metrics and health cannot listen on %s (http.addr): %w", c.Addr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { readyz(w, r, checks) })
	if c.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return &Server{listener: listener, server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close gives the address back without Run.
func (s *Server) Close() error { return s.listener.Close() }

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	stopped := make(chan error, 1)
	go func() { stopped <- s.server.Serve(s.listener) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("serving metrics and health: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stopping metrics and health: %w", err)
	}
	return s.server.Close()
}

// readyz answers 200 or 503, with a line for each condition.
func readyz(w http.ResponseWriter, r *http.Request, checks *Checks) {
	results, ready := checks.Run(r.Context())
	var body strings.Builder
	for _, result := range results {
		if result.Err == nil {
			fmt.Fprintf(&body, "%s: ok\n", result.Name)
		} else {
			fmt.Fprintf(&body, "%s: %s\n", result.Name, strings.ReplaceAll(result.Err.Error(), "\n", " "))
		}
	}
	if ready {
		answer(w, http.StatusOK, body.String()+"ready\n")
		return
	}
	answer(w, http.StatusServiceUnavailable, body.String()+"not ready\n")
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client may be gone; nobody is left to tell
}
