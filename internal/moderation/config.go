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
	// AbuseOfGroup is the classifier's probability from which a text that speaks of a group of people is flagged
	// as abuse without a word to point at; 0 to 1, more than 1 for never.
	AbuseOfGroup float64 `yaml:"abuse_of_group"`
}

// DefaultConfig is the configuration that the figures in docs/moderation.md were measured with.
func DefaultConfig() Config {
	return Config{ReloadEvery: 10 * time.Second, MinConfidence: 0.5, AbuseOfGroup: 0.65}
}

// Validate names the first bad key.
func (c Config) Validate() error {
	if c.ReloadEvery < time.Second || c.ReloadEvery > time.Hour {
		return fmt.Errorf("reload_every: %v: want 1s to 1h", c.ReloadEvery)
	}
	if !(c.MinConfidence >= 0 && c.MinConfidence <= 1) {
		return fmt.Errorf("min_confidence: %v: want 0 to 1", c.MinConfidence)
	}
	if !(c.AbuseOfGroup >= 0 && c.AbuseOfGroup <= 2) {
		return fmt.Errorf("abuse_of_group: %v: want 0 to 2", c.AbuseOfGroup)
	}
	return nil
}
