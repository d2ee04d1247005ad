package moderation

import (
	"fmt"
	"time"
)

// Config of a moderator.
type Config struct {
	// PacksDir holds word packs (*.txt) that replace embedded ones of the same name or come on top; empty: none.
	PacksDir string `yaml:"packs_dir"`
	// HashesDir holds lists of files that infringe rights (*.sha256, a hash and a remark a line); empty: none.
	HashesDir string `yaml:"hashes_dir"`
	// ReloadEvery is how often both directories are looked at for changes; 1 s to 1 h.
	ReloadEvery time.Duration `yaml:"reload_every"`
	// MinConfidence below which nothing is flagged; 0 to 1.
	MinConfidence float64 `yaml:"min_confidence"`
	// AbuseAlone is the classifier's probability from which it flags abuse without a word to point at; 0 to 1,
	// 1 for never.
	AbuseAlone float64 `yaml:"abuse_alone"`
	// AdsAlone is the same for advertisements.
	AdsAlone float64 `yaml:"ads_alone"`
}

// DefaultConfig is the configuration that the figures in docs/moderation.md were measured with.
func DefaultConfig() Config {
	return Config{ReloadEvery: 10 * time.Second, MinConfidence: 0.5, AbuseAlone: 0.97, AdsAlone: 0.97}
}

// Validate names the first bad key.
func (c Config) Validate() error {
	if c.ReloadEvery < time.Second || c.ReloadEvery > time.Hour {
		return fmt.Errorf("moderation.reload_every: %v: want 1s to 1h", c.ReloadEvery)
	}
	for _, v := range []struct {
		key   string
		value float64
	}{{"min_confidence", c.MinConfidence}, {"abuse_alone", c.AbuseAlone}, {"ads_alone", c.AdsAlone}} {
		if !(v.value >= 0 && v.value <= 1) {
			return fmt.Errorf("moderation.%s: %v: want 0 to 1", v.key, v.value)
		}
	}
	return nil
}
