package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func provisioner(t *testing.T, f *fake, change func(*Config)) *Provisioner {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Timeout = 10 * time.Second
	if f != nil {
		cfg.URL, cfg.Token = f.url, f.token
	}
	cfg.Datasource.Password = "reader-password"
	cfg.Contact.Webhook = "http://127.0.0.1:1/alerts"
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg, Dependencies{Database: "feige"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func count(changes []Change, action Action) (n int) {
	for _, c := range changes {
		if c.Action == action {
			n++
		}
	}
	return n
}

func TestApplyDiffDelete(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	p := provisioner(t, f, nil)
	ctx := context.Background()
	do := func(what string, call func(context.Context) ([]Change, error)) []Change {
		t.Helper()
		changes, err := call(ctx)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return changes
	}
	const things = 2 + 8 + 2 + 1 // folder, source, boards, contact and route, rules
	if got := count(do("diff", p.Diff), Create); got != things || len(f.writes) > 0 {
		t.Fatalf("a first diff would create %d, want %d; it wrote %v", got, things, f.writes)
	}
	if got := count(do("apply", p.Apply), Create); got != things {
		t.Fatalf("apply created %d, want %d", got, things)
	}
	f.writes = nil
	if changes := do("second apply", p.Apply); count(changes, Unchanged) != things || len(f.writes) > 0 {
		t.Fatalf("a second apply did %+v and wrote %v", changes, f.writes)
	}
	if routes := f.policy["routes"].([]any); len(routes) != 1 || f.policy["receiver"] != "grafana-default-email" {
		t.Errorf("policy %v", f.policy)
	}

	edits := map[string]func(){
		"board": func() {
			f.boards["feige-shop"]["dashboard"].(map[string]any)["panels"].([]any)[0].(map[string]any)["title"] = "mine"
		},
		"folder":        func() { f.folders["feige"]["title"] = "mine" },
		"data source":   func() { f.sources["feige"]["jsonData"].(map[string]any)["host"] = "mine" },
		"alert rules":   func() { f.rules["feige-dead-letters"]["for"] = "7m" },
		"contact point": func() { f.contacts["feige-contact"]["settings"].(map[string]any)["url"] = "mine" },
	}
	for kind, edit := range edits {
		edit()
		changes := do("diff after an edit", p.Diff)
		i := slices.IndexFunc(changes, func(c Change) bool { return c.Action == Update })
		if i < 0 || changes[i].Kind != kind || len(changes[i].Differences) != 1 || count(changes, Update) != 1 {
			t.Errorf("%s: diff says %+v", kind, changes)
			continue
		}
		if line := changes[i].Differences[0]; !strings.Contains(line, "mine") && !strings.Contains(line, "7m") {
			t.Errorf("%s: diff does not show the edit: %s", kind, line)
		}
		do("apply after an edit", p.Apply)
		if changes := do("diff", p.Diff); count(changes, Unchanged) != things {
			t.Errorf("%s: apply did not mend it: %+v", kind, changes)
		}
	}

	if got := count(do("delete", p.Delete), Delete); got != things {
		t.Errorf("deleted %d, want %d", got, things)
	}
	if len(f.folders)+len(f.sources)+len(f.boards)+len(f.rules)+len(f.contacts) > 0 {
		t.Error("something is left")
	}
	if changes := do("second delete", p.Delete); len(changes) > 0 {
		t.Errorf("a second delete did %+v", changes)
	}
}

func TestProvidedSourceIsLeftAlone(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.sources["feige"] = map[string]any{"id": 1, "uid": "feige", "name": "feige", "type": ClickHouseType, "access": "proxy", "readOnly": true, "jsonData": map[string]any{"host": "clickhouse"}}
	changes, err := provisioner(t, f, nil).Apply(context.Background())
	if err != nil || count(changes, Provided) != 1 || slices.ContainsFunc(f.writes, func(w string) bool { return strings.Contains(w, "datasources") }) {
		t.Errorf("%v %+v %v", err, changes, f.writes)
	}
}

func TestFailuresAreOneClearLine(t *testing.T) {
	t.Parallel()
	check := func(name string, want error, says string, spoil func(*fake), change func(*Config)) {
		t.Helper()
		f := newFake(t)
		if spoil != nil {
			spoil(f)
		}
		_, err := provisioner(t, f, change).Apply(context.Background())
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
			return
		}
		if strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), f.token) {
			t.Errorf("%s: a secret is in %v", name, err)
		}
		if len(f.writes) > 0 && name != "write refused" {
			t.Errorf("%s: it wrote %v first", name, f.writes)
		}
	}
	check("bad token", ErrSignIn, "grafana.token", nil, func(c *Config) { c.Token = "wrong" })
	check("bad password", ErrSignIn, "grafana.password", nil, func(c *Config) { c.Token, c.Password = "", "wrong" })
	check("old", ErrTooOld, "9.5.2", func(f *fake) { f.version = "9.5.2" }, nil)
	check("no plug-in", ErrNoPlugin, ClickHouseType, func(f *fake) { f.plugin = false }, nil)
	check("no network", ErrUnreachable, "grafana.url", nil, func(c *Config) { c.URL = "http://127.0.0.1:1" })
	check("forbidden", ErrForbidden, "Admin", func(f *fake) { f.deny = "/api/folders" }, nil)
	check("missing token file", nil, "token_file", nil, func(c *Config) { c.Token, c.TokenFile = "", "/nowhere" })
}

func TestBasicAuthAndTokenFile(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(f.token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Token, c.Password = "", "pass" },
		func(c *Config) { c.Token, c.TokenFile = "", file },
	} {
		if _, err := provisioner(t, f, change).Diff(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*Config){
		"url":                 func(c *Config) { c.URL = "grafana" },
		"timeout":             func(c *Config) { c.Timeout = 0 },
		"language":            func(c *Config) { c.Language = "fr" },
		"folder":              func(c *Config) { c.Folder = " " },
		"prefix":              func(c *Config) { c.Prefix = "A b" },
		"contact":             func(c *Config) { c.Contact = Contact{Emails: "a", Webhook: "b"} },
		"datasource.port":     func(c *Config) { c.Datasource.Port = 0 },
		"datasource.protocol": func(c *Config) { c.Datasource.Protocol = "ftp" },
		"token":               func(c *Config) { c.Token, c.TokenFile = "a", "b" },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	p := provisioner(t, nil, nil)
	one, two := t.TempDir(), t.TempDir()
	files, err := p.Export(one)
	if err != nil || len(files) != 10 {
		t.Fatalf("%v %v", files, err)
	}
	if _, err := p.Export(two); err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := os.ReadFile(filepath.Join(two, name)); string(again) != string(data) {
			t.Errorf("%s differs from one export to the next", name)
		}
		var v map[string]any
		if strings.HasSuffix(name, ".json") {
			err = json.Unmarshal(data, &v)
		} else {
			err = yaml.Unmarshal(data, &v)
		}
		if err != nil || len(v) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(string(data), "reader-password") {
			t.Errorf("%s holds a password", name)
		}
	}
}

// What docker-compose provisions from is what the code makes; feige dashboards export writes it anew.
func TestDeployedFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := provisioner(t, nil, nil)
	files, err := p.Export(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../deploy/grafana", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("deploy/grafana/%s is not what feige dashboards export deploy/grafana writes (%v)", name, err)
		}
	}
}
