package grafana

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

// Config is the `grafana` section of the configuration.
type Config struct {
	// URL of Grafana.
	URL string `yaml:"url"`
	// Token of a service account that may edit; TokenFile holds it instead. Without one, Username and Password.
	Token     string `yaml:"token"`
	TokenFile string `yaml:"token_file"`
	// Username and Password to sign in with; PasswordFile holds the password instead.
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	// Timeout of one request (1s to 5m).
	Timeout time.Duration `yaml:"timeout"`
	// Language of titles: en or zh.
	Language string `yaml:"language"`
	// Folder is the title of the folder that holds the boards.
	Folder string `yaml:"folder"`
	// Prefix of all uids, 1 to 20 of a-z and 0-9: two installations in one Grafana need two.
	Prefix string `yaml:"prefix"`
	// PrometheusUID is the uid of a Prometheus data source with feige's metrics; empty: without its panels.
	PrometheusUID string `yaml:"prometheus_uid"`
	// Datasource is how Grafana reaches ClickHouse.
	Datasource Datasource `yaml:"datasource"`
	// Contact is whom alerts are sent to; empty: rules are made, and Grafana's own policy routes them.
	Contact Contact `yaml:"contact"`
}

// Datasource is how Grafana, from where it runs, reaches ClickHouse.
type Datasource struct {
	// Host and Port of ClickHouse (port 1 to 65535).
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
	// Protocol is http or native.
	Protocol string `yaml:"protocol"`
	// Database that is read. Empty: that of the namespace.
	Database string `yaml:"database"`
	// Secure connections (TLS).
	Secure bool `yaml:"secure"`
	// Username and Password of an account that may only read; PasswordFile holds the password instead. The password
	// is sent when the data source is made or changed in any other way: Grafana does not tell it.
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
}

// Contact is whom alerts are sent to: at most one of the two.
type Contact struct {
	// Emails separated by ';'.
	Emails string `yaml:"emails"`
	// Webhook is a URL that alerts are posted to.
	Webhook string `yaml:"webhook"`
}

// DefaultConfig reaches a Grafana on this machine that reads the embedded ClickHouse.
func DefaultConfig() Config {
	return Config{
		URL: "http://127.0.0.1:3000", Username: "admin", Timeout: 30 * time.Second, Language: "en", Folder: "Feige", Prefix: "feige",
		Datasource: Datasource{Host: "127.0.0.1", Port: 8123, Protocol: "http", Username: "analyst"},
	}
}

// Validate names the first key that cannot be used.
func (c Config) Validate() error {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("url %q: want http://host:port or https://host", c.URL)
	} else if u.User != nil {
		return errors.New("url: must not hold a user or password; use token, or username and password")
	}
	if c.Token != "" && c.TokenFile != "" {
		return errors.New("token and token_file are both given; give one")
	}
	if c.Password != "" && c.PasswordFile != "" {
		return errors.New("password and password_file are both given; give one")
	}
	if c.Timeout < time.Second || c.Timeout > 5*time.Minute {
		return fmt.Errorf("timeout %s: want 1s to 5m", c.Timeout)
	}
	if c.Language != string(queries.English) && c.Language != string(queries.Chinese) {
		return fmt.Errorf("language %q: want en or zh", c.Language)
	}
	if strings.TrimSpace(c.Folder) == "" {
		return errors.New("folder: is empty; name the folder of the boards")
	}
	if len(c.Prefix) < 1 || len(c.Prefix) > 20 || strings.Trim(c.Prefix, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return fmt.Errorf("prefix %q: want 1 to 20 of a-z and 0-9", c.Prefix)
	}
	if c.Contact.Emails != "" && c.Contact.Webhook != "" {
		return errors.New("contact: emails and webhook are both given; give one")
	}
	if err := c.Datasource.validate(); err != nil {
		return fmt.Errorf("datasource.%w", err)
	}
	return nil
}

func (d Datasource) validate() error {
	if d.Host == "" || strings.ContainsAny(d.Host, "/ ") {
		return fmt.Errorf("host %q: want the host of ClickHouse as Grafana sees it", d.Host)
	}
	if d.Port < 1 || d.Port > 65535 {
		return fmt.Errorf("port %d: want 1 to 65535", d.Port)
	}
	if d.Protocol != "http" && d.Protocol != "native" {
		return fmt.Errorf("protocol %q: want http or native", d.Protocol)
	}
	if d.Password != "" && d.PasswordFile != "" {
		return errors.New("password and password_file are both given; give one")
	}
	return nil
}

// LogValue keeps secrets out of logs.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("url", c.URL), slog.String("username", c.Username), slog.Bool("token", c.Token != "" || c.TokenFile != ""),
		slog.String("clickhouse", net.JoinHostPort(c.Datasource.Host, fmt.Sprint(c.Datasource.Port))))
}

// secret is the value, or what its file holds.
func secret(key, value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("grafana.%s_file: %w", key, err)
	}
	return strings.TrimSpace(string(data)), nil
}
