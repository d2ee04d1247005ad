package feed

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	records    prometheus.Counter
	deliveries prometheus.Counter
	delay      prometheus.Histogram
	scans      prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		records: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feige_relay_read_records_total", Help: "Records of chat.events that were read."}),
		deliveries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "feige_relay_deliveries_total", Help: "Events handed to followers (connections and inboxes) as they came."}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feige_relay_delivery_seconds", Help: "From an event's time to its being handed to followers.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
		scans: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "feige_relay_scan_seconds", Help: "Time to read an older stretch of the log.", Buckets: prometheus.ExponentialBuckets(0.002, 3, 9)}),
	}
	if reg != nil {
		reg.MustRegister(m.records, m.deliveries, m.delay, m.scans)
	}
	return m
}
