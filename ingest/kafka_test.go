package ingest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const testPartitions = 4

// testKafka is a broker of one test, with the product's topics.
type testKafka struct {
	*kfake.Cluster
	cfg broker.Config
}

func startKafka(t testing.TB, opts ...kfake.Opt) *testKafka {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	k := &testKafka{Cluster: c, cfg: broker.DefaultConfig()}
	k.cfg.Brokers = c.ListenAddrs()
	k.cfg.Partitions = testPartitions
	if _, err := ApplyTopics(t.Context(), k.cfg, "", EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *testKafka) deps() Dependencies { return Dependencies{Broker: k.cfg} }

// logged is one record of chat.events.
type logged struct {
	partition int32
	key       string
	event     *chatv1.ChatEvent
}

// readLog reads all of chat.events, each partition in order.
func readLog(t testing.TB, b broker.Config, ns schemas.Namespace) [][]logged {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	topic := ns.Topic(schemas.TopicEvents)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	ends.Each(func(o kadm.ListedOffset) { total += o.Offset })
	out := make([][]logged, b.Partitions)
	for seen := int64(0); seen < total; {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			ev := &chatv1.ChatEvent{}
			if err := ev.UnmarshalVT(r.Value); err != nil {
				t.Error(err)
			}
			out[r.Partition] = append(out[r.Partition], logged{partition: r.Partition, key: string(r.Key), event: ev})
			seen++
		})
	}
	return out
}

func isTick(ev *chatv1.ChatEvent) bool { return ev.GetTick() != nil }

// say makes a message of a consumer.
func say(shop, conversation string, n int) *chatv1.ChatEvent {
	return &chatv1.ChatEvent{
		EventId: shop + "-" + conversation + "-" + strconv.Itoa(n), ShopId: shop, ConversationId: conversation,
		Actor:        &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: "consumer-" + conversation},
		OccurredAtUs: 1_700_000_000_000_000 + int64(n),
		Payload:      &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: fmt.Sprint("message ", n)}},
	}
}

// deadAddr is an address that nothing listens at.
func deadAddr(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// eventually polls a condition that must come true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// counted reads a counter whose only label has the value.
func counted(t testing.TB, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
