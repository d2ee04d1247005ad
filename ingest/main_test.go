package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/internal/policy"
)

// replayEnv, when set, makes the test binary a process that replays and nothing else: tests kill it.
const replayEnv = "FEIGE_TEST_REPLAY"

// replayOrder is what such a process is to do.
type replayOrder struct {
	Config ReplayConfig
	Broker broker.Config
}

func TestMain(m *testing.M) {
	if order := os.Getenv(replayEnv); order != "" {
		if err := replayProcess(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if order := os.Getenv(brokerEnv); order != "" {
		if err := brokerProcess(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func replayProcess(text string) error {
	var o replayOrder
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	rep, err := Replay(context.Background(), o.Config, DefaultConfig(), ReplayDependencies{Dependencies: Dependencies{Broker: o.Broker}, Policy: policy.Default()})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(rep)
	}
	return err
}
