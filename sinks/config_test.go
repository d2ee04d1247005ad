package sinks

import (
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/internal/broker"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	refuses := func(name string, change func(*Config), want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig()
			change(&cfg)
			if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
	for _, cfg := range []Config{DefaultConfig(), quickConfig()} {
		if err := cfg.Validate(); err != nil {
			t.Error(err)
		}
	}
	refuses("no rows", func(c *Config) { c.BatchRows = 0 }, "batch_rows: 0 is not in 1 to 1000000")
	refuses("a bound below the size", func(c *Config) { c.MaxBatchRows = c.BatchRows - 1 }, "max_batch_rows: 19999 is not in 20000 to")
	refuses("no bytes", func(c *Config) { c.MaxBatchBytes = 1 }, "max_batch_bytes: 1 is not in 65536 to")
	refuses("too young", func(c *Config) { c.MaxBatchAge = time.Microsecond }, "max_batch_age: 1µs is not in 1ms to 1m0s")
	refuses("nobody inserts", func(c *Config) { c.Concurrency = 0 }, "concurrency: 0")
	refuses("no time to insert", func(c *Config) { c.InsertTimeout = 0 }, "insert_timeout: 0s")
	refuses("no pause", func(c *Config) { c.MinBackoff = 0 }, "min_backoff: 0s")
	refuses("pauses the wrong way round", func(c *Config) { c.MaxBackoff = c.MinBackoff - 1 }, "max_backoff: 99.999999ms is not in 100ms to")
	refuses("no refused row", func(c *Config) { c.MaxRefusedRows = 0 }, "max_refused_rows: 0")
	refuses("no time to stop", func(c *Config) { c.StopTimeout = 0 }, "stop_timeout: 0s")
	refuses("no fetch", func(c *Config) { c.FetchBytes = 0 }, "fetch_bytes: 0")
	refuses("a hasty group", func(c *Config) { c.SessionTimeout = time.Second }, "session_timeout: 1s is not in 6s to 30m0s")
	refuses("a setting that is none", func(c *Config) { c.InsertSettings = map[string]string{"x = 1; DROP": "1"} }, `insert_settings: "x = 1; DROP" is not the name of a setting`)
}

func TestNew(t *testing.T) {
	t.Parallel()
	var conn driver.Conn = struct{ driver.Conn }{}
	good := func() Dependencies {
		return Dependencies{Broker: broker.DefaultConfig(), Conn: conn, Database: "feige", Registry: prometheus.NewRegistry()}
	}
	refuses := func(name string, change func(*Config, *Dependencies), want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, deps := DefaultConfig(), good()
			change(&cfg, &deps)
			if _, err := New(cfg, deps); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
	refuses("a bad key", func(c *Config, _ *Dependencies) { c.Concurrency = 99 }, "sinks: concurrency: 99 is not in 1 to 64")
	refuses("a bad namespace", func(_ *Config, d *Dependencies) { d.Namespace = "No" }, `sinks: namespace "No"`)
	refuses("no connection", func(_ *Config, d *Dependencies) { d.Conn = nil }, "a connection to ClickHouse")
	refuses("no database", func(_ *Config, d *Dependencies) { d.Database = "" }, "the name of a database")
	refuses("no partitions", func(_ *Config, d *Dependencies) { d.Broker.Partitions = 0 }, "sinks: 0 partitions")
	refuses("metrics that are there already", func(_ *Config, d *Dependencies) {
		if _, err := newMetrics(d.Registry); err != nil {
			t.Error(err)
		}
	}, "sinks: registering metrics")
	if _, err := New(DefaultConfig(), good()); err != nil {
		t.Error(err)
	}
}
