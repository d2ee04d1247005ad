package ingest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/policy"
)

func pastConfig() SimulateConfig {
	cfg := DefaultSimulateConfig()
	cfg.From = time.Date(2024, 6, 14, 22, 0, 0, 0, time.UTC)
	cfg.To = cfg.From.Add(5 * time.Hour)
	cfg.Rate, cfg.Curve = 0.5, true
	return cfg
}

// TestSimulatePast: straight to Kafka, and by a file that is replayed, is the same.
func TestSimulatePast(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	cfg := pastConfig()
	rep, err := Simulate(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Events < 1000 || rep.Ticks < 5 || rep.Ticks > 6 {
		t.Errorf("report %+v", rep)
	}

	cfg.File = filepath.Join(t.TempDir(), "made.jsonl.gz")
	made, err := Simulate(t.Context(), cfg, DefaultConfig(), k.replayDeps())
	if err != nil || made.Events != rep.Events {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := ApplyTopics(t.Context(), k.cfg, "file", EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	deps := k.replayDeps()
	deps.Namespace = "file"
	replayed, err := Replay(t.Context(), replayConfig(t, cfg.File), DefaultConfig(), deps)
	if err != nil || replayed.Published != rep.Events || replayed.Rejects != 0 || replayed.Ticks != rep.Ticks {
		t.Fatalf("%+v, %v", replayed, err)
	}
	direct, file := readLog(t, k.cfg, ""), readLog(t, k.cfg, "file")
	for p := range direct {
		if len(direct[p]) != len(file[p]) {
			t.Fatalf("partition %d: %d and %d records", p, len(direct[p]), len(file[p]))
		}
		for i := range direct[p] {
			a, b := direct[p][i].event, file[p][i].event
			if isTick(a) {
				a.EventId, b.EventId = "", ""
			}
			if !proto.Equal(a, b) {
				t.Fatalf("partition %d, record %d: %v and %v", p, i, a, b)
			}
		}
	}
}

func TestSimulateFileIsDeterministic(t *testing.T) {
	t.Parallel()
	var bodies [2][]byte
	for i := range bodies {
		cfg := pastConfig()
		cfg.File = filepath.Join(t.TempDir(), "made.jsonl")
		if _, err := Simulate(t.Context(), cfg, DefaultConfig(), ReplayDependencies{}); err != nil {
			t.Fatal(err)
		}
		var err error
		if bodies[i], err = os.ReadFile(cfg.File); err != nil {
			t.Fatal(err)
		}
	}
	if len(bodies[0]) == 0 || !bytes.Equal(bodies[0], bodies[1]) {
		t.Error("the same seed gives different files")
	}
}

// TestSimulateLive: traffic goes on over an outage, in order, by the clock.
func TestSimulateLive(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	cfg := DefaultSimulateConfig()
	cfg.Rate = 300
	ingest := DefaultConfig()
	ingest.Timeout, ingest.AttemptTimeout = 300*time.Millisecond, 200*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Now().UnixMicro()
	done := make(chan error, 1)
	var rep SimulateReport
	go func() {
		var err error
		rep, err = Simulate(ctx, cfg, ingest, ReplayDependencies{Dependencies: k.deps(), Policy: policy.Default()})
		done <- err
	}()
	published := func(least int) func() bool {
		return func() bool {
			n := 0
			for _, recs := range readLog(t, k.cfg, "") {
				n += len(recs)
			}
			return n >= least
		}
	}
	eventually(t, "traffic", published(200))
	h := k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.LeaderNotAvailable, Count: -1})
	if err := h.Wait(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	h.Remove()
	n := 0
	for _, recs := range readLog(t, k.cfg, "") {
		n += len(recs)
	}
	eventually(t, "traffic after the outage", published(n+200))
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ended := time.Now().UnixMicro()
	distinct := map[string]bool{}
	for _, recs := range readLog(t, k.cfg, "") {
		last := map[string]int64{}
		for _, r := range recs {
			if distinct[r.event.EventId] {
				continue
			}
			distinct[r.event.EventId] = true
			if at := r.event.OccurredAtUs; at < last[r.event.ShopId] || at < began || at > ended {
				t.Errorf("%s at %d, between %d and %d, after %d", r.event.EventId, at, began, ended, last[r.event.ShopId])
			}
			last[r.event.ShopId] = r.event.OccurredAtUs
		}
	}
	if int64(len(distinct)) < rep.Events {
		t.Errorf("%d events in the log, report %+v", len(distinct), rep)
	}
}

func TestSimulateConfig(t *testing.T) {
	t.Parallel()
	check := func(change func(*SimulateConfig), want string) {
		t.Helper()
		cfg := DefaultSimulateConfig()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want …%s…", err, want)
		}
	}
	check(func(c *SimulateConfig) { c.Shops = 0 }, "shops: 0")
	check(func(c *SimulateConfig) { c.Rate = -1 }, "rate: -1")
	check(func(c *SimulateConfig) { c.From = time.Now() }, "simulate.from, simulate.to")
	check(func(c *SimulateConfig) { c.File = "x.jsonl" }, "simulate.file")
}
