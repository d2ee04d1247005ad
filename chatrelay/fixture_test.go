package chatrelay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const testPartitions = 4

// bench is a Kafka with everything that relays need, for one test.
type bench struct {
	t      testing.TB
	kafka  *ekafka.Broker
	broker broker.Config
	keys   string
	signer *signin.Keys
	kgo    *kgo.Client
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	cfg := broker.DefaultConfig()
	cfg.Brokers, cfg.Partitions, cfg.Replication = []string{b.Addr()}, testPartitions, 1
	return benchOn(t, b, cfg)
}

func benchOn(t testing.TB, b *ekafka.Broker, cfg broker.Config) *bench {
	t.Helper()
	h := &bench{t: t, kafka: b, broker: cfg, keys: filepath.Join(t.TempDir(), "keys.yaml")}
	if _, err := ingest.ApplyTopics(t.Context(), cfg, "", ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	opts, err := cfg.KGO()
	if err != nil {
		t.Fatal(err)
	}
	if h.kgo, err = kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.kgo.Close)
	for _, topic := range []string{schemas.TableOf(schemas.GroupPenalties), schemas.TopicReads} {
		if _, err := kadm.NewClient(h.kgo).CreateTopic(t.Context(), testPartitions, 1, nil, topic); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			t.Fatal(err)
		}
	}
	if err := signin.CreateKeys(h.keys); err != nil {
		t.Fatal(err)
	}
	if h.signer, err = signin.LoadKeys(h.keys); err != nil {
		t.Fatal(err)
	}
	return h
}

// write puts a record on a topic as a processor would.
func (h *bench) write(topic, key string, value []byte) {
	h.t.Helper()
	rec := &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Partition: schemas.Partition([]byte(key), testPartitions)}
	if err := h.kgo.ProduceSync(context.Background(), rec).FirstErr(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *bench) publisher() *ingest.Publisher {
	h.t.Helper()
	cfg := ingest.DefaultConfig()
	cfg.Timeout, cfg.AttemptTimeout = 2*time.Second, time.Second
	p, err := ingest.NewPublisher(cfg, ingest.Dependencies{Broker: h.broker})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { p.Close() })
	return p
}

// testConfig has no limits that tests would run into by their speed.
func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Addr = "127.0.0.1:0"
	plenty := Rate{PerSecond: 1e6, Burst: 1e6}
	cfg.Limits = Limits{Connections: 20_000, AccountConnections: 1000, AddressConnections: 20_000, Connects: plenty, AccountMessages: plenty,
		AddressMessages: plenty, ShopMessages: plenty, Reads: plenty, AccountUploads: plenty, ShopUploads: plenty}
	cfg.Clients = []string{"test"}
	cfg.AutoAssign = false
	cfg.Feed.MaxWait = 50 * time.Millisecond
	cfg.Tables.MaxWait = 50 * time.Millisecond
	cfg.Tables.Look = 100 * time.Millisecond
	return cfg
}

// relay starts a relay; change, if not nil, changes its configuration.
func (h *bench) relay(change func(*Config, *Dependencies)) *Relay {
	h.t.Helper()
	cfg := testConfig()
	cfg.KeysFile = h.keys
	deps := Dependencies{Broker: h.broker, Publisher: h.publisher(), Policy: policy.Default(), Registry: prometheus.NewRegistry()}
	if os.Getenv("FEIGE_TEST_LOG") != "" {
		deps.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if change != nil {
		change(&cfg, &deps)
	}
	r, err := New(cfg, deps)
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
	await(h.t, "the relay to be ready", func() bool { return r.Ready(context.Background()) == nil })
	return r
}

func (h *bench) token(role signin.Role, id, shop string) string {
	h.t.Helper()
	text, err := h.signer.Issue(signin.Identity{Role: role, Account: id, Shop: shop}, time.Now(), time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// person is a client and what it was told.
type person struct {
	*client.Client
	t      testing.TB
	mu     sync.Mutex
	events []client.Delivery
	frames []*protocol.Frame
	stop   context.CancelFunc
	done   chan struct{}
	err    error
}

func (h *bench) person(role signin.Role, id, shop string, urls ...string) *person {
	h.t.Helper()
	return h.personWith(client.Config{URLs: urls, Token: func() (string, error) { return h.token(role, id, shop), nil }})
}

func (h *bench) personWith(cfg client.Config) *person {
	h.t.Helper()
	p := &person{t: h.t, done: make(chan struct{})}
	if cfg.Client == "" {
		cfg.Client, cfg.Version = "test", "1"
	}
	cfg.MinBackoff, cfg.MaxBackoff = 20*time.Millisecond, 500*time.Millisecond
	cfg.OnEvent = func(d client.Delivery) {
		p.mu.Lock()
		p.events = append(p.events, d)
		p.mu.Unlock()
	}
	cfg.OnFrame = func(f *protocol.Frame) {
		p.mu.Lock()
		p.frames = append(p.frames, f)
		p.mu.Unlock()
	}
	c, err := client.New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	p.Client = c
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() {
		defer close(p.done)
		p.err = c.Run(ctx)
	}()
	h.t.Cleanup(func() { stop(); <-p.done })
	return p
}

// in waits until the person is signed in and delivery has begun.
func (p *person) in() *person {
	p.t.Helper()
	p.await("to be let in", func() bool { return p.has(protocol.TypeCaughtUp) > 0 })
	return p
}

func (p *person) await(what string, cond func() bool) {
	p.t.Helper()
	await(p.t, what, cond)
}

func (p *person) has(typ protocol.Type) int { return len(p.of(typ)) }

func (p *person) of(typ protocol.Type) (out []*protocol.Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.frames {
		if f.Type == typ {
			out = append(out, f)
		}
	}
	return out
}

// got are the events as they came.
func (p *person) got() []client.Delivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]client.Delivery(nil), p.events...)
}

func (p *person) texts() (out []string) {
	for _, d := range p.got() {
		if m := d.Event.GetMessage(); m != nil {
			out = append(out, m.Text)
		}
	}
	return out
}

// say sends a message and waits for the acknowledgement.
func (p *person) say(conversation, text string) *protocol.Frame {
	p.t.Helper()
	return p.must(&protocol.Request{Type: protocol.TypeSend, ConversationID: conversation, Text: text})
}

func (p *person) must(req *protocol.Request) *protocol.Frame {
	p.t.Helper()
	f, err := p.do(req)
	if err != nil {
		p.t.Fatalf("%s: %v", req.Type, err)
	}
	return f
}

func (p *person) do(req *protocol.Request) (*protocol.Frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return p.Do(ctx, req)
}

// refused makes a request that must be refused with a code.
func (p *person) refused(req *protocol.Request, code protocol.Code) {
	p.t.Helper()
	_, err := p.do(req)
	var problem *protocol.Problem
	if !errors.As(err, &problem) || problem.Code != code {
		p.t.Errorf("%s: got %v, want %s", req.Type, err, code)
	}
}

func await(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// log reads all of chat.events, partition by partition.
func (h *bench) log() (events []*chatv1.ChatEvent) {
	h.t.Helper()
	return readTopic(h, schemas.TopicEvents, func(value []byte) *chatv1.ChatEvent {
		ev := &chatv1.ChatEvent{}
		if err := ev.UnmarshalVT(value); err != nil {
			h.t.Fatal(err)
		}
		return ev
	})
}

func readTopic[T any](h *bench, topic string, decode func([]byte) T) (out []T) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ends, err := kadm.NewClient(h.kgo).ListEndOffsets(ctx, topic)
	if err != nil {
		h.t.Fatal(err)
	}
	from := map[int32]kgo.Offset{}
	left := int64(0)
	for p, e := range ends[topic] {
		from[p] = kgo.NewOffset().At(0)
		left += e.Offset
	}
	opts, err := h.broker.KGO()
	if err != nil {
		h.t.Fatal(err)
	}
	cl, err := kgo.NewClient(append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))...)
	if err != nil {
		h.t.Fatal(err)
	}
	defer cl.Close()
	for left > 0 {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			h.t.Fatal("the log cannot be read")
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset < ends[topic][r.Partition].Offset {
				left--
				out = append(out, decode(r.Value))
			}
		})
	}
	return out
}

func numberOf(n int) string { return fmt.Sprintf("%04d", n) }

// clientFrom is a consumer of shop tea that resumes.
func clientFrom(h *bench, id, position, url string) client.Config {
	return client.Config{URLs: []string{url}, Position: position, Token: func() (string, error) { return h.token(signin.Consumer, id, "tea"), nil }}
}

func eventOf(t testing.TB, data []byte) *chatv1.ChatEvent {
	t.Helper()
	ev := &chatv1.ChatEvent{}
	if err := protojson.Unmarshal(data, ev); err != nil {
		t.Fatal(err)
	}
	return ev
}

// publishEvent puts an event into the log as another stage would.
func (h *bench) publishEvent(ev *chatv1.ChatEvent) {
	h.t.Helper()
	if err := h.publisher().Publish(context.Background(), ev); err != nil {
		h.t.Fatal(err)
	}
}
