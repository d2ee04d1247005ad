package grafana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	gapi "github.com/grafana/grafana-api-golang-client"
)

// oldestMajor is the oldest Grafana that the boards are for.
const oldestMajor = 10

// Errors that a user can do something about.
var (
	ErrSignIn      = errors.New("Grafana refuses the credentials")
	ErrForbidden   = errors.New("Grafana does not allow it")
	ErrUnreachable = errors.New("Grafana cannot be reached")
	ErrTooOld      = errors.New("Grafana is too old")
	ErrNoPlugin    = errors.New("the ClickHouse data source is not installed in Grafana")
)

// transport ties requests to a context and makes refusals errors that say what to do.
type transport struct {
	ctx  context.Context
	base http.RoundTripper
	url  string
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.base.RoundTrip(r.WithContext(t.ctx))
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w; check grafana.url and that it runs", ErrUnreachable, t.url, err)
	}
	if response.StatusCode < 400 || response.StatusCode == http.StatusNotFound {
		return response, nil
	}
	defer response.Body.Close()
	said := message(response.Body)
	switch response.StatusCode {
	case http.StatusUnauthorized:
		return nil, fmt.Errorf("%w (%s): check grafana.token, or grafana.username and grafana.password", ErrSignIn, said)
	case http.StatusForbidden:
		return nil, fmt.Errorf("%w: %s %s (%s): the account needs the role Admin, or the rights to folders, boards, data sources, and alerting", ErrForbidden, r.Method, r.URL.Path, said)
	}
	return nil, fmt.Errorf("Grafana answers %s %s with %d: %s", r.Method, r.URL.Path, response.StatusCode, said)
}

// message takes what Grafana says about a failure, on one line.
func message(body io.Reader) string {
	data, _ := io.ReadAll(io.LimitReader(body, 4096))
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &said) == nil && said.Message != "" {
		return said.Message
	}
	text := strings.Join(strings.Fields(string(data)), " ")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	if text == "" {
		return "no reason given"
	}
	return text
}

// client is Grafana's API, with what the library lacks.
type client struct {
	*gapi.Client
	http  *http.Client
	base  string
	token string
	user  *url.Userinfo
}

func connect(ctx context.Context, cfg Config) (*client, error) {
	token, err := secret("token", cfg.Token, cfg.TokenFile)
	if err != nil {
		return nil, err
	}
	password, err := secret("password", cfg.Password, cfg.PasswordFile)
	if err != nil {
		return nil, err
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	c := &client{
		http:  &http.Client{Timeout: cfg.Timeout, Transport: transport{ctx: ctx, base: base, url: cfg.URL}},
		base:  strings.TrimRight(cfg.URL, "/"),
		token: token,
	}
	options := gapi.Config{Client: c.http, HTTPHeaders: map[string]string{"X-Disable-Provenance": "true"}}
	if token != "" {
		options.APIKey = token
	} else {
		c.user = url.UserPassword(cfg.Username, password)
		options.BasicAuth = c.user
	}
	if c.Client, err = gapi.New(c.base, options); err != nil {
		return nil, fmt.Errorf("grafana.url: %w", err)
	}
	return c, nil
}

// check finds out whether this Grafana can show the boards, before anything is touched.
func (c *client) check(ctx context.Context) error {
	health, err := c.Health()
	if err != nil {
		return plain(err)
	}
	if major, _, _ := strings.Cut(health.Version, "."); health.Version != "" {
		if n, err := strconv.Atoi(major); err == nil && n < oldestMajor {
			return fmt.Errorf("%w: it is %s, the boards need %d or later", ErrTooOld, health.Version, oldestMajor)
		}
	}
	status, err := c.get(ctx, "/api/plugins/"+ClickHouseType+"/settings")
	if err != nil {
		return plain(err)
	}
	if status == http.StatusNotFound {
		return fmt.Errorf("%w: run grafana cli plugins install %s there, and restart it", ErrNoPlugin, ClickHouseType)
	}
	return nil
}

func (c *client) get(ctx context.Context, path string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return 0, err
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	} else if password, ok := c.user.Password(); ok {
		r.SetBasicAuth(c.user.Username(), password)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// plain takes the request's URL, which may hold credentials, off an error of the HTTP client.
func plain(err error) error {
	var call *url.Error
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}

func isNotFound(err error) bool {
	var missing gapi.ErrNotFound
	return errors.As(err, &missing)
}
