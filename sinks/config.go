package sinks

import (
	"fmt"
	"regexp"
	"time"
)

// Config is the `sinks` section of the configuration.
type Config struct {
	// BatchRows closes a batch while the sink keeps up (1 to 1000000 rows).
	BatchRows int `yaml:"batch_rows"`
	// MaxBatchRows is how far a batch may grow while the sink is behind, so that ClickHouse gets fewer, larger
	// parts (batch_rows to 2000000 rows).
	MaxBatchRows int `yaml:"max_batch_rows"`
	// MaxBatchBytes closes a batch by the size of its records (64 KiB to 1 GiB). Two batches are in memory at a time.
	MaxBatchBytes int64 `yaml:"max_batch_bytes"`
	// MaxBatchAge closes a batch by the time since its first record (1ms to 1m). Rows are readable about
	// this long after their record.
	MaxBatchAge time.Duration `yaml:"max_batch_age"`
	// Concurrency is how many tables of one batch are inserted at a time (1 to 64).
	Concurrency int `yaml:"concurrency"`
	// InsertTimeout bounds one insert (1s to 10m); after it the insert is tried again.
	InsertTimeout time.Duration `yaml:"insert_timeout"`
	// MinBackoff and MaxBackoff bound the pause before another try (1ms to 10m).
	MinBackoff time.Duration `yaml:"min_backoff"`
	MaxBackoff time.Duration `yaml:"max_backoff"`
	// MaxRefusedRows is how many rows of one insert may be dead letters (1 to 100000). When ClickHouse refuses
	// more, it is not the rows' fault, and the sink waits for the schema to be put right.
	MaxRefusedRows int `yaml:"max_refused_rows"`
	// StopTimeout is how long a stop may take to insert and commit what was read (100ms to 1m).
	StopTimeout time.Duration `yaml:"stop_timeout"`
	// FetchBytes is how much unread data is asked for and held per broker (64 KiB to 1 GiB).
	FetchBytes int32 `yaml:"fetch_bytes"`
	// SessionTimeout is after how long without a sign of life the group gives a member's partitions to others (6s to 30m).
	SessionTimeout time.Duration `yaml:"session_timeout"`
	// InsertSettings are settings of ClickHouse for every insert, by name.
	InsertSettings map[string]string `yaml:"insert_settings"`
}

// DefaultConfig has rows readable within a second and catches up in batches of 100,000.
func DefaultConfig() Config {
	return Config{
		BatchRows:      20_000,
		MaxBatchRows:   100_000,
		MaxBatchBytes:  32 << 20,
		MaxBatchAge:    500 * time.Millisecond,
		Concurrency:    2,
		InsertTimeout:  time.Minute,
		MinBackoff:     100 * time.Millisecond,
		MaxBackoff:     5 * time.Second,
		MaxRefusedRows: 100,
		StopTimeout:    8 * time.Second,
		FetchBytes:     4 << 20,
		SessionTimeout: 10 * time.Second,
		InsertSettings: map[string]string{
			// A replay's batch may span many months, and each is a partition.
			"max_partitions_per_insert_block": "0",
			// Merges replace repeated rows, and readers look FINAL: to do so at each insert as well costs an eighth of it.
			"optimize_on_insert": "0",
		},
	}
}

var settingName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// Validate names the first key that cannot be used, and its value.
func (c Config) Validate() error {
	if err := within("batch_rows", int64(c.BatchRows), 1, 1_000_000); err != nil {
		return err
	}
	if err := within("max_batch_rows", int64(c.MaxBatchRows), int64(c.BatchRows), 2_000_000); err != nil {
		return err
	}
	if err := within("max_batch_bytes", c.MaxBatchBytes, 64<<10, 1<<30); err != nil {
		return err
	}
	if err := within("max_batch_age", c.MaxBatchAge, time.Millisecond, time.Minute); err != nil {
		return err
	}
	if err := within("concurrency", int64(c.Concurrency), 1, 64); err != nil {
		return err
	}
	if err := within("insert_timeout", c.InsertTimeout, time.Second, 10*time.Minute); err != nil {
		return err
	}
	if err := within("min_backoff", c.MinBackoff, time.Millisecond, 10*time.Minute); err != nil {
		return err
	}
	if err := within("max_backoff", c.MaxBackoff, c.MinBackoff, 10*time.Minute); err != nil {
		return err
	}
	if err := within("max_refused_rows", int64(c.MaxRefusedRows), 1, 100_000); err != nil {
		return err
	}
	if err := within("stop_timeout", c.StopTimeout, 100*time.Millisecond, time.Minute); err != nil {
		return err
	}
	if err := within("fetch_bytes", int64(c.FetchBytes), 64<<10, 1<<30); err != nil {
		return err
	}
	if err := within("session_timeout", c.SessionTimeout, 6*time.Second, 30*time.Minute); err != nil {
		return err
	}
	for name := range c.InsertSettings {
		if !settingName.MatchString(name) {
			return fmt.Errorf("insert_settings: %q is not the name of a setting", name)
		}
	}
	return nil
}

func within[N int64 | time.Duration](key string, value, least, most N) error {
	if value < least || value > most {
		return fmt.Errorf("%s: %v is not in %v to %v", key, value, least, most)
	}
	return nil
}
