package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// idSpace is the namespace of every UUID that is derived and not drawn.
var idSpace = uuid.MustParse("9d0c6c0e-6a0b-5b39-8f5e-2f6b0a7c7d11")

// NewTick makes the tick of one partition. Its id follows from source (empty: live), time, and partition.
func NewTick(source string, atUS int64, partition int32) *chatv1.ChatEvent {
	id := uuid.NewSHA1(idSpace, fmt.Appendf(nil, "tick\x00%s\x00%d\x00%d", source, atUS, partition))
	return &chatv1.ChatEvent{
		EventId:      id.String(),
		Actor:        &chatv1.Actor{Role: chatv1.Role_ROLE_SYSTEM},
		OccurredAtUs: atUS,
		Payload:      &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: atUS}},
	}
}

// TickPublisher is what the Clock needs of a Publisher.
type TickPublisher interface {
	PublishTick(ctx context.Context, atUS int64) error
}

// Clock publishes the wall clock as ticks to every partition of chat.events. One per installation is
// enough; more do no harm. It never tells a time before one that it has told.
type Clock struct {
	publisher TickPublisher
	interval  time.Duration
	nowUS     func() int64
	log       *slog.Logger
}

// NewClock publishes through p each cfg.TickInterval.
func NewClock(cfg Config, p TickPublisher, deps Dependencies) *Clock {
	deps = deps.withDefaults()
	return &Clock{publisher: p, interval: cfg.TickInterval, nowUS: deps.NowUS, log: deps.Logger}
}

// Run publishes until ctx ends; it returns nil then. While Kafka is away it goes on trying, each time
// with the time of the attempt, and logs once.
func (c *Clock) Run(ctx context.Context) error {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	var last int64
	away := false
	for {
		last = max(last, c.nowUS())
		err := c.publisher.PublishTick(ctx, last)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !away:
			away = true
			c.log.Warn("ticks stand still; trying on", "error", err)
		case err == nil && away:
			away = false
			c.log.Info("ticks go on")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
