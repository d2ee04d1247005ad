package clickhouse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// bare is a server without an engine, for what comes before it.
func bare(t testing.TB) *Server {
	t.Helper()
	cfg := DefaultConfig()
	cfg.MaxStatementBytes = 4 << 10
	cfg.MaxExternalBytes = 4 << 10
	cfg.MaxConcurrent = 1
	cfg.QueueTimeout = 100 * time.Millisecond
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Server{cfg: cfg, log: slog.New(slog.DiscardHandler), metrics: m, places: make(chan struct{}, cfg.MaxConcurrent),
		accounts: map[string]account{"default": {role: RoleAdmin, hash: sha256.Sum256(nil)}}}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	s := bare(t)
	release, err := s.place(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.place(context.Background()); errorCode(err) != codeTooManyQueries || statusOf(errorCode(err)) != http.StatusServiceUnavailable {
		t.Errorf("beyond the bound: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.place(ctx); errorCode(err) != codeCanceled {
		t.Errorf("for one who left: %v", err)
	}
	got := make(chan error, 1)
	go func() {
		release, err := s.place(context.Background())
		if err == nil {
			release()
		}
		got <- err
	}()
	release()
	if err := <-got; err != nil && errorCode(err) != codeTooManyQueries {
		t.Errorf("after the release: %v", err)
	}
	release, err = s.place(context.Background())
	if err != nil {
		t.Fatalf("all places are free: %v", err)
	}
	release()
}

func TestPasswordsStayOutOfText(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.Users = map[string]User{"default": {Role: RoleAdmin, Password: "hush-hush"}}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "cfg", cfg, "user", cfg.Users["default"])
	for _, text := range []string{logged.String(), fmt.Sprint(cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg.Users)} {
		if strings.Contains(text, "hush-hush") {
			t.Errorf("the password is in %q", text)
		}
	}
}

func TestStructureOfTypes(t *testing.T) {
	t.Parallel()
	for types, want := range map[string]string{
		"UInt8":                               "_1 UInt8",
		"UInt8,String":                        "_1 UInt8, _2 String",
		"Map(String, Tuple(Int8, Int8)),Date": "_1 Map(String, Tuple(Int8, Int8)), _2 Date",
	} {
		if got := structureOf(types); got != want {
			t.Errorf("%s: %q, want %q", types, got, want)
		}
	}
}

// FuzzRequest reads whole requests as far as the engine: whatever comes, the answer is an error of this
// server or a statement within bounds that it would run.
func FuzzRequest(f *testing.F) {
	form := "--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT 1\r\n--b--\r\n"
	f.Add("", "SELECT 1", "", "", "default_format=Native&client_protocol_version=54483")
	f.Add("query=INSERT+INTO+t+FORMAT+CSV", "1,2\n", "", "", "")
	f.Add("decompress=1&query=INSERT+INTO+t+FORMAT+Native", string(frame(f, 2, "xxxx")), "", "", "")
	f.Add("", form, "", "multipart/form-data; boundary=b", "ext_structure=a+UInt8")
	f.Add("", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip", "", "")
	f.Add("user=x&password=y", "SELECT 1", "zstd", "", "param_a=1&max_threads=2")
	f.Fuzz(func(t *testing.T, rawQuery, data, encoding, kind, more string) {
		s := bare(t)
		r := httptest.NewRequest(http.MethodPost, "http://localhost/", strings.NewReader(data))
		r.URL.RawQuery = rawQuery + "&" + more
		r.Header.Set("Content-Encoding", encoding)
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return
		}
		a := &answer{server: s, w: w, r: r, query: query}
		if _, _, err := s.signIn(r, query); err != nil {
			a.fail(err)
			return
		}
		in, _, err := body(w, r, query, time.Second)
		if err != nil {
			a.fail(err)
			return
		}
		text, rest, tables, err := a.read(in)
		if err != nil {
			a.fail(err)
			if w.Code < 400 {
				t.Errorf("status %d for %v", w.Code, err)
			}
			return
		}
		if len(text) > 2*s.cfg.MaxStatementBytes+2 {
			t.Errorf("a statement of %d bytes", len(text))
		}
		size := 0
		for _, table := range tables {
			size += len(table.data)
		}
		if int64(size) > s.cfg.MaxExternalBytes {
			t.Errorf("external tables of %d bytes", size)
		}
		if rest != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(rest, 1<<20))
		}
		helloRevision(query, text, "Native")
	})
}
