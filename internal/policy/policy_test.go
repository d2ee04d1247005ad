package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

// tree is the built-in policy as plain values, to be changed by a test.
func tree(t testing.TB) map[string]any {
	t.Helper()
	src, err := readSource("default.yaml", defaultYAML)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(src.value)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func text(t testing.TB, value any) []byte {
	t.Helper()
	out, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// versions makes a policy of several versions that differ in their limit.
func versions(t testing.TB, effective ...string) []byte {
	t.Helper()
	var list []any
	for i, from := range effective {
		v := tree(t)["versions"].([]any)[0].(map[string]any)
		v["version"] = fmt.Sprint("v", i+1)
		v["effective_from"] = from
		v["reception"].(map[string]any)["unreplied_limit"] = i + 1
		list = append(list, v)
	}
	return text(t, map[string]any{"time_zone": "Asia/Shanghai", "versions": list})
}

func TestAt(t *testing.T) {
	t.Parallel()
	s, err := Parse("policy.yaml", versions(t, "always", "2026-11-16", "2026-12-01T00:00:00.000001+08:00"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(at string, want string) {
		t.Helper()
		tm, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.At(tm.UnixMicro()); got.Version != want {
			t.Errorf("at %s version %s is in force, want %s", at, got.Version, want)
		}
	}
	check("1960-01-01T00:00:00Z", "v1")
	check("2026-11-15T23:59:59.999999+08:00", "v1")
	check("2026-11-16T00:00:00+08:00", "v2")
	check("2026-12-01T00:00:00+08:00", "v2")
	check("2026-12-01T00:00:00.000001+08:00", "v3")
	check("2999-01-01T00:00:00Z", "v3")
	for us, want := range map[int64]int{math.MinInt64: 1, math.MaxInt64: 3} {
		if got := s.At(us).Reception.UnrepliedLimit; got != want {
			t.Errorf("at %d the limit is %d, want %d", us, got, want)
		}
	}
}

// TestAtFirst: the first version holds for all time before the second, whatever it says itself.
func TestAtFirst(t *testing.T) {
	t.Parallel()
	s, err := Parse("policy.yaml", versions(t, "2026-01-01", "2026-02-01"))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.At(0).Version; got != "v1" {
		t.Errorf("in 1970 version %s is in force, want v1", got)
	}
}

// TestAtLinear holds the look-up against going through all versions.
func TestAtLinear(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SliceOfNDistinct(rapid.Int64Range(-50, 50), 1, 20, rapid.ID).Draw(t, "from")
		slices.Sort(from)
		s := &Set{}
		for _, us := range from {
			s.versions = append(s.versions, &Policy{EffectiveFromUS: us})
		}
		us := rapid.Int64Range(-60, 60).Draw(t, "at")
		want := s.versions[0]
		for _, p := range s.versions {
			if p.EffectiveFromUS <= us {
				want = p
			}
		}
		if got := s.At(us); got != want {
			t.Fatalf("at %d: %v, want %v", us, got.EffectiveFromUS, want.EffectiveFromUS)
		}
	})
}

// TestAtAllocates nothing; not parallel, as allocations are counted for the whole process.
func TestAtAllocates(t *testing.T) {
	s, err := Parse("policy.yaml", versions(t, "always", "2026-01-01", "2026-02-01"))
	if err != nil {
		t.Fatal(err)
	}
	us := s.Versions()[1].EffectiveFromUS
	var sum int
	if n := testing.AllocsPerRun(100, func() { sum += s.At(us-1).index + s.At(us).index }); n != 0 || sum == 0 {
		t.Errorf("At allocates %v times", n)
	}
}

// TestRender: what is shown reads back as the same policy, with its comments.
func TestRender(t *testing.T) {
	t.Parallel()
	check := func(name string, s *Set) {
		t.Helper()
		for _, p := range s.Versions() {
			out, err := s.Render(p)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse("rendered.yaml", out)
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out)
			}
			got, want := *again.At(0), *p
			got.index, want.index = 0, 0
			if len(again.Versions()) != 1 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s, version %s: read back as %+v, want %+v", name, p.Version, got, want)
			}
		}
	}
	check("default", Default())
	several, err := Parse("policy.yaml", versions(t, "always", "2026-11-16", "2026-12-01"))
	if err != nil {
		t.Fatal(err)
	}
	check("several", several)

	out, err := Default().Render(Default().At(0))
	if err != nil {
		t.Fatal(err)
	}
	const comment = "# 2.1: the bot takes over at the first unreplied message past this limit, the 11th."
	if !strings.Contains(string(out), comment+"\n      unreplied_limit: 10\n") {
		t.Errorf("the comment on unreplied_limit is lost:\n%s", out)
	}
}

// TestRenderLaterVersion: a later version keeps its own comments.
func TestRenderLaterVersion(t *testing.T) {
	t.Parallel()
	_, first, ok := strings.Cut(string(defaultYAML), "versions:\n")
	if !ok {
		t.Fatal("default.yaml has no versions")
	}
	second := strings.NewReplacer(`"2026.1"`, `"2026.2"`, "always\n", "2026-11-16\n", "limit, the 11th.", "limit, the 21st.", "unreplied_limit: 10", "unreplied_limit: 20").Replace(first)
	s, err := Parse("policy.yaml", append(DefaultYAML(), second...))
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.Render(s.At(math.MaxInt64))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`version: "2026.2"`, `effective_from: "2026-11-16"`, "limit, the 21st.\n      unreplied_limit: 20", "# The policy: every number"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(string(out), "the 11th") {
		t.Errorf("comments of the first version in\n%s", out)
	}
}

func TestLoadAndCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.yaml")
	bad := filepath.Join(dir, "bad.yaml")
	if err := errors.Join(
		os.WriteFile(good, defaultYAML, 0o600),
		os.WriteFile(bad, []byte("time_zone: UTC\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	if err := Check(good); err != nil {
		t.Error(err)
	}
	s, err := Load(good)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name() != good || s.At(0).Version != Default().At(0).Version {
		t.Errorf("%s read as version %s of %s", good, s.At(0).Version, s.Name())
	}
	if err := Check(bad); err == nil || !strings.HasPrefix(err.Error(), bad+":1: versions: is missing") {
		t.Errorf("Check(bad) = %v", err)
	}
	if err := Check(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Check(none) = %v", err)
	}
	if err := Check(dir); err == nil {
		t.Error("a directory is a policy")
	}
}

// TestShared: a set is read by many at once; what it hands out is not written to.
func TestShared(t *testing.T) {
	t.Parallel()
	s, err := Parse("policy.yaml", versions(t, "always", "1970-01-02", "1970-01-03"))
	if err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprintf("%+v", *s.At(0))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range int64(2000) {
				p := s.At((i + int64(g)) % 4 * 86_400_000_000)
				_ = p.Assessment.IsDissatisfied(1)
				_ = p.Reception.IsManualReplyKind(1)
				_ = p.Violations.Points("spam", "brushing", SeverityLow)
				_ = s.Calendar().In(p.Assessment.AssessedTime, i*1_000_000)
			}
		})
	}
	wg.Wait()
	list := s.Versions()
	list[0] = nil
	DefaultYAML()[0] = 'x'
	SchemaJSON()[0] = 'x'
	if s.At(math.MinInt64) == nil || fmt.Sprintf("%+v", *s.At(0)) != before || defaultYAML[0] == 'x' || schemaJSON[0] == 'x' {
		t.Error("a caller changed the policy")
	}
}

// keyPaths lists every mapping key of a tree, with a way to its mapping.
func keyPaths(value any, path string, visit func(path, key string, in map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			visit(join(path, key), key, v)
			keyPaths(v[key], join(path, key), visit)
		}
	case []any:
		for i, item := range v {
			keyPaths(item, fmt.Sprintf("%s[%d]", path, i), visit)
		}
	}
}
