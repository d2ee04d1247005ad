package testset

import (
	"testing"
	"unicode/utf8"
)

func TestSets(t *testing.T) {
	t.Parallel()
	check := func(name string, write func(Half, int, uint64) []Sample, want int, violating bool) {
		t.Helper()
		for _, half := range []Half{Development, HeldOut} {
			samples, again := write(half, want, 1), write(half, want, 1)
			if len(samples) != want {
				t.Errorf("%s: %d samples, want %d", name, len(samples), want)
			}
			for i, s := range samples {
				if s != again[i] {
					t.Fatalf("%s: sample %d differs between runs: %v, %v", name, i, s, again[i])
				}
				if s.Text == "" || !utf8.ValidString(s.Text) || s.Violating != violating || s.Kind == "" {
					t.Errorf("%s: bad sample %+v", name, s)
				}
			}
		}
	}
	check("evasions", Evasions, 600, true)
	check("hard negatives", HardNegatives, 600, false)
	check("service chat", ServiceChat, 1000, false)
}
