package chatrelay

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/chatrelay/client"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

// certificate writes a certificate of its own for loopback.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return cert, key, pool
}

func TestTLSAndPages(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	cert, key, pool := certificate(t)
	quick := filepath.Join(t.TempDir(), "quick.yaml")
	if err := os.WriteFile(quick, []byte("default: [您好]\nshops: {toys: [hello, bye]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := h.relay(func(c *Config, d *Dependencies) {
		c.TLS, c.QuickRepliesFile, c.Compression = TLS{cert, key}, quick, true
		d.Pages = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = io.WriteString(w, "page "+q.URL.Path) })
	})
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	p := h.personWith(client.Config{URLs: []string{r.URL()}, HTTP: web, Token: func() (string, error) { return h.token(signin.Agent, "a1", "toys"), nil }})
	p.in()
	p.say("c1", "over TLS")
	if q := p.Welcome().QuickText; len(q) != 2 || q[0] != "hello" {
		t.Errorf("quick replies %q", q)
	}
	resp, err := web.Get(r.URL() + "/desk")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "page /desk" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(nil)
	cfg := testConfig()
	cfg.Addr, cfg.KeysFile = r.Addr(), h.keys
	if _, err := New(cfg, Dependencies{Broker: h.broker, Publisher: h.publisher(), Policy: policy.Default()}); err == nil || !strings.Contains(err.Error(), "relay.addr") {
		t.Errorf("got %v", err)
	}
}

// TestStopping sends clients to another relay without an error of theirs.
func TestStopping(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	cfg := testConfig()
	cfg.KeysFile = h.keys
	r, err := New(cfg, Dependencies{Broker: h.broker, Publisher: h.publisher(), Policy: policy.Default()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	await(t, "the relay", func() bool { return r.Ready(ctx) == nil })
	other := h.relay(nil)
	agent := h.person(signin.Agent, "a1", "tea", other.URL()).in()
	raw := dialRaw(t, r, nil)
	raw.write(helloText(h.token(signin.Consumer, "c2", "tea"), "test", ""))
	raw.next(protocol.TypeCaughtUp)
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL(), other.URL()).in()
	consumer.say("", "before")
	stop()
	raw.closed(protocol.CodeGoingAway)
	if err := <-done; err != nil {
		t.Error(err)
	}
	consumer.say("", "after")
	agent.await("both", func() bool { return len(agent.texts()) == 2 })
	if k := consumer.Check(); !k.OK() {
		t.Errorf("check %+v", k)
	}
}

// TestService is how a bot works: it watches shops, and writes as their bot.
func TestService(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	one, two := h.relay(nil), h.relay(nil)
	bot := h.person(signin.Service, "bot", "", one.URL(), two.URL())
	<-bot.Ready()
	for _, shop := range []string{"tea", "toys"} {
		if err := bot.Watch(t.Context(), shop, ""); err != nil {
			t.Fatal(err)
		}
	}
	bot.refused(&protocol.Request{Type: protocol.TypeWatch, ShopID: "tea"}, protocol.CodeInvalid)
	bot.refused(&protocol.Request{Type: protocol.TypeHistory, ShopID: "tea", ConversationID: "c1"}, protocol.CodeForbidden)
	tea := h.person(signin.Consumer, "c1", "tea", one.URL()).in()
	toys := h.person(signin.Consumer, "c1", "toys", two.URL()).in()
	tea.say("", "about tea")
	toys.say("", "about toys")
	bot.await("both shops' messages", func() bool { return len(bot.got()) == 2 })
	for _, d := range bot.got() {
		// Twice, as after a crash: one answer.
		for range 2 {
			bot.must(&protocol.Request{Type: protocol.TypeSend, ID: "answer to " + d.Event.EventId, ShopID: d.Event.ShopId, ConversationID: d.Event.ConversationId, Text: "a human is coming"})
		}
	}
	for _, p := range []*person{tea, toys} {
		p.await("the bot's answer", func() bool { return len(p.texts()) == 2 })
		if ev := p.got()[1].Event; ev.Actor.Role.String() != "ROLE_BOT" || ev.Actor.Id != "bot" {
			t.Errorf("event %v", ev)
		}
	}
	if n := len(bot.of(protocol.TypeReception)); n != 2 {
		t.Errorf("%d times told who receives", n)
	}
}
