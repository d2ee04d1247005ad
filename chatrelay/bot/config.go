package bot

import (
	"fmt"
	"net/url"
	"time"
)

// Config is the `bot` section of the configuration.
type Config struct {
	// Account is the id that answers carry as their actor (1 to 256 bytes).
	Account string `yaml:"account"`
	// FAQ is a directory of lists of questions and answers (*.yaml), one for all shops and one a shop where wanted.
	// Empty: the built-in list.
	FAQ string `yaml:"faq"`
	// Reload is how often the directory is looked at for changes (100ms to 1h).
	Reload time.Duration `yaml:"reload"`
	// Coverage is how much of a message's words must be those of a question, or the other way round, for its answer to be
	// given (0 to 1).
	Coverage float64 `yaml:"coverage"`
	// MaxAge is how old a message may be to be answered still (1s to 24h).
	MaxAge time.Duration `yaml:"max_age"`
	// Workers answer conversations at the same time (1 to 1024); each conversation in order. More of them than the webhook
	// has slots keep answering from the list while it is slow.
	Workers int `yaml:"workers"`
	// Waiting bounds the messages of a partition whose reception is not known yet (16 to 1000000); past it reading pauses.
	Waiting int `yaml:"waiting"`
	// CommitInterval between commits of what was answered (10ms to 1m). What lies between is answered again after a crash,
	// which changes nothing.
	CommitInterval time.Duration `yaml:"commit_interval"`
	// SessionTimeout after which a silent instance's partitions go to another (6s to 5m).
	SessionTimeout time.Duration `yaml:"session_timeout"`
	// MaxWait is how long a fetch waits for something new (1ms to 5s).
	MaxWait time.Duration `yaml:"max_wait"`
	// Webhook, if it has a URL, is asked first.
	Webhook Webhook `yaml:"webhook"`
}

// Webhook is another bot, behind HTTP. docs/bot.md is what it must speak.
type Webhook struct {
	// URL of the other bot, http or https; empty: none.
	URL string `yaml:"url"`
	// SecretFile holds the secret that requests are signed with, at least 16 bytes; white space at its end does not count.
	SecretFile string `yaml:"secret_file"`
	// Timeout of one request (50ms to 1m); after it the list answers.
	Timeout time.Duration `yaml:"timeout"`
	// Concurrency bounds requests at the same time (1 to 1024).
	Concurrency int `yaml:"concurrency"`
	// Failures in a row open the circuit (1 to 1000): for Pause nothing is asked, and the list answers.
	Failures uint32        `yaml:"failures"`
	Pause    time.Duration `yaml:"pause"` // 100ms to 1h
}

// DefaultConfig answers from the built-in list.
func DefaultConfig() Config {
	return Config{
		Account: "reception-bot", Reload: 5 * time.Second, Coverage: 0.6, MaxAge: 5 * time.Minute, Workers: 128, Waiting: 10_000,
		CommitInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, MaxWait: 500 * time.Millisecond,
		Webhook: Webhook{Timeout: 2 * time.Second, Concurrency: 32, Failures: 5, Pause: 10 * time.Second},
	}
}

// Validate names the first bad key and its value.
func (c Config) Validate() error {
	if len(c.Account) == 0 || len(c.Account) > 256 {
		return fmt.Errorf("account: %q is not 1 to 256 bytes", c.Account)
	}
	if !(c.Coverage >= 0 && c.Coverage <= 1) {
		return fmt.Errorf("coverage: %v is not in 0 to 1", c.Coverage)
	}
	for _, n := range []struct {
		key         string
		v, min, max int
	}{
		{"workers", c.Workers, 1, 1024},
		{"waiting", c.Waiting, 16, 1_000_000},
		{"webhook.concurrency", c.Webhook.Concurrency, 1, 1024},
		{"webhook.failures", int(c.Webhook.Failures), 1, 1000},
	} {
		if n.v < n.min || n.v > n.max {
			return fmt.Errorf("%s: %d is not in %d to %d", n.key, n.v, n.min, n.max)
		}
	}
	for _, d := range []struct {
		key         string
		v, min, max time.Duration
	}{
		{"reload", c.Reload, 100 * time.Millisecond, time.Hour},
		{"max_age", c.MaxAge, time.Second, 24 * time.Hour},
		{"commit_interval", c.CommitInterval, 10 * time.Millisecond, time.Minute},
		{"session_timeout", c.SessionTimeout, 6 * time.Second, 5 * time.Minute},
		{"max_wait", c.MaxWait, time.Millisecond, 5 * time.Second},
		{"webhook.timeout", c.Webhook.Timeout, 50 * time.Millisecond, time.Minute},
		{"webhook.pause", c.Webhook.Pause, 100 * time.Millisecond, time.Hour},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is not in %v to %v", d.key, d.v, d.min, d.max)
		}
	}
	if c.Webhook.URL == "" {
		return nil
	}
	if u, err := url.Parse(c.Webhook.URL); err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("webhook.url: %q is not an http or https URL without user", c.Webhook.URL)
	}
	if c.Webhook.SecretFile == "" {
		return fmt.Errorf("webhook.secret_file is empty: requests must be signed")
	}
	return nil
}
