package e2e

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// oddShops have names that break what puts names into SQL, markup, addresses, or files.
var oddShops = []string{"tea", `it's "tea" & <b>co`, "🏪 店铺", "'; DROP TABLE rounds_data; --"}

// rounds are conversations of a shop: of ten the first good are answered after a minute, the others never.
func (p *publisher) rounds(shop string, conversations, good int, at time.Time) (records []*kgo.Record) {
	say := func(conversation string, role chatv1.Role, actor string, at time.Time) {
		p.serial++
		e := &chatv1.ChatEvent{
			EventId: uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "console %d", p.serial)).String(), ShopId: shop, ConversationId: conversation,
			Actor: &chatv1.Actor{Role: role, Id: actor}, OccurredAtUs: at.UnixMicro(),
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: "在吗"}},
		}
		records = append(records, p.record(schemas.TopicEvents, schemas.EventKey(shop, conversation), e))
	}
	for i := range conversations {
		conversation := fmt.Sprintf("talk-%d", i)
		say(conversation, chatv1.Role_ROLE_CONSUMER, fmt.Sprintf("consumer-%d", i), at.Add(time.Duration(i)*time.Second))
		if i%10 < good {
			say(conversation, chatv1.Role_ROLE_AGENT, fmt.Sprintf("agent-%d", i%3), at.Add(time.Duration(i+60)*time.Second))
		}
	}
	return records
}

// What a manager and the platform's people see is what the views, the decision API, the report, and the export say, whatever a
// shop is called.
func TestBrowserConsole(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	w := newPages(t)
	cal := policy.Default().Calendar()
	at := time.Now().Add(-30 * time.Minute)
	now := cal.HalfMonth(time.Now().UnixMicro())
	if at.UnixMicro() < now.Start {
		at = time.UnixMicro(now.Start)
	}
	period := cal.FormatPeriod(now.Start)
	p := w.publisher("")
	for i, shop := range oddShops {
		p.publish(p.rounds(shop, 40, 9-2*i, at))
	}
	rate := func(shop string) (float64, bool) {
		rows := w.sql(fmt.Sprintf("SELECT value FROM feige.service_indicators WHERE shop_id = '%s' AND name = 'manual_reply_3min_rate' AND window_kind = 'half_month' AND samples = 40", strings.ReplaceAll(shop, "'", "\\'")))
		if len(rows) != 1 {
			return 0, false
		}
		value, err := strconv.ParseFloat(rows[0][0], 64)
		return value, err == nil
	}
	for _, shop := range oddShops {
		eventually(t, "the indicators of "+shop, func() bool { _, ok := rate(shop); return ok })
	}
	percent := func(v float64) string { return fmt.Sprintf("%.1f%%", 100*v) }
	open := func(name, role, shop, place string, width, height int64) *page {
		return b.open(name, fmt.Sprintf("http://%s/console/%s#token=%s", w.console, place, url.QueryEscape(w.token(role, name, shop))), width, height)
	}

	// Everything of the platform, sorted and filtered.
	oda := open("oda", "operator", "", "overview?lang=en", 1440, 900)
	const standards = `document.getElementById('panel-overview-standards')`
	oda.await("the shops", standards+`?.querySelectorAll('tbody tr').length === `+fmt.Sprint(len(oddShops)))
	if value[string](oda, "location.hash") != "" || strings.Contains(value[string](oda, "document.cookie"), "feige") {
		t.Error("the token stays where scripts can read it")
	}
	cells := func(p *page) map[string]string {
		return value[map[string]string](p, `Object.fromEntries([...`+standards+`.querySelectorAll('tbody tr')].map((r) => [r.cells[0].textContent, r.cells[3].textContent]))`)
	}
	for _, shop := range oddShops {
		v, _ := rate(shop)
		if got := cells(oda)[shop]; got != percent(v) {
			t.Errorf("the overview says %q of %q, the view %s", got, shop, percent(v))
		}
	}
	if n := value[string](oda, `document.getElementById('panel-overview-shops').querySelector('.number').textContent`); n != fmt.Sprint(len(oddShops)) {
		t.Errorf("the overview counts %s shops", n)
	}
	oda.shot("overview")
	column := func() []string {
		return value[[]string](oda, `[...`+standards+`.querySelectorAll('tbody tr')].map((r) => r.cells[3].textContent)`)
	}
	head := standards + `.querySelector('[data-column="reply_rate"]')`
	oda.run(chromedp.Evaluate(head+`.click()`, nil))
	falling := column()
	oda.run(chromedp.Evaluate(head+`.click()`, nil))
	rising := column()
	if falling[0] != percent(must1(rate(oddShops[0]))) || rising[len(rising)-1] != falling[0] || value[string](oda, head+`.closest('th').getAttribute('aria-sort')`) != "ascending" {
		t.Errorf("sorted by the rate: %q, then %q", falling, rising)
	}
	oda.run(chromedp.Evaluate(`(() => { const f = `+standards+`.querySelector('.find'); f.value = 'drop table'; f.dispatchEvent(new Event('input')); })()`, nil))
	if got := column(); len(got) != 1 || got[0] != percent(must1(rate(oddShops[3]))) {
		t.Errorf("filtered: %q", got)
	}
	saved := value[string](oda, `new Promise((done) => { const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blob.text().then(done); return make(new Blob([])); }; `+standards+`.querySelector('.tool').click(); })`, awaited)
	if rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(saved, "\ufeff"))).ReadAll(); err != nil || len(rows) != 2 || !strings.HasSuffix(rows[1][0], oddShops[3]) {
		t.Errorf("the saved table: %v %v", rows, err)
	}

	// From a shop's name to its page, to a conversation, and back.
	oda.run(chromedp.Evaluate(standards+`.querySelector('tbody a').click()`, nil))
	oda.await("the shop's page", `location.pathname === '/console/shop' && document.querySelector('#panel-shop-indicators tbody tr')`)
	if got := value[string](oda, `document.querySelector('#panel-shop-indicators tbody tr').cells[1].textContent`); got != percent(must1(rate(oddShops[3]))) {
		t.Errorf("the shop's page says %s", got)
	}
	oda.await("the waits", `document.querySelector('#panel-shop-waits tbody tr') && document.querySelector('#panel-shop-slowest a')`)
	oda.shot("shop")
	oda.run(chromedp.Evaluate(`document.querySelector('#panel-shop-slowest a').click()`, nil))
	oda.await("the conversation", `location.pathname === '/console/conversation' && document.querySelectorAll('#panel-conversation-events tbody tr').length > 0`)
	if strings.Contains(value[string](oda, `document.body.innerText`), "在吗") {
		t.Error("the console shows what was written")
	}
	oda.run(chromedp.Evaluate(`history.back()`, nil))
	oda.await("the shop's page again", `document.querySelector('#panel-shop-indicators tbody tr')`)

	// Nothing was broken by a name.
	if n := value[int](oda, `document.querySelectorAll('main b:not(.number), script:not([src])').length`); n != 0 {
		t.Error("a name became markup")
	}
	for _, other := range []string{"live", "agents", "assessment", "violations", "pipeline"} {
		oda.run(chromedp.Evaluate(`document.querySelector('[data-page="`+other+`"]').click()`, nil))
		oda.await("every panel of "+other, `location.pathname.endsWith('`+other+`') && document.querySelectorAll('.panel').length > 2 && !document.querySelector('.panel.waiting')`)
		if got := value[int](oda, `[...document.querySelectorAll('.fault')].filter((f) => !f.hidden).length`); got != 0 {
			t.Errorf("%s: %d panels could not be read", other, got)
		}
		oda.shot(other)
	}

	// A period with nothing in it.
	oda.run(chromedp.Navigate(fmt.Sprintf("http://%s/console/overview?period=2020-01-H1&lang=en", w.console)))
	oda.await("an empty period", `document.querySelectorAll('.panel').length > 2 && !document.querySelector('.panel.waiting') && `+standards+`.querySelector('.none').textContent`)
	if n := value[string](oda, `document.getElementById('panel-overview-shops').querySelector('.number').textContent`); n != "0" {
		t.Errorf("an empty period has %s shops", n)
	}
	oda.shot("empty")

	// A manager sees one shop, whatever is asked for; in the dark, in Chinese, on a phone.
	mia := open("mia", "manager", oddShops[1], "overview?lang=zh&shop=tea", 390, 844)
	mia.await("the shop", standards+`?.querySelectorAll('tbody tr').length === 1`)
	mia.run(chromedp.Evaluate(`document.documentElement.dataset.theme = 'dark'`, nil))
	mia.shot("phone")
	if text := value[string](mia, `document.querySelector('main').innerText`); strings.Contains(text, "DROP") || strings.Contains(text, "店铺\t40") || !strings.Contains(text, "期末预测") {
		t.Errorf("a manager's overview: %s", text)
	}
	if got := value[int](mia, `document.documentElement.scrollWidth`); got > 390 {
		t.Errorf("on a phone the page is %d wide", got)
	}
	if text := value[string](mia, `fetch('/console/api/list/shop?shop=tea').then((r) => r.text())`, awaited); strings.Contains(text, "tea\",") || strings.Contains(text, "DROP") {
		t.Errorf("a manager is told of the shops %s", text)
	}
	for _, p := range []*page{oda, mia} {
		p.noErrors()
	}
	none := open("carl", "consumer", "tea", "overview?lang=en", 800, 600)
	none.await("the refusal", `document.querySelector('.problem')?.textContent.includes('no place')`)

	// The same number elsewhere.
	for _, shop := range oddShops {
		w.agrees(shop, period, must1(rate(shop)))
	}
	w.quietly() // and the log says the same
}

// agrees holds a shop's rate against the decision API, the report, and the export.
func (w *pagesWorld) agrees(shop, period string, rate float64) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.console+"/api/v1/shops/"+url.PathEscape(shop)+"/kpis", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token("operator", "oda", ""))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer any
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	whole, _ := json.Marshal(answer) //nolint:errchkjson // it was JSON
	number, _ := json.Marshal(rate)  //nolint:errchkjson // a number
	if res.StatusCode != http.StatusOK || !strings.Contains(string(whole), `"value":`+string(number)) {
		w.t.Errorf("the decision API says of %q: %d %.600s; want %s", shop, res.StatusCode, whole, number)
	}
	w.must("report", "--shop", shop, "--period", period, "--format", "html", "--dir", w.dir)
	files, _ := os.ReadDir(w.dir)
	found := false
	for _, f := range files {
		if strings.HasSuffix(f.Name(), period+".html") {
			page, err := os.ReadFile(w.path(f.Name()))
			if err != nil {
				w.t.Fatal(err)
			}
			found = strings.Contains(string(page), fmt.Sprintf("%.1f", 100*rate))
			if err := os.Remove(w.path(f.Name())); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if !found {
		w.t.Errorf("the report of %q does not say %.1f", shop, 100*rate)
	}
	w.must("export", "--shop", shop, "--period", period, "--table", "indicators", "--out", w.path("out.csv"), "--verbatim")
	data, err := os.ReadFile(w.path("out.csv"))
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(string(data), string(number)) {
		w.t.Errorf("the export of %q: %.500s; want %s", shop, data, number)
	}
}

func must1(v float64, _ bool) float64 { return v }
