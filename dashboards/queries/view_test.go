package queries_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/console"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

// view opens a page of a console that has just started and returns when its first figure was there, and all of them.
func view(t *testing.T, conn driver.Conn, page string, choices url.Values) (first, all time.Duration, panels int) {
	t.Helper()
	keysFile := filepath.Join(t.TempDir(), "keys.yaml")
	if err := signin.CreateKeys(keysFile); err != nil {
		t.Fatal(err)
	}
	keys, err := signin.LoadKeys(keysFile)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := signin.NewVerifier(keysFile, "")
	if err != nil {
		t.Fatal(err)
	}
	token, err := keys.Issue(signin.Identity{Role: signin.Operator, Account: "oda"}, crowdNow, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	c, err := console.New(console.DefaultConfig(), console.Dependencies{Conn: conn, Calendar: policy.Default().Calendar(), Verifier: verifier, NowUS: crowdNow.UnixMicro})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Run(ctx) }()
	server := httptest.NewServer(c.Handler())
	defer func() { cancel(); server.CloseClientConnections(); server.Close(); <-ended }()
	get := func(path string) *http.Response {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+console.Base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "feige_console", Value: token})
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	began := time.Now()
	var known struct {
		Pages []struct {
			Name   string
			Panels []struct{ ID string }
		}
	}
	res := get("/api/start")
	err = json.NewDecoder(res.Body).Decode(&known)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	waiting := map[string]bool{}
	for _, p := range known.Pages {
		if p.Name == page {
			for _, each := range p.Panels {
				waiting[each.ID] = true
			}
		}
	}
	if panels = len(waiting); panels == 0 {
		t.Fatalf("there is no page %s", page)
	}
	choices.Set("page", page)
	res = get("/api/stream?" + choices.Encode())
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 16<<20)
	for len(waiting) > 0 {
		if !lines.Scan() {
			t.Fatalf("%s: the stream ends: %v", page, lines.Err())
		}
		data, isData := strings.CutPrefix(lines.Text(), "data: ")
		var panel struct{ ID, Error string }
		if !isData || json.Unmarshal([]byte(data), &panel) != nil || !waiting[panel.ID] {
			continue
		}
		if panel.Error != "" {
			t.Errorf("%s: %s is %s", page, panel.ID, panel.Error)
		}
		delete(waiting, panel.ID)
		if first == 0 {
			first = time.Since(began)
		}
	}
	return first, time.Since(began), panels
}

// Every page of the console over a crowd of shops, and over one shop of it, as one sees it who is the first to look.
func TestViews(t *testing.T) {
	c, conn, large := crowded(t)
	runs := 1
	if large {
		runs = 7
		settle(t, conn)
	}
	_, rows := ask(t, conn, "SELECT conversation_id FROM chat_events_data WHERE shop_id = '"+c.biggest()+"' LIMIT 1")
	one := url.Values{"shop": {c.biggest()}, "conversation": {rows[0][0]}}
	for _, place := range []struct {
		page    string
		choices url.Values
	}{
		{"overview", url.Values{}}, {"live", url.Values{}}, {"agents", url.Values{}}, {"assessment", url.Values{}}, {"violations", url.Values{}}, {"pipeline", url.Values{}},
		{"overview", one}, {"shop", one}, {"agents", one}, {"live", one}, {"assessment", one}, {"violations", one}, {"conversation", one},
	} {
		var firsts, alls []time.Duration
		panels := 0
		for range runs {
			first, all, n := view(t, conn, place.page, place.choices)
			firsts, alls, panels = append(firsts, first), append(alls, all), n
		}
		if large {
			slices.Sort(firsts)
			slices.Sort(alls)
			fmt.Printf("| %s | %s | %d | %s | %s / %s |\n", place.page, place.choices.Get("shop"), panels, ms(firsts[runs/2]), ms(alls[runs/2]), ms(alls[runs-1]))
		}
	}
}
