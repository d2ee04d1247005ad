package chatrelay

import (
	"fmt"
	"net"
	"path"
	"time"

	"github.com/feigeio/feige/chatrelay/attachments"
	"github.com/feigeio/feige/chatrelay/feed"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/chatrelay/tables"
)

// Config is the `relay` section of the configuration.
type Config struct {
	// Addr is where clients connect, host:port; port 0 takes a free one.
	Addr string `yaml:"addr"`
	// TLS of the address; without it, put the relay behind something that has it.
	TLS TLS `yaml:"tls"`
	// KeysFile holds the keys of tokens; RevokedFile, if named, what is revoked. Both are read anew when they change.
	KeysFile    string `yaml:"keys_file"`
	RevokedFile string `yaml:"revoked_file"`
	// Clients may connect beside those that the policy authorises (2.10).
	Clients []string `yaml:"clients"`
	// Origins are the hosts of pages that may connect, beside the relay's own: "shop.example", "*.example".
	Origins []string `yaml:"origins"`
	// TrustForwardedFor takes the client's address from X-Forwarded-For. Only behind a proxy that sets it.
	TrustForwardedFor bool `yaml:"trust_forwarded_for"`
	// QuickRepliesFile, if named, holds the shops' quick replies.
	QuickRepliesFile string `yaml:"quick_replies_file"`
	// AutoAssign gives a waiting conversation that nobody has to the least busy agent who is online.
	AutoAssign bool `yaml:"auto_assign"`
	// InboxRecords bounds how much of the log an inbox is drawn from, records of the partition (100 to 10000000).
	InboxRecords int64 `yaml:"inbox_records"`
	// Compression of frames (permessage-deflate). It costs memory on every connection.
	Compression bool `yaml:"compression"`

	Timeouts    Timeouts           `yaml:"timeouts"`
	Queue       Queue              `yaml:"queue"`
	Limits      Limits             `yaml:"limits"`
	Feed        feed.Config        `yaml:"feed"`
	Tables      tables.Config      `yaml:"tables"`
	Attachments attachments.Config `yaml:"attachments"`
}

// TLS names PEM files; both or none.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Timeouts is the `relay.timeouts` section.
type Timeouts struct {
	// Header bounds reading a request's header (100ms to 1m).
	Header time.Duration `yaml:"header"`
	// Hello bounds waiting for the first frame (100ms to 1m).
	Hello time.Duration `yaml:"hello"`
	// Idle is how long a connection may send nothing (1s to 1h).
	Idle time.Duration `yaml:"idle"`
	// Write bounds writing one frame (100ms to 5m).
	Write time.Duration `yaml:"write"`
	// Publish bounds waiting for Kafka's acknowledgement before a sender is told to try again (100ms to 1m).
	Publish time.Duration `yaml:"publish"`
	// Position is how often a connection that gets nothing is told its position (100ms to 1h).
	Position time.Duration `yaml:"position"`
}

// Queue is the `relay.queue` section: what may wait for one connection before it is dropped.
type Queue struct {
	// Frames (16 to 100000).
	Frames int `yaml:"frames"`
	// Bytes (131072 to 1073741824).
	Bytes int `yaml:"bytes"`
}

// Rate bounds how often something may happen.
type Rate struct {
	// PerSecond in the long run (above 0).
	PerSecond float64 `yaml:"per_second"`
	// Burst at once (1 or more).
	Burst int `yaml:"burst"`
}

// Limits is the `relay.limits` section.
type Limits struct {
	// Connections of the relay (1 to 1000000), of one account, and of one address.
	Connections        int `yaml:"connections"`
	AccountConnections int `yaml:"account_connections"`
	AddressConnections int `yaml:"address_connections"`
	// Connects of one address.
	Connects Rate `yaml:"connects"`
	// Requests that publish: of an account, an address, a shop. Services are bounded by the shop's only.
	AccountMessages Rate `yaml:"account_messages"`
	AddressMessages Rate `yaml:"address_messages"`
	ShopMessages    Rate `yaml:"shop_messages"`
	// Reads of history and links, of an account.
	Reads Rate `yaml:"reads"`
	// Uploads of an account, and of a shop.
	AccountUploads Rate `yaml:"account_uploads"`
	ShopUploads    Rate `yaml:"shop_uploads"`
}

// DefaultConfig listens on loopback and suits one machine.
func DefaultConfig() Config {
	return Config{
		Addr:         "127.0.0.1:9190",
		KeysFile:     "relay-keys.yaml",
		AutoAssign:   true,
		InboxRecords: 200_000,
		Timeouts: Timeouts{Header: 5 * time.Second, Hello: 10 * time.Second, Idle: 90 * time.Second, Write: 10 * time.Second,
			Publish: 8 * time.Second, Position: 30 * time.Second},
		Queue: Queue{Frames: 512, Bytes: 1 << 20},
		Limits: Limits{
			Connections: 20_000, AccountConnections: 16, AddressConnections: 2_000, Connects: Rate{50, 500},
			AccountMessages: Rate{5, 30}, AddressMessages: Rate{100, 500}, ShopMessages: Rate{500, 2_000},
			Reads: Rate{5, 30}, AccountUploads: Rate{0.5, 5}, ShopUploads: Rate{10, 50},
		},
		Feed: feed.DefaultConfig(), Tables: tables.DefaultConfig(), Attachments: attachments.DefaultConfig(),
	}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("addr: %q is not host:port", c.Addr)
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return fmt.Errorf("tls: cert_file and key_file go together; one is missing")
	}
	if c.KeysFile == "" {
		return fmt.Errorf("keys_file: empty; name the file of the tokens' keys")
	}
	for _, o := range c.Origins {
		if _, err := path.Match(o, ""); err != nil || o == "" {
			return fmt.Errorf("origins: %q is no pattern of a host", o)
		}
	}
	if c.InboxRecords < 100 || c.InboxRecords > 10_000_000 {
		return fmt.Errorf("inbox_records: %d is not in 100 to 10000000", c.InboxRecords)
	}
	if c.Queue.Frames < 16 || c.Queue.Frames > 100_000 {
		return fmt.Errorf("queue.frames: %d is not in 16 to 100000", c.Queue.Frames)
	}
	if c.Queue.Bytes < 2*protocol.MaxFrame || c.Queue.Bytes > 1<<30 {
		return fmt.Errorf("queue.bytes: %d is not in %d to 1073741824", c.Queue.Bytes, 2*protocol.MaxFrame)
	}
	if err := c.Timeouts.validate(); err != nil {
		return err
	}
	if err := c.Limits.validate(); err != nil {
		return err
	}
	for _, section := range []struct {
		name string
		err  error
	}{{"feed", c.Feed.Validate()}, {"tables", c.Tables.Validate()}, {"attachments", c.Attachments.Validate()}} {
		if section.err != nil {
			return fmt.Errorf("%s.%w", section.name, section.err)
		}
	}
	return nil
}

func (t Timeouts) validate() error {
	for _, d := range []struct {
		name        string
		value       time.Duration
		least, most time.Duration
	}{
		{"header", t.Header, 100 * time.Millisecond, time.Minute}, {"hello", t.Hello, 100 * time.Millisecond, time.Minute},
		{"idle", t.Idle, time.Second, time.Hour}, {"write", t.Write, 100 * time.Millisecond, 5 * time.Minute},
		{"publish", t.Publish, 100 * time.Millisecond, time.Minute}, {"position", t.Position, 100 * time.Millisecond, time.Hour},
	} {
		if d.value < d.least || d.value > d.most {
			return fmt.Errorf("timeouts.%s: %v is not in %v to %v", d.name, d.value, d.least, d.most)
		}
	}
	return nil
}

func (l Limits) validate() error {
	if l.Connections < 1 || l.Connections > 1_000_000 {
		return fmt.Errorf("limits.connections: %d is not in 1 to 1000000", l.Connections)
	}
	if l.AccountConnections < 1 {
		return fmt.Errorf("limits.account_connections: %d is less than 1", l.AccountConnections)
	}
	if l.AddressConnections < 1 {
		return fmt.Errorf("limits.address_connections: %d is less than 1", l.AddressConnections)
	}
	for _, r := range []struct {
		name string
		rate Rate
	}{
		{"connects", l.Connects}, {"account_messages", l.AccountMessages}, {"address_messages", l.AddressMessages},
		{"shop_messages", l.ShopMessages}, {"reads", l.Reads}, {"account_uploads", l.AccountUploads}, {"shop_uploads", l.ShopUploads},
	} {
		if !(r.rate.PerSecond > 0) {
			return fmt.Errorf("limits.%s.per_second: %v is not above 0", r.name, r.rate.PerSecond)
		}
		if r.rate.Burst < 1 {
			return fmt.Errorf("limits.%s.burst: %d is less than 1", r.name, r.rate.Burst)
		}
	}
	return nil
}
