package assessment

import (
	"bytes"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// A sketch holds what was added, whatever the order, and does not touch what it was made from.
func TestSketchCounts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, spread := range []int{1, 3, 40, 1300, 100_000} {
		want := map[int]uint64{}
		var sketch []byte
		for range 3000 {
			bucket := r.IntN(spread)
			old := bytes.Clone(sketch)
			next := sketchAdd(sketch, bucket)
			if !bytes.Equal(old, sketch) {
				t.Fatalf("adding to bucket %d changed the sketch that it was added to", bucket)
			}
			sketch = next
			want[bucket]++
		}
		got := map[int]uint64{}
		last := -1
		eachBucket(sketch, func(bucket int, count uint64) bool {
			if bucket <= last {
				t.Fatalf("bucket %d after %d", bucket, last)
			}
			got[bucket], last = count, bucket
			return true
		})
		if !maps.Equal(got, want) {
			t.Errorf("buckets 0 to %d: got %v, want %v", spread-1, got, want)
		}
	}
}

// What is no sketch ends a pass and never a process.
func FuzzSketch(f *testing.F) {
	f.Add([]byte{0, 3, 1, 0x80, 1}, 4)
	f.Add([]byte{0x80}, 0)
	f.Add([]byte{0}, 2)
	f.Fuzz(func(t *testing.T, b []byte, bucket int) {
		sketchAdd(b, max(bucket, 0)%5000)
		eachBucket(b, func(int, uint64) bool { return true })
	})
}

// Any rank's wait is within 1 %.
func TestSketchQuantiles(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	var waits []int64
	w := &statev1.Window{}
	for range 5000 {
		wait := int64(math.Exp(r.Float64() * 25)) // 1 µs to 20 h
		waits = append(waits, wait)
		AddWait(w, wait)
	}
	slices.Sort(waits)
	for _, q := range []float64{0.001, 0.01, 0.5, 0.9, 0.99, 1} {
		want := float64(waits[int(math.Ceil(q*float64(len(waits))))-1])
		got, ok := waitQuantile(w, q)
		if !ok || math.Abs(got-want) > 0.0101*want+0.5 {
			t.Errorf("rank %v: %v, want %v", q, got, want)
		}
	}
	if n := len(w.Waits); n > 2*1300 {
		t.Errorf("the sketch has %d bytes", n)
	}
	if _, ok := waitQuantile(&statev1.Window{}, 0.5); ok {
		t.Error("an empty sketch has a median")
	}
}
