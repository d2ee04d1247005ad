package sinks

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// lag is how many records are on the topics and not yet read, as far as fetches have told. It is safe for
// concurrent use.
type lag struct {
	gauge *prometheus.GaugeVec
	plain map[string]string

	mu     sync.Mutex
	behind map[string]map[int32]int64
	sums   map[string]int64
	sum    int64
}

func newLag(gauge *prometheus.GaugeVec, ns schemas.Namespace) *lag {
	l := &lag{gauge: gauge, plain: make(map[string]string), behind: make(map[string]map[int32]int64), sums: make(map[string]int64)}
	for _, name := range sources() {
		full := ns.Topic(name)
		l.plain[full], l.behind[full] = name, make(map[int32]int64)
		gauge.WithLabelValues(name).Set(0)
	}
	return l
}

func (l *lag) read(p kgo.FetchTopicPartition) {
	if len(p.Records) == 0 {
		return
	}
	l.set(p.Topic, p.Partition, max(p.HighWatermark-p.Records[len(p.Records)-1].Offset-1, 0))
}

func (l *lag) forget(partitions map[string][]int32) {
	for topic, numbers := range partitions {
		for _, n := range numbers {
			l.set(topic, n, 0)
		}
	}
}

func (l *lag) set(topic string, partition int32, behind int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	numbers, ok := l.behind[topic]
	if !ok {
		return
	}
	change := behind - numbers[partition]
	numbers[partition] = behind
	l.sums[topic] += change
	l.sum += change
	l.gauge.WithLabelValues(l.plain[topic]).Set(float64(l.sums[topic]))
}

func (l *lag) total() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sum
}
