package clickhouse

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// fakeNPM puts a command npm first on the path, which leaves the archive where it is told to, or fails.
func fakeNPM(t *testing.T, archive []byte, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package"), archive, 0o644); err != nil {
		t.Fatal(err)
	}
	if script == "" {
		// npm pack --silent --ignore-scripts --pack-destination DIR NAME
		script = "echo x >> " + filepath.Join(dir, "calls") + "\ncp " + filepath.Join(dir, "package") + " \"$5/fetched.tgz\"\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("FAKE_NPM_DIR", dir)
}

func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sha256 of "library".
const librarySum = "b718f1354f7247312eca086d9a024afe5fa717ddea5adeddd6f12bcf945b2e8c"

func TestFetchOnce(t *testing.T) {
	fakeNPM(t, archive(t, map[string]string{"package/index.js": "x", "package/libchdb.so": "library"}), "")
	dir := t.TempDir()
	target := filepath.Join(dir, libraryName)
	if err := os.Mkdir(filepath.Join(dir, leftoverPrefix+"old"), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			var own bytes.Buffer
			if err := fetchInto(context.Background(), &own, release{"some-package", librarySum}, target); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			out.Write(own.Bytes())
		})
	}
	group.Wait()
	calls, err := os.ReadFile(filepath.Join(os.Getenv("FAKE_NPM_DIR"), "calls"))
	if err != nil || string(calls) != "x\n" {
		t.Errorf("npm was called: %q, %v", calls, err)
	}
	if data, err := os.ReadFile(target); err != nil || string(data) != "library" {
		t.Errorf("the library: %q, %v", data, err)
	}
	if !strings.Contains(out.String(), "some-package") || !strings.Contains(out.String(), target) {
		t.Errorf("said %q", out.String())
	}
	if left, _ := filepath.Glob(filepath.Join(dir, leftoverPrefix+"*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestFetchRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		files   map[string]string
		script  string
		release release
		words   []string
	}{
		{"a wrong hash", map[string]string{"package/libchdb.so": "another"}, "", release{"p", librarySum}, []string{"sha256", librarySum}},
		{"no library inside", map[string]string{"package/index.js": "x"}, "", release{pkg: "p"}, []string{"holds no libchdb.so"}},
		{"npm fails", nil, "echo 'npm error code E404' >&2\necho more >&2\nexit 1\n", release{pkg: "p"}, []string{"npm pack p@", "E404", LibraryVariable}},
		{"npm leaves nothing", nil, "exit 0\n", release{pkg: "p"}, []string{"0 archives"}},
		{"no archive", nil, "echo x > \"$5/x.tgz\"\n", release{pkg: "p"}, []string{"unpack"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakeNPM(t, archive(t, test.files), test.script)
			target := filepath.Join(t.TempDir(), libraryName)
			err := fetchInto(context.Background(), &bytes.Buffer{}, test.release, target)
			if err == nil {
				t.Fatal("no error")
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			if isFile(target) == nil {
				t.Error("a library was installed")
			}
		})
	}
	t.Run("no npm", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		err := fetchInto(context.Background(), &bytes.Buffer{}, release{pkg: "p"}, filepath.Join(t.TempDir(), libraryName))
		if err == nil || !strings.Contains(err.Error(), "npm is not installed: install it, or set "+LibraryVariable) {
			t.Errorf("%v", err)
		}
	})
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	for platform, pkg := range map[string]string{
		"linux/amd64": "@chdb/lib-linux-x64-gnu", "linux/arm64": "@chdb/lib-linux-arm64-gnu",
		"darwin/amd64": "@chdb/lib-darwin-x64", "darwin/arm64": "@chdb/lib-darwin-arm64", "windows/amd64": "",
	} {
		goos, goarch, _ := strings.Cut(platform, "/")
		got, err := platformRelease(goos, goarch)
		if got.pkg != pkg || (err == nil) != (pkg != "") {
			t.Errorf("%s: %q, %v", platform, got.pkg, err)
		}
	}
}
