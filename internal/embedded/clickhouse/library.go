package clickhouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/feigeio/feige/internal/embedded/clickhouse/chdb"
)

// LibraryVariable is the environment variable that names the library's path.
const LibraryVariable = "FEIGE_CHDB_LIB"

const libraryName = "libchdb.so"

// ErrNoLibrary is what Locate's error wraps when the library is simply not there yet.
var ErrNoLibrary = errors.New("libchdb is not installed")

// Locate says where libchdb is: at cfgPath, else where FEIGE_CHDB_LIB says, else in the cache that Fetch fills.
func Locate(cfgPath string) (string, error) {
	for _, given := range []struct{ source, path string }{
		{"embedded.clickhouse.library", cfgPath},
		{LibraryVariable, os.Getenv(LibraryVariable)},
	} {
		if given.path == "" {
			continue
		}
		if err := isFile(given.path); err != nil {
			return "", fmt.Errorf("%s names no libchdb: %w", given.source, err)
		}
		return filepath.Abs(given.path)
	}
	path, err := cachedLibrary()
	if err != nil {
		return "", err
	}
	if err := isFile(path); err != nil {
		return "", fmt.Errorf("%w: run `feige setup`, which fetches it to %s, or set %s or embedded.clickhouse.library to a libchdb.so", ErrNoLibrary, path, LibraryVariable)
	}
	return path, nil
}

func isFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "load", Path: path, Err: errors.New("not a file")}
	}
	return nil
}

// cachedLibrary is where Fetch puts the library of this platform.
func cachedLibrary() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache directory: %w (set %s or embedded.clickhouse.library to a libchdb.so)", err, LibraryVariable)
	}
	return filepath.Join(cache, "feige", "chdb", chdb.Version, libraryName), nil
}

// release is one platform's package on npm.
type release struct {
	pkg string
	// sha256 of the library in it; empty where it could not be computed: then npm's own check of the
	// package against the registry's hash has to do.
	sha256 string
}

// releases by GOOS/GOARCH.
func platformRelease(goos, goarch string) (release, error) {
	switch goos + "/" + goarch {
	case "linux/amd64":
		return release{"@chdb/lib-linux-x64-gnu", "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5"}, nil
	case "linux/arm64":
		return release{pkg: "@chdb/lib-linux-arm64-gnu"}, nil
	case "darwin/amd64":
		return release{pkg: "@chdb/lib-darwin-x64"}, nil
	case "darwin/arm64":
		return release{pkg: "@chdb/lib-darwin-arm64"}, nil
	}
	return release{}, fmt.Errorf("no libchdb is published for %s/%s: use a ClickHouse server instead (clickhouse.addr)", goos, goarch)
}

func thisRelease() (release, error) { return platformRelease(runtime.GOOS, runtime.GOARCH) }
