package main

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/feigeio/feige/chatrelay"
	"github.com/feigeio/feige/chatrelay/bot"
	"github.com/feigeio/feige/dashboards/grafana"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/config"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/processors/stream"
	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks"
)

// settings is the whole configuration: each section belongs to the package that it configures.
type settings struct {
	// Namespace sets topics, groups, and database apart; empty is the live one.
	Namespace schemas.Namespace `yaml:"namespace"`
	// DataDir is where embedded engines keep their data. Relative directories below lie in it.
	DataDir string `yaml:"data_dir"`
	// Policy is the policy file; empty means the built-in one.
	Policy string `yaml:"policy"`
	// StopTimeout bounds a clean stop (1s to 10m).
	StopTimeout time.Duration `yaml:"stop_timeout"`

	Log        ops.LogConfig     `yaml:"log"`
	HTTP       ops.HTTPConfig    `yaml:"http"`
	Kafka      broker.Config     `yaml:"kafka"`
	ClickHouse warehouse.Config  `yaml:"clickhouse"`
	Schema     schemaConfig      `yaml:"schema"`
	Topics     topicsConfig      `yaml:"topics"`
	Ingest     ingest.Config     `yaml:"ingest"`
	Processors stream.Config     `yaml:"processors"`
	Moderation moderation.Config `yaml:"moderation"`
	Sinks      sinks.Config      `yaml:"sinks"`
	Relay      chatrelay.Config  `yaml:"relay"`
	Bot        bot.Config        `yaml:"bot"`
	Console    consoleConfig     `yaml:"console"`
	Embedded   embedded          `yaml:"embedded"`
	Grafana    grafana.Config    `yaml:"grafana"`
}

// embedded configures the engines of `feige up` and `feige run`.
type embedded struct {
	// Engines that run in the process: kafka, clickhouse. One that is left out is where the section of its name says.
	Engines []string `yaml:"engines"`

	Kafka      ekafka.Config      `yaml:"kafka"`
	ClickHouse eclickhouse.Config `yaml:"clickhouse"`
}

// Names in embedded.engines.
const (
	engineKafka      = "kafka"
	engineClickHouse = "clickhouse"
)

func (e embedded) has(engine string) bool { return slices.Contains(e.Engines, engine) }

func (e embedded) validate() error {
	for _, engine := range e.Engines {
		if engine != engineKafka && engine != engineClickHouse {
			return fmt.Errorf("engines: %q is neither %s nor %s", engine, engineKafka, engineClickHouse)
		}
	}
	return nil
}

// schemaConfig says how `feige schema apply` makes tables.
type schemaConfig struct {
	// Replicated takes the replicated table engines; clickhouse.cluster must be set.
	Replicated bool `yaml:"replicated"`
	// Fsync makes an insert wait until it is safe from a power loss, at about a third of the speed.
	Fsync bool `yaml:"fsync"`
	// Retention of rows, in days; 0 keeps them.
	Retention warehouse.Retention `yaml:"retention"`
}

func (c schemaConfig) validate(cluster string) error {
	if c.Replicated && cluster == "" {
		return fmt.Errorf("replicated: true needs clickhouse.cluster, which is empty")
	}
	if err := c.Retention.Validate(); err != nil {
		return fmt.Errorf("retention.%w", err)
	}
	return nil
}

// topicsConfig says how `feige topics apply` makes topics on a cluster.
type topicsConfig struct {
	// Retention of topics that are not tables (1h to 87600h); 0 keeps everything. Records that a processor
	// has not read yet must not be deleted.
	Retention time.Duration `yaml:"retention"`
	// MinCompactionLag keeps older values of table topics for rolling back (1h to 720h).
	MinCompactionLag time.Duration `yaml:"min_compaction_lag"`
}

// policy is how topics are made on an embedded broker, which compacts and forgets by itself, and on a cluster.
func (c topicsConfig) policy(embedded bool) ingest.TopicPolicy {
	if embedded {
		return ingest.EmbeddedTopics()
	}
	return ingest.TopicPolicy{Compact: true, Retention: c.Retention, MinCompactionLag: c.MinCompactionLag}
}

func (c topicsConfig) validate() error {
	if c.Retention != 0 && (c.Retention < time.Hour || c.Retention > 87600*time.Hour) {
		return fmt.Errorf("retention: %v is not 0 or 1h to 87600h", c.Retention)
	}
	if c.MinCompactionLag < time.Hour || c.MinCompactionLag > 720*time.Hour {
		return fmt.Errorf("min_compaction_lag: %v is not 1h to 720h", c.MinCompactionLag)
	}
	return nil
}

func defaultSettings() settings {
	s := settings{
		DataDir:     "data",
		StopTimeout: ops.DefaultStopTimeout,
		Log:         ops.DefaultLogConfig(),
		HTTP:        ops.DefaultHTTPConfig(),
		Kafka:       broker.DefaultConfig(),
		ClickHouse:  warehouse.DefaultConfig(),
		Schema:      schemaConfig{Retention: warehouse.DefaultRetention()},
		Topics:      topicsConfig{Retention: ingest.ClusterTopics().Retention, MinCompactionLag: ingest.ClusterTopics().MinCompactionLag},
		Ingest:      ingest.DefaultConfig(),
		Processors:  stream.DefaultConfig(),
		Moderation:  moderation.DefaultConfig(),
		Sinks:       sinks.DefaultConfig(),
		Grafana:     grafana.DefaultConfig(),
		Relay:       chatrelay.DefaultConfig(),
		Bot:         bot.DefaultConfig(),
		Console:     defaultConsole(),
		Embedded:    embedded{Engines: []string{engineKafka, engineClickHouse}, Kafka: ekafka.DefaultConfig(), ClickHouse: eclickhouse.DefaultConfig()},
	}
	s.Embedded.Kafka.Dir, s.Embedded.ClickHouse.Dir = "kafka", "clickhouse"
	return s
}

// defaultFile is read when it is there and no other was named.
const defaultFile = "feige.yaml"

// environment variables with our prefix that are no keys.
var notKeys = []string{"FEIGE_CONFIG", eclickhouse.LibraryVariable, "FEIGE_TEST_*"}

// loadSettings reads and checks the whole configuration, over the given defaults, before anything starts.
func loadSettings(s settings, line *commandLine, environ []string) (settings, error) {
	from := config.Sources{File: line.Config, Environ: environ, EnvIgnore: notKeys}
	if from.File == "" {
		from.File, from.FileOptional = defaultFile, true
	}
	for _, pair := range line.Set {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return s, withCode(codeUsage, fmt.Errorf("--set %s: want KEY=VALUE", pair))
		}
		from.Flags = append(from.Flags, config.Flag{Name: "--set", Key: key, Value: value})
	}
	for _, flag := range []struct {
		name, key string
		value     *string
	}{
		{"--namespace", "namespace", line.Namespace},
		{"--data-dir", "data_dir", given(line.DataDir)},
		{"--log-level", "log.level", given(line.LogLevel)},
	} {
		if flag.value != nil {
			from.Flags = append(from.Flags, config.Flag{Name: flag.name, Key: flag.key, Value: *flag.value})
		}
	}
	if err := config.Load(&s, from); err != nil {
		return s, err
	}
	if err := s.validate(); err != nil {
		return s, withCode(codeUsage, fmt.Errorf("configuration: %w", err))
	}
	return s, nil
}

func given(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}

func (s settings) validate() error {
	if s.DataDir == "" {
		return fmt.Errorf("data_dir is empty: name a directory")
	}
	if s.StopTimeout < time.Second || s.StopTimeout > 10*time.Minute {
		return fmt.Errorf("stop_timeout: %v is not between 1s and 10m", s.StopTimeout)
	}
	if err := s.Namespace.Validate(); err != nil {
		return err
	}
	for _, section := range []struct {
		name string
		err  error
	}{
		{"log", s.Log.Validate()},
		{"http", s.HTTP.Validate()},
		{"kafka", s.Kafka.Validate()},
		{"clickhouse", s.ClickHouse.Validate()},
		{"schema", s.Schema.validate(s.ClickHouse.Cluster)},
		{"topics", s.Topics.validate()},
		{"ingest", s.Ingest.Validate()},
		{"processors", s.Processors.Validate()},
		{"moderation", s.Moderation.Validate()},
		{"sinks", s.Sinks.Validate()},
		{"relay", s.Relay.Validate()},
		{"bot", s.Bot.Validate()},
		{"console", s.Console.validate()},
		{"grafana", s.Grafana.Validate()},
		{"embedded", s.Embedded.validate()},
		{"embedded.kafka", s.Embedded.Kafka.Validate()},
		{"embedded.clickhouse", s.Embedded.ClickHouse.Validate()},
	} {
		if section.err == nil {
			continue
		}
		if strings.HasPrefix(section.err.Error(), section.name+".") {
			return section.err
		}
		return fmt.Errorf("%s.%w", section.name, section.err)
	}
	return nil
}

// inDataDir puts a relative directory under the data directory.
func (s settings) inDataDir(dir string) string {
	if dir == "" || filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(s.DataDir, dir)
}

// policySet loads the policy; whatever is wrong with it is a usage error.
func (s settings) policySet() (*policy.Set, error) {
	if s.Policy == "" {
		return policy.Default(), nil
	}
	set, err := policy.Load(s.Policy)
	return set, withCode(codeUsage, err)
}

// reachable is the address to show to people for one that is listened on.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != "" && host != "0.0.0.0" && host != "::" {
		return addr
	}
	return net.JoinHostPort("127.0.0.1", port)
}
