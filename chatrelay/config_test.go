package chatrelay

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	bad := func(key string, change func(*Config)) {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			c := DefaultConfig()
			change(&c)
			if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key) {
				t.Errorf("got %v", err)
			}
		})
	}
	bad("addr", func(c *Config) { c.Addr = "nowhere" })
	bad("tls", func(c *Config) { c.TLS.CertFile = "x" })
	bad("keys_file", func(c *Config) { c.KeysFile = "" })
	bad("origins", func(c *Config) { c.Origins = []string{"["} })
	bad("inbox_records", func(c *Config) { c.InboxRecords = 1 })
	bad("queue.frames", func(c *Config) { c.Queue.Frames = 1 })
	bad("queue.bytes", func(c *Config) { c.Queue.Bytes = 1000 })
	bad("timeouts.hello", func(c *Config) { c.Timeouts.Hello = 0 })
	bad("timeouts.idle", func(c *Config) { c.Timeouts.Idle = 48 * time.Hour })
	bad("limits.connections", func(c *Config) { c.Limits.Connections = 0 })
	bad("limits.reads.per_second", func(c *Config) { c.Limits.Reads.PerSecond = 0 })
	bad("limits.shop_uploads.burst", func(c *Config) { c.Limits.ShopUploads.Burst = 0 })
	bad("feed.records", func(c *Config) { c.Feed.Records = 1 })
	bad("tables.look", func(c *Config) { c.Tables.Look = 0 })
	bad("attachments.max_bytes", func(c *Config) { c.Attachments.MaxBytes = 1 })
	bad("attachments.url", func(c *Config) { c.Attachments.URL = "dir" })
	text, err := yaml.Marshal(DefaultConfig())
	if err != nil || !strings.Contains(string(text), "max_pixels") {
		t.Errorf("%v", err)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	b := newBuckets(Rate{PerSecond: 2, Burst: 3})
	now := time.Unix(1_764_000_000, 0)
	for n := range 3 {
		if ok, _ := b.take("a", now); !ok {
			t.Errorf("token %d was not there", n)
		}
	}
	if ok, wait := b.take("a", now); ok || wait < 400*time.Millisecond || wait > 500*time.Millisecond {
		t.Errorf("got %v, %v", ok, wait)
	}
	if ok, _ := b.take("b", now); !ok {
		t.Error("another's bucket was empty")
	}
	if ok, _ := b.take("a", now.Add(600*time.Millisecond)); !ok {
		t.Error("it does not fill")
	}
	for n := range 5000 {
		b.take(numberOf(n), now)
	}
	b.take("last", now.Add(time.Hour))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sweep(now.Add(2 * time.Hour))
	if len(b.byKey) != 0 {
		t.Errorf("%d full buckets are kept", len(b.byKey))
	}
}
