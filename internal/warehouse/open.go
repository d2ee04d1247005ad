package warehouse

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/schemas"
)

// Open connects and waits for the first answer. The database of the namespace need not exist yet: the
// connection has no default database, and every statement names its own (Config.DatabaseFor).
func Open(ctx context.Context, cfg Config, ns schemas.Namespace) (driver.Conn, error) {
	return open(ctx, cfg, ns, "")
}

// OpenIn is Open for statements that do not name the namespace's database, which must exist.
func OpenIn(ctx context.Context, cfg Config, ns schemas.Namespace) (driver.Conn, error) {
	return open(ctx, cfg, ns, cfg.DatabaseFor(ns))
}

func open(ctx context.Context, cfg Config, ns schemas.Namespace, database string) (driver.Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	if err := ns.Validate(); err != nil {
		return nil, err
	}
	options, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	options.Auth.Database = database
	conn, err := clickhouse.Open(options)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		_ = conn.Close()
		return nil, pingError(cfg, err)
	}
	return conn, nil
}

// pingError is one line: who did not answer, and why.
func pingError(cfg Config, err error) error {
	where := "clickhouse at " + strings.Join(cfg.Addr, ", ")
	var refused *clickhouse.Exception
	if errors.As(err, &refused) {
		return fmt.Errorf("%s refuses the user %q: %w", where, cfg.Username, &oneLine{err: err, text: firstLine(refused.Message)})
	}
	var call *url.Error
	if errors.As(err, &call) {
		// The URL has the user's name, and would have the password.
		return fmt.Errorf("%s does not answer: %w", where, &oneLine{err: call.Err, text: firstLine(call.Err.Error())})
	}
	return fmt.Errorf("%s does not answer: %w", where, &oneLine{err: err, text: firstLine(err.Error())})
}

// oneLine shows an error's first line and keeps the error for errors.As.
type oneLine struct {
	err  error
	text string
}

func (o *oneLine) Error() string { return o.text }
func (o *oneLine) Unwrap() error { return o.err }

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
