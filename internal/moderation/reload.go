package moderation

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/feigeio/feige/internal/moderation/lexicon"
)

// Reload reads packs and hash lists again. On an error the earlier ones stay in force.
func (m *Moderator) Reload() error {
	packs, err := lexicon.Embedded()
	if err != nil {
		return fmt.Errorf("reading the embedded word packs: %w", err)
	}
	if m.config.PacksDir != "" {
		own, err := lexicon.LoadDir(os.DirFS(m.config.PacksDir), ".")
		if err != nil {
			return fmt.Errorf("reading moderation.packs_dir %s: %w", m.config.PacksDir, err)
		}
		packs = lexicon.Override(packs, own)
	}
	r := &rules{}
	if r.lexicon, err = lexicon.New(m.normaliser, packs); err != nil {
		return fmt.Errorf("compiling the word packs: %w", err)
	}
	var digest string
	if r.hashes, digest, err = loadHashes(m.config.HashesDir); err != nil {
		return err
	}
	r.version = r.lexicon.Version() + digest
	m.rules.Store(r)
	return nil
}

// Run reloads when a file of the configured directories changes, until the context ends. A pack that does not
// parse is logged and changes nothing.
func (m *Moderator) Run(ctx context.Context) error {
	if m.config.PacksDir == "" && m.config.HashesDir == "" {
		<-ctx.Done()
		return nil
	}
	seen := m.fingerprint()
	ticker := time.NewTicker(m.config.ReloadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := m.fingerprint()
		if now == seen {
			continue
		}
		seen = now
		if err := m.Reload(); err != nil {
			m.logger.Error("word packs unchanged", "error", err)
			continue
		}
		m.logger.Info("word packs reloaded", "version", m.Version())
	}
}

// fingerprint changes with any file of the directories: name, size, or time.
func (m *Moderator) fingerprint() string {
	hash := sha256.New()
	for _, dir := range []string{m.config.PacksDir, m.config.HashesDir} {
		if dir == "" {
			continue
		}
		entries, err := os.ReadDir(dir)
		fmt.Fprintln(hash, dir, err)
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				fmt.Fprintln(hash, e.Name(), info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// loadHashes reads lists of SHA-256 hashes, each with a remark.
func loadHashes(dir string) (map[string]string, string, error) {
	hashes := make(map[string]string)
	if dir == "" {
		return hashes, "", nil
	}
	names, err := fs.Glob(os.DirFS(dir), "*.sha256")
	if err != nil {
		return nil, "", fmt.Errorf("reading moderation.hashes_dir %s: %w", dir, err)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, "", fmt.Errorf("reading a hash list: %w", err)
		}
		sum.Write(data)
		lines := bufio.NewScanner(bytes.NewReader(data))
		for n := 1; lines.Scan(); n++ {
			line := strings.TrimSpace(lines.Text())
			if line == "" || line[0] == '#' {
				continue
			}
			hash, remark, _ := strings.Cut(line, " ")
			if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size {
				return nil, "", fmt.Errorf("hash list %s:%d: %q: want a SHA-256 in 64 hexadecimal digits, a blank, and a remark", path, n, hash)
			}
			hashes[strings.ToLower(hash)] = strings.TrimSpace(remark)
		}
		if err := lines.Err(); err != nil {
			return nil, "", fmt.Errorf("hash list %s: %w", path, err)
		}
	}
	return hashes, ",hashes-" + hex.EncodeToString(sum.Sum(nil)[:4]), nil
}
