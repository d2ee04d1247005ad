package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/reception"
	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// childEnv makes the test binary a bot and nothing else: tests kill it.
const childEnv = "FEIGE_TEST_BOT"

type order struct {
	Config Config
	Broker broker.Config
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		var o order
		err := json.Unmarshal([]byte(text), &o)
		if err == nil {
			err = child(o)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func child(o order) error {
	p, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: o.Broker})
	if err != nil {
		return err
	}
	b, err := New(o.Config, Dependencies{Broker: o.Broker, Publisher: p})
	if err != nil {
		return err
	}
	go func() {
		for b.Ready(context.Background()) != nil {
			time.Sleep(5 * time.Millisecond)
		}
		fmt.Println("ready")
	}()
	return b.Run(context.Background())
}

const testPartitions = 4

// world is a Kafka with the processors that reception needs.
type world struct {
	t      *testing.T
	broker broker.Config
	pub    *ingest.Publisher

	mu     sync.Mutex
	events []*chatv1.ChatEvent // of the log, as they came
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w := &world{t: t, broker: broker.DefaultConfig()}
	w.broker.Brokers, w.broker.Partitions, w.broker.Replication = []string{b.Addr()}, testPartitions, 1
	if _, err := ingest.ApplyTopics(t.Context(), w.broker, "", ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	t.Cleanup(func() { stop(); wait.Wait() })
	deps := stream.Dependencies{Broker: w.broker, Policy: allDay(t), Logger: slog.New(slog.DiscardHandler)}
	for _, build := range []func(stream.Config, stream.Dependencies) (*stream.Processor, error){conversations.New, reception.New} {
		p, err := build(stream.DefaultConfig(), deps)
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() { _ = p.Run(ctx) })
	}
	if w.pub, err = ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: w.broker}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.pub.Close() })
	opts, err := w.broker.KGO()
	if err != nil {
		t.Fatal(err)
	}
	reader, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(schemas.TopicEvents), kgo.FetchMaxWait(20*time.Millisecond))...)
	if err != nil {
		t.Fatal(err)
	}
	wait.Go(func() {
		defer reader.Close()
		for ctx.Err() == nil {
			reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				ev := &chatv1.ChatEvent{}
				if ev.UnmarshalVT(r.Value) == nil && ev.GetTick() == nil {
					w.mu.Lock()
					w.events = append(w.events, ev)
					w.mu.Unlock()
				}
			})
		}
	})
	return w
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.MaxWait, cfg.CommitInterval, cfg.Reload = 20*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond
	return cfg
}

func (w *world) bot(cfg Config) (*Bot, func()) {
	w.t.Helper()
	b, err := New(cfg, Dependencies{Broker: w.broker, Publisher: w.pub})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(stop)
	w.await("the bot to be ready", func() bool { return b.Ready(context.Background()) == nil })
	return b, stop
}

func (w *world) await(what string, cond func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *world) say(shop, conversation string, role chatv1.Role, text string) string {
	w.t.Helper()
	id, actor := uuid.Must(uuid.NewV7()).String(), conversation
	if role == chatv1.Role_ROLE_AGENT {
		actor = "agent"
	}
	ev := &chatv1.ChatEvent{EventId: id, ShopId: shop, ConversationId: conversation, OccurredAtUs: time.Now().UnixMicro(),
		Actor:   &chatv1.Actor{Role: role, Id: actor},
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: text}}}
	if err := w.pub.Publish(w.t.Context(), ev); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// answers are the ids of the bot's answers in the log with how often each is there, and the last text of a conversation.
func (w *world) answers() (byID map[string]int, text map[string]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	byID, text = map[string]int{}, map[string]string{}
	for _, ev := range w.events {
		if ev.GetActor().GetRole() == chatv1.Role_ROLE_BOT {
			byID[ev.EventId]++
			text[ev.ConversationId] = ev.GetMessage().GetText()
		}
	}
	return byID, text
}

func answerTo(shop, conversation, message string) string {
	return AnswerID(&chatv1.ChatEvent{ShopId: shop, ConversationId: conversation, EventId: message})
}

const consumer, agent = chatv1.Role_ROLE_CONSUMER, chatv1.Role_ROLE_AGENT

// allDay is the built-in policy with working hours around the clock: tests run at any hour.
func allDay(t *testing.T) *policy.Set {
	t.Helper()
	set, err := policy.Parse("all day", bytes.ReplaceAll(policy.DefaultYAML(), []byte("08:00-23:00"), []byte("00:00-24:00")))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The bot answers the message that brings it in and every one after it, once, and stops when a human replies.
func TestStory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.bot(testConfig())
	var ids []string
	for i := range 10 {
		ids = append(ids, w.say("tea", "c1", consumer, fmt.Sprint("在吗 ", i)))
	}
	trigger := w.say("tea", "c1", consumer, "什么时候发货")
	w.await("the answer to the 11th message", func() bool { got, _ := w.answers(); return got[answerTo("tea", "c1", trigger)] == 1 })
	_, texts := w.answers()
	if s := texts["c1"]; !strings.Contains(s, "48 小时") || !strings.Contains(s, "人工客服") {
		t.Errorf("the answer is %q", s)
	}
	other := w.say("tea", "c2", consumer, "有人吗")
	quiet := w.say("shoes", "c1", consumer, "有人吗")
	w.await("the answer to another consumer of the shop", func() bool { got, _ := w.answers(); return got[answerTo("tea", "c2", other)] == 1 })
	w.say("tea", "c1", agent, "您好，今天就发")
	late := w.say("tea", "c1", consumer, "好的")
	// The next shop's answer shows that everything before was dealt with.
	for range 10 {
		w.say("tea", "c3", consumer, "在吗")
	}
	again := w.say("tea", "c3", consumer, "在吗")
	w.await("the second takeover", func() bool { got, _ := w.answers(); return got[answerTo("tea", "c3", again)] == 1 })
	got, _ := w.answers()
	for _, id := range append(ids, late) {
		if got[answerTo("tea", "c1", id)] != 0 {
			t.Errorf("a message of the time when a human received has an answer")
		}
	}
	if got[answerTo("shoes", "c1", quiet)] != 0 {
		t.Error("a shop that is not taken over has an answer")
	}
}

// Two bots are killed again and again: every message has one answer, however often it was written.
func TestKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := testConfig()
	cfg.SessionTimeout = 6 * time.Second
	text, err := json.Marshal(order{cfg, w.broker})
	if err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		c := exec.Command(os.Args[0]) //nolint:gosec // this binary
		c.Env = append(os.Environ(), childEnv+"="+string(text))
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscanln(out, new(string)); err != nil {
			t.Fatalf("the bot says nothing: %v", err)
		}
		return c
	}
	bots := []*exec.Cmd{start(), start()}
	defer func() {
		for _, b := range bots {
			_ = b.Process.Kill()
			_ = b.Wait()
		}
	}()
	want := map[string]bool{}
	shops := []string{"s1", "s2", "s3", "s4", "s5", "s6"}
	for _, s := range shops {
		for range 10 {
			w.say(s, "c0", consumer, "在吗")
		}
	}
	kills := 8
	if testing.Short() {
		kills = 2
	}
	for kill := range kills {
		for n := range 60 {
			s := shops[rand.IntN(len(shops))]
			c := fmt.Sprintf("c%d", rand.IntN(5))
			want[answerTo(s, c, w.say(s, c, consumer, "什么时候发货"))] = true
			if n == 30 {
				i := kill % 2
				_ = bots[i].Process.Kill()
				_ = bots[i].Wait()
				bots[i] = start()
			}
		}
	}
	// A shop's first message of these is its 11th.
	w.await("all answers", func() bool {
		got, _ := w.answers()
		for id := range want {
			if got[id] == 0 {
				return false
			}
		}
		return true
	})
	got, _ := w.answers()
	repeats := 0
	for id, n := range got {
		if !want[id] {
			t.Errorf("an answer to no message")
		}
		repeats += n - 1
	}
	t.Logf("%d messages, %d kills, %d answers written again under the same id", len(want), kills, repeats)
	if len(got) != len(want) {
		t.Errorf("%d answers to %d messages", len(got), len(want))
	}
}

// The webhook answers; when it fails, hangs, or says nonsense, the list does.
func TestWebhook(t *testing.T) {
	t.Parallel()
	secret := "0123456789abcdef-secret"
	var mu sync.Mutex
	behave := func(rw http.ResponseWriter, q Question) { _, _ = fmt.Fprintf(rw, `{"text":%q}`, "webhook: "+q.Text) }
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body := new(strings.Builder)
		var q Question
		raw := make([]byte, 1<<16)
		n, _ := r.Body.Read(raw)
		body.Write(raw[:n])
		if Sign([]byte(secret), r.Header.Get(TimestampHeader), raw[:n]) != r.Header.Get(SignatureHeader) {
			t.Error("the signature is wrong")
		}
		if err := json.Unmarshal(raw[:n], &q); err != nil || q.MessageID == "" || q.ShopID == "" {
			t.Errorf("the question %s: %v", body, err)
		}
		mu.Lock()
		asked++
		f := behave
		mu.Unlock()
		f(rw, q)
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig().Webhook
	cfg.URL, cfg.SecretFile, cfg.Timeout, cfg.Failures, cfg.Pause = srv.URL, file, 200*time.Millisecond, 3, 100*time.Millisecond
	hook, err := newWebhook(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ask := func() (string, error) {
		return hook.ask(t.Context(), &chatv1.ChatEvent{EventId: "e", ShopId: "s", ConversationId: "c", Actor: &chatv1.Actor{Id: "c"},
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Text: "你好"}}})
	}
	set := func(f func(http.ResponseWriter, Question)) { mu.Lock(); behave = f; mu.Unlock() }
	if text, err := ask(); err != nil || text != "webhook: 你好" {
		t.Fatalf("%q, %v", text, err)
	}
	bad := map[string]func(http.ResponseWriter, Question){
		"status": func(rw http.ResponseWriter, _ Question) { rw.WriteHeader(500) },
		"redirect": func(rw http.ResponseWriter, _ Question) {
			http.Redirect(rw, &http.Request{}, "http://127.0.0.1:1/", http.StatusFound)
		},
		"nonsense": func(rw http.ResponseWriter, _ Question) { _, _ = rw.Write([]byte("hello")) },
		"huge": func(rw http.ResponseWriter, _ Question) {
			_, _ = rw.Write([]byte(`{"text":"` + strings.Repeat("a", 1<<20) + `"}`))
		},
		"long": func(rw http.ResponseWriter, _ Question) {
			_, _ = rw.Write([]byte(`{"text":"` + strings.Repeat("a", 5000) + `"}`))
		},
		"hangs": func(_ http.ResponseWriter, _ Question) { time.Sleep(400 * time.Millisecond) },
	}
	for name := range maps.Keys(bad) {
		h, err := newWebhook(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		hook = h
		set(bad[name])
		for range 3 {
			if text, err := ask(); err == nil {
				t.Errorf("%s: answer %q", name, text)
			} else if strings.Contains(err.Error(), "你好") {
				t.Errorf("%s: the error holds the text", name)
			}
		}
		mu.Lock()
		before := asked
		mu.Unlock()
		if _, err := ask(); err == nil {
			t.Errorf("%s: the circuit is closed", name)
		}
		mu.Lock()
		if asked != before {
			t.Errorf("%s: it was asked with the circuit open", name)
		}
		mu.Unlock()
	}
	set(func(rw http.ResponseWriter, _ Question) { _, _ = rw.Write([]byte(`{"text":"da"}`)) })
	deadline := time.Now().Add(20 * time.Second)
	for {
		if text, err := ask(); err == nil && text == "da" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the circuit never closes again")
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	refuses := func(name string, change func(*Config), says string) {
		t.Helper()
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	refuses("no account", func(c *Config) { c.Account = "" }, "account")
	refuses("coverage", func(c *Config) { c.Coverage = 2 }, "coverage: 2")
	refuses("workers", func(c *Config) { c.Workers = 0 }, "workers: 0")
	refuses("a file", func(c *Config) { c.Webhook.URL = "file:///etc/passwd" }, "webhook.url")
	refuses("no secret", func(c *Config) { c.Webhook.URL = "https://bot.example/ask" }, "webhook.secret_file")
	refuses("pause", func(c *Config) { c.Webhook.Pause = 0 }, "webhook.pause: 0s")
}
