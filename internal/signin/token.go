package signin

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// maxToken is the longest token that is looked at, bytes.
const maxToken = 4096

// claims of a token.
type claims struct {
	Role   Role   `json:"role"`
	Shop   string `json:"shop,omitempty"`
	Client string `json:"client,omitempty"`
	jwt.RegisteredClaims
}

var (
	// ErrToken says that a token is not good: the wrapped text says why, and is safe to show.
	ErrToken = errors.New("the token is not good")
	// ErrNoSigner says that no key of the set signs.
	ErrNoSigner = errors.New("no key signs (signs: true)")
)

// Issue signs a token for an identity with the key that signs. Role, Account, and life are needed; a TokenID
// is made where none is given.
func (ks *Keys) Issue(id Identity, now time.Time, life time.Duration) (string, error) {
	if ks.signer == nil {
		return "", ErrNoSigner
	}
	if err := id.check(); err != nil {
		return "", err
	}
	if life <= 0 {
		return "", fmt.Errorf("life %v is not positive", life)
	}
	if id.TokenID == "" {
		u, err := uuid.NewV7()
		if err != nil {
			return "", fmt.Errorf("make a token id: %w", err)
		}
		id.TokenID = u.String()
	}
	var method jwt.SigningMethod = jwt.SigningMethodEdDSA
	if ks.signer.Algorithm == HS256 {
		method = jwt.SigningMethodHS256
	}
	t := jwt.NewWithClaims(method, claims{Role: id.Role, Shop: id.Shop, Client: id.Client, RegisteredClaims: jwt.RegisteredClaims{
		Subject: id.Account, ID: id.TokenID, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}})
	t.Header["kid"] = ks.signer.ID
	text, err := t.SignedString(ks.signer.sign)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// Verify reads a token. Its algorithm must be that of the key it names.
func (ks *Keys) Verify(text string, now time.Time) (Identity, error) {
	if len(text) > maxToken {
		return Identity{}, fmt.Errorf("%w: too long", ErrToken)
	}
	var c claims
	var key Key
	parser := jwt.NewParser(jwt.WithValidMethods([]string{EdDSA, HS256}), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithLeeway(5*time.Second), jwt.WithStrictDecoding())
	_, err := parser.ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		k, ok := ks.byID[kid]
		if !ok || t.Method.Alg() != k.Algorithm {
			return nil, errors.New("no such key")
		}
		key = k
		return k.verify, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return Identity{}, fmt.Errorf("%w: it has expired", ErrToken)
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return Identity{}, fmt.Errorf("%w: it is not valid yet", ErrToken)
	case err != nil:
		return Identity{}, fmt.Errorf("%w: unknown key or wrong signature", ErrToken)
	}
	id := Identity{Role: c.Role, Account: c.Subject, Shop: c.Shop, Client: c.Client, TokenID: c.ID, KeyID: key.ID, ExpiresUS: c.ExpiresAt.UnixMicro()}
	if err := id.check(); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return id, nil
}

// check makes sure that ids can be ids of events.
func (id Identity) check() error {
	if !id.Role.Known() {
		return errors.New("its role is unknown")
	}
	if !plain(id.Account, 256) || id.Account == "" {
		return errors.New("its account (sub) is missing or cannot be")
	}
	if id.Shop == "" && (id.Role == Agent || id.Role == Manager) {
		return fmt.Errorf("a token of role %s must name a shop", id.Role)
	}
	if !plain(id.Shop, 128) || id.Shop != "" && id.Shop[0] == '~' {
		return errors.New("its shop cannot be")
	}
	for i := range len(id.Shop) {
		if id.Shop[i] == '/' {
			return errors.New("its shop cannot be")
		}
	}
	return nil
}

func plain(text string, limit int) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] == 0x7f {
			return false
		}
	}
	return len(text) <= limit
}
