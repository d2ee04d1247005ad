package chatrelay

import (
	"encoding/json"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/feigeio/feige/chatrelay/protocol"
)

func (r *Relay) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws", r.accept)
	mux.HandleFunc("POST /upload", r.upload)
	mux.HandleFunc("OPTIONS /upload", r.preflight)
	mux.HandleFunc("GET /files/{name...}", r.download)
	if r.deps.Pages != nil {
		mux.Handle("/", r.deps.Pages)
	}
	return mux
}

// accept makes a connection of a request. Who it is, its first frame says.
func (r *Relay) accept(w http.ResponseWriter, req *http.Request) {
	addr := r.addressOf(req)
	if r.stopping.Load() {
		refuse(w, protocol.Problemf(protocol.CodeGoingAway, "the relay stops"))
		return
	}
	if ok, _ := r.limits.connects.take(addr, time.Now()); !ok {
		r.metrics.problem(protocol.CodeRateLimited)
		refuse(w, protocol.Problemf(protocol.CodeRateLimited, "too many connections a second from this address"))
		return
	}
	if !r.limits.open.enter("", r.cfg.Limits.Connections) {
		r.metrics.problem(protocol.CodeTooMany)
		refuse(w, protocol.Problemf(protocol.CodeTooMany, "this relay has all the connections that it may have"))
		return
	}
	if !r.limits.open.enter("address "+addr, r.cfg.Limits.AddressConnections) {
		r.limits.open.leave("")
		r.metrics.problem(protocol.CodeTooMany)
		refuse(w, protocol.Problemf(protocol.CodeTooMany, "too many connections from this address"))
		return
	}
	opts := &websocket.AcceptOptions{
		// The origin is looked at once it is known who it is, so that a refusal can be recorded.
		InsecureSkipVerify: true,
		CompressionMode:    websocket.CompressionDisabled,
	}
	if r.cfg.Compression {
		opts.CompressionMode = websocket.CompressionNoContextTakeover
	}
	conn, err := websocket.Accept(w, req, opts)
	if err != nil {
		r.limits.open.leave("")
		r.limits.open.leave("address " + addr)
		return // it has been answered
	}
	// What is too large is refused with a code, not by the library.
	conn.SetReadLimit(-1)
	s := newSession(r, conn, addr, originOf(req))
	r.sessions.Add(1)
	// The goroutine of the HTTP server, with its stack and the request, is given back.
	go func() {
		defer r.sessions.Done()
		defer r.limits.open.leave("address " + addr)
		defer r.limits.open.leave("")
		s.run()
	}()
}

// origin is where a page comes from.
type origin struct {
	// host of the page; empty: no page.
	host string
	// own: the page is the relay's.
	own bool
}

func originOf(req *http.Request) origin {
	text := req.Header.Get("Origin")
	if text == "" {
		return origin{}
	}
	_, host, ok := strings.Cut(text, "://")
	if !ok {
		host = text // "null": a page of no origin
	}
	return origin{host: strings.ToLower(host), own: strings.EqualFold(host, req.Host)}
}

// allowed tells whether a page from there may connect.
func (r *Relay) allowed(o origin) bool {
	if o.host == "" || o.own {
		return true
	}
	bare, _, err := net.SplitHostPort(o.host)
	if err != nil {
		bare = o.host
	}
	for _, pattern := range r.cfg.Origins {
		for _, host := range []string{o.host, bare} {
			if ok, err := path.Match(strings.ToLower(pattern), host); err == nil && ok {
				return true
			}
		}
	}
	return false
}

func (r *Relay) addressOf(req *http.Request) string {
	if r.cfg.TrustForwardedFor {
		// The last entry is the one that our own proxy wrote.
		all := strings.Split(req.Header.Get("X-Forwarded-For"), ",")
		if last := strings.TrimSpace(all[len(all)-1]); net.ParseIP(last) != nil {
			return last
		}
	}
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		return req.RemoteAddr
	}
	return host
}

// refuse answers a request over HTTP with a problem.
func refuse(w http.ResponseWriter, p *protocol.Problem) {
	status := map[protocol.Code]int{
		protocol.CodeUnauthorized: http.StatusUnauthorized, protocol.CodeForbidden: http.StatusForbidden,
		protocol.CodeClientRefused: http.StatusForbidden, protocol.CodeMuted: http.StatusForbidden,
		protocol.CodeBanned: http.StatusForbidden, protocol.CodeBlocked: http.StatusForbidden,
		protocol.CodeTooLarge: http.StatusRequestEntityTooLarge, protocol.CodeBadFile: http.StatusUnsupportedMediaType,
		protocol.CodeNotFound: http.StatusNotFound, protocol.CodeRateLimited: http.StatusTooManyRequests,
		protocol.CodeTooMany: http.StatusServiceUnavailable, protocol.CodeTryAgain: http.StatusServiceUnavailable,
		protocol.CodeGoingAway: http.StatusServiceUnavailable, protocol.CodeInternal: http.StatusInternalServerError,
		protocol.CodeTimeout: http.StatusRequestTimeout,
	}[p.Code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	answer(w, status, struct {
		Code         protocol.Code `json:"code"`
		Text         string        `json:"text"`
		Retry        bool          `json:"retry"`
		RetryAfterMS int64         `json:"retryAfterMs,omitempty"`
	}{p.Code, p.Text, p.Code.Retry(), p.RetryAfterMS})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone; nobody is left to tell
}
