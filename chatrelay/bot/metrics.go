package bot

import "github.com/prometheus/client_golang/prometheus"

// How answers were found, and why messages got none.
const (
	byWebhook  = "webhook"
	byList     = "list"
	byFallback = "fallback"

	leftManual = "manual" // a human receives
	leftOld    = "old"
	leftBack   = "handed_back" // while the answer was looked for
	leftRefuse = "refused"     // by the publisher, for good
)

type metrics struct {
	answers *prometheus.CounterVec
	left    *prometheus.CounterVec
	hook    *prometheus.CounterVec
	latency prometheus.Histogram
	waiting prometheus.Gauge
	retries prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_bot_answers_total", Help: "Answers that Kafka has, by where they came from."}, []string{"from"}),
		left:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_bot_unanswered_total", Help: "Consumers' messages without an answer of the bot, by reason."}, []string{"reason"}),
		hook:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_bot_webhook_total", Help: "Questions to the webhook, by outcome."}, []string{"outcome"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "feige_bot_answer_seconds", Help: "From a message's time to its answer on Kafka.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14)}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "feige_bot_waiting_messages", Help: "Messages whose reception is not known yet."}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{Name: "feige_bot_publish_retries_total", Help: "Answers that Kafka did not take at once."}),
	}
	if reg != nil {
		reg.MustRegister(m.answers, m.left, m.hook, m.latency, m.waiting, m.retries)
	}
	return m
}
