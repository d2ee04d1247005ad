package ingest

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the stage. Several publishers of one process share them.
type metrics struct {
	published *prometheus.CounterVec
	bytes     prometheus.Counter
	refused   *prometheus.CounterVec
	failures  *prometheus.CounterVec
	retries   prometheus.Counter
	latency   prometheus.Histogram
	batch     prometheus.Histogram
	inFlight  prometheus.Gauge
	lastTick  prometheus.Gauge
	rows      *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		published: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_ingest_published_total",
			Help: "Records acknowledged by Kafka, by what they are (event, tick, checkpoint)."}, []string{"what"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "feige_ingest_published_bytes_total",
			Help: "Bytes of keys and values acknowledged by Kafka."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_ingest_refused_total",
			Help: "Events refused at the edge, by code."}, []string{"code"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_ingest_failures_total",
			Help: "Calls that failed to publish, by code."}, []string{"code"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "feige_ingest_retries_total",
			Help: "Produce requests that were tried again."}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "feige_ingest_publish_seconds",
			Help: "From the call to Publish to Kafka's acknowledgement.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15)}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "feige_ingest_batch_records",
			Help: "Records of a produce request.", Buckets: prometheus.ExponentialBuckets(1, 4, 8)}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "feige_ingest_in_flight_bytes",
			Help: "Bytes that wait for Kafka's acknowledgement."}),
		lastTick: prometheus.NewGauge(prometheus.GaugeOpts{Name: "feige_ingest_last_tick_timestamp_seconds",
			Help: "Time of the newest tick that all partitions acknowledged."}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_ingest_rows_total",
			Help: "Rows of recordings, by what became of them (published, rejected, skipped)."}, []string{"result"}),
	}
	if reg == nil {
		return m
	}
	m.published = register(reg, m.published)
	m.bytes = register(reg, m.bytes)
	m.refused = register(reg, m.refused)
	m.failures = register(reg, m.failures)
	m.retries = register(reg, m.retries)
	m.latency = register(reg, m.latency)
	m.batch = register(reg, m.batch)
	m.inFlight = register(reg, m.inFlight)
	m.lastTick = register(reg, m.lastTick)
	m.rows = register(reg, m.rows)
	return m
}

// register returns the collector that the registry already has under the name, if it has one.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	err := reg.Register(c)
	var dup prometheus.AlreadyRegisteredError
	if errors.As(err, &dup) {
		if have, ok := dup.ExistingCollector.(C); ok {
			return have
		}
	}
	return c
}
