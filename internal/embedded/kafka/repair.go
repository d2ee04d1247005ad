package kafka

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// repair makes a directory that a killed process left behind good to open. The broker opens it without,
// but then
//
//   - it appends commits behind a half-written one, and the next start reads none of them;
//   - it reads a whole partition into memory when its files changed after the last clean stop;
//   - it believes, after a clean stop, that the members of consumer groups are still there, and lets the
//     new ones wait until the old ones' sessions expire.
func repair(dir string, log *slog.Logger) error {
	for _, name := range []string{"groups.log", "pids.log"} {
		if err := repairLog(filepath.Join(dir, name), log); err != nil {
			return fmt.Errorf("repair: %w", err)
		}
	}
	if err := forgetMembers(filepath.Join(dir, "session_state.json")); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if err := renewSnapshots(dir, log); err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// repairLog cuts a log of framed entries after the last whole one. An entry is its length and checksum (4
// bytes each, little-endian, both of what follows) and at least 2 bytes.
func repairLog(path string, log *slog.Logger) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	whole := 0
	for rest := raw; len(rest) >= 10; {
		size := int(binary.LittleEndian.Uint32(rest))
		if size < 2 || size > len(rest)-8 || crc32.Checksum(rest[8:8+size], castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			break
		}
		rest = rest[8+size:]
		whole = len(raw) - len(rest)
	}
	if whole == len(raw) {
		return nil
	}
	log.Warn("embedded kafka: half-written entry cut off after a crash", "file", path, "bytes", len(raw)-whole)
	return os.Truncate(path, int64(whole))
}

// forgetMembers takes the members of consumer groups, and what they were fetching, out of the state that a
// clean stop saved. Commits are elsewhere.
func forgetMembers(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal(raw, &state); err != nil {
		return os.Remove(path) // the broker would ignore it
	}
	for _, key := range []string{"classicGroups", "consumerGroups", "fetchSessions"} {
		delete(state, key)
	}
	if raw, err = json.Marshal(state); err != nil {
		return err
	}
	return replaceFile(path, raw)
}

// replaceFile puts a file in place whole or not at all.
func replaceFile(path string, data []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
