package stream

import (
	"time"

	"github.com/lovoo/goka"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one processor; the group and the namespace are constant labels.
type metrics struct {
	records     prometheus.Counter
	latency     prometheus.Histogram
	restarts    prometheus.Counter
	rolledBack  prometheus.Counter
	deadLetters prometheus.Counter
	written     prometheus.Counter
	chunk       prometheus.Histogram
	writeTime   prometheus.Histogram
	recovery    prometheus.Gauge
	visits      prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, group, namespace string, lag func() float64) (*metrics, error) {
	labels := prometheus.Labels{"group": group, "namespace": namespace}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "feige_processor_" + name, Help: help, ConstLabels: labels})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "feige_processor_" + name, Help: help, ConstLabels: labels, Buckets: buckets})
	}
	m := &metrics{
		records:     counter("records_total", "Input records delivered, repeats after restarts included."),
		latency:     histogram("delivery_seconds", "From the record's time stamp on its topic to its delivery; one record in 64.", prometheus.ExponentialBuckets(0.0005, 2, 18)),
		restarts:    counter("restarts_total", "Restarts after an error."),
		rolledBack:  counter("rolled_back_total", "Table records skipped on recovery because they lie at or beyond the commit."),
		deadLetters: counter("dead_letters_total", "Input records that could not be taken."),
		written:     counter("written_total", "Output and table records acknowledged or failed."),
		chunk:       histogram("chunk_records", "Records a write.", prometheus.ExponentialBuckets(1, 4, 8)),
		writeTime:   histogram("write_seconds", "Time of a write, from sending to the last acknowledgement.", prometheus.ExponentialBuckets(0.00025, 2, 18)),
		recovery:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "feige_processor_recovery_seconds", Help: "How long the newest assignment took to recover.", ConstLabels: labels}),
		visits:      counter("visits_total", "Passes over the table after ticks."),
	}
	cs := []prometheus.Collector{
		m.records, m.latency, m.restarts, m.rolledBack, m.deadLetters, m.written, m.chunk, m.writeTime, m.recovery, m.visits,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "feige_processor_lag_records", Help: "Input records not yet finished in the partitions held.", ConstLabels: labels}, lag),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range cs {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) delivered(ctx goka.Context) {
	m.records.Inc()
	if ctx.Offset()&63 == 0 {
		m.latency.Observe(time.Since(ctx.Timestamp()).Seconds())
	}
}

func (m *metrics) wrote(records int, took time.Duration) {
	m.written.Add(float64(records))
	m.chunk.Observe(float64(records))
	m.writeTime.Observe(took.Seconds())
}
