package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// logged is a Kafka with chat.events of one partition, and a feed on it.
type logged struct {
	t      *testing.T
	client *kgo.Client
	feed   *Feed
}

func newLogged(t *testing.T, cfg Config) *logged {
	t.Helper()
	b, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	bcfg := broker.DefaultConfig()
	bcfg.Brokers, bcfg.Partitions = []string{b.Addr()}, 1
	opts, err := bcfg.KGO()
	if err != nil {
		t.Fatal(err)
	}
	l := &logged{t: t}
	if l.client, err = kgo.NewClient(append(opts, kgo.DefaultProduceTopic(schemas.TopicEvents))...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.client.Close)
	if _, err := kadm.NewClient(l.client).CreateTopic(t.Context(), 1, 1, nil, schemas.TopicEvents); err != nil {
		t.Fatal(err)
	}
	cfg.MaxWait = 20 * time.Millisecond
	if l.feed, err = New(cfg, Dependencies{Broker: bcfg}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.feed.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return l
}

func (l *logged) put(key string, value []byte) {
	l.t.Helper()
	if err := l.client.ProduceSync(context.Background(), &kgo.Record{Key: []byte(key), Value: value}).FirstErr(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *logged) say(shop, conversation, id string) {
	l.t.Helper()
	value, err := (&chatv1.ChatEvent{EventId: id, ShopId: shop, ConversationId: conversation, OccurredAtUs: 1,
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Text: id}}}).MarshalVT()
	if err != nil {
		l.t.Fatal(err)
	}
	l.put(schemas.EventKey(shop, conversation), value)
}

// follower gathers ids.
type gather struct {
	mu  sync.Mutex
	ids []string
}

func (g *gather) add(r *Record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids = append(g.ids, r.Event.EventId)
}

func (g *gather) missed(r *Record) error { g.add(r); return nil }

func (g *gather) await(t *testing.T, want []string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		g.mu.Lock()
		got := slices.Clone(g.ids)
		g.mu.Unlock()
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %d %q, want %d", len(got), got, len(want))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func ids(from, to int) (out []string) {
	for n := from; n < to; n++ {
		out = append(out, fmt.Sprint("e", n))
	}
	return out
}

func TestFollow(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Records = 64
	l := newLogged(t, cfg)
	for n := range 300 {
		l.say("tea", "c1", fmt.Sprint("e", n))
	}
	at := func(shop, conversation string, after int64, want []string) *gather {
		t.Helper()
		g := &gather{}
		f := &Follower{Shop: shop, Conversation: conversation, Deliver: g.add}
		if err := l.feed.Follow(t.Context(), f, after, g.missed); err != nil {
			t.Fatal(err)
		}
		g.await(t, want)
		return g
	}
	all := at("tea", "", -1, ids(0, 300))       // far behind memory
	part := at("tea", "c1", 280, ids(281, 300)) // within memory
	now := at("tea", "c1", Now, nil)
	end := at("tea", "c1", 299, nil)
	other := at("tea", "c2", -1, nil)
	foreign := at("toys", "", -1, nil)

	// Repeats, ticks, and rubbish are passed over.
	l.say("tea", "c1", "e299")
	l.put(schemas.TickKey(0, 1), []byte("tick"))
	l.put("tea/c1", []byte("\xff\xff rubbish"))
	l.say("tea", "c2", "other")
	l.say("tea", "c1", "e300")
	all.await(t, append(ids(0, 300), "other", "e300"))
	part.await(t, ids(281, 301))
	now.await(t, ids(300, 301))
	end.await(t, ids(300, 301))
	other.await(t, []string{"other"})
	foreign.await(t, nil)

	if err := l.feed.Follow(t.Context(), &Follower{Shop: "tea", Deliver: func(*Record) {}}, 10_000, nil); !errors.Is(err, ErrGone) {
		t.Errorf("beyond the end: %v", err)
	}
	if _, err := kadm.NewClient(l.client).DeleteRecords(t.Context(), kadm.Offsets{schemas.TopicEvents: {0: {Topic: schemas.TopicEvents, At: 50}}}); err != nil {
		t.Fatal(err)
	}
	if err := l.feed.Follow(t.Context(), &Follower{Shop: "tea", Deliver: func(*Record) {}}, 10, nil); !errors.Is(err, ErrGone) {
		t.Errorf("before the beginning: %v", err)
	}
}

// TestFollowWhileItMoves begins followers at random places while records come in.
func TestFollowWhileItMoves(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Records = 64
	l := newLogged(t, cfg)
	const n = 1000
	want := ids(0, n)
	go func() {
		for i := range n {
			l.say("tea", "c1", want[i])
		}
	}()
	var followers sync.WaitGroup
	for i := range 40 {
		followers.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			g := &gather{}
			f := &Follower{Shop: "tea", Conversation: "c1", Deliver: g.add}
			if err := l.feed.Follow(t.Context(), f, -1, g.missed); err != nil {
				t.Error(err)
				return
			}
			defer l.feed.Leave(f)
			g.await(t, want)
		})
	}
	followers.Wait()
}

func TestRest(t *testing.T) {
	t.Parallel()
	l := newLogged(t, DefaultConfig())
	l.say("tea", "c1", "e0")
	g := &gather{}
	f := &Follower{Shop: "tea", Deliver: g.add}
	if err := l.feed.Follow(t.Context(), f, -1, g.missed); err != nil {
		t.Fatal(err)
	}
	l.feed.Rest()
	l.say("tea", "c1", "e1")
	g.await(t, ids(0, 2)) // somebody follows: it is still read
	l.feed.Leave(f)
	l.feed.Rest()
	if _, reading := l.feed.Head("tea"); reading {
		t.Error("it is read although nobody follows")
	}
	l.say("tea", "c1", "e2")
	if err := l.feed.Follow(t.Context(), f, 1, g.missed); err != nil {
		t.Fatal(err)
	}
	l.say("tea", "c1", "e3")
	g.await(t, ids(0, 4))
}
