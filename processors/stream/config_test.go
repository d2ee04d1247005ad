package stream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lovoo/goka"

	"github.com/feigeio/feige/processors/stream"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	check := func(name string, change func(*stream.Config), want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := stream.DefaultConfig()
			change(&cfg)
			err := cfg.Validate()
			switch {
			case want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case want != "" && err == nil:
				t.Errorf("accepted, want an error about %q", want)
			case want != "" && (!strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("error %q, want one line that begins with %q", err, want)
			}
		})
	}
	check("defaults", func(*stream.Config) {}, "")
	check("static", func(c *stream.Config) { c.InstanceID = "a-1" }, "")
	check("instance with a space", func(c *stream.Config) { c.InstanceID = "a 1" }, "instance_id: ")
	check("instance too long", func(c *stream.Config) { c.InstanceID = strings.Repeat("a", 300) }, "instance_id: ")
	check("session too short", func(c *stream.Config) { c.SessionTimeout = 499 * time.Millisecond }, "session_timeout: 499ms ")
	check("session too long", func(c *stream.Config) { c.SessionTimeout = 6 * time.Minute }, "session_timeout: 6m0s ")
	check("session shortest", func(c *stream.Config) { c.SessionTimeout = 500 * time.Millisecond }, "")
	check("no commits", func(c *stream.Config) { c.CommitInterval = 0 }, "commit_interval: 0s ")
	check("commits too rare", func(c *stream.Config) { c.CommitInterval = time.Hour }, "commit_interval: 1h0m0s ")
	check("no time to produce", func(c *stream.Config) { c.ProduceTimeout = 999 * time.Millisecond }, "produce_timeout: 999ms ")
	check("negative", func(c *stream.Config) { c.ProduceTimeout = -time.Second }, "produce_timeout: -1s ")
	check("visits all the time", func(c *stream.Config) { c.VisitInterval = time.Millisecond }, "visit_interval: 1ms ")
	check("pause too long", func(c *stream.Config) { c.MaxRestartPause = time.Hour }, "max_restart_pause: 1h0m0s ")
	check("pause too short", func(c *stream.Config) { c.MaxRestartPause = 0 }, "max_restart_pause: 0s ")
	check("unknown compression", func(c *stream.Config) { c.Compression = "gzip9" }, `compression: "gzip9" `)
	check("empty compression", func(c *stream.Config) { c.Compression = "" }, `compression: "" `)
	for _, name := range []string{"none", "lz4", "snappy", "zstd"} {
		check("compression "+name, func(c *stream.Config) { c.Compression = name }, "")
	}
}

func TestNewNamesTheSection(t *testing.T) {
	t.Parallel()
	cfg := stream.DefaultConfig()
	cfg.SessionTimeout = 0
	_, err := stream.New(cfg, stream.Dependencies{}, stream.Spec{Group: "g", Input: "in", Edges: func(*stream.Processor) []goka.Edge { return nil }})
	if err == nil || !strings.HasPrefix(err.Error(), "processors.session_timeout: ") {
		t.Errorf("error %v, want one that begins with processors.session_timeout", err)
	}
}
