package review

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/feigeio/feige/internal/signin"
)

// maxBody bounds a request's body, bytes.
const maxBody = 64 << 10

// problem is an answer by RFC 9457. Detail never holds what people wrote.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
	// retryAfter, seconds.
	retryAfter int
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

func problemf(status int, code, format string, args ...any) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

func away(err error) *problem {
	p := problemf(http.StatusServiceUnavailable, "try_again", "it cannot be written or read now; nothing was lost")
	if errors.Is(err, ErrTextsAway) {
		p.Code, p.Detail = "texts_away", "the words cannot be read now"
	}
	p.retryAfter = 2
	return p
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="feige"`)
	}
	writeJSON(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, kind string, body any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone; nobody is left to tell
}

// call is one request of somebody who may make it.
type call struct {
	*http.Request
	who     signin.Identity
	address string
	now     int64
}

func (a *API) serve(op operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := a.handle(op, r)
		if err != nil {
			var p *problem
			switch {
			case errors.As(err, &p):
			case errors.Is(err, errAway), errors.Is(err, ErrTextsAway):
				a.log.Warn("review: an operation cannot be done now", "operation", op.name, "error", err)
				p = away(err)
			default:
				a.log.Error("review: an operation failed", "operation", op.name, "error", err)
				p = problemf(http.StatusInternalServerError, "internal", "a fault of the desk")
			}
			status = p.Status
			writeProblem(w, p)
		} else {
			writeJSON(w, status, "application/json", body)
		}
		a.requests.WithLabelValues(op.name, strconv.Itoa(status)).Inc()
	}
}

func (a *API) handle(op operation, r *http.Request) (int, any, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return 0, nil, problemf(http.StatusUnauthorized, "unauthorized", "a bearer token is needed")
	}
	now := a.deps.NowUS()
	who, err := a.deps.Verifier.Verify(token, time.UnixMicro(now))
	if err != nil {
		return 0, nil, problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
	}
	if !slices.Contains(op.who, who.Role) {
		return 0, nil, problemf(http.StatusForbidden, "forbidden", "role %s may not do this", who.Role)
	}
	if !a.allow(who.Key()) {
		p := problemf(http.StatusTooManyRequests, "rate_limited", "too many requests")
		p.retryAfter = 1
		return 0, nil, p
	}
	if err := a.Ready(r.Context()); err != nil {
		p := problemf(http.StatusServiceUnavailable, "try_again", "%v", err)
		p.retryAfter = 1
		return 0, nil, p
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return op.do(a, &call{Request: r, who: who, address: host, now: now})
}

// allow bounds the requests of an account.
func (a *API) allow(key string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.limits[key]
	if l == nil {
		if len(a.limits) > 10_000 { // whoever is forgotten begins with a full allowance
			clear(a.limits)
		}
		l = rate.NewLimiter(rate.Limit(a.cfg.Rate), a.cfg.Burst)
		a.limits[key] = l
	}
	return l.Allow()
}

// body decodes a request's body: one JSON object with known members.
func (c *call) body(into any) error {
	data, err := io.ReadAll(io.LimitReader(c.Body, maxBody+1))
	if err != nil {
		return problemf(http.StatusBadRequest, "bad_request", "the body cannot be read")
	}
	if len(data) > maxBody {
		return problemf(http.StatusRequestEntityTooLarge, "too_large", "the body has more than %d bytes", maxBody)
	}
	return decode(data, into)
}

func decode(data []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return problemf(http.StatusBadRequest, "bad_request", "%s cannot be a %s", wrong.Field, wrong.Value)
		}
		if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
			return problemf(http.StatusBadRequest, "bad_request", "unknown member %.60s", name)
		}
		return problemf(http.StatusBadRequest, "bad_request", "the body is not the JSON object that it must be")
	}
	if d.More() {
		return problemf(http.StatusBadRequest, "bad_request", "something comes after the JSON object")
	}
	return nil
}

// number is a query parameter, or what holds without it.
func (c *call) number(name string, otherwise, least, most float64) (float64, error) {
	text := c.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= least && n <= most) {
		return 0, problemf(http.StatusBadRequest, "bad_request", "%s is not in %g to %g", name, least, most)
	}
	return n, nil
}

// oneOf is a query parameter with fixed values.
func (c *call) oneOf(name string, values ...string) (string, error) {
	text := c.URL.Query().Get(name)
	if text == "" || slices.Contains(values, text) {
		return text, nil
	}
	return "", problemf(http.StatusBadRequest, "bad_request", "%s is none of %s", name, strings.Join(values, ", "))
}
