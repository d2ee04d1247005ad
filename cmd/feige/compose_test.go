package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"github.com/feigeio/feige/internal/config"
	"github.com/feigeio/feige/internal/warehouse"
	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

type composeFile struct {
	Services map[string]composeService `yaml:"services"`
	Volumes  map[string]any            `yaml:"volumes"`
	Networks map[string]any            `yaml:"networks"`
}

type composeService struct {
	Image       string            `yaml:"image"`
	Command     []string          `yaml:"command"`
	Restart     string            `yaml:"restart"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	Networks    []string          `yaml:"networks"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	ReadOnly    bool              `yaml:"read_only"`
	User        string            `yaml:"user"`
	Healthcheck struct {
		Test []string `yaml:"test"`
	} `yaml:"healthcheck"`
	DependsOn map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
}

const top = "../.."

func readCompose(t *testing.T) composeFile {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.UnmarshalWithOptions(data, &file, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s composeService) ours() bool { return strings.HasPrefix(s.Image, "feige:") }

// once tells a service that ends by itself.
func (s composeService) once() bool { return s.Restart == "on-failure" }

func TestComposeServices(t *testing.T) {
	t.Parallel()
	file := readCompose(t)
	if len(file.Services) < 8 {
		t.Fatalf("only %d services were read", len(file.Services))
	}
	pinned := regexp.MustCompile(`^[a-z0-9./_-]+:(\d+\.\d+[0-9.a-z-]*|\$\{FEIGE_VERSION:-dev\})$`)
	loopback := regexp.MustCompile(`^127\.0\.0\.1:\$\{FEIGE_[A-Z_]+:-\d+\}:\d+$`)
	for name, s := range file.Services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !pinned.MatchString(s.Image) {
				t.Errorf("image %q is not pinned", s.Image)
			}
			if s.once() != (s.Restart != "unless-stopped") {
				t.Errorf("restart: %q", s.Restart)
			}
			if !s.once() && len(s.Healthcheck.Test) < 2 {
				t.Error("no health check")
			}
			for _, port := range s.Ports {
				if !loopback.MatchString(port) {
					t.Errorf("port %q is not on loopback with a variable", port)
				}
			}
			if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
				t.Error("may gain privileges")
			}
			if s.ours() && (!slices.Contains(s.CapDrop, "ALL") || !s.ReadOnly || s.User != "10001:10001") {
				t.Error("runs with more rights than it needs")
			}
			for _, network := range s.Networks {
				if _, ok := file.Networks[network]; !ok {
					t.Errorf("network %q is not declared", network)
				}
			}
			for _, volume := range s.Volumes {
				source, _, _ := strings.Cut(volume, ":")
				if _, declared := file.Volumes[source]; declared {
					continue
				}
				if _, err := os.Stat(filepath.Join(top, source)); err != nil {
					t.Errorf("volume %q is neither declared nor a file of the repository", volume)
				}
			}
			for other, on := range s.DependsOn {
				target, ok := file.Services[other]
				if !ok {
					t.Errorf("depends on %q, which is not there", other)
				}
				want := "service_healthy"
				if target.once() {
					want = "service_completed_successfully"
				}
				if on.Condition != want {
					t.Errorf("waits for %q until %q, want %q", other, on.Condition, want)
				}
			}
		})
	}
}

// Every command is one of ours, and every FEIGE_ variable sets a key that exists.
func TestComposeCommandsAndSettings(t *testing.T) {
	t.Parallel()
	value := regexp.MustCompile(`\$\{[A-Z_]+:[-?]([^}]*)\}`)
	for name, s := range readCompose(t).Services {
		if !s.ours() {
			continue
		}
		parser, err := kong.New(&commandLine{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(s.Command); err != nil {
			t.Errorf("%s: command %v: %v", name, s.Command, err)
		}
		var environ []string
		for key, text := range s.Environment {
			environ = append(environ, key+"="+value.ReplaceAllString(text, "$1"))
		}
		got := defaultSettings()
		if err := config.Load(&got, config.Sources{Environ: environ}); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if err := got.validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(s.Healthcheck.Test) > 0 && !slices.Equal(s.Healthcheck.Test, []string{"CMD", "feige", "ready"}) {
			t.Errorf("%s: health check %v", name, s.Healthcheck.Test)
		}
	}
}

// No secret stands in the file, and .env.example names every variable that has to be set.
func TestComposeVariables(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(top, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile(filepath.Join(top, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`\$\{([A-Z_]+)`)
	for _, match := range used.FindAllStringSubmatch(string(data), -1) {
		if !strings.Contains("\n"+string(example), "\n"+match[1]+"=") {
			t.Errorf(".env.example does not name %s", match[1])
		}
	}
	secret := regexp.MustCompile(`(?m)^\s*\w*PASSWORD\w*:\s*(.*)$`)
	for _, match := range secret.FindAllStringSubmatch(string(data), -1) {
		if !regexp.MustCompile(`^\$\{[A-Z_]+:\?[^}]+\}$`).MatchString(match[1]) {
			t.Errorf("a password that does not come from the environment: %s", match[0])
		}
	}
}

// The image is built from the repository, runs as nobody, and holds a binary whose settings exist.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(top, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`:\d+\.\d+`).MatchString(from[1]) {
			t.Errorf("base image %s is not pinned", from[1])
		}
	}
	if !regexp.MustCompile(`(?m)^USER 10001:10001$`).MatchString(text) {
		t.Error("runs as root")
	}
	got := defaultSettings()
	if err := config.Load(&got, config.Sources{Environ: regexp.MustCompile(`FEIGE_[A-Z_]+=\S+`).FindAllString(text, -1)}); err != nil {
		t.Error(err)
	}
}

// The reader of the boards may read every table and view but those that hold what was written in chats.
func TestReaderGrants(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(top, "deploy/clickhouse/reader.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var granted, want []string
	for _, match := range regexp.MustCompile(`GRANT SELECT ON feige\.(\w+)`).FindAllStringSubmatch(string(data), -1) {
		granted = append(granted, match[1])
	}
	migrations, err := ddl.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	for _, migration := range migrations {
		for _, match := range regexp.MustCompile(`(?m)^CREATE (?:TABLE IF NOT EXISTS|OR REPLACE VIEW) feige\.(\w+)`).FindAllStringSubmatch(migration.SQL, -1) {
			if name := strings.TrimSuffix(match[1], "_data"); !slices.Contains([]string{"chat_texts", "chat_attachments", "dead_letters", "violation_evidence", "appeal_steps"}, name) {
				want = append(want, match[1])
			}
		}
	}
	// The embedded engine grants an analyst the same.
	var analyst, reader []string
	for _, grant := range warehouse.AnalystGrants("feige") {
		analyst = append(analyst, strings.ReplaceAll(grant, "`", ""))
	}
	for _, match := range regexp.MustCompile(`GRANT (SELECT[^<]+)<`).FindAllStringSubmatch(string(data), -1) {
		reader = append(reader, match[1])
	}
	slices.Sort(analyst)
	slices.Sort(reader)
	if !slices.Equal(analyst, reader) {
		t.Errorf("the embedded engine grants %v\nthe server %v", analyst, reader)
	}
	slices.Sort(want)
	if len(want) < 20 || !slices.Equal(granted, slices.Compact(want)) {
		t.Errorf("granted %v\nwant    %v", granted, want)
	}
}
