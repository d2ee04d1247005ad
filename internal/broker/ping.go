package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Ping asks any of the brokers for its metadata and says in one line why none answers. Connecting and
// answering may take the dial timeout each.
func (c Config) Ping(ctx context.Context) error {
	opts, err := c.KGO()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts, kgo.RequestRetries(0), kgo.RequestTimeoutOverhead(c.dialTimeout()))...)
	if err != nil {
		return fmt.Errorf("kafka at %s: %w", c.where(), err)
	}
	defer client.Close()
	err = client.Ping(ctx)
	switch {
	case err == nil:
		return nil
	case refusesUs(err):
		return fmt.Errorf("kafka at %s refuses user %q (%s): %w", c.where(), c.SASL.Username, c.SASL.Mechanism, err)
	}
	return fmt.Errorf("kafka at %s does not answer: %w", c.where(), c.reason(err))
}

func (c Config) where() string { return strings.Join(c.Brokers, ", ") }

func refusesUs(err error) bool {
	return errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, kerr.UnsupportedSaslMechanism)
}

// reason drops the client library's wrapping and adds what to look at where the cause alone says little.
func (c Config) reason(err error) error {
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("nothing within %v: %w", c.dialTimeout(), err)
	case errors.As(err, &op):
		return op.Err
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection is closed at once: check kafka.tls (enabled: %v) and kafka.sasl (mechanism %q): %w",
			c.TLS.Enabled, c.SASL.Mechanism, err)
	}
	return err
}
