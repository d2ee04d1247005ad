package client

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/feigeio/feige/chatrelay/protocol"
)

// runPrefix begins the ids of requests of these clients.
const runPrefix = "f"

var (
	// ErrClosed says that the client has ended.
	ErrClosed = errors.New("the client has ended")
	errLost   = errors.New("the connection was lost")
)

// Client is one account's connection. Run must be called once. Safe for concurrent use.
type Client struct {
	cfg   Config
	urls  []string
	run   string
	check *checker

	mu       sync.Mutex
	position map[string]string // by shop
	watched  []string
	numbers  map[string]int64 // newest number, by conversation
	plain    int64
	queue    []*call // not sent, or to be sent again, in order
	flying   map[string]*call
	known    map[string]bool // ids of what is in queue or flying
	busy     map[string]int  // requests in flight that publish, by conversation
	welcome  *protocol.Frame
	link     *link // nil: not connected
	ended    bool
	ready    chan struct{} // closed at the first welcome
}

// call is a request and what becomes of it.
type call struct {
	req     *protocol.Request
	ordered bool // waits for the earlier ones of its conversation
	sends   int
	notSo   time.Time // not before
	done    chan struct{}
	frame   *protocol.Frame
	err     error
}

// New does not connect yet.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if len(cfg.URLs) == 0 || cfg.Token == nil {
		return nil, errors.New("chat client: no URL or no token")
	}
	c := &Client{cfg: cfg, check: newChecker(), position: map[string]string{}, numbers: map[string]int64{}, flying: map[string]*call{}, known: map[string]bool{},
		busy: map[string]int{}, ready: make(chan struct{})}
	for _, text := range cfg.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("chat client: %q is no URL of a relay", text)
		}
		u.Scheme = strings.NewReplacer("https", "wss", "http", "ws").Replace(u.Scheme)
		if u.Path == "" || u.Path == "/" {
			u.Path = "/ws"
		}
		c.urls = append(c.urls, u.String())
	}
	var seed [10]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("chat client: %w", err)
	}
	c.run = runPrefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed[:]))
	c.position[cfg.ShopID] = cfg.Position
	return c, nil
}

// Run keeps the connection until ctx ends (then nil) or the relay says for good that this client may not be here:
// then the *protocol.Problem.
func (c *Client) Run(ctx context.Context) error {
	defer c.end()
	pause := c.cfg.MinBackoff
	for n := mrand.IntN(len(c.urls)); ; n++ {
		started := time.Now()
		welcomed, err := c.connect(ctx, c.urls[n%len(c.urls)])
		if ctx.Err() != nil {
			return nil
		}
		var p *protocol.Problem
		if errors.As(err, &p) && !p.Code.Retry() && p.Code != protocol.CodeInternal && p.Code != protocol.CodeBadFrame {
			return p
		}
		c.check.add(func(k *Check) { k.Reconnects++ })
		c.cfg.Logger.Debug("chat client: connecting again", "error", err)
		if welcomed && time.Since(started) > time.Second {
			pause = c.cfg.MinBackoff
		}
		wait := pause/2 + mrand.N(pause/2+1)
		if p != nil {
			wait = max(wait, time.Duration(p.RetryAfterMS)*time.Millisecond)
		}
		pause = min(2*pause, c.cfg.MaxBackoff)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// Ready is closed once the relay has welcomed the client for the first time.
func (c *Client) Ready() <-chan struct{} { return c.ready }

// Welcome is the newest welcome; nil before the first.
func (c *Client) Welcome() *protocol.Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome
}

// Check is what the client has noticed so far.
func (c *Client) Check() Check { return c.check.snapshot() }

// Position is where the client is in the log of its shop: to resume from in another process.
func (c *Client) Position() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position[c.cfg.ShopID]
}

// Connected tells whether there is a connection.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil
}

// Pending is the number of requests without an answer.
func (c *Client) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) + len(c.flying)
}

// Send sends a message and returns the acknowledgement. It tries again for as long as it takes; an error is the
// relay's refusal (a *protocol.Problem), ctx's (the message may still be sent), or ErrClosed.
func (c *Client) Send(ctx context.Context, req *protocol.Request) (*protocol.Frame, error) {
	req.Type = protocol.TypeSend
	return c.Do(ctx, req)
}

// Do sends any request and returns its answer. A request without an id is given one.
func (c *Client) Do(ctx context.Context, req *protocol.Request) (*protocol.Frame, error) {
	k, err := c.Go(req)
	if err != nil {
		return nil, err
	}
	select {
	case <-k.done:
		return k.frame, k.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Call is a request under way.
type Call struct{ *call }

// Done is closed once the answer is there.
func (k Call) Done() <-chan struct{} { return k.done }

// Result is the answer, once Done is closed.
func (k Call) Result() (*protocol.Frame, error) { return k.frame, k.err }

// Go sends a request and does not wait.
func (c *Client) Go(req *protocol.Request) (Call, error) {
	k := &call{req: req, done: make(chan struct{}), ordered: publishes(req.Type)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return Call{}, ErrClosed
	}
	if req.ID == "" {
		req.ID = c.number(req)
	}
	if c.known[req.ID] {
		return Call{}, fmt.Errorf("chat client: a request with id %s is under way", req.ID)
	}
	c.known[req.ID] = true
	c.queue = append(c.queue, k)
	c.pump()
	return Call{k}, nil
}

// Post sends a frame that has no answer (typing), if there is a connection now.
func (c *Client) Post(req *protocol.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != nil {
		c.link.send(req)
	}
}

// Watch adds a shop to what a service is told of. position may be empty.
func (c *Client) Watch(ctx context.Context, shop, position string) error {
	c.mu.Lock()
	c.watched = append(c.watched, shop)
	c.position[shop] = position
	c.mu.Unlock()
	_, err := c.Do(ctx, &protocol.Request{Type: protocol.TypeWatch, ShopID: shop, Position: position})
	return err
}

// NewID makes the id that Do would give a request. Requests of one conversation must be made in the order of their
// ids.
func (c *Client) NewID(req *protocol.Request) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.number(req)
}

// number makes an id. Messages have a series of their own in each conversation.
func (c *Client) number(req *protocol.Request) string {
	if req.Type != protocol.TypeSend {
		c.plain++
		return c.run + "x-" + strconv.FormatInt(c.plain, 10)
	}
	key := req.ShopID + "/" + req.ConversationID
	c.numbers[key]++
	series := strconv.FormatUint(xxhash.Sum64String(key), 36)
	return c.run + "." + series + "-" + strconv.FormatInt(c.numbers[key], 10)
}

func publishes(t protocol.Type) bool {
	switch t {
	case protocol.TypeHistory, protocol.TypeLink, protocol.TypePing, protocol.TypeWatch, protocol.TypeResume, protocol.TypePresence:
		return false
	}
	return true
}

// pump sends what may be sent. The lock is held.
func (c *Client) pump() {
	if c.link == nil || c.welcome == nil {
		return
	}
	now := time.Now()
	kept := c.queue[:0]
	held := map[string]bool{}
	for _, k := range c.queue {
		key := k.req.ShopID + "/" + k.req.ConversationID
		if len(c.flying) >= c.cfg.Window || k.ordered && (c.busy[key] > 0 || held[key]) || now.Before(k.notSo) {
			held[key] = held[key] || k.ordered
			kept = append(kept, k)
			continue
		}
		if k.sends++; k.sends > 1 {
			c.check.add(func(h *Check) { h.Resent++ })
		}
		c.flying[k.req.ID] = k
		if k.ordered {
			c.busy[key]++
		}
		c.link.send(k.req)
	}
	clear(c.queue[len(kept):])
	c.queue = kept
}

// answered takes an answer. retryAfter: the request is to be sent again.
func (c *Client) answered(f *protocol.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.flying[f.Re]
	if k == nil {
		return
	}
	delete(c.flying, f.Re)
	c.free(k)
	if f.Type == protocol.TypeError {
		if f.Retry {
			wait := max(time.Duration(f.RetryAfterMS)*time.Millisecond, 20*time.Millisecond)
			wait = min(wait<<min(k.sends-1, 4), max(wait, c.cfg.MaxBackoff))
			k.notSo = time.Now().Add(wait/2 + mrand.N(wait/2+1))
			c.queue = append([]*call{k}, c.queue...)
			time.AfterFunc(time.Until(k.notSo)+time.Millisecond, c.wake)
			c.pump()
			return
		}
		k.err = &protocol.Problem{Code: f.Code, Text: f.Text, RetryAfterMS: f.RetryAfterMS}
	}
	delete(c.known, k.req.ID)
	k.frame = f
	close(k.done)
	c.pump()
}

func (c *Client) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pump()
}

func (c *Client) free(k *call) {
	if !k.ordered {
		return
	}
	key := k.req.ShopID + "/" + k.req.ConversationID
	if c.busy[key]--; c.busy[key] <= 0 {
		delete(c.busy, key)
	}
}

// lost puts what has no answer back, in order, to be sent again.
func (c *Client) lost(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l {
		return
	}
	c.link = nil
	var back []*call
	for _, k := range c.flying {
		c.free(k)
		back = append(back, k)
	}
	clear(c.flying)
	// One a conversation at most waits for its answer, so any order among them is right.
	c.queue = append(back, c.queue...)
}

func (c *Client) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, k := range c.queue {
		k.err = ErrClosed
		close(k.done)
	}
	for _, k := range c.flying {
		k.err = ErrClosed
		close(k.done)
	}
	c.queue = nil
	clear(c.flying)
}
