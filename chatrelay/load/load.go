// Package load makes relays work: many consumers and agents who are connected, and a steady stream of messages
// between them. It measures what they feel, and checks that nothing is lost, told twice, or out of order.
//
// It must not know how a relay is built: it is a client like others.
package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
)

// Config of a run.
type Config struct {
	// URLs of the relays; connections are spread over them.
	URLs []string
	// Connections in all, in so many Shops, with so many Agents in each.
	Connections, Shops, Agents int
	// Rate of messages a second, half of them from consumers, for Duration.
	Rate     float64
	Duration time.Duration
	// Opening bounds how many connections are opened at the same time.
	Opening int
	// Token makes a token for an account.
	Token func(role signin.Role, account, shop string) (string, error)
	// Client is the application's name.
	Client string
	// Bytes of a message's text.
	Bytes int
	// Idle, if set, is called when all connections are open and nothing is said yet.
	Idle func()
}

func (c Config) validate() error {
	switch {
	case len(c.URLs) == 0 || c.Token == nil:
		return errors.New("load: no URL or no tokens")
	case c.Shops < 1 || c.Agents < 1 || c.Connections < c.Shops*(c.Agents+1):
		return fmt.Errorf("load: %d connections are too few for %d shops with %d agents and a consumer each", c.Connections, c.Shops, c.Agents)
	case !(c.Rate > 0) || c.Duration <= 0 || c.Bytes < 1 || c.Opening < 1:
		return errors.New("load: rate, duration, bytes, and opening must be above 0")
	}
	return nil
}

// Quantiles of a measure.
type Quantiles struct {
	N                  int
	P50, P90, P99, Max time.Duration
}

// Report is what a run found.
type Report struct {
	Connections int
	// Opening is how long it took to open them.
	Opening time.Duration
	// Sent messages, and those acknowledged; Lag is how far behind the wanted rate the generator fell at worst.
	Sent, Acked int64
	Lag         time.Duration
	Elapsed     time.Duration
	// Ack is from a send to its acknowledgement, Delivery from a send to its arrival at the other side.
	Ack, Delivery Quantiles
	// Check is the sum of what all clients noticed.
	Check client.Check
	// Failed counts sends that were refused, with one of the errors.
	Failed int64
	Err    error
}

// seat is one connection.
type seat struct {
	client *client.Client
	shop   int
	conv   string // of a consumer
}

// run is the state of Run.
type run struct {
	cfg       Config
	consumers []*seat
	agents    [][]*seat // by shop
	sentAt    sync.Map  // shop/request id -> time.Time

	mu       sync.Mutex
	ack      []time.Duration
	delivery []time.Duration
	sent     atomic.Int64
	acked    atomic.Int64
	failed   atomic.Int64
	err      atomic.Pointer[error]
}

// Run opens the connections, talks, waits until everything has arrived, and closes them.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, agents: make([][]*seat, cfg.Shops)}
	clients, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	start := time.Now()
	if err := r.open(clients, &wait); err != nil {
		return nil, err
	}
	rep := &Report{Connections: cfg.Connections, Opening: time.Since(start)}
	if cfg.Idle != nil {
		cfg.Idle()
	}
	rep.Lag = r.talk(ctx)
	rep.Elapsed = cfg.Duration
	r.drain(ctx)
	rep.Sent, rep.Acked, rep.Failed = r.sent.Load(), r.acked.Load(), r.failed.Load()
	if e := r.err.Load(); e != nil {
		rep.Err = *e
	}
	r.mu.Lock()
	rep.Ack, rep.Delivery = quantiles(r.ack), quantiles(r.delivery)
	r.mu.Unlock()
	for _, s := range r.all() {
		rep.Check = sum(rep.Check, s.client.Check())
	}
	return rep, ctx.Err()
}

func (r *run) all() []*seat {
	out := slices.Clone(r.consumers)
	for _, of := range r.agents {
		out = append(out, of...)
	}
	return out
}

func (r *run) open(ctx context.Context, wait *sync.WaitGroup) error {
	var g errgroup.Group
	g.SetLimit(r.cfg.Opening)
	for n := range r.cfg.Connections {
		shop := n % r.cfg.Shops
		s := &seat{shop: shop}
		role, id := signin.Consumer, fmt.Sprintf("load-c%d", n)
		if n < r.cfg.Shops*r.cfg.Agents {
			role, id = signin.Agent, fmt.Sprintf("load-a%d", n/r.cfg.Shops)
			r.agents[shop] = append(r.agents[shop], s)
		} else {
			s.conv = id
			r.consumers = append(r.consumers, s)
		}
		name := shopName(shop)
		caught := make(chan struct{})
		var once sync.Once
		cfg := client.Config{
			URLs: []string{r.cfg.URLs[n%len(r.cfg.URLs)]}, Client: r.cfg.Client, Version: "load", Ping: 25 * time.Second, Window: 16,
			Token: func() (string, error) { return r.cfg.Token(role, id, name) },
			OnFrame: func(f *protocol.Frame) {
				if f.Type == protocol.TypeCaughtUp {
					once.Do(func() { close(caught) })
				}
			},
			OnEvent: func(d client.Delivery) { r.arrived(s, d) },
		}
		c, err := client.New(cfg)
		if err != nil {
			return err
		}
		s.client = c
		g.Go(func() error {
			ended := make(chan error, 1)
			wait.Go(func() { ended <- c.Run(ctx) })
			select {
			case <-caught:
				return nil
			case err := <-ended:
				return fmt.Errorf("load: connection %d: %w", n, errors.Join(err, ctx.Err()))
			case <-time.After(2 * time.Minute):
				return fmt.Errorf("load: connection %d was not let in within 2 minutes", n)
			}
		})
	}
	return g.Wait()
}

func shopName(n int) string { return fmt.Sprintf("load-shop-%d", n) }

// arrived measures the way to the other side: to the first agent of the shop, or to the consumer.
func (r *run) arrived(s *seat, d client.Delivery) {
	m := d.Event.GetMessage()
	if m == nil || s.conv == "" && r.agents[s.shop][0] != s {
		return
	}
	if mine := d.Event.Actor.GetId() == s.conv; mine && s.conv != "" || s.conv == "" && d.Event.Actor.GetId() != d.Event.ConversationId {
		return
	}
	if at, ok := r.sentAt.LoadAndDelete(d.Event.ShopId + "/" + m.ClientMessageId); ok {
		took := d.At.Sub(at.(time.Time))
		r.mu.Lock()
		r.delivery = append(r.delivery, took)
		r.mu.Unlock()
	}
}

// talk sends at the wanted rate, whatever becomes of it, and returns how far it fell behind.
func (r *run) talk(ctx context.Context) (lag time.Duration) {
	var sending sync.WaitGroup
	defer sending.Wait()
	text := string(slices.Repeat([]byte("x"), r.cfg.Bytes))
	begin := time.Now()
	total := int(r.cfg.Rate * r.cfg.Duration.Seconds())
	for n := range total {
		due := begin.Add(time.Duration(float64(n) / r.cfg.Rate * float64(time.Second)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return lag
			}
		} else {
			lag = max(lag, -wait)
		}
		to := r.consumers[n/2%len(r.consumers)]
		from, conv := to, ""
		if n%2 == 1 {
			agents := r.agents[to.shop]
			from, conv = agents[n/2%len(agents)], to.conv
		}
		req := &protocol.Request{Type: protocol.TypeSend, ConversationID: conv, Text: text}
		sending.Go(r.send(ctx, from, to, req))
	}
	return lag
}

// send hands a message to its client at once, so that a sender's messages keep their order, and then waits.
func (r *run) send(ctx context.Context, from, to *seat, req *protocol.Request) (wait func()) {
	start := time.Now()
	r.sent.Add(1)
	req.ID = from.client.NewID(req)
	key := shopName(to.shop) + "/" + req.ID
	r.sentAt.Store(key, start)
	fail := func(err error) {
		r.sentAt.Delete(key)
		r.failed.Add(1)
		r.err.CompareAndSwap(nil, &err)
	}
	call, err := from.client.Go(req)
	if err != nil {
		fail(err)
		return func() {}
	}
	return func() {
		select {
		case <-call.Done():
		case <-ctx.Done():
			return
		}
		if _, err := call.Result(); err != nil {
			fail(err)
			return
		}
		took := time.Since(start)
		r.acked.Add(1)
		r.mu.Lock()
		r.ack = append(r.ack, took)
		r.mu.Unlock()
	}
}

// drain waits until all that was acknowledged has arrived.
func (r *run) drain(ctx context.Context) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; {
		left := 0
		r.sentAt.Range(func(any, any) bool { left++; return true })
		if left == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func quantiles(all []time.Duration) Quantiles {
	if len(all) == 0 {
		return Quantiles{}
	}
	slices.Sort(all)
	at := func(q float64) time.Duration { return all[min(int(q*float64(len(all))), len(all)-1)] }
	return Quantiles{N: len(all), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: all[len(all)-1]}
}

func sum(a, b client.Check) client.Check {
	a.Events += b.Events
	a.Numbered += b.Numbered
	a.Lost += b.Lost
	a.Duplicates += b.Duplicates
	a.Reordered += b.Reordered
	a.Repeats += b.Repeats
	a.Backwards += b.Backwards
	a.Reconnects += b.Reconnects
	a.Resent += b.Resent
	a.Gaps += b.Gaps
	return a
}
