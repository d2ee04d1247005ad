package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/feigeio/feige/chatrelay/protocol"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// maxFrame bounds what a relay may send in one frame.
const maxFrame = 4 << 20

// link is one websocket.
type link struct {
	conn *websocket.Conn
	out  chan []byte
	stop context.CancelFunc
}

// send queues a frame; a connection that takes nothing is given up.
func (l *link) send(req *protocol.Request) {
	data, err := json.Marshal(req)
	if err != nil {
		return // strings and numbers only
	}
	select {
	case l.out <- data:
	default:
		l.stop()
	}
}

// connect makes a connection and keeps it until it is lost. welcomed tells whether the relay let us in.
func (c *Client) connect(ctx context.Context, url string) (welcomed bool, err error) {
	token, err := c.cfg.Token()
	if err != nil {
		return false, fmt.Errorf("token: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dial, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	conn, _, err := websocket.Dial(dial, url, //nolint:bodyclose // the library closes it
		&websocket.DialOptions{HTTPClient: c.cfg.HTTP, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return false, fmt.Errorf("dial: %w", err)
	}
	defer conn.CloseNow() //nolint:errcheck // it is closed already, or it does not matter how
	conn.SetReadLimit(maxFrame)
	l := &link{conn: conn, out: make(chan []byte, c.cfg.Window+64), stop: cancel}
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		defer cancel()
		l.write(ctx, c.cfg.Ping)
	}()
	defer func() { cancel(); <-wrote }()
	c.mu.Lock()
	hello := &protocol.Request{Type: protocol.TypeHello, ID: c.run, Versions: []int{protocol.Version}, Token: token, Client: c.cfg.Client,
		ClientVersion: c.cfg.Version, ShopID: c.cfg.ShopID, Position: c.position[c.cfg.ShopID]}
	c.mu.Unlock()
	l.send(hello)
	defer c.lost(l)
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			if welcomed && c.cfg.OnState != nil {
				c.cfg.OnState(false)
			}
			return welcomed, fmt.Errorf("%w: %w", errLost, err)
		}
		var f protocol.Frame
		if err := json.Unmarshal(data, &f); err != nil {
			return welcomed, fmt.Errorf("a frame that is none: %w", err)
		}
		if f.Type == protocol.TypeWelcome {
			welcomed = true
			c.welcomed(l, &f)
		}
		if p := c.take(&f); p != nil && (!welcomed || fatal(p.Code)) {
			if welcomed && c.cfg.OnState != nil {
				c.cfg.OnState(false)
			}
			return welcomed, p
		}
	}
}

// fatal codes come before the relay closes the connection.
func fatal(c protocol.Code) bool {
	switch c {
	case protocol.CodeVersion, protocol.CodeHelloFirst, protocol.CodeTimeout, protocol.CodeUnauthorized, protocol.CodeClientRefused,
		protocol.CodeSlowConsumer, protocol.CodeGoingAway:
		return true
	}
	return false
}

// write sends what is queued, and a ping when nothing is.
func (l *link) write(ctx context.Context, ping time.Duration) {
	tick := time.NewTicker(ping)
	defer tick.Stop()
	for {
		var data []byte
		select {
		case <-ctx.Done():
			// A clean end, where there is still somebody.
			_ = l.conn.Close(websocket.StatusNormalClosure, "")
			return
		case data = <-l.out:
		case <-tick.C:
			data = []byte(`{"type":"ping"}`)
		}
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := l.conn.Write(limited, websocket.MessageText, data)
		cancel()
		if err != nil {
			return
		}
	}
}

func (c *Client) welcomed(l *link, f *protocol.Frame) {
	c.mu.Lock()
	first := c.welcome == nil
	c.welcome, c.link = f, l
	if f.Position != "" && c.position[c.cfg.ShopID] == "" {
		c.position[c.cfg.ShopID] = f.Position
	}
	for _, shop := range c.watched {
		if !first && c.flyingWatch(shop) == nil {
			c.plain++
			l.send(&protocol.Request{Type: protocol.TypeWatch, ID: fmt.Sprint(c.run, "w-", c.plain), ShopID: shop, Position: c.position[shop]})
		}
	}
	c.mu.Unlock()
	if c.cfg.OnState != nil {
		c.cfg.OnState(true)
	}
	c.mu.Lock()
	c.pump()
	c.mu.Unlock()
	if first {
		close(c.ready)
	}
}

// flyingWatch finds a watch request of the shop that waits to be sent. The lock is held.
func (c *Client) flyingWatch(shop string) *call {
	for _, k := range c.queue {
		if k.req.Type == protocol.TypeWatch && k.req.ShopID == shop {
			return k
		}
	}
	return nil
}

// take deals with a frame. The result is the error that the relay tells of the connection as a whole, if any.
func (c *Client) take(f *protocol.Frame) *protocol.Problem {
	switch f.Type {
	case protocol.TypeMessage, protocol.TypeEvent:
		c.event(f)
		return nil
	case protocol.TypePosition, protocol.TypeCaughtUp:
		c.moved(f.ShopID, f.Position)
	}
	if c.cfg.OnFrame != nil {
		c.cfg.OnFrame(f)
	}
	if f.Type == protocol.TypeError {
		p := &protocol.Problem{Code: f.Code, Text: f.Text, RetryAfterMS: f.RetryAfterMS}
		if f.Code == protocol.CodePositionGone {
			c.check.add(func(k *Check) { k.Gaps++ })
			return nil
		}
		if f.Re == "" || f.Re == c.run {
			return p
		}
	}
	if f.Re != "" {
		c.answered(f)
	}
	return nil
}

// ParseEvent reads the event of a frame. The error holds nothing of it.
func ParseEvent(data []byte) (*chatv1.ChatEvent, error) {
	ev := &chatv1.ChatEvent{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, ev); err != nil {
		return nil, errors.New("not the Protobuf JSON mapping of an event")
	}
	return ev, nil
}

// event hands an event on, once.
func (c *Client) event(f *protocol.Frame) {
	ev, err := ParseEvent(f.Event)
	if err != nil {
		c.cfg.Logger.Warn("chat client: an event cannot be read", "error", err)
		return
	}
	p, err := protocol.ParsePosition(f.Position)
	if err != nil {
		return
	}
	if c.check.fresh(ev.EventId) {
		c.check.delivered(p.Partition, p.Offset, ev)
		if c.cfg.OnEvent != nil {
			c.cfg.OnEvent(Delivery{Position: f.Position, Event: ev, At: time.Now()})
		}
	}
	c.moved(ev.ShopId, f.Position)
}

func (c *Client) moved(shop, position string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, watched := c.position[shop]; !watched {
		shop = c.cfg.ShopID
	}
	c.position[shop] = position
}
