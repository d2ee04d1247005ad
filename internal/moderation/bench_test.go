package moderation

import (
	"testing"

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
	i := 0
	for b.Loop() {
		m.Check(texts[i%len(texts)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkCheckEvasions judges messages that nearly all are flagged.
func BenchmarkCheckEvasions(b *testing.B) {
	m := build(b)
	samples := testset.Evasions(testset.Development, 1000, 3)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		m.Check(subject(samples[i%len(samples)].Text))
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
