package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
)

// mainVariable makes the test binary behave as feige.
const mainVariable = "FEIGE_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// feige is the command in a directory of its own, with nothing of this machine's environment.
func feige(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, args...)
	command.Dir = t.TempDir()
	command.Env = append([]string{mainVariable + "=1", "HOME=" + t.TempDir()}, env...)
	return command
}

type outcome struct {
	code           int
	stdout, stderr string
}

func finish(t *testing.T, command *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// closedPort is an address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func takenPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Whatever is wrong: the right exit code, and one line that says what and where.
func TestErrorsAreOneLineWithTheRightCode(t *testing.T) {
	t.Parallel()
	check := func(name string, code int, want string, env []string, args ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := finish(t, feige(t, env, args...))
			if got.code != code {
				t.Errorf("exit code %d, want %d", got.code, code)
			}
			if !strings.HasPrefix(got.stderr, "feige: ") || strings.Count(got.stderr, "\n") != 1 || !strings.Contains(got.stderr, want) {
				t.Errorf("got %q, want one line with %q", got.stderr, want)
			}
		})
	}
	config := func(text string) string { return "--config=" + file(t, "feige.yaml", text) }
	away := closedPort(t)
	noKafka := []string{"FEIGE_KAFKA__BROKERS=" + away, "FEIGE_HTTP__ADDR=127.0.0.1:0", "FEIGE_KAFKA__DIAL_TIMEOUT=200ms"}

	check("unknown command", codeUsage, "frobnicate", nil, "frobnicate")
	check("unknown flag", codeUsage, "--frobnicate", nil, "config", "--frobnicate")
	check("missing argument", codeUsage, "<files>", nil, "replay")
	check("unknown key in the file", codeUsage, "feige.yaml:2: kafka.brokrs is not a key", nil, config("kafka:\n  brokrs: [a:1]\n"), "config")
	check("wrong type in the file", codeUsage, `feige.yaml:2: kafka.partitions must be a whole number (got "many")`, nil, config("kafka:\n  partitions: many\n"), "config")
	check("value out of bounds", codeUsage, "kafka.partitions: 0", nil, config("kafka:\n  partitions: 0\n"), "config")
	check("file not there", codeUsage, "none.yaml: cannot be read: no such file or directory", nil, "--config=none.yaml", "config")
	check("unknown variable", codeUsage, "FEIGE_KAFKA__BROKRS: kafka.brokrs is not a key", []string{"FEIGE_KAFKA__BROKRS=a:1"}, "config")
	check("bad log level", codeUsage, `log.level must be debug, info, warn, or error (got "loud")`, nil, "--log-level=loud", "config")
	check("bad namespace", codeUsage, `namespace "A b"`, nil, "--namespace=A b", "config")
	check("bad --set", codeUsage, "--set kafka: want KEY=VALUE", nil, "--set=kafka", "config")
	check("policy not there", codeUsage, "none.yaml", []string{"FEIGE_POLICY=none.yaml"}, "policy", "show")
	check("policy with overlapping windows", codeUsage, "working_hours",
		[]string{"FEIGE_POLICY=" + file(t, "policy.yaml", overlapping(t))}, "policy", "show")
	check("kafka away, topics", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "topics", "apply")
	check("kafka away, processors", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "processors")
	check("kafka away, simulate", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "simulate")
	check("kafka away, replay", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "replay", file(t, "x.jsonl", ""))
	check("kafka away, audit", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "audit")
	check("kafka away, dead letters", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "dead-letters", "list")
	check("bad period", codeUsage, "--period", nil, "audit", "--period=2026-13-H1")
	check("kafka away, clock", codeUnavailable, "kafka at "+away+" does not answer", noKafka, "clock")
	check("clickhouse away", codeUnavailable, "clickhouse at "+away+" does not answer", []string{"FEIGE_CLICKHOUSE__ADDR=" + away}, "schema", "apply")
	check("recording not there", codeUsage, "none.csv: no such file or directory", nil, "replay", "none.csv")
	check("column that is none", codeUsage, `"body" is none of`, nil, "replay", "--column=body=x", "none.csv")
	check("traffic of no shop", codeUsage, "shops: 0", nil, "simulate", "--shops=0")
	check("half a stretch of the past", codeUsage, "simulate.from, simulate.to", nil, "simulate", "--from=2026-11-01T00:00:00Z")
	check("metrics port taken", codeInUse, "http.addr", []string{"FEIGE_HTTP__ADDR=" + takenPort(t)}, "processors")
	check("data directory that cannot be", codeFailed, "cannot be made", nil, "up", "--data-dir=/dev/null/data")
	check("kafka port taken", codeInUse, "embedded.kafka.addr", []string{
		"FEIGE_HTTP__ADDR=127.0.0.1:0", "FEIGE_EMBEDDED__KAFKA__ADDR=" + takenPort(t), "FEIGE_CHDB_LIB=" + file(t, "libchdb.so", "")}, "up")
	check("kafka away, up without the embedded one", codeUnavailable, "kafka at "+away+" does not answer", append(noKafka, "FEIGE_EMBEDDED__ENGINES=clickhouse"), "up")
	check("unknown engine", codeUsage, `embedded.engines: "redis" is neither kafka nor clickhouse`, nil, "config", "--set=embedded.engines=redis")
	check("no libchdb and no npm", codeUnavailable, "npm is not installed", []string{"FEIGE_HTTP__ADDR=127.0.0.1:0", "PATH=/nowhere"}, "up")
	check("no examples", codeUsage, "--examples nowhere: no such directory", nil, "run", "--examples=nowhere")
	check("nothing runs", codeDifference, "not ready", []string{"FEIGE_HTTP__ADDR=" + away}, "ready")
}

// overlapping is the built-in policy with two daily windows that overlap.
func overlapping(t *testing.T) string {
	t.Helper()
	got := finish(t, feige(t, nil, "policy", "show", "--all"))
	changed := strings.Replace(got.stdout, `working_hours: ["08:00-23:00"]`, `working_hours: ["08:00-23:00", "22:00-23:30"]`, 1)
	if changed == got.stdout {
		t.Fatal("the policy has no such line")
	}
	return changed
}

func TestDataDirectoryLocked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := lockDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	got := finish(t, feige(t, []string{"FEIGE_HTTP__ADDR=127.0.0.1:0", "FEIGE_CHDB_LIB=" + file(t, "libchdb.so", "")}, "up", "--data-dir="+dir))
	if got.code != codeInUse || !strings.Contains(got.stderr, dir+" is in use by process") || strings.Count(got.stderr, "\n") != 1 {
		t.Fatalf("got %d %q", got.code, got.stderr)
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--help"}} {
		got := finish(t, feige(t, nil, args...))
		if got.code != codeOK || got.stderr != "" {
			t.Fatalf("%v: got %d %q", args, got.code, got.stderr)
		}
		for _, command := range []string{"run", "up", "processors", "sinks", "clock", "simulate", "replay", "topics", "schema", "audit", "dead-letters", "policy", "config", "doctor", "setup", "version", "Exit codes"} {
			if !strings.Contains(got.stdout, command) {
				t.Errorf("%v: the help does not name %q", args, command)
			}
		}
	}
}

func TestConfigShowsEverythingButSecrets(t *testing.T) {
	t.Parallel()
	got := finish(t, feige(t, []string{"FEIGE_CLICKHOUSE__PASSWORD=hunter2"}, "config", "--set=kafka.client_id=shop", "--namespace=trial"))
	if got.code != codeOK || got.stderr != "" {
		t.Fatalf("got %d %q", got.code, got.stderr)
	}
	if strings.Contains(got.stdout, "hunter2") {
		t.Error("the password shows")
	}
	for _, want := range []string{"client_id: shop", "namespace: trial", "password: (secret)"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no %q in\n%s", want, got.stdout)
		}
	}
	// What is shown can be read back.
	again := finish(t, feige(t, nil, "--config="+file(t, "shown.yaml", got.stdout), "config"))
	if again.code != codeOK || again.stdout != got.stdout {
		t.Errorf("reading it back: %d %q", again.code, again.stderr)
	}
}

func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	bad := file(t, "policy.yaml", overlapping(t))
	got := finish(t, feige(t, nil, "policy", "check", bad))
	if got.code != codeUsage || !strings.HasPrefix(got.stderr, bad+":") {
		t.Fatalf("got %d %q", got.code, got.stderr)
	}
	if got = finish(t, feige(t, nil, "policy", "check")); got.code != codeOK || got.stdout != "the built-in policy: ok\n" {
		t.Fatalf("got %d %q", got.code, got.stdout)
	}
}

// A role starts, is ready, and stops cleanly at a signal.
func TestClockStartsAndStops(t *testing.T) {
	t.Parallel()
	kafka, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kafka.Close() })
	addr := closedPort(t)
	env := []string{"FEIGE_KAFKA__BROKERS=" + kafka.Addr(), "FEIGE_HTTP__ADDR=" + addr}
	if got := finish(t, feige(t, env, "topics", "apply", "--embedded")); got.code != codeOK || !strings.Contains(got.stdout, "chat.events") {
		t.Fatalf("topics apply: %d %q %q", got.code, got.stdout, got.stderr)
	}
	if got := finish(t, feige(t, append(env, "FEIGE_KAFKA__PARTITIONS=5"), "topics", "apply")); got.code != codeUsage || !strings.Contains(got.stderr, "partitions") {
		t.Fatalf("another number of partitions: %d %q", got.code, got.stderr)
	}
	clock := launch(t, env, "clock")
	clock.awaitReady(t, env)
	clock.stop(t)
}
