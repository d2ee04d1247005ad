package review

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
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
)

const day = 24 * 3600 * 1_000_000

// bearers are tokens that say who they are: "role account shop".
type bearers struct{}

func (bearers) Verify(token string, _ time.Time) (signin.Identity, error) {
	parts := strings.Split(token, " ")
	if len(parts) != 3 {
		return signin.Identity{}, signin.ErrToken
	}
	return signin.Identity{Role: signin.Role(parts[0]), Account: parts[1], Shop: parts[2]}, nil
}

type words struct {
	lines []Line
	err   error
}

func (w *words) Around(context.Context, string, string, int64, int) ([]Line, error) {
	return w.lines, w.err
}

type world struct {
	t      *testing.T
	kafka  *ekafka.Broker
	broker broker.Config
	client *kgo.Client
	words  *words
	router routers.Router
	now    int64
	mu     sync.Mutex
}

func newWorld(t *testing.T) *world {
	t.Helper()
	b, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	w := &world{t: t, kafka: b, broker: broker.DefaultConfig(), words: &words{}, now: 1_790_000_000_000_000}
	w.broker.Brokers, w.broker.Partitions, w.broker.Replication = []string{b.Addr()}, 2, 1
	if _, err := ingest.ApplyTopics(t.Context(), w.broker, "", ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	opts, err := w.broker.KGO()
	if err != nil {
		t.Fatal(err)
	}
	if w.client, err = kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()))...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.router, err = legacy.NewRouter(doc); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) nowUS() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(us int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now += us
}

// desk starts an instance.
func (w *world) desk(change func(*Config)) http.Handler {
	w.t.Helper()
	cfg := DefaultConfig()
	cfg.Rate, cfg.Burst, cfg.Timeout = 10000, 10000, 3*time.Second
	if change != nil {
		change(&cfg)
	}
	a, err := New(cfg, Dependencies{Broker: w.broker, Policy: policy.Default(), Verifier: bearers{}, Texts: w.words, NowUS: w.nowUS})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-done })
	w.await("the desk to be ready", func() bool { return a.Ready(ctx) == nil })
	return a.Handler()
}

func (w *world) await(what string, cond func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (w *world) put(topic, key string, m interface{ MarshalVT() ([]byte, error) }) {
	w.t.Helper()
	value, err := m.MarshalVT()
	if err != nil {
		w.t.Fatal(err)
	}
	rec := &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Partition: schemas.Partition([]byte(key), w.broker.Partitions)}
	if err := w.client.ProduceSync(w.t.Context(), rec).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) flagged(id, consumer string, change func(*chatv1.Flag)) {
	w.t.Helper()
	f := &chatv1.Flag{FlagId: id, Offender: &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, Id: consumer}, ShopId: "tea", ConversationId: consumer,
		EventId: "e-" + id, ActorId: consumer, AtUs: w.nowUS(), Category: chatv1.Category_CATEGORY_ABUSE, Severity: chatv1.Severity_SEVERITY_LOW, Confidence: 0.6,
		Detector: "classifier", DetectorVersion: "7", SpanFrom: 1, SpanTo: 3, Evidence: "坏话"}
	if change != nil {
		change(f)
	}
	w.put(schemas.TopicCases, offenderKey(f.Offender), &chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}})
}

const (
	rita, rolf = "reviewer rita ", "reviewer rolf "
	audit      = "auditor anna "
	c1, c2     = "consumer c1 ", "consumer c2 "
	boss       = "manager boss tea"
)

// do makes a request and holds it and its answer against the document. into may be nil.
func (w *world) do(h http.Handler, who, method, path, body string, into any, header ...string) (status int, code string) {
	w.t.Helper()
	req := httptest.NewRequestWithContext(w.t.Context(), method, Base+path, strings.NewReader(body))
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res := httptest.NewRecorder()
	h.ServeHTTP(res, req)
	data := res.Body.Bytes()
	route, params, err := w.router.FindRoute(req)
	if err == nil {
		input := &openapi3filter.RequestValidationInput{Request: req.Clone(w.t.Context()), PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		if res.Code < 300 {
			input.Request.Body = io.NopCloser(strings.NewReader(body))
			if err := openapi3filter.ValidateRequest(w.t.Context(), input); err != nil {
				w.t.Errorf("%s %s was taken, and the document refuses it: %v", method, path, err)
			}
		}
		answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: res.Code, Header: res.Header(), Options: input.Options}
		answer.SetBodyBytes(data)
		if err := openapi3filter.ValidateResponse(w.t.Context(), answer); err != nil {
			w.t.Errorf("%s %s: the answer %d is not as the document says: %v", method, path, res.Code, err)
		}
	} else if res.Code != http.StatusNotFound && res.Code != http.StatusMethodNotAllowed {
		w.t.Errorf("%s %s is not in the document: %v", method, path, err)
	}
	if res.Code >= 300 {
		var p problem
		_ = json.Unmarshal(data, &p)
		return res.Code, p.Code
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			w.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return res.Code, ""
}

func (w *world) wants(h http.Handler, who, method, path, body string, status int, code string, header ...string) {
	w.t.Helper()
	if got, gotCode := w.do(h, who, method, path, body, nil, header...); got != status || gotCode != code {
		w.t.Errorf("%s %s by %q: %d %q, want %d %q", method, path, who, got, gotCode, status, code)
	}
}

// Flag, claim, verdict, sanction, appeal, decision: through two instances that agree.
func TestDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged("f1", "c1", nil)
	w.flagged("f2", "c2", func(f *chatv1.Flag) { f.Category, f.Confidence = chatv1.Category_CATEGORY_SPAM, 0.9; f.AtUs++ })
	w.flagged("f3", "c3", func(f *chatv1.Flag) { f.AutoConfirmed = true; f.AtUs += 2 })
	one, two := w.desk(nil), w.desk(nil)

	var page Page[Flag]
	w.do(one, rita, "GET", "/queue", "", &page)
	if len(page.Items) != 2 || page.Items[0].FlagID != "f1" || page.Items[1].Category != "spam" {
		t.Fatalf("the queue is %+v", page)
	}
	w.do(one, rita, "GET", "/queue?limit=1", "", &page)
	next := page.Next
	page = Page[Flag]{}
	w.do(two, rita, "GET", "/queue?limit=1&cursor="+next, "", &page)
	if len(page.Items) != 1 || page.Items[0].FlagID != "f2" || page.Next != "" {
		t.Errorf("the second page is %+v", page)
	}
	filter := func(query string, ids ...string) {
		t.Helper()
		var p Page[Flag]
		w.do(one, rita, "GET", "/queue?"+query, "", &p)
		got := []string{}
		for _, f := range p.Items {
			got = append(got, f.FlagID)
		}
		if fmt.Sprint(got) != fmt.Sprint(ids) {
			t.Errorf("queue?%s: %v, want %v", query, got, ids)
		}
	}
	filter("category=spam", "f2")
	filter("minConfidence=0.7", "f2")
	filter("side=shop")
	filter("shop=tea&claimed=free", "f1", "f2")
	filter("ruling=confirmed", "f3")
	filter("ruling=any", "f1", "f2", "f3")

	// A claim at one instance binds the other, and ends.
	w.wants(one, rita, "POST", "/flags/f1/claim", "", 200, "")
	w.await("the claim at the other instance", func() bool { s, _ := w.do(two, rolf, "POST", "/flags/f1/claim", "", nil); return s == 409 })
	w.wants(two, rolf, "POST", "/flags/f1/verdict", `{"ruling":"confirmed"}`, 409, "claimed")
	filter("claimed=mine", "f1")
	w.pass(16 * 60 * 1_000_000)
	filter("claimed=mine")
	w.wants(two, rolf, "POST", "/flags/f1/claim", "", 200, "")
	w.wants(two, rolf, "DELETE", "/flags/f1/claim", "", 200, "")

	// The words, and the record of the reading.
	w.words.lines = []Line{{EventID: "e-f1", Role: "consumer", ActorID: "c1", Text: "你坏话说", AtUS: w.nowUS()}, {EventID: "e9", Role: "agent", ActorID: "a", Text: "您好"}}
	var talk Conversation
	w.do(one, rita, "GET", "/flags/f1/conversation", "", &talk)
	if len(talk.Lines) != 2 || !talk.Lines[0].Flagged || talk.SpanFrom != 1 || talk.SpanTo != 3 || talk.Evidence != "坏话" {
		t.Errorf("the conversation is %+v", talk)
	}
	w.wants(one, audit, "GET", "/flags/f1/conversation", "", 400, "reason_needed")
	w.wants(one, audit, "GET", "/flags/f1/conversation?reason=order+17", "", 200, "")
	if got := w.reads(2); got[0] != "rita reviewer tea c1 flag review of a flag 2" || got[1] != "anna auditor tea c1 flag order 17 2" {
		t.Errorf("the records are %q", got)
	}

	// A verdict, twice with the same key, is one.
	w.wants(one, rita, "POST", "/flags/f1/verdict", `{"ruling":"confirmed","note":"insult"}`, 200, "", idempotencyHeader, "k1")
	w.wants(one, rita, "POST", "/flags/f1/verdict", `{"ruling":"confirmed","note":"insult"}`, 200, "", idempotencyHeader, "k1")
	w.wants(one, rita, "POST", "/flags/f1/verdict", `{"ruling":"dismissed"}`, 409, "judged")
	var k Case
	w.await("the verdict at the other instance", func() bool { w.do(two, rita, "GET", "/flags/f1", "", &k); return len(k.Verdicts) == 1 })
	if k.Flag.Ruling != "confirmed" || k.Verdicts[0].ReviewerID != "rita" || k.AppealUntilUS == 0 {
		t.Errorf("the case is %+v", k)
	}
	w.put(schemas.TopicSanctions, "consumer:c1", &chatv1.Sanction{SanctionId: "e-f1/mute", FlagId: "f1", Version: 3, Kind: chatv1.SanctionKind_SANCTION_KIND_MUTE,
		Category: chatv1.Category_CATEGORY_ABUSE, Offender: &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, Id: "c1"}, FromUs: w.nowUS(), UntilUs: w.nowUS() + day, DecidedAtUs: w.nowUS()})
	var mine Account
	w.await("the sanction", func() bool { w.do(one, c1, "GET", "/mine", "", &mine); return len(mine.Sanctions) == 1 })
	if mine.MutedUntilUS == 0 || len(mine.Cases) != 1 || mine.Cases[0].Verdicts[0].ReviewerID != "" || mine.Cases[0].Flag.Detector != "" {
		t.Errorf("what the consumer sees is %+v", mine)
	}

	// The appeal: its side only, in time, once until it is decided; not by the one who ruled.
	w.wants(one, c2, "POST", "/flags/f1/appeals", `{"reason":"not me"}`, 404, "not_found")
	w.wants(one, boss, "POST", "/flags/f1/appeals", `{"reason":"not us"}`, 404, "not_found")
	w.wants(one, c2, "POST", "/flags/f2/appeals", `{"reason":"too early"}`, 409, "no_appeal")
	var a Appeal
	if s, _ := w.do(one, c1, "POST", "/flags/f1/appeals", `{"reason":"it was a quote"}`, &a, idempotencyHeader, "x"); s != 201 || a.State != "open" {
		t.Fatalf("the appeal is %+v (%d)", a, s)
	}
	w.wants(one, c1, "POST", "/flags/f1/appeals", `{"reason":"it was a quote"}`, 201, "", idempotencyHeader, "x")
	w.wants(one, c1, "POST", "/flags/f1/appeals", `{"reason":"again"}`, 409, "no_appeal")
	var open Page[Appeal]
	w.await("the appeal at the other instance", func() bool { w.do(two, rolf, "GET", "/appeals", "", &open); return len(open.Items) == 1 })
	w.wants(two, rita, "POST", "/appeals/"+a.AppealID+"/decision", `{"granted":true}`, 403, "own_verdict")
	w.wants(two, rolf, "POST", "/appeals/"+a.AppealID+"/decision", `{"granted":true,"note":"it is one"}`, 200, "")
	w.wants(two, rolf, "POST", "/appeals/"+a.AppealID+"/decision", `{"granted":true}`, 200, "")
	w.wants(two, rolf, "POST", "/appeals/"+a.AppealID+"/decision", `{"granted":false}`, 409, "decided")

	// Bulk: each has its own result.
	var bulk struct{ Results []Result }
	w.do(one, rita, "POST", "/verdicts", `{"verdicts":[{"flagId":"f2","ruling":"dismissed"},{"flagId":"none","ruling":"confirmed"},{"flagId":"f1","ruling":"confirmed"}]}`, &bulk)
	if got := fmt.Sprint(bulk.Results); !strings.HasPrefix(got, "[{f2 200  } {none 404 not_found") || !strings.Contains(got, "{f1 409 judged") {
		t.Errorf("the bulk's results are %s", got)
	}
	var s Statistics
	w.do(one, rita, "GET", "/statistics", "", &s)
	byCategory := map[string]Agreement{}
	for _, g := range s.Agreements {
		byCategory[g.By+" "+g.Value] = g
	}
	if s.Flags != 3 || s.AutoConfirmed != 1 || s.Open != 0 || byCategory["category abuse"].Confirmed != 1 || byCategory["category abuse"].Reversed != 1 ||
		byCategory["category spam"].Dismissed != 1 || *byCategory["reviewer rita"].Precision != 0.5 || byCategory["version 7"].Confirmed != 1 {
		t.Errorf("the statistics are %+v", s)
	}
	// The time for an appeal ends.
	w.pass(60 * day)
	w.wants(one, "consumer c3 ", "POST", "/flags/f3/appeals", `{"reason":"late"}`, 409, "no_appeal")
}

// reads are the first n records of audit.reads.
func (w *world) reads(n int) (out []string) {
	w.t.Helper()
	opts, err := w.broker.KGO()
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.ConsumeTopics(schemas.TopicReads), kgo.FetchMaxWait(20*time.Millisecond))...)
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for len(out) < n && ctx.Err() == nil {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			var m chatv1.ReadRecord
			if err := m.UnmarshalVT(r.Value); err != nil {
				w.t.Error(err)
			}
			out = append(out, fmt.Sprint(m.AccountId, " ", m.Role, " ", m.ShopId, " ", m.ConversationId, " ", m.What, " ", m.Reason, " ", m.Messages))
		})
	}
	return out
}

// Who may do what.
func TestRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged("f1", "c1", nil)
	h := w.desk(nil)
	bodies := map[string]string{"verdict": `{"ruling":"confirmed"}`, "verdicts": `{"verdicts":[{"flagId":"f1","ruling":"confirmed"}]}`, "decide": `{"granted":true}`, "appeal": `{"reason":"x"}`}
	for _, op := range operations() {
		method, pattern, _ := strings.Cut(op.pattern, " ")
		path := strings.NewReplacer("{flag}", "f1", "{kind}", "consumer", "{id}", "c1", "{appeal}", "a1").Replace(strings.TrimPrefix(pattern, Base))
		for _, role := range signin.Roles() {
			allowed := false
			for _, r := range op.who {
				allowed = allowed || r == role
			}
			status, code := w.do(h, string(role)+" somebody tea", method, path, bodies[op.name], nil)
			if refused := status == 403 && code == "forbidden"; refused == allowed {
				t.Errorf("%s by a %s: %d %s", op.name, role, status, code)
			}
		}
		w.wants(h, "", method, path, bodies[op.name], 401, "unauthorized")
		w.wants(h, "nonsense", method, path, bodies[op.name], 401, "unauthorized")
	}
}

// Bad input has a code; engines that are away change nothing.
func TestBadInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.flagged("f1", "c1", nil)
	h := w.desk(func(c *Config) { c.Timeout = time.Second })
	for _, body := range []string{"", "[]", "{", `{"ruling":1}`, `{"ruling":"confirmed","x":1}`, `{"ruling":"confirmed"} {}`, `{"ruling":"maybe"}`, `{"ruling":"confirmed","category":"ABUSE"}`,
		`{"ruling":"confirmed","note":"` + strings.Repeat("a", 5000) + `"}`} {
		w.wants(h, rita, "POST", "/flags/f1/verdict", body, 400, "bad_request")
	}
	w.wants(h, rita, "POST", "/flags/f1/verdict", `{"note":"`+strings.Repeat("a", 70<<10)+`"}`, 413, "too_large")
	w.wants(h, rita, "POST", "/flags/f1/verdict", `{"ruling":"confirmed"}`, 400, "bad_request", idempotencyHeader, strings.Repeat("k", 201))
	for _, q := range []string{"limit=0", "limit=x", "minConfidence=2", "side=x", "claimed=x", "ruling=x", "category=x", "cursor=%21"} {
		w.wants(h, rita, "GET", "/queue?"+q, "", 400, "bad_request")
	}
	w.wants(h, rita, "GET", "/flags/none", "", 404, "not_found")
	w.wants(h, rita, "GET", "/accounts/robot/x", "", 404, "not_found")
	w.wants(h, rita, "GET", "/nowhere", "", 404, "not_found")
	w.wants(h, rita, "POST", "/appeals/none/decision", `{"granted":true}`, 404, "not_found")
	w.words.err = fmt.Errorf("%w: %w", ErrTextsAway, errors.New("connection refused"))
	w.wants(h, rita, "GET", "/flags/f1/conversation", "", 503, "texts_away")
	w.words.err = nil
	if err := w.kafka.Close(); err != nil {
		t.Fatal(err)
	}
	w.wants(h, rita, "POST", "/flags/f1/verdict", `{"ruling":"confirmed"}`, 503, "try_again")
	w.wants(h, rita, "GET", "/flags/f1/conversation", "", 503, "try_again") // what cannot be recorded is not shown
	w.wants(h, rita, "GET", "/queue", "", 200, "")
}

func TestRate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.desk(func(c *Config) { c.Rate, c.Burst = 1, 2 })
	w.wants(h, rita, "GET", "/queue", "", 200, "")
	w.wants(h, rita, "GET", "/queue", "", 200, "")
	w.wants(h, rita, "GET", "/queue", "", 429, "rate_limited")
	w.wants(h, rolf, "GET", "/queue", "", 200, "")
}

// The book stays within its bounds; flags with a ruling go first.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := newBook(100*day, 3)
	flag := func(id string, at int64, confirmed bool) {
		b.step(&chatv1.Case{Step: &chatv1.Case_Flag{Flag: &chatv1.Flag{FlagId: id, AtUs: at, AutoConfirmed: confirmed, Offender: &chatv1.Offender{Id: id}}}}, 0, 0)
	}
	flag("a", 1, false)
	flag("b", 2, true)
	flag("c", 3, false)
	flag("d", 4, false)
	if b.files["b"] != nil || b.files["a"] == nil || len(b.order) != 3 || len(b.accounts) != 3 {
		t.Errorf("%d flags are left", len(b.order))
	}
	flag("e", 101*day, false)
	if len(b.order) != 1 || b.files["e"] == nil {
		t.Errorf("%d flags are left after their time", len(b.order))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"ruling":"confirmed"}`))
	f.Add([]byte(`{"ruling":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v VerdictRequest
		if err := decode(data, &v); err != nil {
			var p *problem
			if !errors.As(err, &p) || p.Status != 400 {
				t.Fatalf("%v", err)
			}
		}
		_, _, _ = parseCursor(string(bytes.ToValidUTF8(data, nil)))
	})
}
