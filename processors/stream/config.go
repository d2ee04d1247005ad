package stream

import (
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
)

// Config tunes all processors of a process.
type Config struct {
	// InstanceID makes group membership static: a restart under the same id takes its partitions over
	// without a rebalance. Must be unique among the running instances of a group (1 to 200 letters, digits,
	// '.', '_', '-'); empty: dynamic.
	InstanceID string `yaml:"instance_id"`
	// SessionTimeout after which a silent instance loses its partitions (500 ms to 5 m; brokers bound it too).
	SessionTimeout time.Duration `yaml:"session_timeout"`
	// CommitInterval between commits of consumed offsets (10 ms to 1 m). What lies between is replayed after a crash.
	CommitInterval time.Duration `yaml:"commit_interval"`
	// ProduceTimeout after which a write that the broker does not take stops the processor (1 s to 10 m).
	// It is then restarted from its commit.
	ProduceTimeout time.Duration `yaml:"produce_timeout"`
	// Compression of what is written: none, lz4, snappy, or zstd.
	Compression string `yaml:"compression"`
	// VisitInterval is the shortest time between two passes over a partition's shops after a tick (10 ms to 1 h).
	VisitInterval time.Duration `yaml:"visit_interval"`
	// MaxRestartPause between restarts after errors (100 ms to 10 m).
	MaxRestartPause time.Duration `yaml:"max_restart_pause"`
}

// DefaultConfig suits one machine and a cluster alike.
func DefaultConfig() Config {
	return Config{
		SessionTimeout:  6 * time.Second,
		CommitInterval:  200 * time.Millisecond,
		ProduceTimeout:  10 * time.Second,
		Compression:     "none",
		VisitInterval:   time.Second,
		MaxRestartPause: 10 * time.Second,
	}
}

var instancePattern = regexp.MustCompile(`^[A-Za-z0-9._-]{0,200}$`)

// Validate names the first value that is out of bounds.
func (c Config) Validate() error {
	if !instancePattern.MatchString(c.InstanceID) {
		return fmt.Errorf("instance_id: %q: 1 to 200 letters, digits, '.', '_' or '-'", c.InstanceID)
	}
	for _, d := range []struct {
		key      string
		v        time.Duration
		min, max time.Duration
	}{
		{"session_timeout", c.SessionTimeout, 500 * time.Millisecond, 5 * time.Minute},
		{"commit_interval", c.CommitInterval, 10 * time.Millisecond, time.Minute},
		{"produce_timeout", c.ProduceTimeout, time.Second, 10 * time.Minute},
		{"visit_interval", c.VisitInterval, 10 * time.Millisecond, time.Hour},
		{"max_restart_pause", c.MaxRestartPause, 100 * time.Millisecond, 10 * time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is not between %v and %v", d.key, d.v, d.min, d.max)
		}
	}
	if _, ok := codecs[c.Compression]; !ok {
		return fmt.Errorf("compression: %q is not one of none, lz4, snappy, zstd", c.Compression)
	}
	return nil
}

// Dependencies of every processor.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	Policy    *policy.Set
	Logger    *slog.Logger
	Registry  prometheus.Registerer
}
