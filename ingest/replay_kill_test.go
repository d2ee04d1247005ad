package ingest

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// TestReplayKilled kills a replaying process at random moments and starts it again until it is done: each
// event must be in the log exactly once.
func TestReplayKilled(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	rows := talk(20000, 3*time.Second)
	cfg := replayConfig(t, writeCSV(t, "chats.csv", rows))
	cfg.BatchEvents = 250
	order, err := json.Marshal(replayOrder{Config: cfg, Broker: k.cfg})
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(k.cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	inLog := func() int64 {
		ends, err := kadm.NewClient(cl).ListEndOffsets(t.Context(), schemas.TopicEvents)
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
		return n
	}
	seed := time.Now().UnixNano()
	t.Log("seed", seed)
	rng := rand.New(rand.NewPCG(uint64(seed), 0))
	kills, resumed := 0, false
	for done := false; !done; {
		var out, errs bytes.Buffer
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), replayEnv+"="+string(order))
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		// The log grows by bursts: a target within it is a moment within a batch.
		target := inLog() + rng.Int64N(4000)
		for killed := false; ; {
			select {
			case err := <-ended:
				ended = nil
				if killed && err != nil {
					break
				}
				if err != nil {
					t.Fatalf("replay process: %v\n%s", err, errs.String())
				}
				var rep Report
				if err := json.Unmarshal(out.Bytes(), &rep); err != nil {
					t.Fatal(err)
				}
				if rep.Published+rep.Skipped != 20000 {
					t.Errorf("report %+v", rep)
				}
				resumed, done = rep.Resumed, true
			case <-time.After(time.Duration(rng.IntN(3)) * time.Millisecond):
				if !killed && kills < 6 && inLog() > target {
					killed = true
					kills++
					_ = cmd.Process.Kill()
				}
				continue
			}
			break
		}
	}
	if kills < 3 || !resumed {
		t.Errorf("killed %d times, resumed %v: the test shows nothing", kills, resumed)
	}
	checkLog(t, readLog(t, k.cfg, ""), rows)
}
