// Package broker says how to reach Kafka, once, for the three client libraries that the product uses:
// kafka-go publishes, sarama (below goka) processes, franz-go reads.
package broker

import (
	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Config is the `kafka` section of the configuration.
type Config struct {
	// Brokers are bootstrap addresses, host:port.
	Brokers []string
	// ClientID is what brokers show in their logs and quotas.
	ClientID string
	// Partitions of every topic that is created (1 to 10000). Fixed for the life of a namespace.
	Partitions int32
	// Replication factor of topics that are created (1 to 9).
	Replication int16
}

// DefaultConfig suits one machine.
func DefaultConfig() Config {
	return Config{Brokers: []string{"127.0.0.1:9092"}, ClientID: "feige", Partitions: 4, Replication: 1}
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
