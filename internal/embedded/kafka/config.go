package kafka

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// Config is the `embedded.kafka` section of the configuration.
type Config struct {
	// Dir is the data directory, created when missing. Empty: everything in memory, gone at Close.
	Dir string `yaml:"dir"`
	// Addr is the listening address, host:port on loopback. Port 0 picks a free one.
	Addr string `yaml:"addr"`
	// SyncWrites waits for the disk with every batch and commit, so that a power loss loses nothing that
	// was acknowledged. Without it only a crash of the process is survived whole. Much slower.
	SyncWrites bool `yaml:"sync_writes"`
	// Housekeeping keeps the directory small.
	Housekeeping Housekeeping `yaml:"housekeeping"`
}

// Housekeeping is the `embedded.kafka.housekeeping` section.
type Housekeeping struct {
	// Interval between rounds (1s to 24h).
	Interval time.Duration `yaml:"interval"`
	// Settle is how long a table's consumer group must have had the same members (or none) before the
	// table is compacted (0 to 1h): one that is still recovering reads what compaction would delete.
	Settle time.Duration `yaml:"settle"`
	// CompactMinRecords is the number of records below which a table's partition is left alone (1 or more).
	CompactMinRecords int64 `yaml:"compact_min_records"`
	// CompactFactor is how many records per key a table's partition holds before it is compacted (at
	// least 1.1).
	CompactFactor float64 `yaml:"compact_factor"`
	// Events bounds chat.events, Others every other topic that is no table.
	Events Retention `yaml:"events"`
	Others Retention `yaml:"others"`
}

// Retention bounds one topic.
type Retention struct {
	// Age of the oldest records, by the record's own timestamp (1m or more). 0: any age.
	Age time.Duration `yaml:"age"`
	// Bytes of the whole topic, all partitions (1048576 or more). 0: any size.
	Bytes int64 `yaml:"bytes"`
}

// DefaultConfig listens on Kafka's own port and keeps its data under the working directory.
func DefaultConfig() Config {
	return Config{Dir: "data/kafka", Addr: "127.0.0.1:9092", Housekeeping: DefaultHousekeeping()}
}

// DefaultHousekeeping keeps events for a month and what is derived from them for three days.
func DefaultHousekeeping() Housekeeping {
	const day = 24 * time.Hour
	return Housekeeping{
		Interval: 15 * time.Second, Settle: 30 * time.Second,
		CompactMinRecords: 100_000, CompactFactor: 4,
		Events: Retention{Age: 30 * day, Bytes: 4 << 30},
		Others: Retention{Age: 3 * day, Bytes: 1 << 30},
	}
}

// withDefaults fills a section that was left out whole.
func (h Housekeeping) withDefaults() Housekeeping {
	if h == (Housekeeping{}) {
		return DefaultHousekeeping()
	}
	return h
}

// Validate names the first key that is wrong, and its value.
func (c Config) Validate() error {
	if _, err := c.port(); err != nil {
		return err
	}
	if err := c.Housekeeping.withDefaults().validate(); err != nil {
		return fmt.Errorf("housekeeping.%w", err)
	}
	return nil
}

func (h Housekeeping) validate() error {
	if h.Interval < time.Second || h.Interval > 24*time.Hour {
		return fmt.Errorf("interval: %v is not in 1s to 24h", h.Interval)
	}
	if h.Settle < 0 || h.Settle > time.Hour {
		return fmt.Errorf("settle: %v is not in 0 to 1h", h.Settle)
	}
	if h.CompactMinRecords < 1 {
		return fmt.Errorf("compact_min_records: %d is less than 1", h.CompactMinRecords)
	}
	if !(h.CompactFactor >= 1.1) {
		return fmt.Errorf("compact_factor: %v is less than 1.1", h.CompactFactor)
	}
	if err := h.Events.validate(); err != nil {
		return fmt.Errorf("events.%w", err)
	}
	if err := h.Others.validate(); err != nil {
		return fmt.Errorf("others.%w", err)
	}
	return nil
}

func (r Retention) validate() error {
	if r.Age != 0 && r.Age < time.Minute {
		return fmt.Errorf("age: %v is less than 1m", r.Age)
	}
	if r.Bytes != 0 && r.Bytes < 1<<20 {
		return fmt.Errorf("bytes: %d is less than 1048576", r.Bytes)
	}
	return nil
}

func (c Config) port() (int, error) {
	host, text, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return 0, fmt.Errorf("addr: %q is not host:port", c.Addr)
	}
	if host != "127.0.0.1" && host != "localhost" {
		return 0, fmt.Errorf("addr: %q: the embedded broker listens on 127.0.0.1 only", c.Addr)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return 0, fmt.Errorf("addr: %q: the port must be 0 to 65535", c.Addr)
	}
	return port, nil
}
