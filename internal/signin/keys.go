package signin

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// Algorithms of keys.
const (
	EdDSA = "EdDSA"
	HS256 = "HS256"
)

// keyFile is the file of keys. To rotate: add a new key with signs: true, take signs from the old one, and
// take the old one out once its tokens have expired.
type keyFile struct {
	Keys []keyEntry `yaml:"keys"`
}

type keyEntry struct {
	// ID goes into the tokens' header (kid).
	ID        string `yaml:"id"`
	Algorithm string `yaml:"algorithm"`
	// Secret of HS256, Private (seed) and Public of EdDSA, base64. A relay needs no Private.
	Secret  string `yaml:"secret,omitempty"`
	Private string `yaml:"private,omitempty"`
	Public  string `yaml:"public,omitempty"`
	// Signs marks the key that new tokens are signed with.
	Signs bool `yaml:"signs,omitempty"`
}

// Key is one key, ready for use.
type Key struct {
	ID        string
	Algorithm string
	verify    any
	sign      any
}

// Keys is a set of keys by id. Immutable.
type Keys struct {
	byID   map[string]Key
	signer *Key
}

// minSecret is the shortest secret that HS256 may have, bytes.
const minSecret = 32

// ParseKeys reads a key file. Errors never hold a secret.
func ParseKeys(data []byte) (*Keys, error) {
	var f keyFile
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		// The library quotes the line that is wrong, and it may hold a secret.
		return nil, errors.New("not a key file: want keys: [{id, algorithm, secret | private, public, signs}]")
	}
	ks := &Keys{byID: map[string]Key{}}
	for i, e := range f.Keys {
		if e.ID == "" {
			return nil, fmt.Errorf("keys[%d]: no id", i)
		}
		if _, twice := ks.byID[e.ID]; twice {
			return nil, fmt.Errorf("keys[%d]: id %q is there twice", i, e.ID)
		}
		k, err := e.key()
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", e.ID, err)
		}
		ks.byID[e.ID] = k
		if e.Signs {
			if k.sign == nil {
				return nil, fmt.Errorf("key %q: signs, but has no private part", e.ID)
			}
			if ks.signer != nil {
				return nil, fmt.Errorf("keys %q and %q both sign; one must", ks.signer.ID, e.ID)
			}
			ks.signer = &k
		}
	}
	if len(ks.byID) == 0 {
		return nil, errors.New("no keys")
	}
	return ks, nil
}

func (e keyEntry) key() (Key, error) {
	k := Key{ID: e.ID, Algorithm: e.Algorithm}
	switch e.Algorithm {
	case HS256:
		secret, err := base64.StdEncoding.DecodeString(e.Secret)
		if err != nil {
			return k, errors.New("secret is not base64")
		}
		if len(secret) < minSecret {
			return k, fmt.Errorf("secret of %d bytes, at least %d", len(secret), minSecret)
		}
		k.verify, k.sign = secret, secret
	case EdDSA:
		if e.Private != "" {
			seed, err := base64.StdEncoding.DecodeString(e.Private)
			if err != nil || len(seed) != ed25519.SeedSize {
				return k, fmt.Errorf("private is not base64 of %d bytes", ed25519.SeedSize)
			}
			private := ed25519.NewKeyFromSeed(seed)
			k.sign, k.verify = private, private.Public()
		}
		if e.Public != "" {
			public, err := base64.StdEncoding.DecodeString(e.Public)
			if err != nil || len(public) != ed25519.PublicKeySize {
				return k, fmt.Errorf("public is not base64 of %d bytes", ed25519.PublicKeySize)
			}
			if of, ok := k.verify.(ed25519.PublicKey); ok && !of.Equal(ed25519.PublicKey(public)) {
				return k, errors.New("public does not belong to private")
			}
			k.verify = ed25519.PublicKey(public)
		}
		if k.verify == nil {
			return k, errors.New("neither private nor public is given")
		}
	default:
		return k, fmt.Errorf("algorithm %q: want %s or %s", e.Algorithm, EdDSA, HS256)
	}
	return k, nil
}

// LoadKeys reads a key file.
func LoadKeys(path string) (*Keys, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	ks, err := ParseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("keys in %s: %w", path, err)
	}
	return ks, nil
}

// CreateKeys writes a key file with one new EdDSA key, for trials, unless the file exists.
func CreateKeys(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	f := keyFile{Keys: []keyEntry{{
		ID: "trial-1", Algorithm: EdDSA, Signs: true,
		Private: base64.StdEncoding.EncodeToString(private.Seed()), Public: base64.StdEncoding.EncodeToString(public),
	}}}
	data, err := yaml.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode keys: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("create keys: %w", err)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create keys: %w", err)
	}
	_, err = out.Write(data)
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write keys to %s: %w", path, err)
	}
	return nil
}
