package sinks

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// in puts the test's database in place of "db.".
func (w *world) in(query string) string {
	return strings.ReplaceAll(query, "db.", w.database+".")
}

// behind is how many records the sinks' group has not committed.
func (w *world) behind() int64 {
	w.Helper()
	var topics []string
	for _, name := range Topics() {
		topics = append(topics, w.ns.Topic(name))
	}
	admin := w.admin()
	ends, err := admin.ListEndOffsets(w.Context(), topics...)
	if err != nil {
		w.Fatal(err)
	}
	commits, err := admin.FetchOffsets(w.Context(), w.ns.Topic(Group))
	if err != nil {
		return -1
	}
	var behind int64
	ends.Each(func(end kadm.ListedOffset) {
		at := int64(0)
		if commit, ok := commits.Lookup(end.Topic, end.Partition); ok {
			at = max(commit.At, 0)
		}
		behind += end.Offset - at
	})
	return behind
}

// eventOf is the n-th event of a shop: a text of a consumer, every tenth an answer.
func eventOf(shop string, n int) *chatv1.ChatEvent {
	role, id := chatv1.Role_ROLE_CONSUMER, fmt.Sprintf("u%d", n%7)
	if n%10 == 9 {
		role, id = chatv1.Role_ROLE_AGENT, "a"
	}
	return &chatv1.ChatEvent{
		EventId: fmt.Sprintf("00000000-0000-7000-8000-%012d", n), ShopId: shop, ConversationId: fmt.Sprintf("c%d", n%7), OccurredAtUs: at(int64(n)),
		Actor:   &chatv1.Actor{Role: role, Id: id},
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: fmt.Sprintf("text %d", n)}},
	}
}

func (w *world) publishMessages(shop string, from, to int) {
	w.Helper()
	for n := from; n < to; n++ {
		ev := eventOf(shop, n)
		w.publish(schemas.TopicEvents, schemas.EventKey(ev.ShopId, ev.ConversationId), ev)
	}
}

// held is a connection whose inserts, once acknowledged, are held back until they are let go or given up: what a
// process that dies between insert and commit leaves behind.
type held struct {
	driver.Conn
	// holding may be turned off for a while.
	holding  atomic.Bool
	mu       sync.Mutex
	inserted int
	release  chan struct{}
}

func hold(conn driver.Conn) *held {
	h := &held{Conn: conn, release: make(chan struct{})}
	h.holding.Store(true)
	return h
}

func (h *held) PrepareBatch(ctx context.Context, query string, options ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := h.Conn.PrepareBatch(ctx, query, options...)
	if err != nil {
		return nil, err
	}
	return heldBatch{Batch: b, held: h, ctx: ctx}, nil
}

func (h *held) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inserted
}

type heldBatch struct {
	driver.Batch
	held *held
	ctx  context.Context
}

func (b heldBatch) Send() error {
	if err := b.Batch.Send(); err != nil {
		return err
	}
	b.held.mu.Lock()
	b.held.inserted++
	b.held.mu.Unlock()
	if !b.held.holding.Load() {
		return nil
	}
	select {
	case <-b.held.release:
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// publishMany publishes messages in bulk.
func (w *world) publishMany(shop string, n int) {
	w.Helper()
	var records []*kgo.Record
	for i := range n {
		ev := eventOf(shop, i)
		rec := recordOf(w, w.ns, schemas.TopicEvents, schemas.EventKey(ev.ShopId, ev.ConversationId), 0, ev)
		rec.Partition = schemas.Partition(rec.Key, w.broker.Partitions)
		records = append(records, rec)
	}
	if err := w.client.ProduceSync(w.Context(), records...).FirstErr(); err != nil {
		w.Fatal(err)
	}
}

func (w *world) admin() *kadm.Client { return kadm.NewClient(w.client) }
