package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

type engine struct {
	Brokers  []string      `yaml:"brokers"`
	ClientID string        `yaml:"client_id"`
	Count    int32         `yaml:"count"`
	Linger   time.Duration `yaml:"linger"`
	Ratio    float64       `yaml:"ratio"`
	TLS      bool          `yaml:"tls"`
	Password string        `yaml:"password"`
}

type settings struct {
	Name  string            `yaml:"name"`
	Kafka engine            `yaml:"kafka"`
	Roles map[string]string `yaml:"roles"`
}

func defaults() settings {
	return settings{
		Name:  "plain",
		Kafka: engine{Brokers: []string{"127.0.0.1:9092", "127.0.0.1:9093"}, ClientID: "feige", Count: 4, Linger: 5 * time.Millisecond, Ratio: 0.5},
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "feige.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadLayers(t *testing.T) {
	t.Parallel()
	with := func(change func(*settings)) settings { s := defaults(); change(&s); return s }
	check := func(name, file string, env []string, flags []Flag, want settings) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := defaults()
			if err := Load(&got, Sources{File: write(t, file), Environ: env, Flags: flags, EnvIgnore: []string{"FEIGE_CONFIG", "FEIGE_TEST_*"}}); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	check("nothing", "", nil, nil, defaults())
	check("only a comment", "# nothing here\n", nil, nil, defaults())
	check("file keeps other defaults", "kafka:\n  count: 7\n", nil, nil, with(func(s *settings) { s.Kafka.Count = 7 }))
	check("a list replaces", "kafka:\n  brokers: [a:1]\n", nil, nil, with(func(s *settings) { s.Kafka.Brokers = []string{"a:1"} }))
	check("duration", "kafka:\n  linger: 1m30s\n", nil, nil, with(func(s *settings) { s.Kafka.Linger = 90 * time.Second }))
	check("environment over file", "kafka:\n  count: 7\n", []string{"FEIGE_KAFKA__COUNT=8", "OTHER=1", "FEIGE_CONFIG=x", "FEIGE_TEST_KILLS=3"}, nil,
		with(func(s *settings) { s.Kafka.Count = 8 }))
	check("flag over environment", "", []string{"FEIGE_KAFKA__COUNT=8"}, []Flag{{Name: "--set", Key: "kafka.count", Value: "9"}},
		with(func(s *settings) { s.Kafka.Count = 9 }))
	check("list by commas", "", []string{"FEIGE_KAFKA__BROKERS=a:1, b:2"}, nil, with(func(s *settings) { s.Kafka.Brokers = []string{"a:1", "b:2"} }))
	check("list as YAML", "", []string{"FEIGE_KAFKA__BROKERS=[a:1]"}, nil, with(func(s *settings) { s.Kafka.Brokers = []string{"a:1"} }))
	check("text that looks like YAML", "", []string{`FEIGE_KAFKA__PASSWORD={"a": #b\`}, nil, with(func(s *settings) { s.Kafka.Password = `{"a": #b\` }))
	check("text of digits", "", []string{"FEIGE_NAME=0123"}, nil, with(func(s *settings) { s.Name = "0123" }))
	check("duration from the environment", "", []string{"FEIGE_KAFKA__LINGER=2s"}, nil, with(func(s *settings) { s.Kafka.Linger = 2 * time.Second }))
	check("empty text", "", []string{"FEIGE_NAME="}, nil, with(func(s *settings) { s.Name = "" }))
	check("map", "roles:\n  reader: a\n", nil, nil, with(func(s *settings) { s.Roles = map[string]string{"reader": "a"} }))
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	check := func(name, file string, env []string, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, file)
			got := defaults()
			err := Load(&got, Sources{File: path, Environ: env})
			if err == nil {
				t.Fatalf("no error; want %q", want)
			}
			text := strings.ReplaceAll(err.Error(), path, "FILE")
			if text != want {
				t.Fatalf("got  %s\nwant %s", text, want)
			}
		})
	}
	known := "known here: brokers, client_id, count, linger, ratio, tls, password"
	check("unknown key", "kafka:\n  count: 1\n  brokrs: [a]\n", nil, "FILE:3: kafka.brokrs is not a key; "+known)
	check("unknown top key", "nane: x\n", nil, "FILE:1: nane is not a key; known here: name, kafka, roles")
	check("text for a number", "kafka:\n  count: many\n", nil, `FILE:2: kafka.count must be a whole number (got "many")`)
	check("fraction for a number", "kafka:\n  count: 1.5\n", nil, `FILE:2: kafka.count must be a whole number (got "1.5")`)
	check("too large", "kafka:\n  count: 99999999999\n", nil, "FILE:2: kafka.count must be a whole number (got 99999999999, which does not fit)")
	check("text for a truth", "kafka:\n  tls: perhaps\n", nil, `FILE:2: kafka.tls must be true or false (got "perhaps")`)
	check("bad duration", "kafka:\n  linger: soon\n", nil, `FILE:2: kafka.linger must be a duration such as "30s" or "5m" (got "soon")`)
	check("duration without unit", "kafka:\n  linger: 5\n", nil, `FILE:2: kafka.linger must be a duration such as "30s" or "5m" (got "5")`)
	check("scalar for a group", "kafka: 5\n", nil, `FILE:1: kafka must be a group of keys (got "5")`)
	check("group for a scalar", "name:\n  x: 1\n", nil, `FILE:2: name must be text (got ":")`)
	check("scalar for a list", "kafka:\n  brokers: 5\n", nil, `FILE:2: kafka.brokers must be a list (got "5")`)
	check("twice", "name: a\nname: b\n", nil, "FILE:2: name is given twice")
	check("not YAML", "name: [a\n", nil, "FILE:1: is not YAML: sequence end token ']' not found")
	check("a list at the top", "- a\n", nil, "FILE:1: must be keys and values (key: value)")
	check("unknown variable", "", []string{"FEIGE_KAFKA__BROKRS=a"}, "FEIGE_KAFKA__BROKRS: kafka.brokrs is not a key; "+known)
	check("bad variable", "", []string{"FEIGE_KAFKA__COUNT=many"}, `FEIGE_KAFKA__COUNT: kafka.count must be a whole number (got "many")`)
	check("empty variable", "", []string{"FEIGE_KAFKA__COUNT="}, "FEIGE_KAFKA__COUNT: kafka.count has an empty value")
	check("variable for a group", "", []string{"FEIGE_KAFKA=a"}, `FEIGE_KAFKA: kafka is a group of keys, not a value (got "a")`)
}

func TestLoadMissingFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.yaml")
	got := defaults()
	if err := Load(&got, Sources{File: path, FileOptional: true}); err != nil {
		t.Fatal(err)
	}
	err := Load(&got, Sources{File: path})
	if err == nil || err.Error() != path+": cannot be read: no such file or directory" {
		t.Fatalf("got %v", err)
	}
}

func TestShowMasksSecrets(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.Kafka.Password = "hunter2"
	text, err := Show(s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "hunter2") || !strings.Contains(text, masked) {
		t.Fatalf("the secret shows:\n%s", text)
	}
	s.Kafka.Password = ""
	if text, _ = Show(s); strings.Contains(text, masked) {
		t.Fatalf("an unset secret looks set:\n%s", text)
	}
	back := settings{}
	if err := Load(&back, Sources{File: write(t, text)}); err != nil {
		t.Fatalf("what is shown does not load: %v\n%s", err, text)
	}
	if !reflect.DeepEqual(back.Kafka, s.Kafka) {
		t.Fatalf("got %+v, want %+v", back.Kafka, s.Kafka)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{"", "name: a", "kafka:\n  count: 1", "a: &x [*x]", "? b", "kafka: {brokers: [a, b]}", "\x00", "name: |\n x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := defaults()
		known, err := shapeOf(&s)
		if err != nil {
			t.Fatal(err)
		}
		if err := decode(&s, known, "FILE", []byte(text)); err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("an error of several lines: %q", err)
		}
	})
}
