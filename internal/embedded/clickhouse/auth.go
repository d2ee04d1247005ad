package clickhouse

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
)

// account is a user with its password's hash, so that comparing takes the same time for any length.
type account struct {
	role Role
	hash [sha256.Size]byte
}

func accounts(users map[string]User) (map[string]account, error) {
	out := make(map[string]account, len(users))
	for name, user := range users {
		password, err := user.secret()
		if err != nil {
			return nil, err
		}
		out[name] = account{role: user.Role, hash: sha256.Sum256([]byte(password))}
	}
	return out, nil
}

// signIn finds who asks: by X-ClickHouse headers, by basic authentication, or by URL parameters, as a
// ClickHouse server does.
func (s *Server) signIn(r *http.Request, query url.Values) (name string, role Role, err error) {
	name, password := query.Get("user"), query.Get("password")
	if basicName, basicPassword, ok := r.BasicAuth(); ok {
		name, password = basicName, basicPassword
	}
	if header := r.Header.Get("X-ClickHouse-User"); header != "" {
		name, password = header, r.Header.Get("X-ClickHouse-Key")
	}
	if name == "" {
		name = "default"
	}
	known, ok := s.accounts[name]
	given := sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(known.hash[:], given[:]) != 1 || !ok {
		return "", "", faultf(codeAuthentication, "%s: Authentication failed: password is incorrect, or there is no user with such name", name)
	}
	return name, known.role, nil
}

// fromHere says whether the request names this machine as its host. A page in a browser whose name was made
// to resolve to 127.0.0.1 names another.
func fromHere(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if host == "localhost" || host == "" {
		return true
	}
	if len(host) > 2 && host[0] == '[' {
		host = host[1 : len(host)-1]
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
