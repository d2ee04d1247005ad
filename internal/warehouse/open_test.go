package warehouse_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	if err := warehouse.DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for _, test := range []struct {
		name   string
		change func(*warehouse.Config)
		words  []string
	}{
		{"no servers", func(c *warehouse.Config) { c.Addr = nil }, []string{"addr"}},
		{"no port", func(c *warehouse.Config) { c.Addr = []string{"somewhere"} }, []string{"addr", "somewhere"}},
		{"protocol", func(c *warehouse.Config) { c.Protocol = "grpc" }, []string{"protocol", "grpc"}},
		{"database", func(c *warehouse.Config) { c.Database = "a-b" }, []string{"database", "a-b"}},
		{"cluster", func(c *warehouse.Config) { c.Cluster = "a'b" }, []string{"cluster"}},
		{"two passwords", func(c *warehouse.Config) { c.Password, c.PasswordFile = "a", "b" }, []string{"password_file"}},
		{"half a certificate", func(c *warehouse.Config) { c.TLS = warehouse.TLS{Enabled: true, CertFile: "x"} }, []string{"tls", "key_file"}},
		{"tls that is off", func(c *warehouse.Config) { c.TLS = warehouse.TLS{CAFile: "x"} }, []string{"tls.enabled"}},
		{"dial timeout", func(c *warehouse.Config) { c.DialTimeout = 0 }, []string{"dial_timeout", "0s"}},
		{"read timeout", func(c *warehouse.Config) { c.ReadTimeout = 0 }, []string{"read_timeout"}},
		{"connections", func(c *warehouse.Config) { c.MaxOpenConns = 0 }, []string{"max_open_conns"}},
		{"compression", func(c *warehouse.Config) { c.Compression = "rar" }, []string{"compression", "rar"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := warehouse.DefaultConfig()
			test.change(&cfg)
			oneLine(t, cfg.Validate(), test.words...)
		})
	}
}

func oneLine(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestDatabaseNames(t *testing.T) {
	t.Parallel()
	cfg := warehouse.DefaultConfig()
	cfg.Database = "shop"
	for _, test := range []struct{ got, want string }{
		{warehouse.Database(""), "feige"}, {warehouse.Database("replay1"), "feige_replay1"},
		{cfg.DatabaseFor(""), "shop"}, {cfg.DatabaseFor("replay1"), "shop_replay1"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func TestPasswordStaysOutOfLogs(t *testing.T) {
	t.Parallel()
	cfg := warehouse.DefaultConfig()
	cfg.Password = "hush-hush"
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "clickhouse", cfg)
	if strings.Contains(logged.String(), "hush-hush") || !strings.Contains(logged.String(), "127.0.0.1:8123") {
		t.Errorf("logged %q", logged.String())
	}
}

// closedPort is one where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func TestOpenSaysWhoDoesNotAnswer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	webServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you?\nno.", http.StatusTeapot) }))
	t.Cleanup(webServer.Close)
	closed := closedPort(t)
	for _, protocol := range []string{warehouse.ProtocolHTTP, warehouse.ProtocolNative} {
		for _, test := range []struct {
			name, addr string
			words      []string
		}{
			{"nobody", closed, []string{"does not answer", "connection refused"}},
			{"silence", silent.Addr().String(), []string{"does not answer"}},
			{"a web server", webServer.Listener.Addr().String(), []string{"does not answer"}},
		} {
			t.Run(protocol+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				cfg := warehouse.DefaultConfig()
				cfg.Addr, cfg.Protocol = []string{test.addr}, protocol
				cfg.Password = "hush-hush"
				cfg.DialTimeout = 300 * time.Millisecond
				cfg.ReadTimeout = time.Second
				_, err := warehouse.Open(context.Background(), cfg, "")
				oneLine(t, err, append(test.words, "clickhouse at "+test.addr)...)
				if strings.Contains(err.Error(), "hush-hush") {
					t.Errorf("the password is in %q", err)
				}
			})
		}
	}
}

func TestOpenRefusesABadNamespace(t *testing.T) {
	t.Parallel()
	_, err := warehouse.Open(context.Background(), warehouse.DefaultConfig(), schemas.Namespace("Not-One"))
	oneLine(t, err, "Not-One")
}

func TestOpenReadsFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*warehouse.Config)
		words  []string
	}{
		{"password", func(c *warehouse.Config) { c.PasswordFile = "/nonexistent" }, []string{"password_file", "/nonexistent"}},
		{"authority", func(c *warehouse.Config) { c.TLS = warehouse.TLS{Enabled: true, CAFile: "/nonexistent"} }, []string{"tls", "ca_file", "/nonexistent"}},
		{"no authority inside", func(c *warehouse.Config) { c.TLS = warehouse.TLS{Enabled: true, CAFile: os.DevNull} }, []string{"no PEM certificate"}},
		{"certificate", func(c *warehouse.Config) {
			c.TLS = warehouse.TLS{Enabled: true, CertFile: "/nonexistent", KeyFile: "/nonexistent"}
		}, []string{"tls", "cert_file"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := warehouse.DefaultConfig()
			test.change(&cfg)
			_, err := warehouse.Open(context.Background(), cfg, "")
			oneLine(t, err, append(test.words, "clickhouse")...)
		})
	}
}

// TestOpenOverTLS has a server that only shows that the handshake was made and the password arrived.
func TestOpenOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seen := make(chan string, 8)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header.Get("X-ClickHouse-User") + ":" + r.Header.Get("X-ClickHouse-Key")
		w.Header().Set("X-ClickHouse-Exception-Code", "516")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, "Code: 516. DB::Exception: eve: Authentication failed. (AUTHENTICATION_FAILED)\nand more")
	}))
	t.Cleanup(secure.Close)
	authority := filepath.Join(dir, "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	password := filepath.Join(dir, "password")
	if err := errors.Join(os.WriteFile(authority, block, 0o600), os.WriteFile(password, []byte("from a file\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	cfg := warehouse.DefaultConfig()
	cfg.Addr = []string{secure.Listener.Addr().String()}
	cfg.Username, cfg.PasswordFile = "eve", password
	cfg.TLS = warehouse.TLS{Enabled: true, CAFile: authority, ServerName: "example.com"}
	_, err := warehouse.Open(context.Background(), cfg, "")
	oneLine(t, err, "refuses", "eve", "Authentication failed")
	if got := <-seen; got != "eve:from a file" {
		t.Errorf("the server saw %q", got)
	}
	cfg.TLS.CAFile = ""
	_, err = warehouse.Open(context.Background(), cfg, "")
	oneLine(t, err, "does not answer", "certificate")
	var unknown *tls.CertificateVerificationError
	if !errors.As(err, &unknown) {
		t.Errorf("%v keeps no cause", err)
	}
}
