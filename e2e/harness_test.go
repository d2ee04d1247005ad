package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
)

// examples are the recordings that are shipped.
const examples = "../examples/irc_support"

// examplesNamespace is where `feige run` puts them.
const examplesNamespace = "examples"

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := scratch(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// scratch is a directory for what all tests share.
var scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "feige-e2e-") })

// binary builds feige once, with the flags of the Makefile, so that nothing is compiled twice.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "feige")
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", path, "./cmd/feige")
	build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building feige: %w\n%s", err, out)
	}
	return path, nil
})

// missing skips a test that needs something of the machine; in CI it fails.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("needed in CI: "+format, args...)
	}
	t.Skipf("skipped: "+format, args...)
}

// library is where libchdb is.
func library(t *testing.T) string {
	t.Helper()
	path, err := eclickhouse.Locate("")
	if err != nil {
		missing(t, "%v", err)
	}
	return path
}

// installation is a directory with a feige.yaml: every command that runs in it meets the same engines.
type installation struct {
	t                 *testing.T
	dir               string
	kafka, clickhouse string
	// env is added to the environment of every command.
	env []string
}

// newInstallation is one on addresses of its own. More is YAML added to feige.yaml.
func newInstallation(t *testing.T, more ...string) *installation {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped: -short leaves out what runs the binary on engines")
	}
	in := &installation{t: t, dir: t.TempDir(), kafka: freeAddr(t), clickhouse: freeAddr(t)}
	in.env = []string{"FEIGE_CHDB_LIB=" + library(t)}
	in.configure(fmt.Sprintf("kafka: {brokers: [%q]}\nclickhouse: {addr: [%q]}\nembedded:\n  kafka: {addr: %q}\n  clickhouse: {addr: %q}\n",
		in.kafka, in.clickhouse, in.kafka, in.clickhouse), more...)
	return in
}

func (in *installation) configure(text string, more ...string) {
	in.t.Helper()
	text += strings.Join(more, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(in.dir, "feige.yaml"), []byte(text), 0o600); err != nil {
		in.t.Fatal(err)
	}
}

func (in *installation) path(name string) string { return filepath.Join(in.dir, name) }

// write puts a file into the installation and returns its path.
func (in *installation) write(name, text string) string {
	in.t.Helper()
	if err := os.WriteFile(in.path(name), []byte(text), 0o600); err != nil {
		in.t.Fatal(err)
	}
	return in.path(name)
}

// command is feige in the installation, with nothing else of this machine's environment.
func (in *installation) command(addr string, args ...string) *exec.Cmd {
	in.t.Helper()
	path, err := binary()
	if err != nil {
		in.t.Fatal(err)
	}
	command := exec.Command(path, args...)
	command.Dir = in.dir
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + in.dir, "FEIGE_HTTP__ADDR=" + addr, "FEIGE_RELAY__ADDR=127.0.0.1:0", "FEIGE_CONSOLE__ADDR=127.0.0.1:0"}, in.env...)
	return command
}

// freeAddr is a loopback address that nobody listens on. It lies outside the range from which the system takes the
// ports of outgoing connections: a test gives it up and takes it again, and nobody must come between.
func freeAddr(t *testing.T) string {
	t.Helper()
	low := 32768
	if data, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		if first, _, ok := strings.Cut(strings.TrimSpace(string(data)), "\t"); ok {
			if n, err := strconv.Atoi(first); err == nil && n > 12000 {
				low = n
			}
		}
	}
	for range 200 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(10000+rand.IntN(low-10000)))
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		if given.add(addr) {
			return addr
		}
	}
	t.Fatal("no free port found")
	return ""
}

// given are the addresses that were handed out.
var given addresses

type addresses struct {
	mu  sync.Mutex
	all map[string]bool
}

func (a *addresses) add(addr string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all[addr] {
		return false
	}
	if a.all == nil {
		a.all = map[string]bool{}
	}
	a.all[addr] = true
	return true
}

// random is seeded by FEIGE_TEST_SEED or by the clock, and says by which.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("FEIGE_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("FEIGE_TEST_SEED: %v", err)
		}
	}
	t.Logf("repeat with FEIGE_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// upTo is a random time below limit.
func upTo(rng *rand.Rand, limit time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(limit)))
}

// eventually asks until condition holds. The deadline is generous: it only ends what would never come.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	const limit = 3 * time.Minute
	for deadline := time.Now().Add(limit); !condition(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
