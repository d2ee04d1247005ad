package console

import (
	"fmt"
	"time"
)

// Config is the `console.pages` section of the configuration.
type Config struct {
	// Session is how long a sign-in lasts at most (5m to 720h); it ends with its token in any case.
	Session time.Duration `yaml:"session"`
	// SecureCookie lets browsers send the sign-in over https only. Set it wherever TLS ends before the console.
	SecureCookie bool `yaml:"secure_cookie"`
	// LiveRefresh and Refresh are how often a figure is asked for again while somebody looks: who waits now, and all others
	// (1s to 1h).
	LiveRefresh time.Duration `yaml:"live_refresh"`
	Refresh     time.Duration `yaml:"refresh"`
	// Keep is how long an answer that nobody looks at any more is shown to the next one at first (0s to 24h).
	Keep time.Duration `yaml:"keep"`
	// Queries that run at a time (1 to 64).
	Queries int `yaml:"queries"`
	// Timeout of a query (1s to 10m).
	Timeout time.Duration `yaml:"timeout"`
	// Viewers at a time (1 to 10000).
	Viewers int `yaml:"viewers"`
	// Heartbeat of a stream (1s to 5m).
	Heartbeat time.Duration `yaml:"heartbeat"`
}

// DefaultConfig suits one machine.
func DefaultConfig() Config {
	return Config{Session: 12 * time.Hour, LiveRefresh: 3 * time.Second, Refresh: 30 * time.Second, Keep: 10 * time.Minute, Queries: 3, Timeout: 30 * time.Second, Viewers: 500, Heartbeat: 15 * time.Second}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	for _, d := range []struct {
		key         string
		v, min, max time.Duration
	}{
		{"session", c.Session, 5 * time.Minute, 720 * time.Hour},
		{"live_refresh", c.LiveRefresh, time.Second, time.Hour},
		{"refresh", c.Refresh, time.Second, time.Hour},
		{"keep", c.Keep, 0, 24 * time.Hour},
		{"timeout", c.Timeout, time.Second, 10 * time.Minute},
		{"heartbeat", c.Heartbeat, time.Second, 5 * time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is not in %v to %v", d.key, d.v, d.min, d.max)
		}
	}
	switch {
	case c.Queries < 1 || c.Queries > 64:
		return fmt.Errorf("queries: %d is not in 1 to 64", c.Queries)
	case c.Viewers < 1 || c.Viewers > 10_000:
		return fmt.Errorf("viewers: %d is not in 1 to 10000", c.Viewers)
	}
	return nil
}
