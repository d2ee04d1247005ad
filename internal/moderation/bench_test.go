package moderation

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/feigeio/feige/internal/moderation/testset"
)

// BenchmarkCheck judges service messages of 20 characters on average.
func BenchmarkCheck(b *testing.B) {
	m := build(b)
	var texts []Subject
	runes := 0
	for _, s := range testset.ServiceChat(testset.Development, 1000, 3) {
		text := s.Text
		for len([]rune(text)) < 20 {
			text += "，请问什么时候能发货呢"
		}
		text = string([]rune(text)[:20])
		texts = append(texts, subject(text))
		runes += 20
	}
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := computed(b)
	i := 0
	for b.Loop() {
		m.Check(texts[i%len(texts)])
		i++
	}
	report(b, start)
}

// BenchmarkCheckEvasions judges messages that nearly all are flagged.
func BenchmarkCheckEvasions(b *testing.B) {
	m := build(b)
	samples := testset.Evasions(testset.Development, 1000, 3)
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := computed(b)
	i := 0
	for b.Loop() {
		m.Check(subject(samples[i%len(samples)].Text))
		i++
	}
	report(b, start)
}

// computed is the time that this thread has computed: other processes on the machine do not count.
func computed(tb testing.TB) time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(now.Nano())
}

// report gives messages a second of one core that is not shared.
func report(b *testing.B, start time.Duration) {
	b.ReportMetric(float64(b.N)/(computed(b)-start).Seconds(), "messages/core-s")
}
