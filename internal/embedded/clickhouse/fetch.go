package clickhouse

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/feigeio/feige/internal/embedded/clickhouse/chdb"
)

// maxLibraryBytes is more than any known libchdb has.
const maxLibraryBytes = 2 << 30

// Fetch puts libchdb into the cache, unless it is there, and returns its path. It runs `npm pack`, which
// checks the package against the registry's hash, and checks the library's own sha256 where it is known.
// Processes that fetch at the same time wait for one another; the library appears whole or not at all.
func Fetch(ctx context.Context, out io.Writer) (string, error) {
	target, err := cachedLibrary()
	if err != nil {
		return "", err
	}
	if isFile(target) == nil {
		return target, nil
	}
	rel, err := thisRelease()
	if err != nil {
		return "", err
	}
	if err := fetchInto(ctx, out, rel, target); err != nil {
		return "", fmt.Errorf("fetch libchdb: %w", err)
	}
	return target, nil
}

// fetchInto fetches once, however many processes ask.
func fetchInto(ctx context.Context, out io.Writer, rel release, target string) error {
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("create the cache: %w", err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		return fmt.Errorf("wait for another process that fetches it: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	if isFile(target) == nil {
		return nil
	}
	return fetch(ctx, out, rel, target)
}

func fetch(ctx context.Context, out io.Writer, rel release, target string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("npm is not installed: install it, or set %s or embedded.clickhouse.library to a libchdb.so of version %s", LibraryVariable, chdb.Version)
	}
	dir := filepath.Dir(target)
	removeLeftovers(dir)
	work, err := os.MkdirTemp(dir, leftoverPrefix)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()

	name := rel.pkg + "@" + chdb.Version
	fmt.Fprintf(out, "fetching %s (about 180 MB) ...\n", name)
	cmd := exec.CommandContext(ctx, npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", work, name)
	cmd.Dir = work
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm pack %s failed (%w%s): check npm, or set %s or embedded.clickhouse.library to a libchdb.so", name, err, firstLine(stderr.String()), LibraryVariable)
	}
	archives, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s left %d archives, expected 1", name, len(archives))
	}
	unpacked := filepath.Join(work, libraryName)
	sum, err := unpack(archives[0], unpacked)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	if rel.sha256 != "" && sum != rel.sha256 {
		return fmt.Errorf("%s in %s has sha256 %s, expected %s: it is not the library this program was built for", libraryName, name, sum, rel.sha256)
	}
	if err := os.Rename(unpacked, target); err != nil {
		return err
	}
	fmt.Fprintf(out, "libchdb %s is in %s\n", chdb.Version, target)
	return nil
}

const leftoverPrefix = "fetch-"

// removeLeftovers clears what a killed fetch left; the caller holds the lock.
func removeLeftovers(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, leftoverPrefix+"*"))
	for _, one := range old {
		_ = os.RemoveAll(one)
	}
}

// unpack writes the library of an npm archive to target and returns its sha256.
func unpack(archive, target string) (sum string, err error) {
	file, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return "", err
	}
	reader := tar.NewReader(plain)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return "", fmt.Errorf("the package holds no %s", libraryName)
		}
		if err != nil {
			return "", err
		}
		if header.Typeflag == tar.TypeReg && isLibrary(path.Base(header.Name)) {
			return writeLibrary(reader, target)
		}
	}
}

func isLibrary(name string) bool { return name == libraryName || name == "libchdb.dylib" }

func writeLibrary(from io.Reader, target string) (sum string, err error) {
	file, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return "", err
	}
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(from, maxLibraryBytes+1))
	if err != nil {
		return "", err
	}
	if n > maxLibraryBytes {
		return "", fmt.Errorf("%s is larger than %d bytes", libraryName, maxLibraryBytes)
	}
	return hex.EncodeToString(hash.Sum(nil)), file.Sync()
}

// firstLine is npm's own word on a failure, if it said one.
func firstLine(stderr string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	if line == "" {
		return ""
	}
	return ": " + line
}
