package clickhouse

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	running  prometheus.Gauge
	waiting  prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "feige_clickhouse_requests_total",
			Help: "Requests to the embedded ClickHouse, by role and by ClickHouse's error code (0: none).",
		}, []string{"role", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "feige_clickhouse_request_seconds",
			Help:    "How long requests took, waiting for their turn included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
		}, []string{"role"}),
		running: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feige_clickhouse_running_statements",
			Help: "Statements that hold a place in the embedded ClickHouse.",
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "feige_clickhouse_waiting_statements",
			Help: "Requests that wait for a place.",
		}),
	}
	if registry == nil {
		return m, nil
	}
	for _, one := range []prometheus.Collector{m.requests, m.seconds, m.running, m.waiting} {
		if err := registry.Register(one); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) done(role Role, code int, took time.Duration) {
	if role == "" {
		role = "none"
	}
	m.requests.WithLabelValues(string(role), strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(string(role)).Observe(took.Seconds())
}

func itoa(n int) string { return strconv.Itoa(n) }
