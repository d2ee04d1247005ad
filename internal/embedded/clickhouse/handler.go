package clickhouse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// ServeHTTP answers as a ClickHouse server does on its HTTP port.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	defer s.requests.Done()
	if !fromHere(r) {
		http.Error(w, "This server answers requests to localhost only.", http.StatusForbidden)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, "The URL's parameters cannot be read.", http.StatusBadRequest)
		return
	}
	switch {
	case r.URL.Path == "/ping", r.URL.Path == "/" && r.Method == http.MethodGet && query.Get("query") == "":
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		_, _ = io.WriteString(w, "Ok.\n")
		return
	case r.URL.Path != "/" && r.URL.Path != "/query":
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, POST, HEAD")
		http.Error(w, "Send GET or POST.", http.StatusMethodNotAllowed)
		return
	}
	began := time.Now()
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // that of the connection's last request
	defer func() { _ = control.SetWriteDeadline(time.Now().Add(s.cfg.IdleTimeout)) }()
	a := &answer{server: s, w: w, r: r, query: query}
	role, err := a.run()
	if err == nil {
		s.metrics.done(role, 0, time.Since(began))
		return
	}
	code := errorCode(err)
	s.metrics.done(role, code, time.Since(began))
	s.log.Debug("request failed", "role", string(role), "code", code)
	a.fail(err)
}

// answer is one request and what was written of its answer.
type answer struct {
	server *Server
	w      http.ResponseWriter
	r      *http.Request
	query  url.Values
	out    *output // set once the body has begun
	tag    string  // and with it
}

func (a *answer) run() (Role, error) {
	s, header := a.server, a.w.Header()
	queryID := a.query.Get("query_id")
	if queryID == "" {
		queryID = strings.TrimPrefix(newTag(), "request:")
	}
	header.Set("X-ClickHouse-Query-Id", queryID)
	header.Set("X-ClickHouse-Server-Display-Name", s.displayName)
	header.Set("X-ClickHouse-Timezone", s.timezone)
	name, role, err := s.signIn(a.r, a.query)
	if err != nil {
		return "", err
	}
	if a.r.Method != http.MethodPost {
		role = role.reading() // it must have no effect, as on a ClickHouse server
	}
	in, sent, err := body(a.w, a.r, a.query, s.cfg.IdleTimeout)
	if err != nil {
		return role, err
	}
	text, data, tables, err := a.read(in)
	if err != nil {
		return role, err
	}
	if data == nil {
		_, _ = io.CopyN(io.Discard, sent, maxDrain)
	}
	if revision := helloRevision(a.query, text, a.query.Get("default_format")); revision > 0 {
		return role, a.hello(revision)
	}
	parsed, err := statement.Parse(text)
	if err != nil {
		return role, err
	}
	if err := permit(role, parsed); err != nil {
		return role, err
	}
	if role == RoleAuditor {
		if err := s.record(a.r, name, text); err != nil {
			return role, err
		}
	}
	whole := data == nil
	if whole {
		data = strings.NewReader(parsed.Data)
	} else {
		data = io.MultiReader(strings.NewReader(parsed.Data), data)
	}
	release, err := s.place(a.r.Context())
	if err != nil {
		return role, err
	}
	defer release()
	return role, a.execute(role, parsed, data, whole, tables)
}

// permit refuses what the role, or anybody, may not ask.
func permit(role Role, parsed *statement.Statement) error {
	if err := parsed.Check(); err != nil {
		return err
	}
	switch {
	case role.onlyReads() && !parsed.MayRead():
		return faultf(codeReadOnly, "Cannot execute %s in readonly mode", parsed.Verb)
	case role == RoleWriter && !parsed.MayWrite():
		return faultf(codeAccessDenied, "Not enough privileges to execute %s", parsed.Verb)
	}
	return nil
}

// read takes the statement from URL, body, or form. What it leaves unread of the body is data.
func (a *answer) read(in io.Reader) (text string, data io.Reader, tables []externalTable, err error) {
	limit := a.server.cfg.MaxStatementBytes
	text = a.query.Get("query")
	if len(text) > limit {
		return "", nil, nil, tooLong(limit)
	}
	if boundary, ok := isForm(a.r); ok {
		inForm, tables, err := a.server.form(in, boundary)
		return text + inForm, nil, tables, err
	}
	if begun, err := statement.Parse(text); text != "" && err == nil && begun.Insert {
		return text, in, nil, nil
	}
	head, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return "", nil, nil, faultf(codeCannotReadAllData, "the body cannot be read: %v", err)
	}
	if text != "" && len(head) > 0 {
		text += "\n"
	}
	text += string(head)
	if len(head) <= limit {
		return text, nil, nil, nil
	}
	// More than a statement may have: only the data of an INSERT can be so long.
	if begun, err := statement.Parse(text); err != nil || !begun.Insert || len(begun.Text) > limit {
		return "", nil, nil, tooLong(limit)
	}
	return text, in, nil, nil
}

func tooLong(limit int) error {
	return &statement.Error{Code: statement.CodeSyntax, Message: fmt.Sprintf("Max query size exceeded: a statement may have %d bytes, the data of an INSERT aside", limit)}
}

// place waits for the right to run a statement.
func (s *Server) place(ctx context.Context) (release func(), err error) {
	s.metrics.waiting.Inc()
	defer s.metrics.waiting.Dec()
	timer := time.NewTimer(s.cfg.QueueTimeout)
	defer timer.Stop()
	select {
	case s.places <- struct{}{}:
		s.metrics.running.Inc()
		return func() {
			s.metrics.running.Dec()
			<-s.places
		}, nil
	case <-timer.C:
		return nil, faultf(codeTooManyQueries, "Too many simultaneous queries: %d run, and none ended within %s", s.cfg.MaxConcurrent, s.cfg.QueueTimeout)
	case <-ctx.Done():
		return nil, faultf(codeCanceled, "the client went away")
	}
}

func (a *answer) hello(revision int) error {
	block, err := a.server.hello(revision)
	if err != nil {
		return err
	}
	a.begin("Native")
	if _, err := a.out.Write(block); err != nil {
		return nil // the client went away
	}
	_ = a.out.Close()
	return nil
}

// begin sets the headers of an answer with a body.
func (a *answer) begin(format string) {
	header := a.w.Header()
	header.Set("X-ClickHouse-Format", format)
	header.Set("Content-Type", contentType(format))
	a.tag = newTag()[len("request:"):][:exceptionTagLength]
	header.Set("X-ClickHouse-Exception-Tag", a.tag)
	a.out = newOutput(a.w, a.r, a.query, a.server.cfg.IdleTimeout)
}

// fail answers with an error, or ends a body that has begun with one.
func (a *answer) fail(err error) {
	code, text := errorCode(err), fmt.Sprintf("%s (version %s (embedded))\n", errorText(err), a.server.version)
	if a.out != nil {
		a.failInBody(text)
		return
	}
	header := a.w.Header()
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	header.Set("X-ClickHouse-Exception-Code", fmt.Sprint(code))
	header.Del("Content-Length")
	header.Del("X-ClickHouse-Format")
	if code == codeAuthentication {
		header.Set("WWW-Authenticate", `Basic realm="ClickHouse server HTTP API"`)
	}
	a.drain()
	var message bytes.Buffer
	if a.query.Get("compress") == "1" {
		_, _ = (&frameWriter{to: &message, frames: compress.NewWriter(0, compress.LZ4)}).Write([]byte(text))
	} else {
		message.WriteString(text)
	}
	a.w.WriteHeader(statusOf(code))
	_, _ = a.w.Write(message.Bytes())
}

// Bounds of what is read of a body that nobody wants.
const (
	maxDrain     = 64 << 20
	drainTimeout = 5 * time.Second
)

// drain reads what is left of the body: a client that is still sending would otherwise see its connection
// reset, and not why.
func (a *answer) drain() {
	_ = http.NewResponseController(a.w).SetReadDeadline(time.Now().Add(drainTimeout))
	_, _ = io.CopyN(io.Discard, a.r.Body, maxDrain)
}

// exceptionTagLength is that of ClickHouse. The tag stands around an error in a body and is new for each
// answer, so that no data can pass for one.
const exceptionTagLength = 16

// failInBody ends the body as ClickHouse servers do, and then the connection, so that no client can take
// what came for the whole.
func (a *answer) failInBody(text string) {
	_, err := fmt.Fprintf(a.out, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", a.tag, text, len(text), a.tag)
	if err == nil {
		_ = a.out.Close()
	}
	_ = http.NewResponseController(a.w).Flush()
	panic(http.ErrAbortHandler)
}
