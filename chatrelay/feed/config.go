package feed

import (
	"fmt"
	"time"
)

// Config is the `relay.feed` section of the configuration.
type Config struct {
	// Records is how many of the newest records of a partition are kept in memory (64 to 1000000).
	Records int `yaml:"records"`
	// Bytes bounds the same in bytes of the log (65536 to 1073741824).
	Bytes int `yaml:"bytes"`
	// MaxWait is how long a fetch waits for something new, and so how long a newly wanted partition may
	// have to wait (10ms to 5s).
	MaxWait time.Duration `yaml:"max_wait"`
	// Scans is how many older stretches of the log are read at the same time (1 to 64).
	Scans int `yaml:"scans"`
	// LoadTimeout bounds waiting for a partition to be read up (1s to 5m).
	LoadTimeout time.Duration `yaml:"load_timeout"`
}

// DefaultConfig suits 10,000 connections on one machine.
func DefaultConfig() Config {
	return Config{Records: 8192, Bytes: 8 << 20, MaxWait: 250 * time.Millisecond, Scans: 4, LoadTimeout: 10 * time.Second}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	switch {
	case c.Records < 64 || c.Records > 1_000_000:
		return fmt.Errorf("records: %d is not in 64 to 1000000", c.Records)
	case c.Bytes < 1<<16 || c.Bytes > 1<<30:
		return fmt.Errorf("bytes: %d is not in 65536 to 1073741824", c.Bytes)
	case c.MaxWait < 10*time.Millisecond || c.MaxWait > 5*time.Second:
		return fmt.Errorf("max_wait: %v is not in 10ms to 5s", c.MaxWait)
	case c.Scans < 1 || c.Scans > 64:
		return fmt.Errorf("scans: %d is not in 1 to 64", c.Scans)
	case c.LoadTimeout < time.Second || c.LoadTimeout > 5*time.Minute:
		return fmt.Errorf("load_timeout: %v is not in 1s to 5m", c.LoadTimeout)
	}
	return nil
}
