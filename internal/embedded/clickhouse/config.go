package clickhouse

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config is the `embedded.clickhouse` section of the configuration.
type Config struct {
	// Dir holds the data, the lock, and the engine's generated configuration. Created when missing.
	Dir string `yaml:"dir"`
	// Addr to listen on, host:port; the host must be a loopback address. Port 0 takes a free one.
	Addr string `yaml:"addr"`
	// Library is the path of libchdb; empty: FEIGE_CHDB_LIB, or the cache that Fetch fills.
	Library string `yaml:"library"`
	// Users that may sign in, by name. The name "default" is who a client is that gives none.
	Users map[string]User `yaml:"users"`
	// AnalystGrants are the rights of analysts, each what stands behind GRANT. The composition root sets them: they belong to the schema.
	AnalystGrants []string `yaml:"-"`
	// MaxConcurrent statements run at once (1 to 256); more wait.
	MaxConcurrent int `yaml:"max_concurrent"`
	// QueueTimeout is how long a request waits for its turn before it is refused (100ms to 10m).
	QueueTimeout time.Duration `yaml:"queue_timeout"`
	// MaxStatementBytes bounds a statement without its data (1 KiB to 64 MiB).
	MaxStatementBytes int `yaml:"max_statement_bytes"`
	// MaxExternalBytes bounds the external tables of one request (0 to 4 GiB).
	MaxExternalBytes int64 `yaml:"max_external_bytes"`
	// MaxMemoryBytes bounds the engine (256 MiB to the machine's memory).
	MaxMemoryBytes int64 `yaml:"max_memory_bytes"`
	// MaxQueryMemoryBytes bounds one statement (16 MiB to MaxMemoryBytes).
	MaxQueryMemoryBytes int64 `yaml:"max_query_memory_bytes"`
	// MaxThreads of one statement (1 to 64).
	MaxThreads int `yaml:"max_threads"`
	// MergeThreads in the background (1 to 64).
	MergeThreads int `yaml:"merge_threads"`
	// Fsync makes acknowledged inserts outlive a loss of power, at about a third of the throughput. Without
	// it they outlive the end of the process.
	Fsync bool `yaml:"fsync"`
	// IdleTimeout ends a request whose body, or whose reader, stands still for so long (1s to 1h).
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// CloseTimeout is how long Close waits for running statements before it cancels them (0 to 10m).
	CloseTimeout time.Duration `yaml:"close_timeout"`
}

// Role is what a user may do.
type Role string

// Roles.
const (
	// RoleAdmin may do everything inside the data directory.
	RoleAdmin Role = "admin"
	// RoleWriter may read and insert.
	RoleWriter Role = "writer"
	// RoleReader may read.
	RoleReader Role = "reader"
	// RoleAnalyst may read what Config.AnalystGrants names, and nothing else: no chat text.
	RoleAnalyst Role = "analyst"
	// RoleAuditor may read what a reader may, and every statement of it is recorded before it runs (Dependencies.Record).
	RoleAuditor Role = "auditor"
)

// User is one account.
type User struct {
	Role Role `yaml:"role"`
	// Password in plain text; empty: none is asked for, which suits a machine with one user.
	Password string `yaml:"password"`
	// PasswordFile holds the password instead (its last line end is not part of it).
	PasswordFile string `yaml:"password_file"`
}

// LogValue keeps the password out of logs.
func (u User) LogValue() slog.Value {
	return slog.GroupValue(slog.String("role", string(u.Role)), slog.Bool("password", u.Password != "" || u.PasswordFile != ""))
}

// String keeps the password out of formatted text.
func (u User) String() string { return fmt.Sprintf("{role: %s}", u.Role) }

// GoString keeps the password out of %#v.
func (u User) GoString() string { return u.String() }

func (u User) secret() (string, error) {
	if u.PasswordFile == "" {
		return u.Password, nil
	}
	data, err := os.ReadFile(u.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read password_file: %w", err)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// Dependencies of the server. All may be nil.
type Dependencies struct {
	Logger   *slog.Logger
	Registry prometheus.Registerer
	// Record keeps the record of a statement that an auditor is about to run, and returns nil once it outlives this process.
	// Without it, or when it fails, the statement does not run.
	Record func(context.Context, Reading) error
}

// Reading is a statement of an auditor.
type Reading struct {
	// ID is unique.
	ID      string
	At      time.Time
	Account string
	Address string
	// Statement is its text without what stands in its strings and numbers: they may be words of a chat.
	Statement string
}

// DefaultConfig suits a machine with two cores that the engine shares with everything else.
func DefaultConfig() Config {
	return Config{
		Dir:  "data/clickhouse",
		Addr: "127.0.0.1:8123",
		Users: map[string]User{
			"default": {Role: RoleAdmin},
			"writer":  {Role: RoleWriter},
			"reader":  {Role: RoleReader},
			"analyst": {Role: RoleAnalyst},
			"auditor": {Role: RoleAuditor},
		},
		MaxConcurrent:       8,
		QueueTimeout:        30 * time.Second,
		MaxStatementBytes:   1 << 20,
		MaxExternalBytes:    64 << 20,
		MaxMemoryBytes:      2 << 30,
		MaxQueryMemoryBytes: 1 << 30,
		MaxThreads:          2,
		MergeThreads:        2,
		IdleTimeout:         time.Minute,
		CloseTimeout:        5 * time.Second,
	}
}

// Validate names the first key that is out of bounds.
func (c Config) Validate() error {
	if c.Dir == "" {
		return fmt.Errorf("dir: is empty; name the directory for ClickHouse's data")
	}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("addr %q: want host:port", c.Addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("addr %q: the embedded ClickHouse listens on loopback only, such as 127.0.0.1:8123", c.Addr)
	}
	if len(c.Users) == 0 {
		return fmt.Errorf("users: none; name at least one, such as default: {role: admin}")
	}
	for name, user := range c.Users {
		switch user.Role {
		case RoleAdmin, RoleWriter, RoleReader, RoleAnalyst, RoleAuditor:
		default:
			return fmt.Errorf("users.%s.role %q: want admin, writer, reader, analyst, or auditor", name, string(user.Role))
		}
		if user.Password != "" && user.PasswordFile != "" {
			return fmt.Errorf("users.%s: password and password_file are both given; give one", name)
		}
	}
	for _, bound := range []struct {
		key              string
		value, low, high int64
	}{
		{"max_concurrent", int64(c.MaxConcurrent), 1, 256},
		{"max_statement_bytes", int64(c.MaxStatementBytes), 1 << 10, 64 << 20},
		{"max_external_bytes", c.MaxExternalBytes, 0, 4 << 30},
		{"max_memory_bytes", c.MaxMemoryBytes, 256 << 20, 1 << 50},
		{"max_query_memory_bytes", c.MaxQueryMemoryBytes, 16 << 20, c.MaxMemoryBytes},
		{"max_threads", int64(c.MaxThreads), 1, 64},
		{"merge_threads", int64(c.MergeThreads), 1, 64},
	} {
		if bound.value < bound.low || bound.value > bound.high {
			return fmt.Errorf("%s %d: want %d to %d", bound.key, bound.value, bound.low, bound.high)
		}
	}
	for _, bound := range []struct {
		key              string
		value, low, high time.Duration
	}{
		{"queue_timeout", c.QueueTimeout, 100 * time.Millisecond, 10 * time.Minute},
		{"idle_timeout", c.IdleTimeout, time.Second, time.Hour},
		{"close_timeout", c.CloseTimeout, 0, 10 * time.Minute},
	} {
		if bound.value < bound.low || bound.value > bound.high {
			return fmt.Errorf("%s %s: want %s to %s", bound.key, bound.value, bound.low, bound.high)
		}
	}
	return nil
}
