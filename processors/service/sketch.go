package service

import (
	"math"
	"slices"

	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// The sketch of waits has buckets that grow by a constant factor, so that any rank's wait is known to 1 %
// (the layout of DDSketch). A bucket i holds waits in (gamma^(i-1), gamma^i] microseconds; 24 h need fewer
// than 1,300 buckets, and only those that hold something are stored. Sketches merge by adding counts.
const sketchAccuracy = 0.01

var (
	sketchGamma    = (1 + sketchAccuracy) / (1 - sketchAccuracy)
	sketchLogGamma = math.Log(sketchGamma)
)

func bucketOf(waitUS int64) int32 {
	return int32(math.Ceil(math.Log(float64(max(waitUS, 1))) / sketchLogGamma))
}

// bucketWait is the wait that is within the accuracy of all that the bucket holds.
func bucketWait(bucket int32) float64 {
	return 2 * math.Pow(sketchGamma, float64(bucket)) / (sketchGamma + 1)
}

// addWait counts a wait. Bucket numbers are stored as differences, ascending.
func addWait(w *statev1.Window, waitUS int64) {
	want, at := bucketOf(waitUS), int32(0)
	for i, step := range w.WaitBucketSteps {
		next := at + step
		switch {
		case next == want:
			w.WaitBucketCounts[i]++
			return
		case next > want:
			w.WaitBucketSteps[i] = next - want
			w.WaitBucketSteps = slices.Insert(w.WaitBucketSteps, i, want-at)
			w.WaitBucketCounts = slices.Insert(w.WaitBucketCounts, i, 1)
			return
		}
		at = next
	}
	w.WaitBucketSteps = append(w.WaitBucketSteps, want-at)
	w.WaitBucketCounts = append(w.WaitBucketCounts, 1)
}

// waitQuantile is the wait of rank ceil(q x n), in microseconds.
func waitQuantile(w *statev1.Window, q float64) (float64, bool) {
	var n uint64
	for _, c := range w.WaitBucketCounts {
		n += c
	}
	if n == 0 {
		return 0, false
	}
	rank := uint64(math.Ceil(q * float64(n)))
	var seen uint64
	at := int32(0)
	for i, step := range w.WaitBucketSteps {
		at += step
		if seen += w.WaitBucketCounts[i]; seen >= rank {
			break
		}
	}
	return bucketWait(at), true
}
