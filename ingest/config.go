package ingest

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
)

// Config is the `ingest` section of the configuration: how the Publisher writes.
type Config struct {
	// Timeout is the longest that an event waits for Kafka's acknowledgement before Publish gives up
	// with ErrUnavailable (100ms to 10m).
	Timeout time.Duration `yaml:"timeout"`
	// AttemptTimeout is the longest that one produce request may take before it is tried again
	// (100ms to timeout).
	AttemptTimeout time.Duration `yaml:"attempt_timeout"`
	// RetryBackoff is the wait before the first retry; it doubles up to 20 times itself (1ms to 10s).
	RetryBackoff time.Duration `yaml:"retry_backoff"`
	// BatchBytes is the largest produce request, bytes (65536 to 1000000; brokers accept 1 MiB).
	BatchBytes int `yaml:"batch_bytes"`
	// BatchRecords is the most records of one produce request (1 to 100000).
	BatchRecords int `yaml:"batch_records"`
	// InFlightBytes bounds what waits for acknowledgement in one Publisher; Publish blocks beyond it
	// (batch_bytes to 1073741824).
	InFlightBytes int64 `yaml:"in_flight_bytes"`
	// TickInterval is how often the Clock publishes the wall clock (100ms to 1m).
	TickInterval time.Duration `yaml:"tick_interval"`
}

// DefaultConfig suits one machine and a cluster alike.
func DefaultConfig() Config {
	return Config{
		Timeout:        10 * time.Second,
		AttemptTimeout: 5 * time.Second,
		RetryBackoff:   50 * time.Millisecond,
		BatchBytes:     900_000,
		BatchRecords:   8192,
		InFlightBytes:  32 << 20,
		TickInterval:   time.Second,
	}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	switch {
	case c.Timeout < 100*time.Millisecond || c.Timeout > 10*time.Minute:
		return fmt.Errorf("ingest.timeout: %v is not between 100ms and 10m", c.Timeout)
	case c.AttemptTimeout < 100*time.Millisecond || c.AttemptTimeout > c.Timeout:
		return fmt.Errorf("ingest.attempt_timeout: %v is not between 100ms and ingest.timeout (%v)", c.AttemptTimeout, c.Timeout)
	case c.RetryBackoff < time.Millisecond || c.RetryBackoff > 10*time.Second:
		return fmt.Errorf("ingest.retry_backoff: %v is not between 1ms and 10s", c.RetryBackoff)
	case c.BatchBytes < 1<<16 || c.BatchBytes > 1_000_000:
		return fmt.Errorf("ingest.batch_bytes: %d is not between 65536 and 1000000", c.BatchBytes)
	case c.BatchRecords < 1 || c.BatchRecords > 100_000:
		return fmt.Errorf("ingest.batch_records: %d is not between 1 and 100000", c.BatchRecords)
	case c.InFlightBytes < int64(c.BatchBytes) || c.InFlightBytes > 1<<30:
		return fmt.Errorf("ingest.in_flight_bytes: %d is not between ingest.batch_bytes (%d) and 1073741824", c.InFlightBytes, c.BatchBytes)
	case c.TickInterval < 100*time.Millisecond || c.TickInterval > time.Minute:
		return fmt.Errorf("ingest.tick_interval: %v is not between 100ms and 1m", c.TickInterval)
	}
	return nil
}

// Dependencies are what everything here needs from outside.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	// Logger defaults to silence, Registry to none.
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// NowUS is the wall clock, UTC microseconds; it defaults to the system's.
	NowUS func() int64
}

func (d Dependencies) withDefaults() Dependencies {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.NowUS == nil {
		d.NowUS = func() int64 { return time.Now().UnixMicro() }
	}
	return d
}

func (d Dependencies) validate() error {
	if len(d.Broker.Brokers) == 0 {
		return fmt.Errorf("kafka.brokers: empty")
	}
	if d.Broker.Partitions < 1 {
		return fmt.Errorf("kafka.partitions: %d is not at least 1", d.Broker.Partitions)
	}
	return d.Namespace.Validate()
}
