package chatrelay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// maxBadFrames is how many frames that are none a connection may send.
const maxBadFrames = 10

// session is one connection. Its fields up to out are set before others can see it, and then fixed.
type session struct {
	relay   *Relay
	address string
	origin  origin
	id      signin.Identity
	// shop that it is connected for; empty: none (services, reviewers, auditors without one).
	shop string
	// conversation is the consumer's own.
	conversation string
	key          string // session id
	out          queue

	// state of an agent: protocol.State….
	state atomic.Value
	heard atomic.Int64 // when the last frame came, Unix nanoseconds
	ended atomic.Bool
	// caught: delivery of s.shop is up to date with the log.
	caught atomic.Bool

	// Of the reading goroutine:
	bad     int
	follows []*feed.Follower
	// watched are the shops that a service has asked for; guarded by the registry's lock.
	watched map[string]struct{}

	mu sync.Mutex
	// closed and rated say how the newest life of the consumer's conversation stands, asked that its rating was asked for.
	closed, rated, asked bool
	lastUS               int64
}

func newSession(r *Relay, conn *websocket.Conn, address string, o origin) *session {
	s := &session{relay: r, address: address, origin: o}
	s.out.relay, s.out.conn = r, conn
	s.heard.Store(time.Now().UnixNano())
	return s
}

func (s *session) account() account { return account{s.id.Role, s.id.Account} }

// ofShop tells whether it is on the shop's side.
func (s *session) ofShop() bool { return s.id.Role.OfShop() }

// works tells whether it has a desk: inbox, assignment, presence.
func (s *session) works() bool { return s.id.Role == signin.Agent || s.id.Role == signin.Manager }

// run is the reading goroutine: it ends when the connection does.
func (s *session) run() {
	defer s.out.shut()
	defer s.out.conn.CloseNow() //nolint:errcheck // it is closed already, or it does not matter how
	hello, p := s.first()
	if p == nil {
		p = s.begin(hello)
	}
	if p != nil {
		s.refuse(p, hello)
		return
	}
	defer s.finish()
	if p := s.start(hello); p != nil {
		s.refuse(p, hello)
		return
	}
	for {
		data, err := s.read(s.relay.ctx)
		if err != nil {
			var p *protocol.Problem
			if errors.As(err, &p) {
				s.refuse(p, nil)
			}
			return
		}
		s.heard.Store(time.Now().UnixNano())
		req, err := protocol.Decode(data)
		if err != nil {
			s.fail(err, "")
			if s.bad++; s.bad >= maxBadFrames {
				s.refuse(protocol.Problemf(protocol.CodeBadFrame, "%d frames that are none", s.bad), nil)
				return
			}
			continue
		}
		s.relay.metrics.frames.WithLabelValues(s.relay.metrics.typeLabel(req.Type)).Inc()
		s.handle(req)
		if s.ended.Load() {
			return
		}
	}
}

// first reads the frame that says who it is.
func (s *session) first() (*protocol.Request, *protocol.Problem) {
	ctx, cancel := context.WithTimeout(s.relay.ctx, s.relay.cfg.Timeouts.Hello)
	defer cancel()
	// When the time is over, the connection is told so, and then closed; a cancelled Read would just cut it.
	data, err := s.readBefore(ctx)
	if err != nil {
		var p *protocol.Problem
		if errors.As(err, &p) {
			return nil, p
		}
		return nil, protocol.Problemf(protocol.CodeTimeout, "no hello")
	}
	req, err := protocol.Decode(data)
	if err != nil {
		return nil, asProblem(err)
	}
	if req.Type != protocol.TypeHello {
		return req, protocol.Problemf(protocol.CodeHelloFirst, "the first frame must be hello")
	}
	return req, nil
}

// readBefore reads a frame; when ctx ends first the connection is ended with a code.
func (s *session) readBefore(ctx context.Context) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			s.out.end(protocol.Problemf(protocol.CodeTimeout, "no hello in time"), "")
		}
	})
	defer stop()
	return s.read(s.relay.ctx)
}

// read reads one frame whole, bounded.
func (s *session) read(ctx context.Context) ([]byte, error) {
	typ, from, err := s.out.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(from, protocol.MaxFrame+1))
	if err != nil {
		return nil, err
	}
	if len(data) > protocol.MaxFrame {
		s.drain(from)
		return nil, protocol.Problemf(protocol.CodeTooLarge, "a frame has at most %d bytes", protocol.MaxFrame)
	}
	if typ != websocket.MessageText {
		return nil, protocol.Problemf(protocol.CodeBadFrame, "frames are text")
	}
	return data, nil
}

// drain throws the rest of a frame away, within bounds, so that its sender can read why it was refused.
func (s *session) drain(from io.Reader) {
	const most, longest = 8 << 20, 5 * time.Second
	stop := time.AfterFunc(longest, func() { _ = s.out.conn.CloseNow() })
	defer stop.Stop()
	if n, err := io.Copy(io.Discard, io.LimitReader(from, most)); err != nil || n == most {
		_ = s.out.conn.CloseNow() // it is broken, or it never ends
	}
}

// refuse ends the connection with a problem, and waits until it is written or cannot be.
func (s *session) refuse(p *protocol.Problem, req *protocol.Request) {
	re := ""
	if req != nil {
		re = req.ID
	}
	s.out.end(p, re)
	// Nothing more is read but the answer to the closing.
	ctx, cancel := context.WithTimeout(s.relay.ctx, s.relay.cfg.Timeouts.Write)
	defer cancel()
	buf := make([]byte, 512)
	for {
		_, from, err := s.out.conn.Reader(ctx)
		if err != nil {
			return
		}
		for err == nil {
			_, err = from.Read(buf)
		}
	}
}

// fail answers a request with an error; the connection stays.
func (s *session) fail(err error, re string) {
	p := asProblem(err)
	s.relay.metrics.problem(p.Code)
	s.tell(p.Frame(re))
}

func asProblem(err error) *protocol.Problem {
	var p *protocol.Problem
	if errors.As(err, &p) {
		return p
	}
	return protocol.Problemf(protocol.CodeInternal, "a fault of the relay")
}

// tell queues a frame.
func (s *session) tell(f *protocol.Frame) {
	data, err := json.Marshal(f)
	if err != nil {
		s.relay.log.Error("relay: a frame cannot be encoded", "type", f.Type, "error", err)
		return
	}
	s.out.put(data)
}

// goAway ends the connection because the relay stops.
func (s *session) goAway() {
	s.out.end(protocol.Problemf(protocol.CodeGoingAway, "this relay stops; connect to another"), "")
}

// sees tells whether an event is for this connection's eyes.
func (s *session) sees(r *feed.Record) bool { return s.relay.visible(s.id.Role, s.id.Account, r) }

// visible tells whether an event of a conversation that the role may follow is for its eyes.
func (r *Relay) visible(role signin.Role, accountID string, rec *feed.Record) bool {
	ev := rec.Event
	consumer := role == signin.Consumer
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		from := ev.Actor.GetRole()
		theirs := from == chatv1.Role_ROLE_CONSUMER
		if consumer == theirs && (!consumer || ev.Actor.GetId() == accountID) || role == signin.Reviewer || role == signin.Auditor {
			return true // its own side's
		}
		return !p.Message.Shielded && !r.tables.Shielded(ev.EventId) && !r.desks.shielded.has(ev.EventId)
	case *chatv1.ChatEvent_ConversationOpened, *chatv1.ChatEvent_ConversationClosed, *chatv1.ChatEvent_ConversationTransferred,
		*chatv1.ChatEvent_ConversationRead, *chatv1.ChatEvent_ConversationRated, *chatv1.ChatEvent_MessageShielded:
		return true
	}
	return !consumer
}

// deliver hands an event on as it comes. It runs under the partition's lock: it must not block.
func (s *session) deliver(r *feed.Record) {
	if !s.sees(r) {
		return
	}
	s.out.put(r.Frame())
	s.noteRating(r)
	if r.Event.GetConversationClosed() != nil && s.conversation != "" {
		s.askRating()
	}
}

// deliverMissed hands on an event that was missed, at the pace of the connection.
func (s *session) deliverMissed(ctx context.Context) func(*feed.Record) error {
	return func(r *feed.Record) error {
		if !s.sees(r) {
			return nil
		}
		if err := s.out.putWait(ctx, r.Frame()); err != nil {
			return err
		}
		s.noteRating(r)
		return nil
	}
}

// noteRating follows what is closed and rated of the consumer's conversation.
func (s *session) noteRating(r *feed.Record) {
	if s.id.Role != signin.Consumer {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Event.Payload.(type) {
	case *chatv1.ChatEvent_ConversationClosed:
		s.closed = true
	case *chatv1.ChatEvent_ConversationRated:
		s.rated, s.asked = true, false
	case *chatv1.ChatEvent_Message, *chatv1.ChatEvent_ConversationOpened:
		lapse := s.relay.deps.Policy.At(r.Event.OccurredAtUs).Conversation.LifeLapseUS
		if s.closed || r.Event.OccurredAtUs-s.lastUS >= lapse {
			s.closed, s.rated, s.asked = false, false, false // a new life
		}
		s.lastUS = r.Event.OccurredAtUs
	}
}

// askRating asks the consumer once for a rating of a life that was closed.
func (s *session) askRating() {
	s.mu.Lock()
	ask := s.closed && !s.rated && !s.asked
	s.asked = s.asked || ask
	s.mu.Unlock()
	if ask {
		s.tell(&protocol.Frame{Type: protocol.TypeAskRating, ConversationID: s.conversation})
	}
}

// hasRated tells whether the newest life has its rating, as far as this connection has seen.
func (s *session) hasRated() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rated
}
