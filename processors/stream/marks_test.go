package stream_test

import (
	"slices"
	"testing"

	"github.com/IBM/sarama"
	"pgregory.net/rapid"

	"github.com/feigeio/feige/processors/stream"
)

// markRecorder is a session that remembers the marks forwarded to it.
type markRecorder struct {
	sarama.ConsumerGroupSession
	next []int64
}

func (r *markRecorder) MarkOffset(_ string, _ int32, next int64, _ string) {
	r.next = append(r.next, next)
}

type fakeClaim struct {
	sarama.ConsumerGroupClaim
	topic       string
	partition   int32
	initial, hw int64
}

func (c fakeClaim) Topic() string              { return c.topic }
func (c fakeClaim) Partition() int32           { return c.partition }
func (c fakeClaim) InitialOffset() int64       { return c.initial }
func (c fakeClaim) HighWaterMarkOffset() int64 { return c.hw }

func TestMarksGoUpToTheLowestInFlight(t *testing.T) {
	t.Parallel()
	check := func(name string, delivered, finished, want []int64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := &markRecorder{}
			s := stream.NewSession(rec, false)
			c := s.Claim(fakeClaim{topic: "in", partition: 3})
			for _, o := range delivered {
				c.Delivered(o)
			}
			for _, o := range finished {
				s.MarkOffset("in", 3, o+1, "")
			}
			if !slices.Equal(rec.next, want) {
				t.Errorf("forwarded marks %v, want %v", rec.next, want)
			}
		})
	}
	check("in order", []int64{0, 1, 2}, []int64{0, 1, 2}, []int64{1, 2, 3})
	check("last first", []int64{0, 1, 2}, []int64{2, 1, 0}, []int64{3})
	check("one is missing", []int64{0, 1, 2, 3}, []int64{0, 2, 3}, []int64{1})
	check("the missing one comes", []int64{0, 1, 2, 3}, []int64{0, 2, 3, 1}, []int64{1, 4})
	check("offsets with gaps", []int64{10, 15, 40}, []int64{15, 10, 40}, []int64{16, 41})
	check("nothing delivered", nil, []int64{7}, nil)
	check("first not finished", []int64{5, 6}, []int64{6}, nil)
}

func TestMarksOfOtherPartitionsAreApart(t *testing.T) {
	t.Parallel()
	rec := &markRecorder{}
	s := stream.NewSession(rec, false)
	a := s.Claim(fakeClaim{topic: "in", partition: 0})
	b := s.Claim(fakeClaim{topic: "in", partition: 1})
	a.Delivered(0)
	a.Delivered(1)
	b.Delivered(1)
	s.MarkOffset("in", 0, 2, "")
	s.MarkOffset("in", 1, 2, "")
	s.MarkOffset("in", 2, 9, "") // not claimed
	s.MarkOffset("other", 0, 9, "")
	if want := []int64{2}; !slices.Equal(rec.next, want) {
		t.Errorf("forwarded marks %v, want %v: partition 0 still has its first message in flight", rec.next, want)
	}
}

func TestUnorderedMarksPassThrough(t *testing.T) {
	t.Parallel()
	rec := &markRecorder{}
	s := stream.NewSession(rec, true)
	c := s.Claim(fakeClaim{topic: "in"})
	c.Delivered(0)
	c.Delivered(1)
	s.MarkOffset("in", 0, 2, "")
	if want := []int64{2}; !slices.Equal(rec.next, want) {
		t.Errorf("forwarded marks %v, want %v", rec.next, want)
	}
}

func TestLagCountsWhatIsNotFinished(t *testing.T) {
	t.Parallel()
	check := func(name string, initial, hw int64, finished []int64, want int64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stream.NewSession(&markRecorder{}, false)
			c := s.Claim(fakeClaim{topic: "in", initial: initial, hw: hw})
			for o := max(initial, 0); o < hw; o++ {
				c.Delivered(o)
			}
			for _, o := range finished {
				s.MarkOffset("in", 0, o+1, "")
			}
			if got := s.Lag(); got != want {
				t.Errorf("lag %d, want %d", got, want)
			}
		})
	}
	check("from a commit", 4, 10, nil, 6)
	check("no commit yet", sarama.OffsetOldest, 10, nil, 10)
	check("some finished", sarama.OffsetOldest, 10, []int64{0, 1, 2}, 7)
	check("out of turn", 0, 10, []int64{1, 2}, 10)
	check("all", 7, 10, []int64{9, 8, 7}, 0)
	check("empty", sarama.OffsetOldest, 0, nil, 0)
}

// Whatever the order of completion, the forwarded mark is the longest finished prefix of what was delivered.
func TestMarksProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rec := &markRecorder{}
		s := stream.NewSession(rec, false)
		c := s.Claim(fakeClaim{topic: "in"})
		var (
			delivered []int64
			inFlight  []int64
			finished  = map[int64]bool{}
			offset    = rapid.Int64Range(0, 1<<40).Draw(t, "first")
			wantNext  int64
		)
		prefix := func() int64 {
			next := int64(0)
			for _, o := range delivered {
				if !finished[o] {
					break
				}
				next = o + 1
			}
			return next
		}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if len(inFlight) == 0 || rapid.Bool().Draw(t, "deliver") {
				c.Delivered(offset)
				delivered, inFlight = append(delivered, offset), append(inFlight, offset)
				offset += rapid.Int64Range(1, 3).Draw(t, "gap")
				continue
			}
			i := rapid.IntRange(0, len(inFlight)-1).Draw(t, "which")
			o := inFlight[i]
			inFlight = slices.Delete(inFlight, i, i+1)
			finished[o] = true
			before := len(rec.next)
			s.MarkOffset("in", 0, o+1, "")
			if next := prefix(); next != wantNext {
				if len(rec.next) != before+1 || rec.next[before] != next {
					t.Fatalf("after %d finished: forwarded %v, want %d", o, rec.next[before:], next)
				}
				wantNext = next
			} else if len(rec.next) != before {
				t.Fatalf("after %d finished: forwarded %v, want nothing", o, rec.next[before:])
			}
		}
	})
}

// The window of what is in flight moves over many messages.
func TestMarksOverALongRun(t *testing.T) {
	t.Parallel()
	rec := &markRecorder{}
	s := stream.NewSession(rec, false)
	c := s.Claim(fakeClaim{topic: "in"})
	const n, window = 20_000, 1500
	for o := int64(0); o < n+window; o++ {
		if o < n {
			c.Delivered(o)
		}
		// Finish in pairs, the later one first, a window behind.
		if done := o - window; done >= 0 {
			s.MarkOffset("in", 0, done^1+1, "")
		}
	}
	if len(rec.next) != n/2 {
		t.Fatalf("%d marks, want %d", len(rec.next), n/2)
	}
	for i, next := range rec.next {
		if want := int64(2*i + 2); next != want {
			t.Fatalf("mark %d is %d, want %d", i, next, want)
		}
	}
}
