package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	t.Parallel()
	pages := Handler()
	get := func(method, path string, header ...string) (*httptest.ResponseRecorder, string) {
		t.Helper()
		req := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res := httptest.NewRecorder()
		pages.ServeHTTP(res, req)
		return res, res.Body.String()
	}
	speaks := func(path, accept, want string) {
		t.Helper()
		res, body := get("GET", path, "Accept-Language", accept)
		if res.Code != 200 || !strings.Contains(body, `<html lang="`+want+`">`) || res.Header().Get("Content-Language") != want {
			t.Errorf("%s for %q: status %d, %s", path, accept, res.Code, res.Header().Get("Content-Language"))
		}
	}
	speaks("/chat", "", "zh")
	speaks("/chat", "zh-TW,zh;q=0.9", "zh")
	speaks("/chat", "en-GB,en;q=0.9,zh;q=0.5", "en")
	speaks("/desk", "de, fr;q=0.5", "en")
	speaks("/desk?lang=en", "zh", "en")
	speaks("/chat?lang=xx", "en", "en")
	speaks("/chat", strings.Repeat("x", 2000), "zh")

	script := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)
	for _, path := range []string{"/", "/chat", "/desk"} {
		res, body := get("GET", path)
		csp := res.Header().Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "script-src 'self'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if framed := !strings.Contains(csp, "frame-ancestors 'none'"); framed != (path != "/desk") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if strings.Contains(body, "{{") || regexp.MustCompile(`<script(?:[^>]*)>[^<]|style="|onclick=`).MatchString(body) {
			t.Errorf("%s has something inline, or a place that was not filled in", path)
		}
		files := script.FindAllStringSubmatch(body, -1)
		if len(files) < 2 {
			t.Errorf("%s names %d files", path, len(files))
		}
		for _, f := range files {
			res, _ := get("GET", f[1])
			if res.Code != 200 || !strings.Contains(res.Header().Get("Cache-Control"), "immutable") || res.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: status %d, %q", f[1], res.Code, res.Header().Get("Cache-Control"))
			}
		}
		etag := res.Header().Get("ETag")
		if res, _ := get("GET", path, "If-None-Match", etag); res.Code != http.StatusNotModified {
			t.Errorf("%s with its ETag: status %d", path, res.Code)
		}
	}
	for path, want := range map[string]int{"/widget.js": 200, "/icon.svg": 200, "/chat.js": 404, "/assets/chat.js": 404, "/nowhere": 404, "/assets/../web.go": 404} {
		if res, _ := get("GET", path); res.Code != want {
			t.Errorf("%s: status %d, want %d", path, res.Code, want)
		}
	}
	if res, _ := get("POST", "/chat"); res.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: status %d", res.Code)
	}
	if res, _ := get("GET", "/widget.js"); !strings.HasPrefix(res.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("widget.js is %q", res.Header().Get("Content-Type"))
	}
}
