package attachments

import (
	"fmt"
	"net/url"
	"time"
)

// Config is the `relay.attachments` section of the configuration.
type Config struct {
	// URL of the bucket: file:///dir, s3://bucket?region=…, mem:// (gone with the process). Empty: no attachments.
	URL string `yaml:"url"`
	// SecretFile holds the secret that signs links and receipts, 32 bytes or more, the same for every relay.
	// Empty: one of the process, so that links and receipts of other relays are not known.
	SecretFile string `yaml:"secret_file"`
	// MaxBytes of one file (1024 to 104857600).
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxPixels of a picture, all frames together (1000 to 1000000000).
	MaxPixels int64 `yaml:"max_pixels"`
	// LinkLife is how long a link is good (1s to 24h), ReceiptLife how long an upload may be sent (1s to 24h).
	LinkLife    time.Duration `yaml:"link_life"`
	ReceiptLife time.Duration `yaml:"receipt_life"`
	// Parallel is how many files are worked on at a time (1 to 256).
	Parallel int `yaml:"parallel"`
}

// DefaultConfig keeps no attachments until a bucket is named.
func DefaultConfig() Config {
	return Config{MaxBytes: 10 << 20, MaxPixels: 40_000_000, LinkLife: 10 * time.Minute, ReceiptLife: time.Hour, Parallel: 2}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	if u, err := url.Parse(c.URL); err != nil || c.URL != "" && u.Scheme == "" {
		return fmt.Errorf("url: %q is no URL of a bucket", c.URL)
	}
	switch {
	case c.MaxBytes < 1024 || c.MaxBytes > 100<<20:
		return fmt.Errorf("max_bytes: %d is not in 1024 to 104857600", c.MaxBytes)
	case c.MaxPixels < 1000 || c.MaxPixels > 1_000_000_000:
		return fmt.Errorf("max_pixels: %d is not in 1000 to 1000000000", c.MaxPixels)
	case c.LinkLife < time.Second || c.LinkLife > 24*time.Hour:
		return fmt.Errorf("link_life: %v is not in 1s to 24h", c.LinkLife)
	case c.ReceiptLife < time.Second || c.ReceiptLife > 24*time.Hour:
		return fmt.Errorf("receipt_life: %v is not in 1s to 24h", c.ReceiptLife)
	case c.Parallel < 1 || c.Parallel > 256:
		return fmt.Errorf("parallel: %d is not in 1 to 256", c.Parallel)
	}
	return nil
}
