package warehouse

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/feigeio/feige/schemas"
)

// Protocols.
const (
	ProtocolHTTP   = "http"
	ProtocolNative = "native"
)

const defaultDatabase = "feige"

// Config is the `clickhouse` section of the configuration.
type Config struct {
	// Addr are the servers, host:port; the first that answers is used, the others when it does not.
	Addr []string `yaml:"addr"`
	// Protocol is http (port 8123 as a rule) or native (9000). The embedded engine speaks http.
	Protocol string `yaml:"protocol"`
	// Database of the live namespace; another namespace has it with "_" and its name behind.
	Database string `yaml:"database"`
	// Username and Password to sign in with; PasswordFile holds the password instead.
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	// TLS to the servers.
	TLS TLS `yaml:"tls"`
	// Cluster is the name under which tables are created ON CLUSTER; empty: one server.
	Cluster string `yaml:"cluster"`
	// DialTimeout bounds connecting, and waiting for a free connection (100ms to 5m).
	DialTimeout time.Duration `yaml:"dial_timeout"`
	// ReadTimeout bounds waiting for the next bytes of an answer (1s to 1h).
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// MaxOpenConns at once (1 to 1000).
	MaxOpenConns int `yaml:"max_open_conns"`
	// Compression between here and the servers: none (best on one machine), lz4 (over a network), or zstd.
	Compression string `yaml:"compression"`
}

// TLS is how connections are secured.
type TLS struct {
	Enabled bool `yaml:"enabled"`
	// CAFile holds the authorities to trust (PEM); empty: the system's.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile (PEM) show who we are, where the server asks.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName to expect in the server's certificate; empty: the host of its address.
	ServerName string `yaml:"server_name"`
	// InsecureSkipVerify accepts any certificate. For trials only.
	InsecureSkipVerify bool `yaml:"insecure_skip_verify"`
}

// DefaultConfig reaches the embedded engine.
func DefaultConfig() Config {
	return Config{
		Addr:         []string{"127.0.0.1:8123"},
		Protocol:     ProtocolHTTP,
		Database:     defaultDatabase,
		Username:     "default",
		DialTimeout:  10 * time.Second,
		ReadTimeout:  5 * time.Minute,
		MaxOpenConns: 8,
		Compression:  "none",
	}
}

// Validate names the first key that cannot be used.
func (c Config) Validate() error {
	if len(c.Addr) == 0 {
		return errors.New("addr: none; name at least one server, host:port")
	}
	for _, addr := range c.Addr {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			return fmt.Errorf("addr %q: want host:port", addr)
		}
	}
	if c.Protocol != ProtocolHTTP && c.Protocol != ProtocolNative {
		return fmt.Errorf("protocol %q: want http or native", c.Protocol)
	}
	if !isIdentifier(c.Database) {
		return fmt.Errorf("database %q: want letters, digits, and '_', not beginning with a digit", c.Database)
	}
	if c.Cluster != "" && strings.ContainsAny(c.Cluster, "`'\"\\\n") {
		return fmt.Errorf("cluster %q: must not have quotes or backslashes", c.Cluster)
	}
	if c.Password != "" && c.PasswordFile != "" {
		return errors.New("password and password_file are both given; give one")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return errors.New("tls: cert_file and key_file go together; one is missing")
	}
	if !c.TLS.Enabled && c.TLS != (TLS{}) {
		return errors.New("tls: settings are given but tls.enabled is false")
	}
	if c.DialTimeout < 100*time.Millisecond || c.DialTimeout > 5*time.Minute {
		return fmt.Errorf("dial_timeout %s: want 100ms to 5m", c.DialTimeout)
	}
	if c.ReadTimeout < time.Second || c.ReadTimeout > time.Hour {
		return fmt.Errorf("read_timeout %s: want 1s to 1h", c.ReadTimeout)
	}
	if c.MaxOpenConns < 1 || c.MaxOpenConns > 1000 {
		return fmt.Errorf("max_open_conns %d: want 1 to 1000", c.MaxOpenConns)
	}
	if _, ok := compressions[c.Compression]; !ok {
		return fmt.Errorf("compression %q: want lz4, zstd, or none", c.Compression)
	}
	return nil
}

// LogValue keeps the password out of logs.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("addr", c.Addr), slog.String("protocol", c.Protocol),
		slog.String("database", c.Database), slog.String("username", c.Username), slog.Bool("tls", c.TLS.Enabled))
}

// DatabaseFor is the name of a namespace's database.
func (c Config) DatabaseFor(ns schemas.Namespace) string { return ns.Database(c.Database) }

// Database is the name of a namespace's database where the configuration keeps the default name.
func Database(ns schemas.Namespace) string { return ns.Database(defaultDatabase) }

var compressions = map[string]clickhouse.CompressionMethod{
	"lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD, "none": clickhouse.CompressionNone,
}

func (c Config) options() (*clickhouse.Options, error) {
	password := c.Password
	if c.PasswordFile != "" {
		data, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read password_file: %w", err)
		}
		password = strings.TrimRight(string(data), "\r\n")
	}
	secure, err := c.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	protocol := clickhouse.Native
	if c.Protocol == ProtocolHTTP {
		protocol = clickhouse.HTTP
	}
	return &clickhouse.Options{
		Protocol:            protocol,
		Addr:                c.Addr,
		Auth:                clickhouse.Auth{Username: c.Username, Password: password},
		TLS:                 secure,
		Compression:         &clickhouse.Compression{Method: compressions[c.Compression], Level: 1},
		DialTimeout:         c.DialTimeout,
		ReadTimeout:         c.ReadTimeout,
		MaxOpenConns:        c.MaxOpenConns,
		MaxIdleConns:        c.MaxOpenConns,
		HttpMaxConnsPerHost: c.MaxOpenConns,
		ConnOpenStrategy:    clickhouse.ConnOpenInOrder,
	}, nil
}

func (t TLS) config() (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify} //nolint:gosec // asked for by name, for trials
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s holds no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("load cert_file and key_file: %w", err)
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}

func isIdentifier(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}
