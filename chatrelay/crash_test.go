package chatrelay

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

// relayEnv, when set, makes the test binary a relay and nothing else: tests kill it.
const relayEnv = "FEIGE_TEST_RELAY"

// relayOrder is what such a process is to do.
type relayOrder struct {
	Config Config
	Broker broker.Config
}

func TestMain(m *testing.M) {
	if order := os.Getenv(relayEnv); order != "" {
		if err := relayProcess(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func relayProcess(text string) error {
	var o relayOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	pub, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: o.Broker})
	if err != nil {
		return err
	}
	r, err := New(o.Config, Dependencies{Broker: o.Broker, Publisher: pub, Policy: policy.Default()})
	if err != nil {
		return err
	}
	return r.Run(context.Background())
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// child starts a relay in a process of its own.
func (h *bench) child(t *testing.T, addr string) *exec.Cmd {
	t.Helper()
	cfg := testConfig()
	cfg.Addr, cfg.KeysFile = addr, h.keys
	order, err := json.Marshal(relayOrder{cfg, h.broker})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), relayEnv+"="+string(order))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func fromEnv(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// TestRelayKilled kills one of two relays again and again while people talk through both. The whole size:
// FEIGE_TEST_RELAY_KILLS=20 FEIGE_TEST_RELAY_MESSAGES=100000.
func TestRelayKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it starts and kills processes")
	}
	t.Parallel()
	kills, messages := fromEnv("FEIGE_TEST_RELAY_KILLS", 5), fromEnv("FEIGE_TEST_RELAY_MESSAGES", 5000)
	h := newBench(t)
	addrs := []string{freeAddr(t), freeAddr(t)}
	var children []*exec.Cmd
	for _, a := range addrs {
		children = append(children, h.child(t, a))
	}
	t.Cleanup(func() {
		for _, c := range children {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	urls := func(first int) []string { return []string{"http://" + addrs[first], "http://" + addrs[1-first]} }
	const shops, consumers = 2, 4 // and two agents a shop
	type talker struct {
		*person
		to   string
		want int
	}
	var all []*talker
	per := messages / (shops * (consumers + 2))
	for s := range shops {
		shop := fmt.Sprint("shop", s)
		for c := range consumers {
			id := fmt.Sprint("c", c)
			want := per
			if c < 2 {
				want = 2 * per // and what an agent says to it
			}
			all = append(all, &talker{h.personWith(client.Config{URLs: urls(c % 2), Token: func() (string, error) { return h.token(signin.Consumer, id, shop), nil }}), "", want})
		}
		for a := range 2 {
			id := fmt.Sprint("a", a)
			all = append(all, &talker{h.personWith(client.Config{URLs: urls(a % 2), Token: func() (string, error) { return h.token(signin.Agent, id, shop), nil }}),
				fmt.Sprint("c", a), per * (consumers + 2)})
		}
	}
	for _, p := range all {
		p.in()
	}
	var wait sync.WaitGroup
	finished := make(chan struct{})
	for _, p := range all {
		wait.Go(func() {
			for n := range per {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
				_, err := p.Send(ctx, &protocol.Request{ConversationID: p.to, Text: numberOf(n)})
				cancel()
				if err != nil {
					t.Errorf("message %d: %v", n, err)
					return
				}
			}
		})
	}
	go func() { wait.Wait(); close(finished) }()
	killed := 0
	for killed < kills {
		select {
		case <-finished:
			t.Fatalf("all was said after %d kills; raise FEIGE_TEST_RELAY_MESSAGES", killed)
		case <-time.After(400 * time.Millisecond):
		}
		// Those of the one killed last have gone to the other: now that one.
		n := killed % 2
		await(t, "the other relay", func() bool {
			c, err := net.Dial("tcp", addrs[1-n])
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		_ = children[n].Process.Kill()
		_ = children[n].Wait()
		killed++
		children[n] = h.child(t, addrs[n])
	}
	<-finished
	var resent, repeats, reconnects int64
	for i, p := range all {
		messagesOf := func() int64 { return p.Check().Numbered }
		p.await(fmt.Sprintf("talker %d to have everything", i), func() bool { return messagesOf() >= int64(p.want) })
		k := p.Check()
		if !k.OK() || k.Numbered != int64(p.want) {
			t.Errorf("talker %d: %+v, want %d messages", i, k, p.want)
		}
		resent, repeats, reconnects = resent+k.Resent, repeats+k.Repeats, reconnects+k.Reconnects
	}
	ids := map[string]bool{}
	logged := 0
	for _, ev := range h.log() {
		if ev.GetMessage() != nil {
			ids[ev.EventId] = true
			logged++
		}
	}
	if want := per * len(all); len(ids) != want {
		t.Errorf("%d messages in the log, %d were acknowledged", len(ids), want)
	}
	t.Logf("%d messages, %d kills: %d reconnects, %d resent, %d repeats in the log, %d recognised by clients",
		len(ids), killed, reconnects, resent, logged-len(ids), repeats)
}

// TestKafkaAway stops the broker while people talk, and starts it again.
func TestKafkaAway(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it waits for time-outs")
	}
	t.Parallel()
	away := time.Duration(fromEnv("FEIGE_TEST_KAFKA_AWAY_SECONDS", 4)) * time.Second
	kcfg := ekafka.Config{Addr: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "kafka")}
	b, err := ekafka.Start(t.Context(), kcfg, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	t.Cleanup(func() { mu.Lock(); defer mu.Unlock(); b.Close() })
	kcfg.Addr = b.Addr()
	cfg := broker.DefaultConfig()
	cfg.Brokers, cfg.Partitions, cfg.Replication = []string{b.Addr()}, testPartitions, 1
	h := benchOn(t, b, cfg)
	r := h.relay(func(c *Config, _ *Dependencies) { c.Timeouts.Publish = time.Second })
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	plain := dialRaw(t, r, nil)
	plain.write(helloText(h.token(signin.Consumer, "c2", "tea"), "test", ""))
	plain.next(protocol.TypeCaughtUp)

	var wait sync.WaitGroup
	stop := make(chan struct{})
	sent := map[string]int{}
	var sentMu sync.Mutex
	for _, p := range []*person{consumer, agent} {
		wait.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
				_, err := p.Send(ctx, &protocol.Request{ConversationID: "c1", Text: numberOf(n)})
				cancel()
				if err != nil {
					t.Error(err)
					return
				}
				sentMu.Lock()
				sent["c1"]++
				sentMu.Unlock()
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	mu.Lock()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	down := time.Now()
	plain.write(`{"type":"send","id":"1","text":"is anybody there"}`)
	if f := plain.next(protocol.TypeError, protocol.TypeAck); f.Code != protocol.CodeTryAgain || !f.Retry || f.RetryAfterMS <= 0 {
		t.Errorf("told %+v", f)
	}
	// Connections stay, and what needs no Kafka goes on.
	plain.write(`{"type":"ping","id":"2"}`)
	plain.next(protocol.TypePong)
	time.Sleep(away - time.Since(down))
	if b, err = ekafka.Start(context.Background(), kcfg, ekafka.Dependencies{}); err != nil {
		t.Fatal(err)
	}
	mu.Unlock()
	sentMu.Lock()
	before := sent["c1"]
	sentMu.Unlock()
	await(t, "it to go on by itself", func() bool {
		sentMu.Lock()
		defer sentMu.Unlock()
		return sent["c1"] > before+20
	})
	back := time.Since(down)
	plain.write(`{"type":"send","id":"1","text":"is anybody there"}`)
	plain.next(protocol.TypeAck)
	close(stop)
	wait.Wait()
	for _, p := range []*person{consumer, agent} {
		p.await("everything", func() bool { return p.Check().Numbered >= int64(sent["c1"]) })
		if k := p.Check(); !k.OK() || k.Numbered != int64(sent["c1"]) || k.Reconnects != 0 {
			t.Errorf("check: %+v, want %d messages and no reconnects", k, sent["c1"])
		}
	}
	t.Logf("away for %v; 20 more messages acknowledged %v after it went", away, back.Round(time.Millisecond))
}
