package archive_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/chatrelay/archive"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks"
)

func say(text string, change func(*chatv1.Message)) *chatv1.ChatEvent {
	m := &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: text, ClientMessageId: "m"}
	if change != nil {
		change(m)
	}
	return &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_Message{Message: m}}
}

// TestOlder sends one event of every kind through log and sink, and reads them back.
func TestOlder(t *testing.T) {
	if _, err := eclickhouse.Locate(""); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	kafka, err := ekafka.Start(ctx, ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	bcfg := broker.DefaultConfig()
	bcfg.Brokers, bcfg.Partitions = []string{kafka.Addr()}, 2
	if _, err := ingest.ApplyTopics(ctx, bcfg, "", ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	ccfg := eclickhouse.DefaultConfig()
	ccfg.Dir, ccfg.Addr = t.TempDir(), "127.0.0.1:0"
	server, err := eclickhouse.Start(ctx, ccfg, eclickhouse.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	wcfg := warehouse.DefaultConfig()
	wcfg.Addr = []string{server.Addr()}
	conn, err := warehouse.Open(ctx, wcfg, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := warehouse.Migrate(ctx, conn, warehouse.MigrateOptions{Database: warehouse.Database(""), TimeZone: "Asia/Shanghai"}); err != nil {
		t.Fatal(err)
	}
	sink, err := sinks.New(sinks.DefaultConfig(), sinks.Dependencies{Broker: bcfg, Conn: conn, Database: warehouse.Database("")})
	if err != nil {
		t.Fatal(err)
	}
	sinking, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- sink.Run(sinking) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	consumer := &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: "c1"}
	agent := &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a'\\1"}
	events := []*chatv1.ChatEvent{
		{Actor: consumer, Payload: &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}},
		say("问题?", nil),
		say("", func(m *chatv1.Message) {
			m.Kind = chatv1.MessageKind_MESSAGE_KIND_PICTURE
			m.Attachments = []*chatv1.Attachment{{Id: "x", MimeType: "image/png", Size: 7, Sha256: "ab", QrPayloads: []string{"q"}, FileName: "f.png"}}
		}),
		say("", func(m *chatv1.Message) {
			m.Kind = chatv1.MessageKind_MESSAGE_KIND_CARD
			m.Card = &chatv1.Card{Kind: "product", Id: "p", Title: "茶"}
		}),
		{Actor: agent, Payload: &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: &chatv1.ConversationTransferred{FromAgentId: "a", ToAgentId: "b"}}},
		{Actor: agent, Payload: &chatv1.ChatEvent_ConversationRead{ConversationRead: &chatv1.ConversationRead{UpToEventId: "e"}}},
		{Actor: agent, Payload: &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: "solved"}}},
		{Actor: consumer, Payload: &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 4, Life: 1}}},
		{Actor: agent, Payload: &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: "c1", Reason: "r"}}},
		{Actor: agent, Payload: &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: &chatv1.ConsumerUnblocked{ConsumerId: "c1"}}},
		{Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM}, Payload: &chatv1.ChatEvent_MessageShielded{MessageShielded: &chatv1.MessageShielded{MessageEventId: "e", FlagId: "f"}}},
		say("other conversation", nil),
	}
	now := time.Now().UnixMicro()
	for i, ev := range events {
		ev.EventId, ev.ShopId, ev.ConversationId, ev.OccurredAtUs = fmt.Sprintf("id-%d'", i), "tea's", "c1", now+int64(i)
		if ev.Actor == nil {
			ev.Actor = consumer
		}
	}
	last := len(events) - 1
	events[last].ConversationId = "c2"
	pub, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: bcfg})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	if err := pub.Publish(ctx, events...); err != nil {
		t.Fatal(err)
	}
	a := archive.New(conn, warehouse.Database(""))
	part := schemas.Partition([]byte("tea's"), 2)
	read := func(conversation string, before int64, n int) []*chatv1.ChatEvent {
		t.Helper()
		recs, err := a.Older(ctx, "tea's", conversation, part, before, n)
		if err != nil {
			t.Fatal(err)
		}
		var out []*chatv1.ChatEvent
		for _, r := range recs {
			if r.Partition != part || len(r.Frame()) == 0 {
				t.Errorf("record %+v", r)
			}
			out = append(out, r.Event)
		}
		return out
	}
	for len(read("c2", 1<<40, 10)) == 0 && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	got := read("c1", 1<<40, 100)
	if len(got) != last {
		t.Fatalf("%d events", len(got))
	}
	for i, ev := range got { // newest first
		if want := events[last-1-i]; !proto.Equal(ev, want) {
			t.Errorf("got  %v\nwant %v", ev, want)
		}
	}
	if got := read("c1", 5, 2); len(got) != 2 || got[0].EventId != events[4].EventId || got[1].EventId != events[3].EventId {
		t.Errorf("a stretch of two: %v", got)
	}
}
