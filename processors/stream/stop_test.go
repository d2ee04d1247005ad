package stream_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// A processor that is told to stop does so whatever state the broker is in, and what it has not finished
// is not committed.
func TestStopsWhateverTheBrokerDoes(t *testing.T) {
	t.Parallel()
	check := func(name string, trouble func(t *testing.T, b *faultyBroker)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, productTopics()...)
			cfg := quickConfig()
			cfg.ProduceTimeout = time.Minute
			p, err := stream.New(cfg, stream.Dependencies{Broker: brokerConfig(b.addr), Logger: quiet()},
				stream.Spec{Group: schemas.GroupConversations, Input: schemas.TopicEvents, Edges: counting})
			if err != nil {
				t.Fatal(err)
			}
			stop := run(t, p)
			cl := kafkaClient(t, b.addr)
			publish := func() {
				for range 100 {
					value, err := (&chatv1.ChatEvent{EventId: "e", ShopId: "s"}).MarshalVT()
					if err != nil {
						t.Fatal(err)
					}
					if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: schemas.TopicEvents, Key: []byte("s/c"), Value: value}).FirstErr(); err != nil {
						t.Fatal(err)
					}
				}
			}
			publish()
			await(t, 20*time.Second, "all finished", func() bool { return p.Lag() == 0 })
			trouble(t, b)
			publish()
			if name != "well" {
				await(t, 20*time.Second, "unfinished records", func() bool { return p.Lag() > 0 })
			}
			began := time.Now()
			if name == "broker gone" {
				time.AfterFunc(500*time.Millisecond, b.stop)
			}
			stop()
			t.Logf("stopped after %v", time.Since(began).Round(time.Millisecond))
		})
	}
	check("well", func(*testing.T, *faultyBroker) {})
	check("no answer", func(t *testing.T, b *faultyBroker) { b.hold(t, schemas.TopicFacts) })
	check("no leader", func(t *testing.T, b *faultyBroker) { b.refuse(schemas.TopicFacts, kerr.NotLeaderForPartition) })
	check("connections closed", func(t *testing.T, b *faultyBroker) { b.slam(schemas.TopicFacts) })
	check("broker gone", func(t *testing.T, b *faultyBroker) { b.hold(t, schemas.TopicFacts) })
}
