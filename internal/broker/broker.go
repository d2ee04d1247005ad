// Package broker says how to reach Kafka, once, for the three client libraries that the product uses:
// kafka-go publishes, sarama (below goka) processes, franz-go reads.
//
// It must not know which topics exist or what flows through them.
package broker

import (
	"cmp"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

// KGO are the options of a franz-go client.
func (c Config) KGO() ([]kgo.Opt, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.DialTimeout(c.dialTimeout()),
		kgo.RequestTimeoutOverhead(c.requestTimeout()),
	}
	tls, err := c.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if tls != nil {
		opts = append(opts, kgo.DialTLSConfig(tls))
	}
	mechanism, err := c.SASL.kgo()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// Sarama is the base of a sarama configuration.
func (c Config) Sarama() (*sarama.Config, error) {
	s := sarama.NewConfig()
	s.Version = sarama.V3_6_0_0
	s.ClientID = cmp.Or(c.ClientID, s.ClientID)
	s.Net.DialTimeout = c.dialTimeout()
	s.Net.ReadTimeout = c.requestTimeout()
	s.Net.WriteTimeout = c.requestTimeout()
	tls, err := c.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if tls != nil {
		s.Net.TLS.Enable, s.Net.TLS.Config = true, tls
	}
	if err := c.SASL.sarama(s); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return s, nil
}

// KafkaGo is the transport of kafka-go's writer and client. It bounds only dialling: whoever makes the
// writer or client sets its timeouts.
func (c Config) KafkaGo() (*kafka.Transport, error) {
	t := &kafka.Transport{ClientID: c.ClientID, DialTimeout: c.dialTimeout()}
	var err error
	if t.TLS, err = c.TLS.config(); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	if t.SASL, err = c.SASL.kafkaGo(); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return t, nil
}
