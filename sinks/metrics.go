package sinks

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	records       *prometheus.CounterVec   // topic
	rows          *prometheus.CounterVec   // table
	batches       prometheus.Counter       //
	batchRecords  prometheus.Histogram     //
	batchSeconds  prometheus.Histogram     //
	inserts       *prometheus.CounterVec   // table, result
	insertRows    *prometheus.HistogramVec // table
	insertSeconds *prometheus.HistogramVec // table
	lag           *prometheus.GaugeVec     // topic
	retries       *prometheus.CounterVec   // of
	letters       *prometheus.CounterVec   // code
	away          *prometheus.GaugeVec     // engine
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_sinks_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "feige_sinks_" + name, Help: help}, labels)
	}
	rows := prometheus.ExponentialBuckets(1, 4, 10)          // 1 to 262,144
	seconds := prometheus.ExponentialBuckets(0.001, 2.5, 12) // 1 ms to 24 s
	m := &metrics{
		records: counter("records_total", "Records that were read, ticks included.", "topic"),
		rows:    counter("rows_total", "Rows that ClickHouse acknowledged, repeats included.", "table"),
		batches: prometheus.NewCounter(prometheus.CounterOpts{Name: "feige_sinks_batches_total", Help: "Batches that were inserted and committed."}),
		batchRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feige_sinks_batch_records", Help: "Records in a batch.", Buckets: rows}),
		batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feige_sinks_batch_seconds", Help: "From the first record of a batch to its commit.", Buckets: seconds}),
		inserts: counter("inserts_total", "Inserts that were tried: done, refused (for the rows), or failed (tried again).", "table", "result"),
		insertRows: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "feige_sinks_insert_rows", Help: "Rows of an insert that was acknowledged.", Buckets: rows}, []string{"table"}),
		insertSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "feige_sinks_insert_seconds", Help: "Time of an insert that was acknowledged.", Buckets: seconds}, []string{"table"}),
		lag:     gauge("lag_records", "Records that are on the topic and not yet read, in the partitions of this sink.", "topic"),
		retries: counter("retries_total", "Waits before another try, by what is tried: insert, letter, or commit.", "of"),
		letters: counter("dead_letters_total", "Records that went to dead.letters.", "code"),
		away:    gauge("engine_away", "1 while the engine (clickhouse, kafka) cannot be reached or refuses to work.", "engine"),
	}
	for _, engine := range []string{engineClickHouse, engineKafka} {
		m.away.WithLabelValues(engine).Set(0)
	}
	if registry == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.records, m.rows, m.batches, m.batchRecords, m.batchSeconds, m.inserts, m.insertRows, m.insertSeconds, m.lag, m.retries, m.letters, m.away,
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("sinks: registering metrics: %w", err)
		}
	}
	return m, nil
}
