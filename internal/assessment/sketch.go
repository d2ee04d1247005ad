package assessment

import (
	"encoding/binary"
	"math"

	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// The sketch of waits has buckets that grow by a constant factor, so that any rank's wait is known to 1 %
// (the layout of DDSketch). A bucket i holds waits in (gamma^(i-1), gamma^i] microseconds; 24 h need fewer
// than 1,300 buckets. Sketches merge by adding counts.
//
// It is written with every fact, so that it stays in its stored form, a byte for most buckets (see
// Window.waits), and an update copies it.
const sketchAccuracy = 0.01

var (
	sketchGamma    = (1 + sketchAccuracy) / (1 - sketchAccuracy)
	sketchLogGamma = math.Log(sketchGamma)
)

func bucketOf(waitUS int64) int {
	return int(math.Ceil(math.Log(float64(max(waitUS, 1))) / sketchLogGamma))
}

// bucketWait is the wait that is within the accuracy of all that the bucket holds.
func bucketWait(bucket int) float64 {
	return 2 * math.Pow(sketchGamma, float64(bucket)) / (sketchGamma + 1)
}

// AddWait counts a wait.
func AddWait(w *statev1.Window, waitUS int64) { w.Waits = sketchAdd(w.Waits, bucketOf(waitUS)) }

// sketchAdd is the sketch with one more in the bucket. The old one is left as it is: it may be a part of a
// stored value.
func sketchAdd(old []byte, bucket int) []byte {
	at := 0 // bucket whose count begins at old[i]
	for i := 0; i < len(old); {
		if c := old[i]; c != 0 && c < 0x80 && at != bucket { // most of them
			i, at = i+1, at+1
			continue
		}
		n := varintSize(old[i:])
		count, _ := binary.Uvarint(old[i : i+n])
		if count > 0 {
			if at == bucket {
				return splice(old, i, n, func(b []byte) []byte { return binary.AppendUvarint(b, count+1) })
			}
			i, at = i+n, at+1
			continue
		}
		m := varintSize(old[i+n:])
		empty, _ := binary.Uvarint(old[i+n : i+n+m])
		if bucket < at+int(empty) {
			return splice(old, i, n+m, func(b []byte) []byte {
				b = appendEmpty(b, bucket-at)
				b = append(b, 1)
				return appendEmpty(b, at+int(empty)-bucket-1)
			})
		}
		i, at = i+n+m, at+int(empty)
	}
	return splice(old, len(old), 0, func(b []byte) []byte { return append(appendEmpty(b, bucket-at), 1) })
}

// splice is a copy of old in which put's bytes stand for n from i on.
func splice(old []byte, i, n int, put func([]byte) []byte) []byte {
	b := make([]byte, 0, len(old)+8)
	b = put(append(b, old[:i]...))
	return append(b, old[i+n:]...)
}

func appendEmpty(b []byte, n int) []byte {
	if n == 0 {
		return b
	}
	return binary.AppendUvarint(append(b, 0), uint64(n))
}

// varintSize is the length of the varint that b begins with; all of b when it has no end.
func varintSize(b []byte) int {
	for i, c := range b {
		if c < 0x80 {
			return i + 1
		}
	}
	return len(b)
}

// waitQuantile is the wait of rank ceil(q x n), in microseconds.
func waitQuantile(w *statev1.Window, q float64) (float64, bool) {
	var n uint64
	eachBucket(w.Waits, func(_ int, count uint64) bool {
		n += count
		return true
	})
	if n == 0 {
		return 0, false
	}
	rank := uint64(math.Ceil(q * float64(n)))
	var seen uint64
	at := 0
	eachBucket(w.Waits, func(bucket int, count uint64) bool {
		at = bucket
		seen += count
		return seen < rank
	})
	return bucketWait(at), true
}

// eachBucket calls f with each bucket that holds something, ascending, until it returns false.
func eachBucket(b []byte, f func(bucket int, count uint64) bool) {
	for at := 0; len(b) > 0; {
		count, n := binary.Uvarint(b)
		if n <= 0 {
			return
		}
		b = b[n:]
		if count > 0 {
			if !f(at, count) {
				return
			}
			at++
			continue
		}
		empty, n := binary.Uvarint(b)
		if n <= 0 {
			return
		}
		b, at = b[n:], at+int(empty)
	}
}
