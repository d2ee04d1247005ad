package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// call makes a request to the review API and returns the answer's status and members.
func (w *pagesWorld) call(token, method, path string, body any) (int, map[string]any) {
	w.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://"+w.console+"/api/v1/review"+path, bytes.NewReader(data))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, out
}

// From an unclear message to a mute, an appeal, and its end, as the consumer and two reviewers see it.
func TestBrowserReview(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	w := newPages(t)
	const shop, consumer, bad = "tea", "阿强", "女人都这样没脑子"
	chat := b.open("accused", w.chat(consumer, shop, "lang=zh"), 390, 780)
	chat.await("the chat", `!document.getElementById('composer').hidden`)
	chat.write("你好")
	chat.write(bad)
	chat.awaitMessage(bad)
	desk := func(name string) *page {
		return b.open(name, fmt.Sprintf("http://%s/review?lang=zh#token=%s", w.console, url.QueryEscape(w.token("reviewer", name, ""))), 1280, 820)
	}
	rita := desk("rita")
	rita.await("the flag", `document.querySelector('.flag button') || (document.querySelector('#filters [name=shop]').dispatchEvent(new Event('change', {bubbles: true})), false)`)
	rita.run(chromedp.KeyEvent("j"))
	rita.await("the words", `document.querySelector('#words mark')`)
	if got := value[string](rita, `document.querySelector('#words mark').textContent`); got != bad {
		t.Errorf("the marked words are %q", got)
	}
	rita.run(chromedp.KeyEvent("3"))
	rita.await("the claim", `document.querySelector('.case-head .mine') && document.querySelector('#words mark')`)
	rita.shot("case")
	rita.run(chromedp.KeyEvent("1"))
	rita.await("an empty queue", `!document.getElementById('queue-empty').hidden`)
	chat.await("the mute", `!document.getElementById('sanction').hidden && document.getElementById('sanction').textContent.includes('禁言') && document.getElementById('text').disabled`)
	chat.shot("muted")

	// The consumer appeals; another reviewer grants it; the consumer speaks again.
	token := w.token("consumer", consumer, shop)
	var flag string
	for i := 0; flag == "" && i < 200; i++ {
		_, mine := w.call(token, "GET", "/mine", nil)
		if cases, _ := mine["cases"].([]any); len(cases) == 1 {
			flag = cases[0].(map[string]any)["flag"].(map[string]any)["flagId"].(string)
		}
	}
	if status, a := w.call(token, "POST", "/flags/"+url.PathEscape(flag)+"/appeals", map[string]string{"reason": "我是在引用别人的话"}); status != http.StatusCreated {
		t.Fatalf("the appeal: %d %v", status, a)
	}
	if status, a := w.call(w.token("consumer", "another", shop), "POST", "/flags/"+url.PathEscape(flag)+"/appeals", map[string]string{"reason": "x"}); status != http.StatusNotFound {
		t.Errorf("another's appeal: %d %v", status, a)
	}
	rolf := desk("rolf")
	rolf.await("the desk", `!document.getElementById('desk').hidden`)
	rolf.run(chromedp.Click(`[data-tab="appeals"]`, chromedp.ByQuery))
	rolf.await("the appeal", `document.querySelector('#appeal-list .good')`)
	rolf.shot("appeals")
	rolf.run(chromedp.Click(`#appeal-list .good`, chromedp.ByQuery))
	chat.await("the end of the mute", `document.getElementById('sanction').hidden && !document.getElementById('text').disabled`)
	chat.write("谢谢")
	chat.awaitMessage("谢谢")
	rolf.run(chromedp.Click(`[data-tab="statistics"]`, chromedp.ByQuery))
	rolf.await("the statistics", `document.querySelectorAll('#statistics-view tbody tr').length >= 4`)
	rolf.shot("statistics")
	rolf.run(chromedp.Click(`[data-tab="account"]`, chromedp.ByQuery), chromedp.Evaluate(`(() => { const f = document.getElementById('account-form'); f.elements.id.value = `+quoted(consumer)+`; f.requestSubmit(); })()`, nil))
	rolf.await("the account", `document.querySelector('#account-view .history')`)
	rolf.shot("account")
	for _, p := range []*page{chat, rita, rolf} {
		p.noErrors()
	}
	w.quietly()
	if got := fmt.Sprint(w.sql("SELECT * FROM feige.audit_reads WHERE shop_id = 'tea'")); !strings.Contains(got, "rita") {
		t.Errorf("the records of readings are %s", got)
	}
	if got := fmt.Sprint(w.sql("SELECT kind, reversed FROM feige.sanctions WHERE offender_id = '" + consumer + "' ORDER BY kind")); got == "[]" || strings.Contains(got, "false") || strings.Contains(got, " 0]") {
		t.Errorf("the sanctions after the appeal are %s", got)
	}
}
