// Package web is the chat pages: /chat for consumers, /widget.js that brings it onto a shop's own page, and /desk for
// the shop's agents. They are plain modules and style sheets, embedded, and speak the relay's protocol like any
// other client (docs/pages.md).
//
// It must not know relays: it serves files.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"golang.org/x/text/language"
)

//go:embed assets
var assets embed.FS

// languages of the pages; the first is for browsers that say nothing.
var (
	languages = []string{"zh", "en"}
	matcher   = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})
)

// pages by path: the file, and whether other sites may frame it.
var pages = map[string]struct {
	file   string
	framed bool
}{
	"/":     {"chat.html", true},
	"/chat": {"chat.html", true},
	"/desk": {"desk.html", false},
}

// policyFor is the Content-Security-Policy of a page: its own files only, nothing inline.
func policyFor(framed bool) string {
	ancestors := "'none'"
	if framed {
		ancestors = "*"
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors " + ancestors
}

type file struct {
	data []byte
	etag string
	kind string
}

// Handler serves the pages and their files.
func Handler() http.Handler {
	files := map[string]*file{}
	entries, err := assets.ReadDir("assets")
	if err != nil {
		panic(err) // they are embedded
	}
	all := sha256.New()
	for _, e := range entries {
		data, err := assets.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		all.Write(data)
		files[e.Name()] = &file{data: data, etag: etag(data), kind: mime.TypeByExtension(path.Ext(e.Name()))}
	}
	version := hex.EncodeToString(all.Sum(nil)[:6])
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		if p, ok := pages[r.URL.Path]; ok {
			lang := languageOf(r)
			data := bytes.ReplaceAll(files[p.file].data, []byte("{{lang}}"), []byte(lang))
			data = bytes.ReplaceAll(data, []byte("{{version}}"), []byte(version))
			w.Header().Set("Content-Security-Policy", policyFor(p.framed))
			w.Header().Set("Vary", "Accept-Language")
			w.Header().Set("Content-Language", lang)
			serve(w, r, &file{data: data, etag: etag(data), kind: "text/html; charset=utf-8"}, "no-cache")
			return
		}
		name, versioned := strings.CutPrefix(r.URL.Path, "/assets/"+version+"/")
		cache := "public, max-age=31536000, immutable"
		if !versioned {
			name, cache = strings.TrimPrefix(r.URL.Path, "/"), "public, max-age=300"
			if name != "widget.js" && name != "icon.svg" {
				name = ""
			}
		}
		f := files[name]
		if f == nil || path.Ext(name) == ".html" {
			http.NotFound(w, r)
			return
		}
		if name == "widget.js" {
			w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		serve(w, r, f, cache)
	})
}

func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%q", hex.EncodeToString(sum[:12]))
}

func serve(w http.ResponseWriter, r *http.Request, f *file, cache string) {
	w.Header().Set("ETag", f.etag)
	w.Header().Set("Cache-Control", cache)
	if strings.Contains(r.Header.Get("If-None-Match"), f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Length", fmt.Sprint(len(f.data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(f.data) // the browser may be gone; nobody is left to tell
	}
}

// languageOf is what the page asks for, or the browser.
func languageOf(r *http.Request) string {
	asked := r.URL.Query().Get("lang")
	for _, l := range languages {
		if asked == l {
			return l
		}
	}
	accept := r.Header.Get("Accept-Language")
	if accept == "" || len(accept) > 512 {
		return languages[0]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return languages[0]
	}
	_, n, _ := matcher.Match(tags...)
	return languages[n]
}
