package decisions

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

type bearers struct{}

func (bearers) Verify(token string, _ time.Time) (signin.Identity, error) {
	parts := strings.Split(token, "|")
	if len(parts) != 2 {
		return signin.Identity{}, signin.ErrToken
	}
	return signin.Identity{Role: signin.Role(parts[0]), Account: "x", Shop: parts[1]}, nil
}

const machine = "service|"

type world struct {
	tb     testing.TB
	broker broker.Config
	client *kgo.Client
	router routers.Router
	now    int64
	start  int64
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	b, err := ekafka.Start(tb.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { b.Close() })
	w := &world{tb: tb, broker: broker.DefaultConfig()}
	w.broker.Brokers, w.broker.Partitions, w.broker.Replication = []string{b.Addr()}, 2, 1
	if _, err := ingest.ApplyTopics(tb.Context(), w.broker, "", ingest.EmbeddedTopics()); err != nil {
		tb.Fatal(err)
	}
	opts, err := w.broker.KGO()
	if err != nil {
		tb.Fatal(err)
	}
	if w.client, err = kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.client.Close)
	span := policy.Default().Calendar().HalfMonth(1_790_000_000_000_000)
	w.start, w.now = span.Start, span.End+3600*1_000_000
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		tb.Fatal(err)
	}
	if err := doc.Validate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if w.router, err = legacy.NewRouter(doc); err != nil {
		tb.Fatal(err)
	}
	return w
}

func (w *world) api(change func(*Config)) *API {
	w.tb.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg, Dependencies{Broker: w.broker, Policy: policy.Default(), Verifier: bearers{}, NowUS: func() int64 { return w.now }})
	if err != nil {
		w.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	w.tb.Cleanup(func() { stop(); <-done })
	w.await("the API to be ready", func() bool { return a.Ready(ctx) == nil })
	return a
}

func (w *world) await(what string, cond func() bool) {
	w.tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.tb.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *world) put(topic, key string, m interface{ MarshalVT() ([]byte, error) }) {
	w.tb.Helper()
	value, err := m.MarshalVT()
	if err != nil {
		w.tb.Fatal(err)
	}
	rec := &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Partition: schemas.Partition([]byte(key), w.broker.Partitions)}
	if err := w.client.ProduceSync(w.tb.Context(), rec).FirstErr(); err != nil {
		w.tb.Fatal(err)
	}
}

// decide issues a decision on the half-month n before the newest.
func (w *world) decide(shop string, n int, revision int32, restricted bool) {
	w.tb.Helper()
	cal := policy.Default().Calendar()
	span := cal.HalfMonth(w.start)
	for range n {
		span = cal.HalfMonth(span.Start - 1)
	}
	d := &chatv1.Decision{ShopId: shop, PeriodStartUs: span.Start, PeriodEndUs: span.End, Revision: revision, PolicyVersion: "1",
		Evidence: []*chatv1.Indicator{{Name: "manual_reply_3min_rate", HasValue: true, Value: 0.5, Samples: 40, HasStandard: true, Standard: 0.7, Comparison: ">=", Verdict: chatv1.Verdict_VERDICT_MISSED},
			{Name: "takeovers", Verdict: chatv1.Verdict_VERDICT_REPORTED}}}
	if restricted {
		d.Restricted, d.Restrictions, d.Missed = true, []string{"marketing"}, []string{"manual_reply_3min_rate"}
		d.RestrictedFromUs, d.RestrictedUntilUs = span.End, cal.HalfMonth(span.End).End
	}
	w.put(schemas.TopicRestrictions, shop, d)
}

// get makes a request and holds the answer against the document.
func (w *world) get(h http.Handler, who, path string, into any, header ...string) (int, http.Header, string) {
	w.tb.Helper()
	req := httptest.NewRequestWithContext(w.tb.Context(), http.MethodGet, Base+path, nil)
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res := httptest.NewRecorder()
	h.ServeHTTP(res, req)
	if route, params, err := w.router.FindRoute(req); err == nil {
		input := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		if res.Code < 300 {
			if err := openapi3filter.ValidateRequest(w.tb.Context(), input); err != nil {
				w.tb.Errorf("%s was taken, and the document refuses it: %v", path, err)
			}
		}
		answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: res.Code, Header: res.Header(), Options: input.Options}
		answer.SetBodyBytes(res.Body.Bytes())
		if err := openapi3filter.ValidateResponse(w.tb.Context(), answer); err != nil {
			w.tb.Errorf("%s: the answer %d is not as the document says: %v", path, res.Code, err)
		}
	} else if res.Code != http.StatusNotFound {
		w.tb.Errorf("%s is not in the document: %v", path, err)
	}
	var p problem
	if res.Code >= 400 {
		_ = json.Unmarshal(res.Body.Bytes(), &p)
	} else if into != nil && res.Code == 200 {
		if err := json.Unmarshal(res.Body.Bytes(), into); err != nil {
			w.tb.Fatalf("%s: %v", path, err)
		}
	}
	return res.Code, res.Header(), p.Code
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const odd = `'; DROP TABLE "x"; 🍵`
	w.decide("tea", 1, 1, true)
	w.decide("tea", 0, 1, true)
	w.decide("tea", 0, 2, false)
	w.decide("shoes", 0, 1, true)
	w.decide("shoes", 0, 1, true) // a repeat
	w.decide(odd, 0, 1, true)
	window := &statev1.Window{Kind: chatv1.WindowKind_WINDOW_KIND_HALF_MONTH, StartUs: policy.Default().Calendar().HalfMonth(w.now).Start, SourcePlusOne: 9,
		Counts: &chatv1.Counts{Rounds: 4, RoundsAnswered: 4, RoundsWithin: 3, Conversations: 4, ConversationsMeanWithin: 3, WaitSumUs: 40_000_000}}
	w.put(schemas.TableOf(schemas.GroupService), "tea", &statev1.Service{AppliedPlusOne: 8, SourcePlusOne: 9, Takeover: &statev1.TakeoverState{}, Windows: []*statev1.Window{window}})
	w.put(schemas.TableOf(schemas.GroupService), "tea", &statev1.Service{AppliedPlusOne: 3, SourcePlusOne: 4}) // a zombie's
	h := w.api(nil).Handler()

	var r Restrictions
	w.get(h, machine, "/shops/tea/restrictions", &r)
	if r.Restricted || len(r.Restrictions) != 0 || r.UntilUS != 0 {
		t.Errorf("a decision that was taken back restricts: %+v", r)
	}
	before := policy.Default().Calendar().HalfMonth(w.start).Start + 1
	w.get(h, machine, fmt.Sprintf("/shops/tea/restrictions?atUs=%d", before), &r)
	if !r.Restricted || !slices.Equal(r.Restrictions, []string{"marketing"}) || r.UntilUS != policy.Default().Calendar().HalfMonth(w.start).End {
		t.Errorf("in the period before: %+v", r)
	}
	// Half-open: at the end it is over.
	w.get(h, machine, fmt.Sprintf("/shops/shoes/restrictions?atUs=%d", policy.Default().Calendar().HalfMonth(w.now).End), &r)
	if r.Restricted {
		t.Error("it restricts at its end")
	}
	w.get(h, machine, "/shops/"+url.PathEscape(odd)+"/restrictions", &r)
	if !r.Restricted || r.ShopID != odd {
		t.Errorf("a shop with an odd name: %+v", r)
	}
	w.get(h, machine, "/shops/unheard/restrictions", &r)
	if r.Restricted || r.ShopID != "unheard" {
		t.Errorf("a shop that nothing is known of: %+v", r)
	}

	var d struct{ Decisions []Decision }
	w.get(h, machine, "/shops/tea/decisions", &d)
	if len(d.Decisions) != 3 || d.Decisions[0].Revision != 2 || !d.Decisions[0].Newest || d.Decisions[1].Newest || !d.Decisions[2].Newest || d.Decisions[2].Evidence[0].Verdict != "missed" {
		t.Errorf("the decisions are %+v", d.Decisions)
	}
	period := d.Decisions[0].Period
	w.get(h, machine, "/shops/tea/decisions?period="+period, &d)
	if len(d.Decisions) != 2 {
		t.Errorf("of %s there are %d", period, len(d.Decisions))
	}
	var k struct{ Windows []Window }
	w.get(h, machine, "/shops/tea/kpis", &k)
	if len(k.Windows) != 1 || k.Windows[0].Kind != "half_month" || k.Windows[0].Final || math.Abs(*k.Windows[0].Indicators[0].Value-0.75) > 1e-9 || k.Windows[0].Version != 16 {
		t.Errorf("the windows are %+v", k.Windows)
	}
	var list struct {
		Items []struct{ ShopID string }
		Next  string
	}
	w.get(h, machine, "/shops?restricted=true&limit=1", &list)
	if len(list.Items) != 1 || list.Items[0].ShopID != odd || list.Next == "" {
		t.Errorf("the list is %+v", list)
	}
	w.get(h, machine, "/shops?restricted=true&cursor="+url.QueryEscape(list.Next), &list)
	if len(list.Items) != 1 || list.Items[0].ShopID != "shoes" {
		t.Errorf("the second page is %+v", list)
	}

	// Conditional requests.
	_, header, _ := w.get(h, machine, "/shops/shoes/restrictions", nil)
	if status, _, _ := w.get(h, machine, "/shops/shoes/restrictions", nil, "If-None-Match", header.Get("ETag")); status != http.StatusNotModified {
		t.Errorf("with its ETag: %d", status)
	}
	if !strings.Contains(header.Get("Cache-Control"), "private, max-age=5") {
		t.Errorf("Cache-Control %q", header.Get("Cache-Control"))
	}
	w.decide("shoes", 0, 2, false)
	w.await("the new revision", func() bool {
		s, _, _ := w.get(h, machine, "/shops/shoes/restrictions", nil, "If-None-Match", header.Get("ETag"))
		return s == 200
	})
	for path, want := range map[string]string{"/shops/tea/restrictions?atUs=x": "400 bad_request", "/shops/tea/decisions?period=2026": "400 bad_request", "/shops?limit=0": "400 bad_request",
		"/shops?restricted=1": "400 bad_request", "/shops/unheard/kpis": "404 not_found", "/nowhere": "404 not_found", "/decisions/changes?after=1:x": "400 bad_request"} {
		if status, _, code := w.get(h, machine, path, nil); fmt.Sprint(status, " ", code) != want {
			t.Errorf("%s: %d %s", path, status, code)
		}
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.api(nil).Handler()
	for _, role := range signin.Roles() {
		for _, c := range []struct{ path, shop string }{{"/shops/tea/restrictions", "tea"}, {"/shops/tea/decisions", "shoes"}, {"/shops", "tea"}, {"/shops/tea/decisions", ""}} {
			own := c.shop == "tea" && c.path != "/shops"
			want := false
			switch role {
			case signin.Service, signin.Operator, signin.Auditor, signin.Reviewer:
				want = c.shop == "" || own
			case signin.Agent, signin.Manager:
				want = own
			}
			status, _, code := w.get(h, string(role)+"|"+c.shop, c.path, nil)
			if (status == 200) != want || !want && (status != 403 || code != "forbidden") {
				t.Errorf("%s of %q asks %s: %d %s", role, c.shop, c.path, status, code)
			}
		}
	}
	for _, who := range []string{"", "nonsense"} {
		if status, _, code := w.get(h, who, "/shops", nil); status != 401 || code != "unauthorized" {
			t.Errorf("%q: %d %s", who, status, code)
		}
	}
}

// feed reads decisions of the feed until it has n; it returns the last id.
func feed(t *testing.T, base, after string, n int) (shops []string, last string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+Base+"/decisions/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+machine)
	if after != "" {
		req.Header.Set("Last-Event-ID", after)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			last = id
			if n == 0 {
				return shops, last
			}
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: {\""); ok {
			var d Decision
			if err := json.Unmarshal([]byte(`{"`+data), &d); err != nil {
				t.Fatal(err)
			}
			if shops = append(shops, fmt.Sprint(d.ShopID, "/", d.Revision)); len(shops) == n {
				return shops, last
			}
		}
	}
	t.Fatalf("the feed ended with %q: %v", shops, lines.Err())
	return nil, ""
}

// The feed goes on from a place, at another instance, and tells of everything once.
func TestFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decide("old", 0, 1, true)
	one, two := httptest.NewServer(w.api(nil).Handler()), httptest.NewServer(w.api(nil).Handler())
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	_, place := feed(t, one.URL, "", 0)
	w.decide("tea", 0, 1, true)
	w.decide("tea", 0, 2, false)
	w.decide("tea", 0, 2, false) // a repeat
	got, place := feed(t, one.URL, place, 2)
	if !slices.Equal(got, []string{"tea/1", "tea/2"}) {
		t.Errorf("the feed told %q", got)
	}
	w.decide("shoes", 0, 1, true)
	if got, _ = feed(t, two.URL, place, 1); !slices.Equal(got, []string{"shoes/1"}) {
		t.Errorf("the other instance told %q", got)
	}
}

// The webhook is told until it takes it, in order, and not of what it took before.
func TestWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var took []string
	fails := 2
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var d Decision
		if err != nil || json.Unmarshal(body, &d) != nil || len(r.Header.Get(SignatureHeader)) != 64 || r.Header.Get(TimestampHeader) == "" {
			t.Errorf("a call that is none: %s", body)
		}
		mu.Lock()
		defer mu.Unlock()
		if fails > 0 {
			fails--
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		took = append(took, fmt.Sprint(d.ShopID, "/", d.Revision))
	}))
	t.Cleanup(srv.Close)
	hooked := func(c *Config) { c.Webhook.URL, c.Webhook.SecretFile = srv.URL, file }
	w.decide("tea", 0, 1, true)
	w.decide("tea", 0, 2, false)
	w.api(hooked)
	w.await("both calls", func() bool { mu.Lock(); defer mu.Unlock(); return len(took) == 2 })
	w.decide("tea", 1, 1, true)
	w.await("the third call", func() bool { mu.Lock(); defer mu.Unlock(); return len(took) == 3 })
	if !slices.Equal(took, []string{"tea/1", "tea/2", "tea/1"}) {
		t.Errorf("it was told %q", took)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Config){
		"periods: 1": func(c *Config) { c.Periods = 1 }, "changes: 1": func(c *Config) { c.Changes = 1 }, "feeds: 0": func(c *Config) { c.Feeds = 0 }, "heartbeat: 0s": func(c *Config) { c.Heartbeat = 0 },
		"max_age": func(c *Config) { c.MaxAge = -1 }, "webhook.url": func(c *Config) { c.Webhook.URL = "x" }, "webhook.secret_file": func(c *Config) { c.Webhook.URL = "http://h/" },
		"webhook.timeout": func(c *Config) { c.Webhook.Timeout = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func FuzzPlaces(f *testing.F) {
	f.Add("0:1,1:2")
	f.Fuzz(func(t *testing.T, text string) {
		if places, err := parsePlaces(text); err == nil {
			if again, err := parsePlaces(formatPlaces(places)); err != nil || len(again) != len(places) {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

// BenchmarkRestrictions asks over loopback HTTP on kept connections, 16 at a time.
func BenchmarkRestrictions(b *testing.B) {
	w := newWorld(b)
	for i := range 2000 {
		w.decide(fmt.Sprintf("shop-%d", i), 0, 1, i%3 == 0)
	}
	srv := httptest.NewServer(w.api(nil).Handler())
	b.Cleanup(srv.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var mu sync.Mutex
	var all []time.Duration
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		var mine []time.Duration
		for i := 0; p.Next(); i++ {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, fmt.Sprintf("%s%s/shops/shop-%d/restrictions", srv.URL, Base, i%2000), nil)
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+machine)
			began := time.Now()
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			mine = append(mine, time.Since(began))
		}
		mu.Lock()
		all = append(all, mine...)
		mu.Unlock()
	})
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkAt5000 asks 5,000 times a second for ten seconds, whatever the answers take.
func BenchmarkAt5000(b *testing.B) {
	w := newWorld(b)
	for i := range 2000 {
		w.decide(fmt.Sprintf("shop-%d", i), 0, 1, i%3 == 0)
	}
	srv := httptest.NewServer(w.api(nil).Handler())
	b.Cleanup(srv.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the role does
	const rate, seconds, workers = 5000, 10, 50
	for range b.N {
		var wait sync.WaitGroup
		all, late := make([][]time.Duration, workers), make([][]time.Duration, workers)
		began := time.Now()
		for n := range workers {
			wait.Go(func() {
				for i := range rate * seconds / workers {
					due := began.Add(time.Duration(i*workers+n) * time.Second / rate)
					time.Sleep(time.Until(due))
					req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, fmt.Sprintf("%s%s/shops/shop-%d/restrictions", srv.URL, Base, (i*workers+n)%2000), nil)
					if err != nil {
						b.Error(err)
						return
					}
					req.Header.Set("Authorization", "Bearer "+machine)
					sent := time.Now()
					res, err := client.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					_ = res.Body.Close()
					all[n], late[n] = append(all[n], time.Since(sent)), append(late[n], time.Since(due))
				}
			})
		}
		wait.Wait()
		took := slices.Sorted(slices.Values(slices.Concat(all...)))
		b.ReportMetric(float64(len(took))/time.Since(began).Seconds(), "requests/s")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		due := slices.Sorted(slices.Values(slices.Concat(late...)))
		b.ReportMetric(float64(due[len(due)*99/100].Microseconds())/1000, "p99-since-due-ms")
	}
}
