package chatrelay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// raw is a websocket without a client library's care.
type raw struct {
	t    *testing.T
	conn *websocket.Conn
}

func dialRaw(t *testing.T, r *Relay, header http.Header) *raw {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), //nolint:bodyclose // the library closes it
		strings.Replace(r.URL(), "http", "ws", 1)+"/ws", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &raw{t, conn}
}

func (c *raw) write(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Logf("write: %v", err) // the relay may have closed already
	}
}

// next reads frames until one of the types comes.
func (c *raw) next(types ...protocol.Type) *protocol.Frame {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, data, err := c.conn.Read(ctx)
		if err != nil {
			c.t.Fatalf("read: %v", err)
		}
		var f protocol.Frame
		if err := json.Unmarshal(data, &f); err != nil {
			c.t.Fatal(err)
		}
		for _, typ := range types {
			if f.Type == typ {
				return &f
			}
		}
	}
}

// closed waits for the end of the connection.
func (c *raw) closed(code protocol.Code) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, _, err := c.conn.Read(ctx)
		var ce websocket.CloseError
		if errors.As(err, &ce) {
			if ce.Reason != string(code) || int(ce.Code) != code.CloseStatus() {
				c.t.Errorf("closed with %d %q, want %s", ce.Code, ce.Reason, code)
			}
			return
		}
		if err != nil {
			c.t.Errorf("ended with %v, want %s", err, code)
			return
		}
	}
}

func helloText(token, clientName string, more string) string {
	return fmt.Sprintf(`{"type":"hello","id":"h","versions":[1],"token":%q,"client":%q%s}`, token, clientName, more)
}

func TestRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	list := filepath.Join(t.TempDir(), "revoked")
	r := h.relay(func(c *Config, _ *Dependencies) {
		c.Timeouts.Hello, c.RevokedFile, c.Origins = 300*time.Millisecond, list, []string{"*.shop.example"}
	})
	good := h.token(signin.Consumer, "c1", "tea")
	expired, err := h.signer.Issue(signin.Identity{Role: signin.Consumer, Account: "c1", Shop: "tea"}, time.Now().Add(-2*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := h.signer.Issue(signin.Identity{Role: signin.Consumer, Account: "c1", Shop: "tea", Client: "consumer-app"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name string, code protocol.Code, header http.Header, frames ...string) {
		t.Run(name, func(t *testing.T) {
			c := dialRaw(t, r, header)
			for _, f := range frames {
				c.write(f)
			}
			if f := c.next(protocol.TypeError); f.Code != code || f.Retry != code.Retry() || f.Text == "" {
				t.Errorf("told %+v, want %s", f, code)
			}
			c.closed(code)
		})
	}
	refused("nothing", protocol.CodeTimeout, nil)
	refused("no JSON", protocol.CodeBadFrame, nil, "hello")
	refused("not hello", protocol.CodeHelloFirst, nil, `{"type":"send","id":"1","text":"x"}`)
	refused("huge", protocol.CodeTooLarge, nil, `{"type":"hello","token":"`+strings.Repeat("a", 1<<20)+`"}`)
	refused("deep", protocol.CodeBadFrame, nil, strings.Repeat(`{"a":`, 10_000))
	refused("version", protocol.CodeVersion, nil, `{"type":"hello","versions":[7]}`)
	refused("no token", protocol.CodeUnauthorized, nil, `{"type":"hello","versions":[1],"client":"test"}`)
	refused("expired", protocol.CodeUnauthorized, nil, helloText(expired, "test", ""))
	refused("tampered", protocol.CodeUnauthorized, nil, helloText(good[:len(good)-4]+"AAAA", "test", ""))
	refused("another shop", protocol.CodeForbidden, nil, helloText(good, "test", `,"shopId":"toys"`))
	refused("no shop", protocol.CodeForbidden, nil, helloText(h.token(signin.Consumer, "c1", ""), "test", ""))
	refused("unknown client", protocol.CodeClientRefused, nil, helloText(good, "plug-in", ""))
	refused("client of another token", protocol.CodeClientRefused, nil, helloText(bound, "test", ""))
	refused("another page", protocol.CodeClientRefused, http.Header{"Origin": {"https://evil.example"}}, helloText(good, "test", ""))
	refused("no page", protocol.CodeClientRefused, http.Header{"Origin": {"null"}}, helloText(good, "test", ""))
	refused("position of another shop", protocol.CodeBadFrame, nil, helloText(good, "test", `,"position":"`+protocol.Position{Partition: (r.feed.PartitionOf("tea") + 1) % testPartitions}.String()+`"`))
	refused("hello twice", protocol.CodeHelloFirst, nil, helloText(good, "test", ""), helloText(good, "test", ""))
	for _, origin := range []string{"https://www.shop.example", "http://" + r.Addr()} {
		c := dialRaw(t, r, http.Header{"Origin": {origin}})
		c.write(helloText(good, "test", ""))
		c.next(protocol.TypeWelcome)
	}

	t.Run("revoked while connected", func(t *testing.T) {
		c := dialRaw(t, r, nil)
		c.write(helloText(h.token(signin.Consumer, "c7", "tea"), "test", ""))
		c.next(protocol.TypeCaughtUp)
		if err := os.WriteFile(list, []byte("account consumer c7\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if f := c.next(protocol.TypeError); f.Code != protocol.CodeUnauthorized {
			t.Errorf("told %+v", f)
		}
		c.closed(protocol.CodeUnauthorized)
	})

	var reasons []string
	await(t, "refused clients to be events", func() bool {
		reasons = nil
		for _, ev := range h.log() {
			if c := ev.GetClientRefused(); c != nil {
				reasons = append(reasons, c.Client+": "+c.Reason)
			}
		}
		return len(reasons) == 4
	})
}

func TestRefusedInside(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(func(c *Config, _ *Dependencies) { c.Attachments.URL = "mem://" })
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	send := func(change func(*protocol.Request)) *protocol.Request {
		req := &protocol.Request{Type: protocol.TypeSend, Text: "x"}
		change(req)
		return req
	}
	consumer.refused(send(func(q *protocol.Request) { q.ConversationID = "c2" }), protocol.CodeForbidden)
	consumer.refused(send(func(q *protocol.Request) { q.ShopID = "toys" }), protocol.CodeForbidden)
	consumer.refused(send(func(q *protocol.Request) { q.Text = "  " }), protocol.CodeInvalid)
	consumer.refused(send(func(q *protocol.Request) { q.Text = strings.Repeat("长", 6000) }), protocol.CodeInvalid)
	consumer.refused(send(func(q *protocol.Request) { q.Kind = "MESSAGE_KIND_PICTURE" }), protocol.CodeInvalid)
	consumer.refused(send(func(q *protocol.Request) { q.Kind = "NOISE" }), protocol.CodeInvalid)
	consumer.refused(send(func(q *protocol.Request) { q.Attachments = []string{"forged"} }), protocol.CodeInvalid)
	consumer.refused(&protocol.Request{Type: protocol.TypeHistory, ConversationID: "c2"}, protocol.CodeForbidden)
	consumer.refused(&protocol.Request{Type: protocol.TypeClaim}, protocol.CodeForbidden)
	consumer.refused(&protocol.Request{Type: protocol.TypeBlock, Reason: "x"}, protocol.CodeForbidden)
	consumer.refused(&protocol.Request{Type: protocol.TypeWatch, ShopID: "toys"}, protocol.CodeForbidden)
	consumer.refused(&protocol.Request{Type: "steal"}, protocol.CodeBadFrame)
	consumer.refused(&protocol.Request{Type: protocol.TypeLink, AttachmentID: "x"}, protocol.CodeNotFound)
	agent.refused(&protocol.Request{Type: protocol.TypeRate, ConversationID: "c1", Score: 5}, protocol.CodeForbidden)
	agent.refused(&protocol.Request{Type: protocol.TypeSend, Text: "x"}, protocol.CodeForbidden) // no conversation
	// It all goes on.
	consumer.say("", "still here")
	agent.await("the message", func() bool { return len(agent.texts()) == 1 })
}

func TestReadersLeaveARecord(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	consumer.say("", "confidential")
	for _, role := range []signin.Role{signin.Reviewer, signin.Auditor} {
		p := h.person(role, "x-"+string(role), "", r.URL())
		<-p.Ready()
		p.refused(&protocol.Request{Type: protocol.TypeSend, ShopID: "tea", ConversationID: "c1", Text: "x"}, protocol.CodeForbidden)
		f := p.must(&protocol.Request{Type: protocol.TypeHistory, ShopID: "tea", ConversationID: "c1", Reason: "case 7"})
		if len(f.Events) != 1 {
			t.Errorf("%s: %d events", role, len(f.Events))
		}
		if len(p.got()) != 0 {
			t.Errorf("%s: events were delivered", role)
		}
	}
	consumer.must(&protocol.Request{Type: protocol.TypeHistory}) // its own leaves none
	reads := readTopic(h, schemas.TopicReads, func(value []byte) *chatv1.ReadRecord {
		rec := &chatv1.ReadRecord{}
		if err := rec.UnmarshalVT(value); err != nil {
			t.Fatal(err)
		}
		return rec
	})
	if len(reads) != 2 || reads[0].AccountId != "x-reviewer" || reads[0].What != "history" || reads[0].Reason != "case 7" || reads[0].ConversationId != "c1" || reads[0].Address != "127.0.0.1" {
		t.Errorf("records %v", reads)
	}
}

func TestSignInsAreEvents(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	session := agent.Welcome().SessionID
	agent.stop()
	await(t, "sign-in and sign-out", func() bool {
		in, out := false, false
		for _, ev := range h.log() {
			if s := ev.GetAgentSignedIn(); s != nil {
				in = s.SessionId == session && s.Client == "test" && s.Address == "127.0.0.1" && ev.Actor.Id == "a1"
			}
			if s := ev.GetAgentSignedOut(); s != nil {
				out = s.SessionId == session
			}
		}
		return in && out
	})
}

func TestFloods(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(func(c *Config, _ *Dependencies) {
		c.Timeouts.Header, c.Timeouts.Hello = 500*time.Millisecond, 500*time.Millisecond
		c.Limits.AccountConnections, c.Limits.AccountMessages = 2, Rate{PerSecond: 0.01, Burst: 3}
	})
	calm := h.person(signin.Agent, "a1", "tea", r.URL()).in()

	t.Run("connections that send nothing", func(t *testing.T) {
		var conns []net.Conn
		for range 1000 {
			c, err := net.Dial("tcp", r.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			conns = append(conns, c)
		}
		calm.must(&protocol.Request{Type: protocol.TypePing})
		for _, c := range conns {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("a silent connection was kept")
			}
		}
	})
	t.Run("websockets that say nothing", func(t *testing.T) {
		for range 50 {
			dialRaw(t, r, nil)
		}
		calm.must(&protocol.Request{Type: protocol.TypePing})
		await(t, "them to be dropped", func() bool {
			r.limits.open.mu.Lock()
			defer r.limits.open.mu.Unlock()
			return r.limits.open.byKey[""] == 1
		})
	})
	t.Run("an account's connections", func(t *testing.T) {
		token := h.token(signin.Consumer, "many", "tea")
		for n := range 3 {
			c := dialRaw(t, r, nil)
			c.write(helloText(token, "test", ""))
			if n < 2 {
				c.next(protocol.TypeWelcome)
				continue
			}
			if f := c.next(protocol.TypeError); f.Code != protocol.CodeTooMany || !f.Retry {
				t.Errorf("told %+v", f)
			}
			c.closed(protocol.CodeTooMany)
		}
	})
	t.Run("an account's messages", func(t *testing.T) {
		c := dialRaw(t, r, nil)
		c.write(helloText(h.token(signin.Consumer, "chatty", "tea"), "test", ""))
		c.next(protocol.TypeCaughtUp)
		for n := range 4 {
			c.write(fmt.Sprintf(`{"type":"send","id":"%d","text":"x"}`, n))
			f := c.next(protocol.TypeAck, protocol.TypeError)
			if limited := f.Code == protocol.CodeRateLimited && f.Retry && f.RetryAfterMS > 1000; limited != (n == 3) {
				t.Errorf("message %d: %+v", n, f)
			}
		}
	})
	t.Run("frames that are none", func(t *testing.T) {
		c := dialRaw(t, r, nil)
		c.write(helloText(h.token(signin.Consumer, "mad", "tea"), "test", ""))
		c.next(protocol.TypeCaughtUp)
		for range maxBadFrames {
			c.write(`{"type":`)
		}
		c.closed(protocol.CodeBadFrame)
	})
	t.Run("half a frame", func(t *testing.T) {
		c := dialRaw(t, r, nil)
		c.write(helloText(h.token(signin.Consumer, "half", "tea"), "test", ""))
		c.next(protocol.TypeCaughtUp)
		w, err := c.conn.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(`{"type":"send","text":"`)); err != nil {
			t.Fatal(err)
		}
		c.conn.CloseNow()
		calm.must(&protocol.Request{Type: protocol.TypePing})
	})
}

func TestSlowConsumerIsDropped(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(func(c *Config, _ *Dependencies) {
		c.Queue.Frames, c.Queue.Bytes, c.Timeouts.Write = 64, 256<<10, 2*time.Second
	})
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	slow := dialRaw(t, r, nil)
	slow.write(helloText(h.token(signin.Consumer, "c1", "tea"), "test", ""))
	first := slow.next(protocol.TypeCaughtUp)
	text := strings.Repeat("长", 5000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := 0
	await(t, "the slow one to be dropped", func() bool {
		agent.say("c1", text) // nobody reads it at the other end
		sent++
		n := 0
		r.registry.consumersOf("tea", func(*session) { n++ })
		return n == 0
	})
	runtime.ReadMemStats(&after)
	t.Logf("dropped after %d messages", sent)
	// It resumes where it was, and gets everything.
	again := h.personWith(client.Config{URLs: []string{r.URL()}, Position: first.Position, Token: func() (string, error) { return h.token(signin.Consumer, "c1", "tea"), nil }})
	again.await("all of it", func() bool { return len(again.texts()) == sent })
}
