package ops

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func serve(t *testing.T, c HTTPConfig, registry *prometheus.Registry, checks *Checks) string {
	t.Helper()
	c.Addr = "127.0.0.1:0"
	server, err := Listen(c, registry, checks)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return "http://" + server.Addr()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestServer(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "feige_test_total", Help: "x"})
	registry.MustRegister(counter)
	counter.Add(3)
	checks := NewChecks()
	var broken atomic.Bool
	checks.Register("kafka", func(context.Context) error {
		if broken.Load() {
			return errors.New("no\nanswer")
		}
		return nil
	})
	checks.Register("clickhouse", func(context.Context) error { return nil })
	base := serve(t, HTTPConfig{}, registry, checks)

	check := func(path string, status int, want string) {
		t.Helper()
		got, body := get(t, base+path)
		if got != status || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %q, want %d with %q", path, got, body, status, want)
		}
	}
	check("/metrics", 200, "feige_test_total 3")
	check("/healthz", 200, "ok")
	check("/readyz", 200, "clickhouse: ok\nkafka: ok\nready\n")
	broken.Store(true)
	check("/readyz", 503, "clickhouse: ok\nkafka: no answer\nnot ready\n")
	check("/healthz", 200, "ok")
	check("/debug/pprof/", 404, "")

	withPprof := serve(t, HTTPConfig{Pprof: true}, registry, checks)
	if status, _ := get(t, withPprof+"/debug/pprof/"); status != 200 {
		t.Errorf("pprof: got %d", status)
	}
}

func TestListenPortInUse(t *testing.T) {
	t.Parallel()
	first, err := Listen(HTTPConfig{Addr: "127.0.0.1:0"}, prometheus.NewRegistry(), NewChecks())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, err = Listen(HTTPConfig{Addr: first.Addr()}, prometheus.NewRegistry(), NewChecks())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), first.Addr()) {
		t.Fatalf("got %v", err)
	}
}

func TestLogger(t *testing.T) {
	t.Parallel()
	check := func(c LogConfig, want string) {
		t.Helper()
		var out bytes.Buffer
		logger := NewLogger(&out, c)
		logger.Debug("quiet")
		logger.Warn("loud")
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "quiet") {
			t.Errorf("%+v: got %q", c, out.String())
		}
	}
	check(LogConfig{Level: "info", Format: "text"}, "msg=loud")
	check(LogConfig{Level: "warn", Format: "json"}, `"msg":"loud"`)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	check := func(name string, err error, want string) {
		t.Helper()
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	check("defaults", DefaultLogConfig().Validate(), "")
	check("level", LogConfig{Level: "loud", Format: "text"}.Validate(), `log.level must be debug, info, warn, or error (got "loud")`)
	check("format", LogConfig{Level: "info", Format: "xml"}.Validate(), `log.format must be text or json (got "xml")`)
	check("http", DefaultHTTPConfig().Validate(), "")
	check("http off", HTTPConfig{}.Validate(), "")
	check("http port", HTTPConfig{Addr: "localhost"}.Validate(), `http.addr must be host:port, or empty for none (got "localhost")`)
}
