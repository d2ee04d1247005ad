package console

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/feigeio/feige/internal/signin"
)

// cookieName holds the token itself, where no script reads it: any instance knows whose it is, and a token that is
// revoked ends the sign-in.
const cookieName = "feige_console"

// maxSignIn bounds the body of a sign-in, bytes.
const maxSignIn = 16 << 10

// viewer is who looks, and at which shop alone (empty: any).
type viewer struct {
	signin.Identity
	shop string
}

// mayLook tells whether an identity has a place here: managers of a shop see that one, the platform's people all, or the one that
// their token names.
func mayLook(id signin.Identity) bool {
	switch id.Role {
	case signin.Manager, signin.Operator, signin.Reviewer, signin.Auditor:
		return true
	}
	return false
}

func (c *Console) viewer(r *http.Request) (viewer, *problem) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return viewer{}, problemf(http.StatusUnauthorized, "unauthorized", "nobody is signed in")
	}
	return c.identify(cookie.Value)
}

func (c *Console) identify(token string) (viewer, *problem) {
	id, err := c.deps.Verifier.Verify(token, time.UnixMicro(c.deps.NowUS()))
	if err != nil {
		return viewer{}, problemf(http.StatusUnauthorized, "unauthorized", "%v", err)
	}
	if !mayLook(id) {
		return viewer{}, problemf(http.StatusForbidden, "forbidden", "role %s has no place in the console", id.Role)
	}
	return viewer{id, id.Shop}, nil
}

// signIn makes of a token a cookie.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSignIn))
	if err != nil || json.Unmarshal(data, &body) != nil || body.Token == "" {
		c.refuse(w, problemf(http.StatusBadRequest, "bad_request", `want {"token": "…"}`))
		return
	}
	who, p := c.identify(body.Token)
	if p != nil {
		c.refuse(w, p)
		return
	}
	left := time.Duration(who.ExpiresUS-c.deps.NowUS()) * time.Microsecond
	c.cookie(w, r, body.Token, min(left, c.cfg.Session))
	c.json(w, map[string]string{"account": who.Account, "role": string(who.Role)})
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	c.cookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

func (c *Console) cookie(w http.ResponseWriter, r *http.Request, value string, life time.Duration) {
	age := int(life.Seconds())
	if life < 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: Base, MaxAge: age, HttpOnly: true, Secure: c.cfg.SecureCookie || r.TLS != nil, SameSite: http.SameSiteStrictMode})
}
