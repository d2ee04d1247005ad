package kafka

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	registry prometheus.Registerer
	seen     map[partition]bool // with gauges

	logStart, logEnd, logBytes, heldRecords *prometheus.GaugeVec
	compactions, kept, deleted, dropped     *prometheus.CounterVec
	duration                                prometheus.Histogram
	errors                                  prometheus.Counter
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	perPartition := []string{"topic", "partition"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "feige_kafka_" + name, Help: help}, perPartition)
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_kafka_" + name, Help: help}, []string{"topic"})
	}
	m := &metrics{
		registry:    registry,
		seen:        map[partition]bool{},
		logStart:    gauge("log_start_offset", "First offset of the embedded broker's log."),
		logEnd:      gauge("log_end_offset", "End offset of the embedded broker's log."),
		logBytes:    gauge("log_bytes", "Size of the embedded broker's log."),
		heldRecords: gauge("retention_held_records", "Records that retention would drop, but a consumer group has yet to read."),
		compactions: counter("compactions_total", "Partitions of tables compacted."),
		kept:        counter("compaction_kept_records_total", "Values that compaction appended again."),
		deleted:     counter("compaction_deleted_records_total", "Records that compaction deleted, those appended again among them."),
		dropped:     counter("retention_dropped_records_total", "Records that retention dropped."),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feige_kafka_compaction_duration_seconds", Help: "Duration of one partition's compaction.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 8),
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feige_kafka_housekeeping_errors_total", Help: "Rounds of housekeeping that failed in part.",
		}),
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range m.all() {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.logStart, m.logEnd, m.logBytes, m.heldRecords,
		m.compactions, m.kept, m.deleted, m.dropped, m.duration, m.errors,
	}
}

// unregister lets a broker be started again with the same registry.
func (m *metrics) unregister() {
	if m.registry == nil {
		return
	}
	for _, c := range m.all() {
		m.registry.Unregister(c)
	}
}

func (p partition) labels() []string { return []string{p.topic, strconv.Itoa(int(p.number))} }

// observe shows what a round found, and forgets partitions that are no more.
func (m *metrics) observe(s *survey) {
	for p := range m.seen {
		if _, ok := s.ends[p]; !ok {
			for _, g := range []*prometheus.GaugeVec{m.logStart, m.logEnd, m.logBytes, m.heldRecords} {
				g.DeleteLabelValues(p.labels()...)
			}
			delete(m.seen, p)
		}
	}
	for p, end := range s.ends {
		m.seen[p] = true
		m.logStart.WithLabelValues(p.labels()...).Set(float64(s.starts[p]))
		m.logEnd.WithLabelValues(p.labels()...).Set(float64(end))
		m.logBytes.WithLabelValues(p.labels()...).Set(float64(s.bytes[p]))
	}
}

func (m *metrics) compacted(p partition, kept, deleted int64, took time.Duration) {
	m.compactions.WithLabelValues(p.topic).Inc()
	m.kept.WithLabelValues(p.topic).Add(float64(kept))
	m.deleted.WithLabelValues(p.topic).Add(float64(deleted))
	m.duration.Observe(took.Seconds())
}

func (m *metrics) retained(p partition, records int64) {
	m.dropped.WithLabelValues(p.topic).Add(float64(records))
}

func (m *metrics) held(p partition, records int64) {
	m.heldRecords.WithLabelValues(p.labels()...).Set(float64(records))
}
