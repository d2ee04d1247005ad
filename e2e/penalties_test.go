package e2e

import (
	"strconv"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/feigeio/feige/e2e/machines"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestPenaltiesAgainstOracle plays random cases through both readings of the ladder.
func TestPenaltiesAgainstOracle(t *testing.T) {
	t.Parallel()
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			for seed := shard; seed < scenarios(); seed += shards {
				s := scenario.GenerateCases(uint64(seed))
				got, err := machines.RunCases(s.Policy, s.Log)
				if err != nil {
					t.Fatalf("seed %d, policy %s: %v", seed, s.PolicyName, err)
				}
				if ds := oracle.ComparePenalties(oracle.RunCases(s.Policy, s.Log), got); len(ds) > 0 {
					t.Fatalf("seed %d, %d steps, policy %s: %d differences, the first: %v", seed, len(s.Log), s.PolicyName, len(ds), ds[0])
				}
			}
		})
	}
}

// TestPenaltiesAgainstOracleShrunk is the same with logs that shrink to the smallest that differs.
func TestPenaltiesAgainstOracleShrunk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scenario.DrawCases(t)
		got, err := machines.RunCases(s.Policy, s.Log)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range oracle.ComparePenalties(oracle.RunCases(s.Policy, s.Log), got) {
			t.Errorf("policy %s: %v", s.PolicyName, d)
		}
	})
}

// TestPenaltiesComparisonCanFail gives one side a log or a policy that is a little different: each change must be seen
// in some of the scenarios.
func TestPenaltiesComparisonCanFail(t *testing.T) {
	t.Parallel()
	const seeds = 400
	cases := map[string]func(s *scenario.Cases) bool{
		"another policy": func(s *scenario.Cases) bool {
			for _, v := range scenario.CasePolicies() {
				if v.Name == "quick" && s.PolicyName == "default" {
					s.Policy = v.Set
					return true
				}
			}
			return false
		},
		"a step is lost":       func(s *scenario.Cases) bool { s.Log = s.Log[1:]; return len(s.Log) > 0 },
		"a refusal is a grant": change(func(c *chatv1.Case) bool { d := c.GetAppealDecision(); return d != nil && flip(&d.Granted) }),
		"a flag is confirmed at once or not": change(func(c *chatv1.Case) bool {
			f := c.GetFlag()
			return f != nil && flip(&f.AutoConfirmed)
		}),
		"a step is a microsecond later": change(func(c *chatv1.Case) bool {
			f := c.GetFlag()
			if f == nil || !f.AutoConfirmed {
				return false
			}
			f.AtUs++
			return true
		}),
		"a loss is no loss": change(func(c *chatv1.Case) bool { v := c.GetVerdict(); return v != nil && v.Loss && flip(&v.Loss) }),
	}
	for name, alter := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			altered, seen := 0, 0
			for seed := range uint64(seeds) {
				s := scenario.GenerateCases(seed)
				want := oracle.RunCases(s.Policy, s.Log)
				if !alter(&s) {
					continue
				}
				altered++
				got, err := machines.RunCases(s.Policy, s.Log)
				if err != nil {
					t.Fatal(err)
				}
				if len(oracle.ComparePenalties(want, got)) > 0 {
					seen++
				}
			}
			t.Logf("%d logs altered, %d differ", altered, seen)
			if seen == 0 {
				t.Error("no difference was found")
			}
		})
	}
}

func flip(b *bool) bool { *b = !*b; return true }

// change alters the first step that it can.
func change(alter func(*chatv1.Case) bool) func(*scenario.Cases) bool {
	return func(s *scenario.Cases) bool {
		for i, r := range s.Log {
			c := proto.CloneOf(r.Case)
			if alter(c) {
				s.Log[i].Case = c
				return true
			}
		}
		return false
	}
}
