package audit

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/worktime"
	"github.com/feigeio/feige/schemas"
)

// Config says what is audited.
type Config struct {
	// Period limits the audit to rounds, lives, and takeovers that began in it, ratings and events of
	// it, and windows that lie in it. The zero span limits nothing.
	Period worktime.Span `yaml:"-"`
	// Until limits the audit to records before these offsets, by topic (with its namespace) and partition: what was
	// waited for. Topics that are not in it are audited up to where they end.
	Until map[string]map[int32]int64 `yaml:"-"`
	// Show is how many differences the report keeps in words; all are counted (0 to 100000).
	Show int `yaml:"show"`
	// StallTimeout ends the audit when the log yields nothing for that long (1s to 1h).
	StallTimeout time.Duration `yaml:"stall_timeout"`
}

// DefaultConfig audits everything.
func DefaultConfig() Config { return Config{Show: 50, StallTimeout: time.Minute} }

// Validate names the first bad key.
func (c Config) Validate() error {
	switch {
	case c.Show < 0 || c.Show > 100_000:
		return fmt.Errorf("audit.show: %d: want 0 to 100000", c.Show)
	case c.StallTimeout < time.Second || c.StallTimeout > time.Hour:
		return fmt.Errorf("audit.stall_timeout: %v: want 1s to 1h", c.StallTimeout)
	case c.Period.End < c.Period.Start:
		return fmt.Errorf("audit: the period ends before it starts")
	}
	return nil
}

func (c Config) limited() bool { return c.Period != worktime.Span{} }

// holds tells whether an instant lies in the period.
func (c Config) holds(us int64) bool { return !c.limited() || c.Period.Contains(us) }

// holdsWindow tells whether a whole window does.
func (c Config) holdsWindow(start, end int64) bool {
	return !c.limited() || c.Period.Start <= start && end <= c.Period.End
}

// Dependencies of an audit.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	// Conn reads from Database, the one of the namespace.
	Conn     driver.Conn
	Database string
	Policy   *policy.Set
	// Logger may be nil.
	Logger *slog.Logger
}
