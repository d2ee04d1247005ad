package signin

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var update = flag.Bool("update", false, "write golden files")

// TestMatrix holds the table of roles and operations against the file that people read.
func TestMatrix(t *testing.T) {
	t.Parallel()
	names := map[Scope]string{Never: "-", OwnConversation: "own conversation", OwnShop: "own shop", AnyRecorded: "any, recorded", AnyShop: "any"}
	var out bytes.Buffer
	for _, op := range Ops() {
		for _, r := range Roles() {
			fmt.Fprintf(&out, "%-18s %-10s %s\n", op, r, names[May(r, op)])
		}
	}
	const golden = "testdata/matrix.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("the table changed; look at every line of\n%s", out.String())
	}
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	check := func(name string, id Identity, op Op, shop, conversation string, want, wantRecorded bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if ok, recorded := id.Allowed(op, shop, conversation); ok != want || recorded != wantRecorded {
				t.Errorf("got %v, %v", ok, recorded)
			}
		})
	}
	consumer := Identity{Role: Consumer, Account: "c1", Shop: "tea"}
	anywhere := Identity{Role: Consumer, Account: "c1"}
	agent := Identity{Role: Agent, Account: "a1", Shop: "tea"}
	reviewer := Identity{Role: Reviewer, Account: "r1"}
	check("a consumer in its own", consumer, OpSend, "tea", "c1", true, false)
	check("a consumer in another's", consumer, OpHistory, "tea", "c2", false, false)
	check("a consumer in another shop", consumer, OpSend, "toys", "c1", false, false)
	check("a consumer of any shop", anywhere, OpSend, "toys", "c1", true, false)
	check("a consumer claims", consumer, OpClaim, "tea", "c1", false, false)
	check("an agent in its shop", agent, OpSend, "tea", "c2", true, false)
	check("an agent in another", agent, OpHistory, "toys", "c2", false, false)
	check("an agent rates", agent, OpRate, "tea", "c2", false, false)
	check("a reviewer reads", reviewer, OpHistory, "toys", "c2", true, true)
	check("a reviewer writes", reviewer, OpSend, "toys", "c2", false, false)
	check("a reviewer follows", reviewer, OpFollow, "toys", "", false, false)
	check("no role", Identity{}, OpSend, "tea", "c1", false, false)
	check("no shop", agent, OpSend, "", "c1", false, false)
}

func keysOf(t *testing.T, text string) *Keys {
	t.Helper()
	ks, err := ParseKeys([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return ks
}

var (
	secretA = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	secretB = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{2}, 32))
)

func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_764_000_000, 0)
	hs := keysOf(t, "keys: [{id: h, algorithm: HS256, secret: "+secretA+", signs: true}]")
	ed := keysOf(t, "keys: [{id: e, algorithm: EdDSA, private: "+secretB+", signs: true}]")
	both := keysOf(t, "keys: [{id: h, algorithm: HS256, secret: "+secretA+"}, {id: e, algorithm: EdDSA, private: "+secretB+", signs: true}]")
	id := Identity{Role: Agent, Account: "a1", Shop: "tea", Client: "workbench-web"}
	issue := func(ks *Keys, id Identity, life time.Duration) string {
		t.Helper()
		text, err := ks.Issue(id, now, life)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, ks := range map[string]*Keys{"HS256": hs, "EdDSA": ed} {
		got, err := both.Verify(issue(ks, id, time.Hour), now)
		if err != nil || got.Account != "a1" || got.Role != Agent || got.Shop != "tea" || got.Client != "workbench-web" || got.TokenID == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	public := []byte(ed.byID["e"].verify.(ed25519.PublicKey))
	refused := func(name, text string, at time.Time) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := both.Verify(text, at); !errors.Is(err, ErrToken) {
				t.Errorf("got %v", err)
			}
		})
	}
	sign := func(method jwt.SigningMethod, key any, kid string, c jwt.Claims) string {
		t.Helper()
		tok := jwt.NewWithClaims(method, c)
		tok.Header["kid"] = kid
		text, err := tok.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := claims{Role: Agent, Shop: "tea", RegisteredClaims: jwt.RegisteredClaims{Subject: "a1", ExpiresAt: jwt.NewNumericDate(now.Add(time.Hour))}}
	secret := bytes.Repeat([]byte{1}, 32)
	refused("empty", "", now)
	refused("rubbish", "a.b.c", now)
	refused("huge", strings.Repeat("a", 100_000), now)
	refused("expired", issue(hs, id, time.Minute), now.Add(2*time.Minute))
	refused("other signature", issue(keysOf(t, "keys: [{id: h, algorithm: HS256, secret: "+secretB+", signs: true}]"), id, time.Hour), now)
	refused("unknown key", sign(jwt.SigningMethodHS256, secret, "x", good), now)
	refused("no signature", sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "h", good), now)
	refused("public key as a secret", sign(jwt.SigningMethodHS256, public, "e", good), now)
	refused("another algorithm", sign(jwt.SigningMethodHS512, secret, "h", good), now)
	for name, change := range map[string]func(*claims){
		"no expiry":            func(c *claims) { c.ExpiresAt = nil },
		"unknown role":         func(c *claims) { c.Role = "root" },
		"no account":           func(c *claims) { c.Subject = "" },
		"an agent of no shop":  func(c *claims) { c.Shop = "" },
		"a shop with a slash":  func(c *claims) { c.Shop = "a/b" },
		"a shop like a tick's": func(c *claims) { c.Shop = "~tick" },
		"not valid yet":        func(c *claims) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Hour)) },
	} {
		c := good
		change(&c)
		refused(name, sign(jwt.SigningMethodHS256, secret, "h", c), now)
	}
}

func TestBadKeyFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"none":           "keys: []",
		"no yaml":        "{{" + secretA,
		"unknown field":  "keys: [{id: a, algo: HS256, secret: " + secretA + "}]",
		"short secret":   "keys: [{id: a, algorithm: HS256, secret: QUJD}]",
		"no algorithm":   "keys: [{id: a, secret: " + secretA + "}]",
		"twice":          "keys: [{id: a, algorithm: HS256, secret: " + secretA + "}, {id: a, algorithm: HS256, secret: " + secretB + "}]",
		"two that sign":  "keys: [{id: a, algorithm: HS256, secret: " + secretA + ", signs: true}, {id: b, algorithm: HS256, secret: " + secretB + ", signs: true}]",
		"foreign public": "keys: [{id: a, algorithm: EdDSA, private: " + secretA + ", public: " + secretB + "}]",
		"nothing to use": "keys: [{id: a, algorithm: EdDSA}]",
	} {
		if _, err := ParseKeys([]byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), secretA) {
			t.Errorf("%s: the error holds a secret", name)
		}
	}
}

func TestRotationAndRevocation(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dir := t.TempDir()
	keys, list := filepath.Join(dir, "keys.yaml"), filepath.Join(dir, "revoked")
	stamp := now
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		stamp = stamp.Add(time.Second)
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	old := "{id: old, algorithm: HS256, secret: " + secretA
	write(keys, "keys: ["+old+", signs: true}]")
	v, err := NewVerifier(keys, list)
	if err != nil {
		t.Fatal(err)
	}
	reload := func(want bool) {
		t.Helper()
		if changed, err := v.Reload(); err != nil || changed != want {
			t.Fatalf("reload: %v, %v", changed, err)
		}
	}
	issue := func(token string) string {
		t.Helper()
		text, err := v.keys.Load().Issue(Identity{Role: Consumer, Account: "c1", TokenID: token}, now, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := issue("t1")
	id, err := v.Verify(first, now)
	if err != nil {
		t.Fatal(err)
	}
	reload(false)
	write(keys, "keys: ["+old+"}, {id: new, algorithm: HS256, secret: "+secretB+", signs: true}]")
	reload(true)
	second := issue("t2")
	for _, text := range []string{first, second} {
		if _, err := v.Verify(text, now); err != nil {
			t.Error(err)
		}
	}
	write(list, "# stolen\njti t2\naccount consumer c9\n")
	reload(true)
	if _, err := v.Verify(second, now); !errors.Is(err, ErrToken) {
		t.Errorf("a revoked token: %v", err)
	}
	if _, err := v.Verify(first, now); err != nil {
		t.Errorf("another token: %v", err)
	}
	write(list, "revoke everything")
	if _, err := v.Reload(); err == nil {
		t.Error("a list that is none was taken")
	}
	if _, err := v.Verify(second, now); !errors.Is(err, ErrToken) {
		t.Error("the list that stood was forgotten")
	}
	os.Remove(list)
	if _, err := v.Reload(); err == nil || v.revoked.Load() == nil {
		t.Error("a list that went away was forgotten")
	}
	write(list, "account consumer c1")
	reload(true)
	if v.Good(id, now) {
		t.Error("a revoked account is good")
	}
	write(list, "")
	reload(true)
	if !v.Good(id, now) || v.Good(id, now.Add(2*time.Hour)) {
		t.Error("Good does not look at list and clock")
	}
	write(keys, "keys: [{id: new, algorithm: HS256, secret: "+secretB+", signs: true}]")
	reload(true)
	if v.Good(id, now) {
		t.Error("a token of a key that is gone is good")
	}
}

func TestCreateKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "keys.yaml")
	for range 2 {
		if err := CreateKeys(path); err != nil {
			t.Fatal(err)
		}
	}
	ks, err := LoadKeys(path)
	if err != nil || ks.signer == nil {
		t.Fatalf("%v, %v", ks, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func FuzzVerify(f *testing.F) {
	ks, err := ParseKeys([]byte("keys: [{id: h, algorithm: HS256, secret: " + secretA + ", signs: true}]"))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_764_000_000, 0)
	text, err := ks.Issue(Identity{Role: Consumer, Account: "c"}, now, time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, in string) {
		if id, err := ks.Verify(in, now); err == nil && (id.Account == "" || !id.Role.Known()) {
			t.Fatalf("%+v", id)
		}
	})
}
