package stream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/reception"
	"github.com/feigeio/feige/processors/service"
	"github.com/feigeio/feige/processors/stream"
)

// childVariable holds the role of a process that this test binary has started from itself.
const childVariable = "FEIGE_STREAM_TEST_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		if err := runChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// role is what a child process does.
type role struct {
	// Broker: be the embedded broker on this port and directory. Else: run the three processors.
	Broker bool
	Port   int
	Dir    string

	Addr     string
	Instance string
	Session  time.Duration
	// ProduceTimeout is that of the configuration; 0: as short as can be.
	ProduceTimeout time.Duration
	// VisitInterval is that of the configuration; 0: short.
	VisitInterval time.Duration
	// The controls.
	Unordered, NoRollback, Skipping bool
}

func runChild(text string) error {
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // the parent's end, or its wish that this one ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if r.Broker {
		cfg := ekafka.Config{Dir: r.Dir, Addr: fmt.Sprintf("127.0.0.1:%d", r.Port)}
		b, err := ekafka.Start(ctx, cfg, ekafka.Dependencies{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
		if err != nil {
			return err
		}
		fmt.Println("ready")
		<-ctx.Done()
		return b.Close()
	}
	began := time.Now()
	all, err := newProcessors(r, slog.New(slog.NewTextHandler(os.Stderr, nil)), nil)
	if err != nil {
		return err
	}
	go func() {
		for !all.ready() {
			time.Sleep(2 * time.Millisecond)
		}
		fmt.Println("ready after", time.Since(began).Round(time.Millisecond))
	}()
	all.run(ctx)
	return nil
}

// processors are the three stages.
type processors []*stream.Processor

func newProcessors(r role, log *slog.Logger, registry prometheus.Registerer) (all processors, err error) {
	cfg := quickConfig()
	cfg.InstanceID, cfg.SessionTimeout, cfg.CommitInterval = r.Instance, r.Session, 100*time.Millisecond
	cfg.VisitInterval = max(r.VisitInterval, cfg.VisitInterval)
	cfg.ProduceTimeout = max(r.ProduceTimeout, cfg.ProduceTimeout)
	deps := stream.Dependencies{Broker: brokerConfig(r.Addr), Policy: policy.Default(), Logger: log, Registry: registry}
	for _, build := range []func(stream.Config, stream.Dependencies) (*stream.Processor, error){conversations.New, reception.New, service.New} {
		p, err := build(cfg, deps)
		if err != nil {
			return nil, err
		}
		if r.Unordered {
			p.Unorder()
		}
		if r.NoRollback {
			p.SkipRollback()
		}
		if r.Skipping {
			p.ReplaceProducer(func([]kgo.Opt) goka.ProducerBuilder { return newSkippingProducer(r.Addr) })
		}
		all = append(all, p)
	}
	return all, nil
}

func (all processors) run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() { _ = p.Run(ctx) })
	}
	wg.Wait()
}

func (all processors) ready() bool {
	for _, p := range all {
		if !p.Ready() {
			return false
		}
	}
	return true
}

// child is a process started from this binary.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ready chan string   // gets the line that says it is up
	done  chan struct{} // closed when it has ended
}

func startChild(t testing.TB, r role) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(self), ready: make(chan string, 1), done: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	c.cmd.Stderr = childLog(t)
	c.stdin, err = c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "ready") {
				c.ready <- lines.Text()
			}
		}
		_ = c.cmd.Wait()
	}()
	t.Cleanup(c.kill)
	return c
}

// childLog collects what a test's children have to say, and shows the end of it when the test has failed.
func childLog(t testing.TB) io.Writer {
	path := filepath.Join(t.TempDir(), "stderr")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.Close()
		if b, err := os.ReadFile(path); err == nil && t.Failed() {
			t.Logf("… %s", b[max(0, len(b)-5000):])
		}
	})
	return f
}

// kill is SIGKILL, at once.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// stop lets the process end by itself.
func (c *child) stop(t testing.TB) {
	t.Helper()
	_ = c.stdin.Close()
	select {
	case <-c.done:
	case <-time.After(30 * time.Second):
		t.Error("a child does not stop")
		c.kill()
	}
}

func (c *child) freeze() { _ = c.cmd.Process.Signal(syscall.SIGSTOP) }
func (c *child) thaw()   { _ = c.cmd.Process.Signal(syscall.SIGCONT) }

// awaitReady waits until the child is up; false when it has ended.
func (c *child) awaitReady(t testing.TB, limit time.Duration) bool {
	t.Helper()
	select {
	case line := <-c.ready:
		c.ready <- line
		return true
	case <-c.done:
		return false
	case <-time.After(limit):
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		<-c.done
		t.Fatalf("a child is not up within %v", limit)
		return false
	}
}

// took is how long the child says it took to be up; 0 when it has not been.
func (c *child) took() time.Duration {
	select {
	case line := <-c.ready:
		c.ready <- line
		d, _ := time.ParseDuration(strings.TrimPrefix(line, "ready after "))
		return d
	default:
		return 0
	}
}

// freePort is a port that a child can listen on again and again.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
