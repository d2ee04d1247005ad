package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/feigeio/feige/internal/policy"
)

// browser is a headless Chromium.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// newBrowser starts one, or skips.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		missing(t, "no Chromium (Debian: apt-get install chromium)")
	}
	// Not t.TempDir: the browser's last processes may still write when it has ended.
	profile, err := os.MkdirTemp("", "feige-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(20 * time.Second); os.RemoveAll(profile) != nil && time.Now().Before(deadline); {
			time.Sleep(50 * time.Millisecond)
		}
	})
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true), chromedp.Flag("lang", "zh-CN"))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {})) // it knows fewer events than the browser
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return &browser{t, ctx}
}

// page is one tab.
type page struct {
	t        *testing.T
	name     string
	ctx      context.Context
	problems *[]string
}

// open opens a tab of its own, with storage of its own.
func (b *browser) open(name, address string, width, height int64) *page {
	b.t.Helper()
	var tab target.ID
	if err := chromedp.Run(b.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		ctx = cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser)
		storage, err := target.CreateBrowserContext().Do(ctx)
		if err != nil {
			return err
		}
		tab, err = target.CreateTarget("about:blank").WithBrowserContextID(storage).WithNewWindow(true).Do(ctx)
		return err
	})); err != nil {
		b.t.Fatalf("opening %s: %v", name, err)
	}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(tab))
	b.t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil { // not under a deadline: the tab lives as long as this context
		b.t.Fatalf("opening %s: %v", name, err)
	}
	p := &page{t: b.t, name: name, ctx: ctx, problems: &[]string{}}
	chromedp.ListenTarget(ctx, func(ev any) {
		if e, ok := ev.(*runtime.EventExceptionThrown); ok {
			*p.problems = append(*p.problems, e.ExceptionDetails.Error())
		}
	})
	p.run(emulation.SetDeviceMetricsOverride(width, height, 1, width < 600), chromedp.Navigate(address))
	b.t.Cleanup(func() {
		if b.t.Failed() {
			p.shot("failed")
		}
	})
	return p
}

func (p *page) run(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 45*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// value evaluates an expression.
func value[T any](p *page, expression string, options ...chromedp.EvaluateOption) T {
	p.t.Helper()
	var v T
	p.run(chromedp.Evaluate(expression, &v, options...))
	return v
}

// awaited waits for the promise that an expression is.
func awaited(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }

// await waits until an expression holds.
func (p *page) await(what, expression string) {
	p.t.Helper()
	for deadline := time.Now().Add(45 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if value[bool](p, "Boolean("+expression+")") {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: waited in vain for %s; the page says:\n%s", p.name, what, value[string](p, "document.body.innerText"))
		}
	}
}

// shot takes a picture where FEIGE_TEST_SHOTS names a directory.
func (p *page) shot(name string) {
	dir := os.Getenv("FEIGE_TEST_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		p.t.Logf("%s: no picture: %v", p.name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, p.name+"-"+name+".png"), png, 0o600); err != nil {
		p.t.Log(err)
	}
}

// write types a message and sends it with Enter, by the keyboard alone.
func (p *page) write(text string) {
	p.t.Helper()
	p.run(chromedp.Focus("#text", chromedp.ByQuery), input.InsertText(text), enter())
}

// enter presses Enter as the keyboard does: what a page prevents inserts nothing.
func enter() chromedp.Action {
	return input.DispatchKeyEvent(input.KeyRawDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13)
}

// bubbles are the messages that the page shows, in order: "side|text".
func (p *page) bubbles() []string {
	p.t.Helper()
	return value[[]string](p, `[...document.querySelectorAll('#log .row')].map((r) => (r.classList.contains('bot') ? 'bot' : r.classList.contains('own') ? 'own' : 'other') + '|' + (r.querySelector('.text') || {textContent: ''}).textContent)`)
}

func quoted(s string) string {
	b, _ := json.Marshal(s) //nolint:errchkjson // a string
	return string(b)
}

func (p *page) awaitMessage(text string) {
	p.t.Helper()
	p.await("the message "+text, `[...document.querySelectorAll('#log .row:not(.pending) .text')].some((t) => t.textContent.includes(`+quoted(text)+`))`)
}

func (p *page) unbroken() {
	p.t.Helper()
	p.noErrors()
	if n := value[int](p, `document.querySelectorAll('script:not([src]), #log img[src="x"], #items img').length`); n != 0 {
		p.t.Errorf("%s: markup of a message became part of the page", p.name)
	}
}

// pagesWorld is everything in one process, working hours around the clock, with tokens.
type pagesWorld struct {
	*installation
	up             *process
	relay, console string
}

func newPages(t *testing.T) *pagesWorld {
	t.Helper()
	w := &pagesWorld{installation: newInstallation(t), relay: freeAddr(t), console: freeAddr(t)}
	w.env = append(w.env, "FEIGE_POLICY="+w.write("policy.yaml", strings.ReplaceAll(string(policy.DefaultYAML()), "08:00-23:00", "00:00-24:00")),
		"FEIGE_RELAY__QUICK_REPLIES_FILE="+w.write("quick.yaml", "default: [您好，我是客服小飞，请问有什么可以帮您？, 请稍等，我帮您查询一下。]\n"))
	w.launch()
	return w
}

// launch starts the process at addresses that stay the same.
func (w *pagesWorld) launch() {
	w.t.Helper()
	env := w.env
	w.env = append(append([]string{}, env...), "FEIGE_RELAY__ADDR="+w.relay, "FEIGE_CONSOLE__ADDR="+w.console)
	w.up = w.start("up")
	w.env = env
	w.up.awaitReady()
}

// token is one that `feige token` makes.
func (w *pagesWorld) token(role, account, shop string) string {
	w.t.Helper()
	out, err := w.command("127.0.0.1:0", "token", role, account, "--shop", shop).Output()
	if err != nil {
		w.t.Fatalf("feige token: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func (w *pagesWorld) chat(account, shop, query string) string {
	return fmt.Sprintf("http://%s/chat?%s#token=%s", w.relay, query, url.QueryEscape(w.token("consumer", account, shop)))
}

func (w *pagesWorld) desk(account, shop, query string) string {
	return fmt.Sprintf("http://%s/desk?%s#token=%s", w.relay, query, url.QueryEscape(w.token("agent", account, shop)))
}

// quietly stops everything and compares what the log says with ClickHouse, with nothing that publishes beside.
func (w *pagesWorld) quietly() {
	w.t.Helper()
	w.up.stop()
	engines := w.start("up", "--namespace", "quiet")
	engines.awaitReady()
	processors, sinks := w.start("processors"), w.start("sinks")
	processors.awaitReady()
	sinks.awaitReady()
	w.audit("")
	sinks.stop()
	processors.stop()
}

// The whole story of a conversation, as both sides see it in their browsers.
func TestBrowserStory(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	w := newPages(t)
	const shop, consumer = "tea", "小明"
	desk := b.open("desk", w.desk("agent-1", shop, "lang=zh"), 1280, 800)
	chat := b.open("chat", w.chat(consumer, shop, "lang=zh"), 390, 780)
	desk.await("the desk", `!document.getElementById('inbox-empty').hidden`)
	desk.shot("empty")
	chat.await("the chat", `!document.getElementById('composer').hidden && document.getElementById('status').textContent.includes('人工')`)
	if value[string](chat, "location.hash") != "" {
		t.Error("the token stays in the address")
	}
	chat.shot("empty")
	questions := []string{"你好", "在吗", "这款茶叶是今年的吗", "有现货吗", `<img src=x onerror="document.title='broken'">`, "能优惠吗", "在吗？", "有人吗", "？", "怎么没人"}
	for i, q := range questions {
		chat.write(q)
		if i == 2 {
			desk.await("the inbox", `document.querySelector('.item')`)
			desk.await("the countdown", `/剩余 [23]:\d\d/.test(document.querySelector('.item-time').textContent)`)
		}
	}
	chat.awaitMessage("怎么没人")
	desk.await("ten unreplied", `document.getElementById('meter-text').textContent.includes('10 / 10')`)
	chat.write("什么时候发货")
	chat.await("the bot's answer", `document.querySelector('.row.bot .text') && document.querySelector('.row.bot .text').textContent.includes('48 小时')`)
	chat.await("the bot's notice", `!document.getElementById('reception').hidden`)
	chat.await("the mark of the bot", `document.querySelector('.row.bot .tag').textContent === '机器人'`)
	desk.await("the bot's banner", `!document.getElementById('reception').hidden && document.getElementById('reception').textContent.includes('机器人已接管')`)
	chat.shot("bot")
	desk.shot("bot")

	// By the keyboard alone: the first conversation, a quick reply, and a reply.
	desk.run(chromedp.Evaluate(`document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowDown', altKey: true, bubbles: true}))`, nil))
	desk.await("the conversation", `!document.getElementById('conversation').hidden && document.querySelectorAll('#log .row').length >= 12`)
	desk.run(input.InsertText("/"))
	desk.await("the quick replies", `!document.getElementById('quick').hidden && document.activeElement.className === 'quick-item'`)
	desk.shot("quick")
	desk.run(chromedp.Evaluate(`document.activeElement.click()`, nil))
	desk.await("the quick reply in the box", `document.getElementById('text').value.includes('小飞') && document.activeElement.id === 'text'`)
	desk.run(enter())
	chat.awaitMessage("我是客服小飞")
	chat.await("the bot to step back", `document.getElementById('reception').hidden`)
	desk.await("the banner to go", `document.getElementById('reception').hidden`)
	chat.write("今天能发货吗")
	desk.awaitMessage("今天能发货吗")
	desk.write("可以的，今天就给您发出")
	chat.awaitMessage("今天就给您发出")
	desk.await("that it was read", `[...document.querySelectorAll('.read-mark')].some((m) => m.textContent === '已读')`)
	desk.shot("talk")
	chat.shot("talk")
	if title := value[string](desk, "document.title") + value[string](chat, "document.title"); strings.Contains(title, "broken") {
		t.Error("a message's markup ran")
	}

	// The connection is lost, and everything goes on.
	before := len(chat.bubbles())
	w.up.kill()
	chat.await("the notice of the loss", `!document.getElementById('connection').hidden`)
	chat.write("断线时写的")
	chat.await("the unsent message", `document.querySelector('.row.pending')`)
	chat.shot("lost")
	w.launch()
	chat.await("the connection", `document.getElementById('connection').hidden`)
	desk.awaitMessage("断线时写的")
	desk.write("收到")
	chat.awaitMessage("收到")
	if got := chat.bubbles(); len(got) != before+2 || got[before] != "own|断线时写的" || got[before+1] != "other|收到" {
		t.Errorf("after the loss the page shows %q", got[min(before-1, len(got)):])
	}

	// The end, and the rating.
	desk.run(chromedp.Click("#close", chromedp.ByQuery))
	desk.await("the dialog", `document.getElementById('dialog').open`)
	desk.shot("dialog")
	desk.run(input.InsertText("已解决"), chromedp.Click("#dialog-ok", chromedp.ByQuery))
	chat.await("to be asked for a rating", `!document.getElementById('rating').hidden`)
	chat.run(chromedp.Click(`#rating input[value="5"] + span`, chromedp.ByQuery))
	chat.shot("rating")
	chat.run(chromedp.Click("#rating .primary", chromedp.ByQuery))
	chat.await("thanks", `document.querySelector('.thanks') && document.querySelector('.thanks').textContent.includes('感谢')`)
	desk.await("the rating", `[...document.querySelectorAll('.note')].some((n) => n.textContent.includes('5 星'))`)

	// A page that is opened again shows the same, from the history.
	shown := chat.bubbles()
	again := b.open("again", w.chat(consumer, shop, "lang=en"), 1100, 760)
	again.await("the history", fmt.Sprintf(`document.querySelectorAll('#log .row').length >= %d`, len(shown)))
	if got := again.bubbles(); strings.Join(got, "\n") != strings.Join(shown, "\n") {
		t.Errorf("the history shows\n%q\nand the page showed\n%q", got, shown)
	}
	if lang := value[string](again, "document.documentElement.lang + ' ' + document.getElementById('title').textContent"); lang != "en Customer service" {
		t.Errorf("the English page says %q", lang)
	}
	again.shot("english")
	if wide := value[bool](chat, "document.documentElement.scrollWidth > innerWidth"); wide {
		t.Error("the page is wider than the phone")
	}
	pocket := b.open("pocket", w.desk("agent-2", shop, "lang=en"), 390, 780)
	pocket.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	pocket.await("the inbox", `document.querySelector('.item')`)
	pocket.shot("inbox")
	pocket.run(chromedp.Click(".item", chromedp.ByQuery))
	pocket.await("the conversation", `document.querySelectorAll('#log .row').length > 10`)
	pocket.shot("talk")
	if value[bool](pocket, "document.documentElement.scrollWidth > innerWidth") {
		t.Error("the workbench is wider than the phone")
	}
	for _, p := range []*page{desk, chat, again, pocket} {
		p.unbroken()
	}

	w.quietly()
	row := w.sql("SELECT trigger, unreplied, trigger_consumer_id, takeover_end FROM feige.takeovers WHERE shop_id = 'tea'")
	if got := fmt.Sprint(row); !regexp.MustCompile(`same_consumer.*11.*小明.*manual_reply`).MatchString(got) || len(row) != 1 {
		t.Errorf("the takeover's row is %s", got)
	}
	if n := w.number("SELECT count() FROM feige.chat_events WHERE shop_id = 'tea' AND actor_role = 'bot'"); n != 1 {
		t.Errorf("%d answers of the bot", n)
	}
	if got := fmt.Sprint(w.sql("SELECT score FROM feige.chat_events WHERE kind = 'conversation_rated' AND shop_id = 'tea'")); got != "[[5]]" {
		t.Errorf("the rating is %s", got)
	}
}

// A shop's own page brings the chat with one script tag.
func TestBrowserWidget(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	w := newPages(t)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(rw, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><h1>Green tea</h1>
<script>window.feigeToken = async () => %q</script>
<script src="http://%s/widget.js" data-shop="tea" data-token-callback="feigeToken" data-lang="en" data-color="#0a7d5a" data-title="Tea &amp; Co" async></script>`, w.token("consumer", "c9", "tea"), w.relay)
	}))
	t.Cleanup(shop.Close)
	p := b.open("widget", shop.URL, 1100, 760)
	button := `document.getElementById('feige-chat').shadowRoot.querySelector('button')`
	p.await("the button", `document.getElementById('feige-chat') && `+button)
	p.run(chromedp.Evaluate(button+`.click()`, nil))
	p.await("the frame", `!document.getElementById('feige-chat').shadowRoot.querySelector('iframe').hidden && `+button+`.getAttribute('aria-expanded') === 'true'`)
	signedIn := regexp.MustCompile(`feige_relay_connections\{role="consumer"\} 1`)
	for deadline := time.Now().Add(45 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, metrics := w.up.get("/metrics"); signedIn.MatchString(metrics) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the consumer never signed in through the widget")
		}
	}
	p.shot("open")
	p.run(chromedp.Evaluate(`document.getElementById('feige-chat').shadowRoot.querySelector('iframe').parentNode.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))`, nil))
	p.await("the frame to close", `document.getElementById('feige-chat').shadowRoot.querySelector('iframe').hidden`)
	p.noErrors()
}

// noErrors looks for what scripts threw.
func (p *page) noErrors() {
	p.t.Helper()
	for _, problem := range *p.problems {
		p.t.Errorf("%s: an error in the page: %s", p.name, problem)
	}
}
