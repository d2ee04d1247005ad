package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/internal/worktime"
)

// Base is the path of the pages.
const Base = "/console"

// Verifier knows whose a token is: signin.Verifier.
type Verifier interface {
	Verify(token string, now time.Time) (signin.Identity, error)
}

// Dependencies of a console.
type Dependencies struct {
	// Conn asks in the database of the views; its account needs no right to read chat texts.
	Conn     Asker
	Calendar *worktime.Calendar
	Verifier Verifier
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// NowUS is the clock, UTC microseconds; it defaults to the system's.
	NowUS func() int64
}

// Console serves the pages. Run must be called once.
type Console struct {
	cfg     Config
	deps    Dependencies
	log     *slog.Logger
	all     *catalogue
	hub     *hub
	viewers chan struct{}
	looking prometheus.Gauge
}

// New asks nothing yet.
func New(cfg Config, deps Dependencies) (*Console, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("console.pages.%w", err)
	}
	if deps.Conn == nil || deps.Verifier == nil || deps.Calendar == nil {
		return nil, errors.New("console: no connection, verifier, or calendar")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.NowUS == nil {
		deps.NowUS = func() int64 { return time.Now().UnixMicro() }
	}
	c := &Console{cfg: cfg, deps: deps, log: deps.Logger, all: newCatalogue(), viewers: make(chan struct{}, cfg.Viewers),
		looking: prometheus.NewGauge(prometheus.GaugeOpts{Name: "feige_console_viewers", Help: "Open pages of the console."})}
	c.hub = newHub(cfg, c.answer, deps.Logger)
	if deps.Registry != nil {
		deps.Registry.MustRegister(c.looking, c.hub.asked)
	}
	return c, nil
}

// Run asks what is looked at until ctx ends.
func (c *Console) Run(ctx context.Context) error {
	c.hub.run(ctx)
	return nil
}

// Handler serves pages and what they read, under Base.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Base+"/api/session", c.signIn)
	mux.HandleFunc("DELETE "+Base+"/api/session", c.signOut)
	mux.HandleFunc("GET "+Base+"/api/start", c.start)
	mux.HandleFunc("GET "+Base+"/api/list/{name}", c.list)
	mux.HandleFunc("GET "+Base+"/api/stream", c.stream)
	mux.HandleFunc(Base+"/api/", func(w http.ResponseWriter, r *http.Request) {
		c.refuse(w, problemf(http.StatusNotFound, "not_found", "there is no %s %s", r.Method, r.URL.Path))
	})
	files := c.files()
	mux.Handle(Base, files)
	mux.Handle(Base+"/", files)
	// Another site's page can neither sign anybody in nor out.
	return http.NewCrossOriginProtection().Handler(mux)
}

// problem is an answer by RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

func problemf(status int, code, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

func (c *Console) refuse(w http.ResponseWriter, p *problem) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if p.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "2")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the browser may be gone; nobody is left to tell
}

func (c *Console) json(w http.ResponseWriter, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = json.NewEncoder(w).Encode(body) // as above
}
