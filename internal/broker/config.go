package broker

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"time"
)

// Config is the `kafka` section of the configuration.
type Config struct {
	// Brokers are bootstrap addresses, host:port.
	Brokers []string `yaml:"brokers"`
	// ClientID is what brokers show in their logs and quotas (letters, digits, '.', '_', '-').
	ClientID string `yaml:"client_id"`
	// Partitions of every topic that is created (1 to 10000). Fixed for the life of a namespace.
	Partitions int32 `yaml:"partitions"`
	// Replication factor of topics that are created (1 to 9).
	Replication int16 `yaml:"replication"`
	// DialTimeout bounds the opening of a connection (100ms to 1m). 0: 5s.
	DialTimeout time.Duration `yaml:"dial_timeout"`
	// RequestTimeout bounds the wait for an answer, on top of what the request itself asks the broker to
	// wait (10s to 10m; joining a group waits for a rebalance within it). 0: 30s.
	RequestTimeout time.Duration `yaml:"request_timeout"`
	// TLS encrypts the connections.
	TLS TLS `yaml:"tls"`
	// SASL says who we are.
	SASL SASL `yaml:"sasl"`
}

const (
	defaultDialTimeout    = 5 * time.Second
	defaultRequestTimeout = 30 * time.Second
)

// DefaultConfig suits one machine.
func DefaultConfig() Config {
	return Config{
		Brokers: []string{"127.0.0.1:9092"}, ClientID: "feige", Partitions: 4, Replication: 1,
		DialTimeout: defaultDialTimeout, RequestTimeout: defaultRequestTimeout,
	}
}

func (c Config) dialTimeout() time.Duration { return cmp.Or(c.DialTimeout, defaultDialTimeout) }
func (c Config) requestTimeout() time.Duration {
	return cmp.Or(c.RequestTimeout, defaultRequestTimeout)
}

var clientIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// Validate names the first key that is wrong, and its value. It opens no file.
func (c Config) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("brokers: at least one host:port is needed")
	}
	for i, b := range c.Brokers {
		if err := hostPort(b); err != nil {
			return fmt.Errorf("brokers[%d]: %q: %w", i, b, err)
		}
	}
	if !clientIDPattern.MatchString(c.ClientID) {
		return fmt.Errorf("client_id: %q: 1 to 249 letters, digits, '.', '_' or '-'", c.ClientID)
	}
	if c.Partitions < 1 || c.Partitions > 10000 {
		return fmt.Errorf("partitions: %d is not in 1 to 10000", c.Partitions)
	}
	if c.Replication < 1 || c.Replication > 9 {
		return fmt.Errorf("replication: %d is not in 1 to 9", c.Replication)
	}
	if d := c.dialTimeout(); d < 100*time.Millisecond || d > time.Minute {
		return fmt.Errorf("dial_timeout: %v is not in 100ms to 1m", d)
	}
	if d := c.requestTimeout(); d < 10*time.Second || d > 10*time.Minute {
		return fmt.Errorf("request_timeout: %v is not in 10s to 10m", d)
	}
	if err := c.TLS.validate(); err != nil {
		return err
	}
	return c.SASL.validate()
}

func hostPort(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return errors.New("not host:port")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return errors.New("the port must be 1 to 65535")
	}
	return nil
}
