package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience ends a command that hangs.
const patience = 5 * time.Minute

// outcome is how a command ended.
type outcome struct {
	args           []string
	code           int
	stdout, stderr string
}

// run runs a command to its end.
func (in *installation) run(args ...string) outcome {
	in.t.Helper()
	return finish(in.t, in.command("127.0.0.1:0", args...))
}

// must runs a command that has to end well.
func (in *installation) must(args ...string) outcome {
	in.t.Helper()
	got := in.run(args...)
	if got.code != 0 {
		in.t.Fatalf("feige %v: exit code %d\n%s%s", args, got.code, tail(got.stdout), tail(got.stderr))
	}
	return got
}

func finish(t *testing.T, command *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	command.SysProcAttr = dieWithParent()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	hangs := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
	err := command.Wait()
	if !hangs.Stop() {
		t.Fatalf("%v hangs\n%s%s", command.Args, tail(stdout.String()), tail(stderr.String()))
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{command.Args[1:], command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// dieWithParent leaves nothing behind when the tests are killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// process is a command in the background.
type process struct {
	t       *testing.T
	name    string
	command *exec.Cmd
	// http is where it answers /readyz.
	http   string
	log    *os.File
	began  time.Time
	exited chan struct{}
}

// start runs a command in the background; its output is shown when the test fails.
func (in *installation) start(args ...string) *process {
	in.t.Helper()
	addr := freeAddr(in.t)
	return launch(in.t, "feige "+strings.Join(args, " "), addr, in.command(addr, args...))
}

func launch(t *testing.T, name, addr string, command *exec.Cmd) *process {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log-*")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: name, command: command, http: addr, log: log, began: time.Now(), exited: make(chan struct{})}
	command.Stdout, command.Stderr, command.SysProcAttr = log, log, dieWithParent()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = command.Wait() // the exit code is looked at
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s (exit code %d):\n%s", name, p.code(), tail(p.output()))
		}
		_ = log.Close()
	})
	return p
}

// output is what it has written so far.
func (p *process) output() string {
	data, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// tail is the end of an output.
func tail(text string) string {
	const most = 6000
	if len(text) > most {
		return "…" + text[len(text)-most:]
	}
	return text
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// kill is SIGKILL; it returns when the process is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended
	<-p.exited
}

// stop is SIGTERM and wants a clean end.
func (p *process) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("stopping %s: %v", p.name, err)
	}
	if code := p.wait(); code != 0 {
		p.t.Fatalf("%s stopped with exit code %d", p.name, code)
	}
}

// wait returns the exit code once it has ended.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end", p.name)
	}
	return p.code()
}

func (p *process) code() int { return p.command.ProcessState.ExitCode() }

// awaitReady polls /readyz and returns how long it took from the start of the process.
func (p *process) awaitReady() time.Duration {
	p.t.Helper()
	last := ""
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		status, body := p.get("/readyz")
		if status == http.StatusOK {
			return time.Since(p.began).Round(time.Millisecond)
		}
		if body != "" {
			last = body
		}
		if !p.running() {
			p.t.Fatalf("%s ended with exit code %d before it was ready", p.name, p.code())
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s never became ready: %s", p.name, last)
		}
	}
}

// get asks the process's own HTTP server; status 0: no answer.
func (p *process) get(path string) (int, string) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Second)
	defer cancel()
	return fetch(ctx, http.MethodGet, "http://"+p.http+path, "")
}
