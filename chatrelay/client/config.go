package client

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/feigeio/feige/chatrelay/protocol"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Config of a Client.
type Config struct {
	// URLs of relays, http(s) or ws(s), with or without the path /ws. The next one is tried when one fails.
	URLs []string
	// Token returns the token to sign in with; it is asked at every connect.
	Token func() (string, error)
	// Client and Version name the application (2.10).
	Client, Version string
	// ShopID, where the token names none.
	ShopID string
	// Position to resume from at first; empty: from now on.
	Position string
	// MinBackoff and MaxBackoff bound the pause before connecting again (100 ms and 10 s by default).
	MinBackoff, MaxBackoff time.Duration
	// Window is how many requests may wait for their answers at the same time (64 by default). Messages of
	// one conversation go one after the other in any case.
	Window int
	// Ping is how often something is sent (20 s by default).
	Ping time.Duration
	// HTTP, if set, makes connections.
	HTTP   *http.Client
	Logger *slog.Logger

	// OnEvent is told of every event once, in order. OnFrame is told of every other frame. Both are called by
	// the reading goroutine: what they do holds up what comes next. They must not wait for answers.
	OnEvent func(Delivery)
	OnFrame func(*protocol.Frame)
	// OnState is told when a connection is there (true) or lost (false).
	OnState func(connected bool)
}

// Delivery is one event as it came.
type Delivery struct {
	Position string
	Event    *chatv1.ChatEvent
	// At is when it came.
	At time.Time
}

func (c Config) withDefaults() Config {
	if c.MinBackoff <= 0 {
		c.MinBackoff = 100 * time.Millisecond
	}
	if c.MaxBackoff <= 0 {
		c.MaxBackoff = 10 * time.Second
	}
	if c.Window <= 0 {
		c.Window = 64
	}
	if c.Ping <= 0 {
		c.Ping = 20 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
