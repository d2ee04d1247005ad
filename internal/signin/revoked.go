package signin

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Revoked is a list of tokens and accounts that are no longer good. Immutable; nil: nothing is revoked.
type Revoked struct{ entries map[string]bool }

// ParseRevoked reads a list, one entry a line: "jti <token id>", "kid <key id>", or "account <role> <account>".
// Empty lines and what follows '#' at a line's start do not count.
func ParseRevoked(data []byte) (*Revoked, error) {
	r := &Revoked{entries: map[string]bool{}}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		switch {
		case (words[0] == "jti" || words[0] == "kid") && len(words) == 2,
			words[0] == "account" && len(words) == 3 && Role(words[1]).Known():
			r.entries[strings.Join(words, " ")] = true
		default:
			return nil, fmt.Errorf("line %d: want \"jti ID\", \"kid ID\", or \"account ROLE ACCOUNT\"", n)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return r, nil
}

// Has tells whether an identity is revoked.
func (r *Revoked) Has(id Identity) bool {
	if r == nil || len(r.entries) == 0 {
		return false
	}
	return r.entries["jti "+id.TokenID] || r.entries["kid "+id.KeyID] || r.entries["account "+string(id.Role)+" "+id.Account]
}

// Verifier verifies tokens by files that are read anew when they change. Safe for concurrent use.
type Verifier struct {
	keysFile, revokedFile string
	keys                  atomic.Pointer[Keys]
	revoked               atomic.Pointer[Revoked]
	keysStamp, listStamp  string
}

// NewVerifier reads the files. revokedFile may be empty, and need not exist yet.
func NewVerifier(keysFile, revokedFile string) (*Verifier, error) {
	v := &Verifier{keysFile: keysFile, revokedFile: revokedFile}
	if _, err := v.Reload(); err != nil {
		return nil, err
	}
	return v, nil
}

// Reload reads the files that have changed. What was known stands when a file cannot be read. It must not be
// called by two at a time.
func (v *Verifier) Reload() (changed bool, err error) {
	if stamp := stampOf(v.keysFile); stamp != v.keysStamp || v.keys.Load() == nil {
		ks, err := LoadKeys(v.keysFile)
		if err != nil {
			return false, err
		}
		v.keys.Store(ks)
		v.keysStamp, changed = stamp, true
	}
	if v.revokedFile == "" {
		return changed, nil
	}
	if stamp := stampOf(v.revokedFile); stamp != v.listStamp {
		data, err := os.ReadFile(v.revokedFile)
		// A list that went away stays in force: it must be emptied, not deleted.
		if err != nil && (!os.IsNotExist(err) || v.revoked.Load() != nil) {
			return changed, fmt.Errorf("read revocation list: %w", err)
		}
		r, err := ParseRevoked(data)
		if err != nil {
			return changed, fmt.Errorf("revocation list %s: %w", v.revokedFile, err)
		}
		v.revoked.Store(r)
		v.listStamp, changed = stamp, true
	}
	return changed, nil
}

func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}

// Verify reads a token and makes sure that it is not revoked.
func (v *Verifier) Verify(text string, now time.Time) (Identity, error) {
	id, err := v.keys.Load().Verify(text, now)
	if err != nil {
		return Identity{}, err
	}
	if v.revoked.Load().Has(id) {
		return Identity{}, fmt.Errorf("%w: it is revoked", ErrToken)
	}
	return id, nil
}

// Good tells whether an identity that was verified before still is.
func (v *Verifier) Good(id Identity, now time.Time) bool {
	if now.UnixMicro() >= id.ExpiresUS || v.revoked.Load().Has(id) {
		return false
	}
	_, known := v.keys.Load().byID[id.KeyID]
	return known
}
