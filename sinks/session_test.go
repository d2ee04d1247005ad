package sinks

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka is away when connections fail and nobody answers, and back when somebody does: said once each.
func TestConnections(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection refused")
	type happens func(connections)
	refused := func(c connections) { c.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, broken) }
	accepted := func(c connections) { c.OnBrokerConnect(kgo.BrokerMetadata{}, 0, nil, nil) }
	answer := func(c connections) { c.OnBrokerE2E(kgo.BrokerMetadata{}, 0, kgo.BrokerE2E{}) }
	noAnswer := func(c connections) { c.OnBrokerE2E(kgo.BrokerMetadata{}, 0, kgo.BrokerE2E{ReadErr: broken}) }
	silence := func(connections) { time.Sleep(maxSilence) }
	group := func(err error) happens { return func(c connections) { c.OnGroupManageError(err) } }
	says := func(name string, want int, events ...happens) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, err := newMetrics(nil)
				if err != nil {
					t.Fatal(err)
				}
				said := &lines{}
				c := newConnections(newEngine(engineKafka, slog.New(slog.NewTextHandler(said, nil)), m))
				for _, event := range events {
					event(c)
				}
				if got := said.changes(engineKafka); len(got) != want {
					t.Errorf("%d changes are said, want %d: %v", len(got), want, got)
				}
			})
		})
	}
	says("it is there", 0, accepted, answer, answer)
	says("it was never there", 1, refused, refused, noAnswer)
	says("it goes", 1, answer, silence, refused, refused)
	says("it goes and comes back", 2, answer, silence, refused, refused, answer, answer)
	says("one broker of several is away", 0, answer, refused, answer, refused, refused)
	says("a port accepts and nobody answers", 1, answer, silence, refused, accepted, noAnswer, refused, accepted)
	says("attempts of before fail after it is back", 2, refused, refused, answer, refused, refused)
	says("members come and go", 0, answer, group(kerr.UnknownMemberID), group(kerr.IllegalGeneration), group(context.Canceled), group(kgo.ErrClientClosed))
	says("the group cannot be had", 1, answer, group(kerr.GroupAuthorizationFailed), answer, answer, group(kerr.GroupAuthorizationFailed))
}
