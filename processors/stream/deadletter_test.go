package stream_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// quickConfig is for tests on one broker in memory.
func quickConfig() stream.Config {
	c := stream.DefaultConfig()
	c.SessionTimeout = 2 * time.Second
	c.CommitInterval = 20 * time.Millisecond
	c.ProduceTimeout = time.Second
	c.VisitInterval = 20 * time.Millisecond
	c.MaxRestartPause = 500 * time.Millisecond
	return c
}

// counting counts a key's events in its table and refuses what its messages ask to refuse.
func counting(p *stream.Processor) []goka.Edge {
	return []goka.Edge{
		stream.Input(p, chatv1.ChatEventFromVTPool, func(ctx goka.Context, ev *chatv1.ChatEvent) error {
			switch ev.EventId {
			case "refuse":
				return stream.Refusal{Code: "misplaced", Reason: "not here"}
			case "fail":
				return errors.New("no good")
			case "long":
				return errors.New(strings.Repeat("ü", 1<<20))
			}
			st, _ := ctx.Value().(*statev1.Conversation)
			if st == nil {
				st = &statev1.Conversation{}
			}
			st.AppliedPlusOne = uint64(ctx.Offset()) + 1
			st.Rounds++
			ctx.Emit(p.Topic(schemas.TopicFacts), ctx.Key(), &chatv1.Fact{SourceOffset: ctx.Offset(), EventId: ev.EventId})
			ctx.SetValue(st)
			return nil
		}),
		stream.Output[chatv1.Fact](p, schemas.TopicFacts),
		stream.Persist(statev1.ConversationFromVTPool),
	}
}

// run runs a processor until the test ends, and waits until it has its partitions.
func run(t testing.TB, p *stream.Processor) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("run: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("the processor does not stop")
		}
	}
	t.Cleanup(stop)
	await(t, 30*time.Second, "partitions", p.Ready)
	return stop
}

func TestWhatCannotBeTakenBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	const ns = schemas.Namespace("dead")
	in, facts, letters := ns.Topic(schemas.TopicEvents), ns.Topic(schemas.TopicFacts), ns.Topic(schemas.TopicDeadLetters)
	b := startBroker(t, in, facts, letters, ns.Topic(schemas.TableOf(schemas.GroupConversations)))
	registry := prometheus.NewRegistry()
	p, err := stream.New(quickConfig(), stream.Dependencies{
		Broker: brokerConfig(b.addr), Namespace: ns, Logger: quiet(), Registry: registry,
	}, stream.Spec{Group: schemas.GroupConversations, Input: schemas.TopicEvents, Edges: counting})
	if err != nil {
		t.Fatal(err)
	}
	run(t, p)

	event := func(id string) []byte {
		v, err := (&chatv1.ChatEvent{EventId: id, ShopId: "s"}).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	garbage := bytes.Repeat([]byte{0xff}, 1_047_000)
	longKey := strings.Repeat("k", 300_000)
	type letter struct {
		key, code, reason string
		value             []byte
	}
	records := []struct {
		key   string
		value []byte
		want  *letter // nil: taken
	}{
		{"s/a", event("good 1"), nil},
		{"s/a", []byte{0xff, 0x01, 0x02}, &letter{"s/a", "decode", "", []byte{0xff, 0x01, 0x02}}},
		{"s/a", nil, &letter{"s/a", "decode", "the record has no value", nil}},
		{"s/a", event("refuse"), &letter{"s/a", "misplaced", "not here", event("refuse")}},
		{"", event("refuse"), &letter{"", "misplaced", "not here", event("refuse")}},
		{"s/b", event("fail"), &letter{"s/b", "invalid", "no good", event("fail")}},
		{"s/b", garbage, &letter{"s/b", "decode", "it has 1047000 bytes", garbage[:512<<10]}},
		{longKey, event("fail"), &letter{longKey[:64<<10], "invalid", "it has 300000 bytes", event("fail")}},
		{"s/b", event("long"), &letter{"s/b", "invalid", "üü", event("long")}},
		{"s/\xfe", event("fail"), &letter{"s/\xfe", "invalid", "no good", event("fail")}},
		{"s/b", event("good 2"), nil},
		{"s/a", event("good 3"), nil},
	}
	const partition = 3
	cl := kafkaClient(t, b.addr, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(1<<20))
	sent := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for _, r := range records {
		rec := &kgo.Record{Topic: in, Partition: partition, Key: []byte(r.key), Value: r.value, Timestamp: sent}
		if err := cl.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	await(t, 30*time.Second, "all records finished", func() bool {
		return committed(t, cl, ns.Topic(schemas.GroupConversations), in, partition) == int64(len(records))
	})

	log := mustReadLog(t, b.addr, letters, facts)
	got := map[int64]*chatv1.DeadLetter{}
	for p, records := range log[letters] {
		for _, r := range records {
			d := &chatv1.DeadLetter{}
			if err := d.UnmarshalVT(r.Value); err != nil {
				t.Fatal(err)
			}
			if got[d.Offset] != nil {
				t.Errorf("two dead letters for offset %d", d.Offset)
			}
			got[d.Offset] = d
			if want := schemas.Partition(r.Key, partitions); int32(p) != want {
				t.Errorf("dead letter %q lies in partition %d, want %d", r.Key, p, want)
			}
		}
	}
	dead := 0
	for o, r := range records {
		d := got[int64(o)]
		if r.want == nil {
			if d != nil {
				t.Errorf("record %d became a dead letter: %v", o, d)
			}
			continue
		}
		dead++
		if d == nil {
			t.Errorf("record %d: no dead letter", o)
			continue
		}
		if d.Topic != in || d.Partition != partition || d.Stage != schemas.GroupConversations || d.RecordAtUs != sent.UnixMicro() {
			t.Errorf("record %d: dead letter of %s/%d at %d by %s", o, d.Topic, d.Partition, d.RecordAtUs, d.Stage)
		}
		if string(d.Key) != r.want.key || d.Code != r.want.code || !strings.Contains(d.Reason, r.want.reason) || !bytes.Equal(d.Value, r.want.value) {
			t.Errorf("record %d: dead letter with key %.40q, code %q, reason %.80q, %d bytes", o, d.Key, d.Code, d.Reason, len(d.Value))
		}
		if d.Reason == "" || len(d.Reason) > 4096 {
			t.Errorf("record %d: a reason of %d bytes", o, len(d.Reason))
		}
	}
	if n := len(log[facts][0]) + len(log[facts][1]) + len(log[facts][2]) + len(log[facts][3]); n != 3 {
		t.Errorf("%d good records were taken, want 3", n)
	}
	if n := metric(t, registry, "feige_processor_dead_letters_total"); n != float64(dead) {
		t.Errorf("metric of dead letters: %v, want %d", n, dead)
	}
	if n := metric(t, registry, "feige_processor_restarts_total"); n != 0 {
		t.Errorf("the processor restarted %v times", n)
	}
}

// metric is the sum of a counter or gauge over all its labels.
func metric(t testing.TB, registry *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}
