package sinks

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// When a batch is closed, and when it may grow: by rows, bytes, and age, larger while more is waiting.
func TestWhenABatchIsWritten(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.BatchRows, cfg.MaxBatchRows, cfg.MaxBatchBytes, cfg.MaxBatchAge = 10, 30, 64<<10, time.Second
	is := func(name string, events int, lag int64, age time.Duration, change func(*loop), ready, room bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "x"}, []string{"topic"})
				l := &loop{session: &session{cfg: cfg, lag: newLag(gauge, "")}, filling: newBatch()}
				m := newMapper("", testPartitions)
				for n := range events {
					ev := eventOf("s", n)
					m.add(l.filling, recordOf(t, "", schemas.TopicEvents, schemas.EventKey(ev.ShopId, ev.ConversationId), int64(n), ev), time.Now())
				}
				l.lag.set(schemas.TopicEvents, 0, lag)
				time.Sleep(age)
				change(l)
				if l.ready() != ready || l.room() != room {
					t.Errorf("ready %t and room %t, want %t and %t", l.ready(), l.room(), ready, room)
				}
			})
		})
	}
	same := func(*loop) {}
	is("nothing", 0, 0, time.Hour, same, false, true)
	is("one young row", 1, 0, 999*time.Millisecond, same, false, true)
	is("one old row", 1, 0, time.Second, same, true, true)
	is("a row less than enough", 9, 0, 0, same, false, true)
	is("enough rows", 10, 0, 0, same, true, true)
	is("enough rows, and no more waiting than that", 10, 10, 0, same, true, true)
	is("enough rows, but more are waiting", 10, 11, 0, same, false, true)
	is("old, and more are waiting", 10, 11, time.Second, same, true, true)
	is("as many as may be", 30, 1000, 0, same, true, false)
	is("large", 1, 0, 0, func(l *loop) { l.filling.bytes = 64 << 10 }, true, false)
	is("at the end", 1, 0, 0, func(l *loop) { l.stopping = true }, true, true)
	is("nothing at the end", 0, 0, 0, func(l *loop) { l.stopping = true }, false, true)
	is("partitions are to be given up", 1, 0, 0, func(l *loop) { l.waiting = []chan struct{}{nil} }, true, true)
}

// What is waiting is what fetches tell, of the partitions that this sink has.
func TestLag(t *testing.T) {
	t.Parallel()
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "x"}, []string{"topic"})
	l := newLag(gauge, "n")
	fetch := func(topic string, partition int32, offset, end int64) {
		l.read(kgo.FetchTopicPartition{Topic: topic, FetchPartition: kgo.FetchPartition{
			Partition: partition, HighWatermark: end, Records: []*kgo.Record{{Offset: offset}}}})
	}
	is := func(when string, want int64) {
		t.Helper()
		if got := l.total(); got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
	is("at first", 0)
	fetch("n.chat.events", 0, 9, 110)
	is("one partition", 100)
	fetch("n.chat.events", 1, 9, 15)
	fetch("n.chat.facts", 1, 0, 3)
	is("three partitions", 107)
	fetch("n.chat.events", 0, 109, 110)
	is("one is read up", 7)
	fetch("others", 0, 0, 50)
	l.read(kgo.FetchTopicPartition{Topic: "n.chat.events", FetchPartition: kgo.FetchPartition{Partition: 1, HighWatermark: 500}})
	is("nothing of ours", 7)
	l.forget(map[string][]int32{"n.chat.events": {1, 2}})
	is("one is given up", 2)
}
