package kafka

import (
	"fmt"
	"net"
	"strconv"
)

// Config is the `embedded.kafka` section of the configuration.
type Config struct {
	// Dir is the data directory, created when missing. Empty: everything in memory, gone at Close.
	Dir string `yaml:"dir"`
	// Addr is the listening address, host:port on loopback. Port 0 picks a free one.
	Addr string `yaml:"addr"`
}

// DefaultConfig listens on Kafka's own port and keeps its data under the working directory.
func DefaultConfig() Config {
	return Config{Dir: "data/kafka", Addr: "127.0.0.1:9092"}
}

// Validate names the key that is wrong.
func (c Config) Validate() error {
	_, err := c.port()
	return err
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
