package ingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
)

// brokerEnv, when set to "directory|address", makes the test binary an embedded broker and nothing else.
const brokerEnv = "FEIGE_TEST_BROKER"

func brokerProcess(order string) error {
	dir, addr, _ := strings.Cut(order, "|")
	cfg := ekafka.DefaultConfig()
	cfg.Dir, cfg.Addr = dir, addr
	b, err := ekafka.Start(context.Background(), cfg, ekafka.Dependencies{})
	if err != nil {
		return err
	}
	fmt.Println(b.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test is gone
	return b.Close()
}

// killableBroker is an embedded broker in a process of its own.
type killableBroker struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
}

func (b *killableBroker) start() {
	b.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		b.cmd = exec.Command(os.Args[0])
		b.cmd.Env = append(os.Environ(), brokerEnv+"="+b.dir+"|"+b.addr)
		var errs strings.Builder
		b.cmd.Stderr = &errs
		out, err := b.cmd.StdoutPipe()
		if err != nil {
			b.t.Fatal(err)
		}
		if b.in, err = b.cmd.StdinPipe(); err != nil {
			b.t.Fatal(err)
		}
		if err := b.cmd.Start(); err != nil {
			b.t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err == nil {
			b.addr = strings.TrimSpace(line)
			return
		}
		_ = b.cmd.Wait()
		if time.Now().After(deadline) {
			b.t.Fatalf("broker does not start: %s", errs.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *killableBroker) kill() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// TestReplayBrokerKilled kills and restarts the embedded broker under a replay: each event must be in the log
// exactly once, in order.
func TestReplayBrokerKilled(t *testing.T) {
	t.Parallel()
	b := &killableBroker{t: t, dir: t.TempDir(), addr: "127.0.0.1:0"}
	b.start()
	t.Cleanup(func() { b.kill() })
	k := &testKafka{cfg: broker.DefaultConfig()}
	k.cfg.Brokers, k.cfg.Partitions = []string{b.addr}, testPartitions
	if _, err := ApplyTopics(t.Context(), k.cfg, "", EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	rows := talk(20000, 3*time.Second)
	cfg := replayConfig(t, writeCSV(t, "chats.csv", rows))
	cfg.BatchEvents = 200
	progress := make(chan int64, 1000)
	cfg.Progress = func(p Progress) {
		select {
		case progress <- p.Done:
		default:
		}
	}
	type outcome struct {
		rep Report
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		rep, err := Replay(t.Context(), cfg, DefaultConfig(), k.replayDeps())
		done <- outcome{rep, err}
	}()
	seed := time.Now().UnixNano()
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	for kills := 0; ; {
		select {
		case <-progress:
			if kills < 5 {
				// Somewhere within a batch.
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
				b.kill()
				kills++
				b.start()
			}
			continue
		case o := <-done:
			if o.err != nil || o.rep.Published != 20000 {
				t.Fatalf("%+v, %v", o.rep, o.err)
			}
			if kills < 2 {
				t.Errorf("killed %d times: the test shows nothing", kills)
			}
		}
		break
	}
	checkLog(t, readLog(t, k.cfg, ""), rows)
}
