package decisions

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/internal/assessment"
	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
)

//go:embed openapi.yaml
var openAPI []byte

// Config is the `console.decisions` section of the configuration.
type Config struct {
	// Periods of a shop that are kept, the newest (4 to 240).
	Periods int `yaml:"periods"`
	// Changes that the feed can go back (100 to 1000000).
	Changes int `yaml:"changes"`
	// Feeds is how many may listen at a time (1 to 10000).
	Feeds int `yaml:"feeds"`
	// Heartbeat of a feed (1s to 5m).
	Heartbeat time.Duration `yaml:"heartbeat"`
	// MaxAge is how long a client may keep an answer (0s to 1h).
	MaxAge time.Duration `yaml:"max_age"`
	// Webhook, if it has a URL, is told of every change.
	Webhook Webhook `yaml:"webhook"`
}

// DefaultConfig keeps a year.
func DefaultConfig() Config {
	return Config{Periods: 24, Changes: 10_000, Feeds: 200, Heartbeat: 15 * time.Second, MaxAge: 5 * time.Second, Webhook: defaultWebhook()}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	switch {
	case c.Periods < 4 || c.Periods > 240:
		return fmt.Errorf("periods: %d is not in 4 to 240", c.Periods)
	case c.Changes < 100 || c.Changes > 1_000_000:
		return fmt.Errorf("changes: %d is not in 100 to 1000000", c.Changes)
	case c.Feeds < 1 || c.Feeds > 10_000:
		return fmt.Errorf("feeds: %d is not in 1 to 10000", c.Feeds)
	case c.Heartbeat < time.Second || c.Heartbeat > 5*time.Minute:
		return fmt.Errorf("heartbeat: %v is not in 1s to 5m", c.Heartbeat)
	case c.MaxAge < 0 || c.MaxAge > time.Hour:
		return fmt.Errorf("max_age: %v is not in 0s to 1h", c.MaxAge)
	}
	if err := c.Webhook.validate(); err != nil {
		return fmt.Errorf("webhook.%w", err)
	}
	return nil
}

// Verifier knows whose a token is: signin.Verifier.
type Verifier interface {
	Verify(token string, now time.Time) (signin.Identity, error)
}

// Dependencies of an API.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Policy    *policy.Set
	Verifier  Verifier
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	// NowUS is the clock, UTC microseconds; it defaults to the system's.
	NowUS func() int64
}

// API is one instance. Run must be called once.
type API struct {
	cfg      Config
	deps     Dependencies
	log      *slog.Logger
	view     *view
	records  *records
	assessor *assessment.Assessor
	hook     *hook // nil: none
	feeds    chan struct{}
	requests *prometheus.CounterVec
}

// New does not talk to Kafka yet.
func New(cfg Config, deps Dependencies) (*API, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("decisions.%w", err)
	}
	if deps.Verifier == nil || deps.Policy == nil {
		return nil, errors.New("decisions: no verifier or no policy")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.NowUS == nil {
		deps.NowUS = func() int64 { return time.Now().UnixMicro() }
	}
	a := &API{cfg: cfg, deps: deps, log: deps.Logger, view: newView(cfg.Periods, cfg.Changes), assessor: assessment.New(deps.Policy), feeds: make(chan struct{}, cfg.Feeds),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_decisions_requests_total", Help: "Requests to the decision API, by operation and status."}, []string{"operation", "status"})}
	var err error
	if a.hook, err = newHook(cfg.Webhook, deps, a); err != nil {
		return nil, err
	}
	if a.records, err = newRecords(deps.Broker, deps.Namespace, a.view, deps.Logger); err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	if deps.Registry != nil {
		deps.Registry.MustRegister(a.requests)
	}
	return a, nil
}

// Run reads the log, and tells the webhook, until ctx ends.
func (a *API) Run(ctx context.Context) error {
	defer a.records.client.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if a.hook != nil {
			a.hook.run(ctx)
		}
	}()
	a.records.run(ctx)
	<-done
	return nil
}

// Ready returns nil when everything that the log held at the start is known.
func (a *API) Ready(context.Context) error {
	if !a.records.loaded.Load() {
		return errors.New("the decisions are not read yet")
	}
	return nil
}

// Base is the path of the API.
const Base = "/api/v1"

// Handler serves the API.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Base+"/shops/{id}/restrictions", a.serve("restrictions", a.restrictions))
	mux.HandleFunc("GET "+Base+"/shops/{id}/decisions", a.serve("decisions", a.decisions))
	mux.HandleFunc("GET "+Base+"/shops/{id}/kpis", a.serve("kpis", a.kpis))
	mux.HandleFunc("GET "+Base+"/shops", a.serve("shops", a.shops))
	mux.HandleFunc("GET "+Base+"/decisions/changes", a.changes)
	mux.HandleFunc("GET "+Base+"/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(openAPI) // the client may be gone
	})
	mux.HandleFunc(Base+"/", func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, "unknown", problemf(http.StatusNotFound, "not_found", "there is no %s %s", r.Method, r.URL.Path))
	})
	return mux
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

func (a *API) refuse(w http.ResponseWriter, operation string, p *problem) {
	a.requests.WithLabelValues(operation, strconv.Itoa(p.Status)).Inc()
	h := w.Header()
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="feige"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone; nobody is left to tell
}

// admit finds who asks and whether this shop (empty: all) is theirs to ask about.
func (a *API) admit(r *http.Request, shop string) *problem {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return problemf(http.StatusUnauthorized, "unauthorized", "a bearer token is needed")
	}
	who, err := a.deps.Verifier.Verify(token, time.UnixMicro(a.deps.NowUS()))
	if err != nil {
		return problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
	}
	allowed := false
	switch who.Role {
	case signin.Service, signin.Operator, signin.Auditor, signin.Reviewer:
		allowed = who.Shop == "" || who.Shop == shop
	case signin.Manager, signin.Agent:
		allowed = shop != "" && who.Shop == shop
	}
	if !allowed {
		return problemf(http.StatusForbidden, "forbidden", "role %s may not ask this", who.Role)
	}
	if a.Ready(r.Context()) != nil {
		return problemf(http.StatusServiceUnavailable, "try_again", "the decisions are not read yet")
	}
	return nil
}

func (a *API) serve(operation string, do func(*http.Request, string) (any, *problem)) http.HandlerFunc {
	cache := fmt.Sprintf("private, max-age=%d", int(a.cfg.MaxAge.Seconds()))
	return func(w http.ResponseWriter, r *http.Request) {
		shop := r.PathValue("id")
		if p := a.admit(r, shop); p != nil {
			a.refuse(w, operation, p)
			return
		}
		body, p := do(r, shop)
		if p != nil {
			a.refuse(w, operation, p)
			return
		}
		data, err := json.Marshal(body)
		if err != nil {
			a.log.Error("decisions: an answer cannot be encoded", "operation", operation, "error", err)
			a.refuse(w, operation, problemf(http.StatusInternalServerError, "internal", "a fault of the API"))
			return
		}
		sum := fnv.New128a()
		_, _ = sum.Write(data) // it cannot fail
		etag := fmt.Sprintf(`"%x"`, sum.Sum(nil))
		h := w.Header()
		h.Set("ETag", etag)
		h.Set("Cache-Control", cache)
		h.Set("Vary", "Authorization")
		if matches(r.Header.Get("If-None-Match"), etag) {
			a.requests.WithLabelValues(operation, "304").Inc()
			w.WriteHeader(http.StatusNotModified)
			return
		}
		a.requests.WithLabelValues(operation, "200").Inc()
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data) // the client may be gone; nobody is left to tell
	}
}

func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == etag {
			return true
		}
	}
	return false
}
