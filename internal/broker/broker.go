// Package broker says how to reach Kafka, once, for the three client libraries that the product uses:
// kafka-go publishes, sarama (below goka) processes, franz-go reads.
package broker

import (
	"errors"
	"fmt"
	"net"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config is the `kafka` section of the configuration.
type Config struct {
	// Brokers are bootstrap addresses, host:port.
	Brokers []string `yaml:"brokers"`
	// ClientID is what brokers show in their logs and quotas.
	ClientID string `yaml:"client_id"`
	// Partitions of every topic that is created (1 to 10000). Fixed for the life of a namespace.
	Partitions int32 `yaml:"partitions"`
	// Replication factor of topics that are created (1 to 9).
	Replication int16 `yaml:"replication"`
}

// DefaultConfig suits one machine.
func DefaultConfig() Config {
	return Config{Brokers: []string{"127.0.0.1:9092"}, ClientID: "feige", Partitions: 4, Replication: 1}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("kafka.brokers must name at least one host:port")
	}
	for _, addr := range c.Brokers {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			return fmt.Errorf("kafka.brokers must be a list of host:port (got %q)", addr)
		}
	}
	if c.Partitions < 1 || c.Partitions > 10000 {
		return fmt.Errorf("kafka.partitions must be 1 to 10000 (got %d)", c.Partitions)
	}
	if c.Replication < 1 || c.Replication > 9 {
		return fmt.Errorf("kafka.replication must be 1 to 9 (got %d)", c.Replication)
	}
	return nil
}

// KGO are the options of a franz-go client.
func (c Config) KGO() ([]kgo.Opt, error) {
	return []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID(c.ClientID)}, nil
}

// Sarama is the base of a sarama configuration.
func (c Config) Sarama() (*sarama.Config, error) {
	s := sarama.NewConfig()
	s.Version = sarama.V3_6_0_0
	s.ClientID = c.ClientID
	return s, nil
}

// KafkaGo is the transport of kafka-go's writer and client.
func (c Config) KafkaGo() (*kafka.Transport, error) {
	return &kafka.Transport{ClientID: c.ClientID}, nil
}
