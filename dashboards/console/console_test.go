package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

// away is a ClickHouse that does not answer, and remembers what it was asked.
type away struct {
	mu    sync.Mutex
	asked []string
}

func (a *away) Query(_ context.Context, sql string, _ ...any) (driver.Rows, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, sql)
	return nil, errors.New("connection refused")
}

type world struct {
	*Console
	t     *testing.T
	keys  *signin.Keys
	asked *away
	http  *httptest.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys.yaml")
	if err := signin.CreateKeys(file); err != nil {
		t.Fatal(err)
	}
	keys, err := signin.LoadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signin.NewVerifier(file, "")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, keys: keys, asked: &away{}}
	if w.Console, err = New(DefaultConfig(), Dependencies{Conn: w.asked, Calendar: policy.Default().Calendar(), Verifier: verifier}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.Run(ctx) }()
	w.http = httptest.NewServer(w.Handler())
	t.Cleanup(func() { w.http.CloseClientConnections(); w.http.Close(); cancel(); <-done })
	return w
}

func (w *world) token(role signin.Role, shop string) string {
	w.t.Helper()
	text, err := w.keys.Issue(signin.Identity{Role: role, Account: "a", Shop: shop}, time.Now(), time.Hour)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// reply is an answer without its body.
type reply struct {
	StatusCode int
	Header     http.Header
	cookies    []*http.Cookie
}

// call makes a request with a token as the cookie.
func (w *world) call(method, path, token, body string) (reply, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.AddCookie(&http.Cookie{Name: cookieName, Value: token})
	}
	res, err := w.http.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, res.Cookies()}, string(data)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	roles := map[signin.Role]int{signin.Consumer: 403, signin.Agent: 403, signin.Service: 403, signin.Manager: 200, signin.Operator: 200, signin.Reviewer: 200, signin.Auditor: 200}
	for role, want := range roles {
		token := w.token(role, "tea")
		body, _ := json.Marshal(map[string]string{"token": token}) //nolint:errchkjson // strings
		res, text := w.call("POST", Base+"/api/session", "", string(body))
		if res.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", role, res.StatusCode, text, want)
		}
		if strings.Contains(text, token) {
			t.Errorf("%s: the answer holds the token", role)
		}
		cookies := res.cookies
		if want != 200 {
			if len(cookies) != 0 {
				t.Errorf("%s: refused, with a cookie", role)
			}
			continue
		}
		if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != Base || c.MaxAge > 3600 || c.MaxAge < 3500 {
			t.Errorf("%s: cookie %+v", role, c)
		}
		if res, text := w.call("GET", Base+"/api/start", token, ""); res.StatusCode != 200 || !strings.Contains(text, `"role":"`+string(role)+`"`) {
			t.Errorf("%s: start %d %.80s", role, res.StatusCode, text)
		}
	}
	bad := func(name, token, body string, want int) {
		if res, text := w.call("POST", Base+"/api/session", token, body); res.StatusCode != want || !strings.Contains(text, `"code"`) {
			t.Errorf("%s: %d %s, want %d", name, res.StatusCode, text, want)
		}
	}
	bad("no JSON", "", "token", 400)
	bad("no token", "", "{}", 400)
	bad("not a token", "", `{"token":"a.b.c"}`, 401)
	bad("too long", "", `{"token":"`+strings.Repeat("x", maxSignIn)+`"}`, 400)
	for _, path := range []string{"/api/start", "/api/list/shop", "/api/stream?page=overview"} {
		for _, token := range []string{"", "x.y.z", w.token(signin.Consumer, "tea")} {
			if res, _ := w.call("GET", Base+path, token, ""); res.StatusCode != 401 && res.StatusCode != 403 {
				t.Errorf("%s without a place: %d", path, res.StatusCode)
			}
		}
	}
	if res, _ := w.call("DELETE", Base+"/api/session", w.token(signin.Operator, ""), ""); res.StatusCode != 204 || res.cookies[0].MaxAge >= 0 {
		t.Errorf("signing out: %d %v", res.StatusCode, res.cookies)
	}
	// Another site's page signs nobody in.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.http.URL+Base+"/api/session", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("a sign-in from another site: %d", res.StatusCode)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{"": "text/html", "/": "text/html", "/overview": "text/html", "/shop": "text/html", "/app.js": "javascript", "/style.css": "text/css", "/icon.svg": "image/svg", "/uplot.min.js": "javascript"} {
		res, body := w.call("GET", Base+path, "", "")
		if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Content-Type"), want) || body == "" {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: policy %q", path, policy)
		}
		if strings.Contains(want, "html") && (strings.Contains(body, "<script>") || strings.Contains(body, " style=") || strings.Contains(body, "onclick")) {
			t.Errorf("%s has markup that its policy forbids", path)
		}
	}
	for _, path := range []string{"/nothing", "/web/app.js", "/../config.go", "/%2e%2e/config.go", "/api/nothing"} {
		if res, _ := w.call("GET", Base+path, "", ""); res.StatusCode != 404 && res.StatusCode != 301 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if res, _ := w.call("POST", Base+"/overview", "", ""); res.StatusCode != 405 {
		t.Errorf("POST of a page: %d", res.StatusCode)
	}
}

// Every panel of every page is a query, every column that may be coloured has steps, and who is bound to a shop is offered
// nothing that cannot be asked about it alone.
func TestPages(t *testing.T) {
	t.Parallel()
	c := newCatalogue()
	bound := viewer{shop: "tea"}
	for _, p := range c.pages {
		for _, each := range p.panels {
			q, known := c.queries[each.id]
			if !known {
				t.Errorf("%s: there is no query %s", p.name, each.id)
			}
			if (each.columns == 0) != (q.Shape == queries.Figure) {
				t.Errorf("%s: %s is a %s of %d columns", p.name, each.id, q.Shape, each.columns)
			}
		}
		for _, each := range c.panels(p, bound) {
			if !strings.Contains(c.queries[each.id].SQL, "{{shop") {
				t.Errorf("%s: a manager is offered %s", p.name, each.id)
			}
		}
	}
}

// Whatever one who is bound to a shop asks for, the question is about that shop, and the SQL names no other.
func FuzzChoose(f *testing.F) {
	c := &Console{all: newCatalogue(), deps: Dependencies{Calendar: policy.Default().Calendar(), NowUS: func() int64 { return 1_790_000_000_000_000 }}}
	f.Add("period=2026-11-H1&shop=coffee&agent=a&span=7d", 0)
	f.Add("shop=~all&period=x", 1)
	f.Add("shop='; DROP TABLE x&conversation=\\'", 7)
	f.Add("shop=%00&span=period&category=%ff", 3)
	f.Fuzz(func(t *testing.T, query string, at int) {
		p := c.all.pages[uint(at)%uint(len(c.all.pages))]
		r := &http.Request{URL: &url.URL{RawQuery: query}}
		of, bad := c.choose(r, p, viewer{shop: "mine"})
		if bad != nil {
			if bad.Status != 400 {
				t.Errorf("refused with %d", bad.Status)
			}
			return
		}
		if of.shop != "mine" {
			t.Errorf("asks about %q", of.shop)
		}
		for _, q := range c.questions(p, of, viewer{shop: "mine"}) {
			if sql := c.all.queries[q.id].SQL; strings.Contains(sql, "{{shop") {
				if q.shop != "mine" || !strings.Contains(queries.Bind(sql, c.values(q)), "'mine'") {
					t.Errorf("%s is asked about %q", q.id, q.shop)
				}
			} else if q.id != "list.period" {
				t.Errorf("%s is asked about all", q.id)
			}
		}
	})
}

// Without ClickHouse pages open, and their streams say so.
func TestAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.http.URL+Base+"/api/stream?page=overview", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: cookieName, Value: w.token(signin.Operator, "")})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var read strings.Builder
	for part := make([]byte, 512); !strings.Contains(read.String(), "event: away"); {
		n, err := res.Body.Read(part)
		read.Write(part[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, read.String())
		}
	}
	if res, text := w.call("GET", Base+"/api/list/shop?q=t", w.token(signin.Operator, ""), ""); res.StatusCode != 503 || !strings.Contains(text, "try_again") {
		t.Errorf("a list: %d %s", res.StatusCode, text)
	}
	for _, path := range []string{"/api/list/nothing", "/api/stream?page=nothing"} {
		if res, _ := w.call("GET", Base+path, w.token(signin.Operator, ""), ""); res.StatusCode != 404 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	for _, bad := range []string{"period=2026-11", "period=2026-13-H1", "span=1y", "shop=" + strings.Repeat("x", maxChoice+1)} {
		if res, text := w.call("GET", Base+"/api/stream?page=overview&"+bad, w.token(signin.Operator, ""), ""); res.StatusCode != 400 || !strings.Contains(text, "bad_request") {
			t.Errorf("%.30s: %d %s", bad, res.StatusCode, text)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	bad := func(want string, change func(*Config)) {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want+":") {
			t.Errorf("%v, want an error about %s", err, want)
		}
	}
	bad("session", func(c *Config) { c.Session = 0 })
	bad("live_refresh", func(c *Config) { c.LiveRefresh = time.Millisecond })
	bad("queries", func(c *Config) { c.Queries = 0 })
	bad("viewers", func(c *Config) { c.Viewers = -1 })
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}
