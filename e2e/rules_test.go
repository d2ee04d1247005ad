package e2e

import (
	"os"
	"strconv"
	"testing"

	"github.com/feigeio/feige/e2e/machines"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
)

// scenarios is how many random logs TestRulesAgainstOracle plays: fewer where the race detector slows it
// down; `make test` plays the whole number without it.
func scenarios() int {
	if n, err := strconv.Atoi(os.Getenv("FEIGE_SCENARIOS")); err == nil {
		return n
	}
	if raceEnabled {
		return 800
	}
	return 10_000
}

func TestRulesAgainstOracle(t *testing.T) {
	t.Parallel()
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			for seed := shard; seed < scenarios(); seed += shards {
				s := scenario.Generate(uint64(seed))
				got, err := machines.Run(s.Policy, s.Log)
				if err != nil {
					t.Fatalf("seed %d, policy %s: %v", seed, s.PolicyName, err)
				}
				if ds := oracle.Compare(oracle.Run(s.Policy, s.Log), got); len(ds) > 0 {
					t.Fatalf("seed %d, %d events, policy %s: %d differences, the first: %v", seed, len(s.Log), s.PolicyName, len(ds), ds[0])
				}
			}
		})
	}
}
