package grafana

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fake is a Grafana that keeps what it is given and answers as Grafana does. It counts writes.
type fake struct {
	mu       sync.Mutex
	url      string
	version  string
	plugin   bool
	token    string
	deny     string // path prefix that is forbidden
	folders  map[string]map[string]any
	sources  map[string]map[string]any
	boards   map[string]map[string]any
	rules    map[string]map[string]any
	contacts map[string]map[string]any
	policy   map[string]any
	writes   []string
	interval float64
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{
		version: "11.4.0", plugin: true, token: "secret-token",
		folders: map[string]map[string]any{}, sources: map[string]map[string]any{}, boards: map[string]map[string]any{},
		rules: map[string]map[string]any{}, contacts: map[string]map[string]any{}, policy: map[string]any{"receiver": "grafana-default-email", "group_by": []any{"alertname"}},
	}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	missing := func() { answer(http.StatusNotFound, map[string]any{"message": "not found"}) }
	path := strings.TrimSuffix(r.URL.Path, "/")
	if path == "/api/health" {
		answer(200, map[string]any{"database": "ok", "version": f.version})
		return
	}
	user, password, basic := r.BasicAuth()
	if r.Header.Get("Authorization") != "Bearer "+f.token && (!basic || user != "admin" || password != "pass") {
		answer(401, map[string]any{"message": "Invalid API key"})
		return
	}
	if f.deny != "" && strings.HasPrefix(path, f.deny) {
		answer(403, map[string]any{"message": "Access denied"})
		return
	}
	if r.Method != http.MethodGet {
		f.writes = append(f.writes, r.Method+" "+path)
	}
	var body map[string]any
	if r.Body != nil {
		_ = json.NewDecoder(r.Body).Decode(&body)
	}
	last := path[strings.LastIndexByte(path, '/')+1:]
	route := func(prefix string) bool { return strings.HasPrefix(path, prefix) }
	keep := func(m map[string]map[string]any, key string) {
		switch v, ok := m[key]; {
		case r.Method == http.MethodGet && ok:
			answer(200, v)
		case r.Method == http.MethodPut && ok:
			maps.Copy(v, body)
			answer(200, v)
		case r.Method == http.MethodDelete && ok:
			delete(m, key)
			answer(200, map[string]any{})
		default:
			missing()
		}
	}
	switch {
	case route("/api/plugins/"):
		if !f.plugin {
			missing()
			return
		}
		answer(200, map[string]any{"id": ClickHouseType})
	case path == "/api/folders" && r.Method == http.MethodPost:
		f.folders[body["uid"].(string)] = body
		answer(200, body)
	case route("/api/folders/"):
		keep(f.folders, last)
	case path == "/api/datasources" && r.Method == http.MethodPost:
		delete(body, "secureJsonData")
		body["id"], body["version"] = len(f.sources)+1, 1
		body["jsonData"].(map[string]any)["addedByGrafana"] = true
		f.sources[body["uid"].(string)] = body
		answer(200, body)
	case route("/api/datasources/uid/"):
		delete(body, "secureJsonData")
		keep(f.sources, last)
	case route("/api/datasources/"):
		clear(f.sources)
		answer(200, map[string]any{})
	case path == "/api/dashboards/db":
		model := body["dashboard"].(map[string]any)
		uid := model["uid"].(string)
		old, _ := f.boards[uid]["dashboard"].(map[string]any)
		version, _ := old["version"].(float64)
		model["id"], model["version"] = float64(len(f.boards)+1), version+1
		f.boards[uid] = map[string]any{"dashboard": model, "meta": map[string]any{"folderUid": body["folderUid"]}}
		answer(200, map[string]any{"uid": uid, "status": "success"})
	case route("/api/dashboards/uid/"):
		keep(f.boards, last)
	case route("/api/v1/provisioning/folder/"):
		if r.Method == http.MethodPut {
			f.interval, _ = body["interval"].(float64)
			clear(f.rules)
			for _, rule := range body["rules"].([]any) {
				rule := rule.(map[string]any)
				f.rules[rule["uid"].(string)] = rule
			}
			answer(200, body)
			return
		}
		if len(f.rules) == 0 {
			missing()
			return
		}
		answer(200, map[string]any{"title": last, "interval": f.interval, "rules": slices.Collect(maps.Values(f.rules))})
	case route("/api/v1/provisioning/alert-rules/"):
		keep(f.rules, last)
	case path == "/api/v1/provisioning/contact-points" && r.Method == http.MethodPost:
		f.contacts[body["uid"].(string)] = body
		answer(202, body)
	case path == "/api/v1/provisioning/contact-points":
		answer(200, slices.AppendSeq([]map[string]any{}, maps.Values(f.contacts)))
	case route("/api/v1/provisioning/contact-points/"):
		keep(f.contacts, last)
	case path == "/api/v1/provisioning/policies":
		if r.Method == http.MethodPut {
			f.policy = body
		}
		answer(200, f.policy)
	default:
		answer(500, map[string]any{"message": "the fake does not know " + r.Method + " " + path})
	}
}
