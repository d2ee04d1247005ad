package moderation

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/feigeio/feige/internal/moderation/testset"
	"github.com/feigeio/feige/internal/policy"
)

func build(t testing.TB) *Moderator {
	t.Helper()
	m, err := New(DefaultConfig(), Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func subject(text string) Subject {
	return Subject{Text: text, Policy: defaultPolicy()}
}

// show prints the mistakes on development halves; FEIGE_SHOW=held also those on the held-out ones.
func show(half testset.Half) bool {
	return half == testset.Development && os.Getenv("FEIGE_SHOW") != "" || os.Getenv("FEIGE_SHOW") == "held"
}

func TestSyntheticSets(t *testing.T) {
	t.Parallel()
	m := build(t)
	for _, half := range []testset.Half{testset.Development, testset.HeldOut} {
		found, missed := 0, map[string]int{}
		evasions := testset.Evasions(half, 1000, 7)
		for _, s := range evasions {
			flags := m.Check(subject(s.Text))
			if slices.ContainsFunc(flags, func(f Flag) bool { return f.Category == policy.CategoryThirdPartyInfo }) {
				found++
				continue
			}
			missed[s.Kind]++
			if show(half) {
				fmt.Printf("missed %s [%s]: %s %v\n", s.Kind, s.Style, s.Text, flags)
			}
		}
		t.Logf("half %d: evasions found %d of %d, missed %v", half, found, len(evasions), missed)
		for _, set := range [][]testset.Sample{testset.HardNegatives(half, 1000, 7), testset.ServiceChat(half, 2000, 7)} {
			wrong := 0
			for _, s := range set {
				if flags := m.Check(subject(s.Text)); len(flags) > 0 {
					wrong++
					if show(half) {
						fmt.Printf("wrong %s: %s %+v\n", s.Kind, s.Text, flags)
					}
				}
			}
			t.Logf("half %d: %s flagged %d of %d", half, set[0].Kind, wrong, len(set))
		}
	}
}

var defaultPolicy = sync.OnceValue(func() *policy.Policy { return policy.Default().At(0) })
