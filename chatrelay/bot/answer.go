package bot

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/ingest"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// AnswerID is the id of the answer to a message: always the same.
func AnswerID(ev *chatv1.ChatEvent) string {
	return protocol.EventID(ev.ShopId, ev.ConversationId, "bot", "", protocol.TypeSend, ev.EventId)
}

// work answers the messages of some conversations, in order.
func (b *Bot) work(ctx context.Context, in <-chan *message) {
	for {
		select {
		case m := <-in:
			b.answer(ctx, m)
		case <-b.stopped:
			return
		}
	}
}

func (b *Bot) answer(ctx context.Context, m *message) {
	if m.of.isLost() {
		return // its new owner answers
	}
	text, from := b.text(ctx, m.event)
	if ctx.Err() != nil {
		return
	}
	if !b.receptions.bot(m.event.ShopId) {
		b.leave(m, leftBack)
		return
	}
	reply := &chatv1.ChatEvent{
		EventId: AnswerID(m.event), ShopId: m.event.ShopId, ConversationId: m.event.ConversationId,
		Actor:        &chatv1.Actor{Role: chatv1.Role_ROLE_BOT, Id: b.cfg.Account},
		OccurredAtUs: max(b.deps.NowUS(), m.event.OccurredAtUs),
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{
			Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: text, ClientMessageId: "re-" + m.event.EventId,
		}},
	}
	if !b.publish(ctx, m, reply) {
		return
	}
	b.metrics.answers.WithLabelValues(from).Inc()
	b.metrics.latency.Observe(float64(b.deps.NowUS()-m.event.OccurredAtUs) / 1e6)
	m.of.end(m.offset)
}

// text is what to say.
func (b *Bot) text(ctx context.Context, ev *chatv1.ChatEvent) (text, from string) {
	if b.hook != nil {
		text, err := b.hook.ask(ctx, ev)
		switch {
		case err != nil:
			b.metrics.hook.WithLabelValues("failed").Inc()
			b.log.Debug("bot: no answer of the webhook", "error", err)
		case text == "":
			b.metrics.hook.WithLabelValues("passed").Inc()
		default:
			b.metrics.hook.WithLabelValues("answered").Inc()
			return text, byWebhook
		}
	}
	b.listing.RLock()
	defer b.listing.RUnlock()
	answer, entry := b.lists.Of(ev.ShopId).Answer(ev.GetMessage().GetText(), b.cfg.Coverage)
	if entry == "" {
		return answer, byFallback
	}
	return answer, byList
}

// publish tries until Kafka has the answer. It returns false when it is not to be: the message is then dealt with,
// or left for the next one who reads it.
func (b *Bot) publish(ctx context.Context, m *message, reply *chatv1.ChatEvent) bool {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := b.deps.Publisher.Publish(ctx, reply)
		if err == nil {
			return true
		}
		var invalid *ingest.ValidationError
		var failed *ingest.PublishError
		if errors.As(err, &invalid) || errors.As(err, &failed) && !failed.Retryable() && ctx.Err() == nil {
			b.log.Error("bot: an answer is not accepted", "shop", reply.ShopId, "event", reply.EventId, "error", err)
			b.leave(m, leftRefuse)
			return false
		}
		b.metrics.retries.Inc()
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		if m.of.isLost() {
			return false
		}
		if !b.receptions.bot(reply.ShopId) {
			b.leave(m, leftBack)
			return false
		}
	}
}

// commitResult notes whether a commit failed in any partition.
func commitResult(failed *bool) func(*kgo.Client, *kmsg.OffsetCommitRequest, *kmsg.OffsetCommitResponse, error) {
	return func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		if *failed = err != nil; res == nil {
			return
		}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				*failed = *failed || p.ErrorCode != 0
			}
		}
	}
}
