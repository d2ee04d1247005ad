package review

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
)

//go:embed openapi.yaml
var openAPI []byte

// Config is the `review` section of the configuration.
type Config struct {
	// Keep is how long after its event a flag stays on the desk (24h to 8784h).
	Keep time.Duration `yaml:"keep"`
	// MaxFlags bounds the flags in memory, about 1 KiB each (1000 to 5000000); beyond it the oldest with a ruling go first.
	MaxFlags int `yaml:"max_flags"`
	// Claim is how long a claim holds (1m to 4h).
	Claim time.Duration `yaml:"claim"`
	// Timeout of a write (1s to 1m).
	Timeout time.Duration `yaml:"timeout"`
	// Rate of requests of an account a second, and Burst at once (1 to 10000).
	Rate  float64 `yaml:"rate"`
	Burst int     `yaml:"burst"`
}

// DefaultConfig keeps flags for half a year.
func DefaultConfig() Config {
	return Config{Keep: 183 * 24 * time.Hour, MaxFlags: 500_000, Claim: 15 * time.Minute, Timeout: 5 * time.Second, Rate: 20, Burst: 60}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	for _, d := range []struct {
		key         string
		v, min, max time.Duration
	}{
		{"keep", c.Keep, 24 * time.Hour, 8784 * time.Hour},
		{"claim", c.Claim, time.Minute, 4 * time.Hour},
		{"timeout", c.Timeout, time.Second, time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is not in %v to %v", d.key, d.v, d.min, d.max)
		}
	}
	switch {
	case c.MaxFlags < 1000 || c.MaxFlags > 5_000_000:
		return fmt.Errorf("max_flags: %d is not in 1000 to 5000000", c.MaxFlags)
	case !(c.Rate >= 1 && c.Rate <= 10000):
		return fmt.Errorf("rate: %v is not in 1 to 10000", c.Rate)
	case c.Burst < 1 || c.Burst > 10000:
		return fmt.Errorf("burst: %d is not in 1 to 10000", c.Burst)
	}
	return nil
}

// Verifier knows whose a token is: signin.Verifier.
type Verifier interface {
	Verify(token string, now time.Time) (signin.Identity, error)
}

// Dependencies of an API. Texts may be nil: the words cannot be read then.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Policy    *policy.Set
	Verifier  Verifier
	Texts     Texts
	Logger    *slog.Logger
	Registry  prometheus.Registerer
	// NowUS is the clock, UTC microseconds; it defaults to the system's.
	NowUS func() int64
}

// API is one instance of the desk. Run must be called once.
type API struct {
	cfg      Config
	deps     Dependencies
	log      *slog.Logger
	book     *book
	records  *records
	requests *prometheus.CounterVec

	mu     sync.Mutex
	limits map[string]*rate.Limiter
}

// New does not talk to Kafka yet.
func New(cfg Config, deps Dependencies) (*API, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("review.%w", err)
	}
	if deps.Verifier == nil || deps.Policy == nil {
		return nil, errors.New("review: no verifier or no policy")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.NowUS == nil {
		deps.NowUS = func() int64 { return time.Now().UnixMicro() }
	}
	a := &API{cfg: cfg, deps: deps, log: deps.Logger, book: newBook(cfg.Keep.Microseconds(), cfg.MaxFlags), limits: map[string]*rate.Limiter{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_review_requests_total", Help: "Requests to the reviewers' desk, by operation and status."}, []string{"operation", "status"})}
	var err error
	if a.records, err = newRecords(deps.Broker, deps.Namespace, a.book, cfg.Timeout, deps.Logger); err != nil {
		return nil, fmt.Errorf("review: %w", err)
	}
	if deps.Registry != nil {
		deps.Registry.MustRegister(a.requests)
	}
	return a, nil
}

// Run reads the log until ctx ends.
func (a *API) Run(ctx context.Context) error {
	defer a.records.close()
	a.records.run(ctx)
	return nil
}

// Ready returns nil when everything that the log held at the start is known.
func (a *API) Ready(context.Context) error {
	if !a.records.loaded.Load() {
		return errors.New("the cases are not read yet")
	}
	return nil
}

// roles that may do something.
type roles []signin.Role

var (
	judges    = roles{signin.Reviewer}
	readers   = roles{signin.Reviewer, signin.Auditor}
	sides     = roles{signin.Consumer, signin.Agent, signin.Manager}
	appellant = roles{signin.Consumer, signin.Manager, signin.Agent}
)

// operation is one of the API: who may, and what it does.
type operation struct {
	name    string
	pattern string
	who     roles
	do      func(*API, *call) (status int, body any, err error)
}

// Base is the path of the API.
const Base = "/api/v1/review"

func operations() []operation {
	return []operation{
		{"queue", "GET " + Base + "/queue", readers, (*API).queue},
		{"flag", "GET " + Base + "/flags/{flag}", readers, (*API).flag},
		{"conversation", "GET " + Base + "/flags/{flag}/conversation", readers, (*API).conversation},
		{"claim", "POST " + Base + "/flags/{flag}/claim", judges, (*API).claim},
		{"release", "DELETE " + Base + "/flags/{flag}/claim", judges, (*API).release},
		{"verdict", "POST " + Base + "/flags/{flag}/verdict", judges, (*API).verdict},
		{"verdicts", "POST " + Base + "/verdicts", judges, (*API).verdicts},
		{"account", "GET " + Base + "/accounts/{kind}/{id}", readers, (*API).account},
		{"appeals", "GET " + Base + "/appeals", readers, (*API).appeals},
		{"decide", "POST " + Base + "/appeals/{appeal}/decision", judges, (*API).decide},
		{"statistics", "GET " + Base + "/statistics", readers, (*API).statistics},
		{"mine", "GET " + Base + "/mine", sides, (*API).mine},
		{"appeal", "POST " + Base + "/flags/{flag}/appeals", appellant, (*API).appeal},
	}
}

// Handler serves the API under /api/v1/review and the page under /review.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, op := range operations() {
		mux.HandleFunc(op.pattern, a.serve(op))
	}
	mux.HandleFunc("GET "+Base+"/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		w.Header().Set("Cache-Control", "public, max-age=300")
		_, _ = w.Write(openAPI) // the client may be gone
	})
	mux.HandleFunc(Base+"/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, problemf(http.StatusNotFound, "not_found", "there is no %s %s", r.Method, r.URL.Path))
	})
	mux.Handle("/review/", pages())
	mux.Handle("/review", pages())
	return mux
}
