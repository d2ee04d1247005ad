package chatrelay

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/feigeio/feige/chatrelay/protocol"
)

type metrics struct {
	connections *prometheus.GaugeVec
	frames      *prometheus.CounterVec
	problems    *prometheus.CounterVec
	drops       *prometheus.CounterVec
	ack         prometheus.Histogram
	bytesOut    prometheus.Counter
	resent      prometheus.Counter
	assigned    prometheus.Counter
	receptions  prometheus.Counter
	shields     prometheus.Counter
	unpublished prometheus.Counter
	uploads     *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "feige_relay_connections", Help: "Connections that are signed in, by role."}, []string{"role"}),
		frames:      vec("feige_relay_frames_total", "Frames of clients, by type.", "type"),
		problems:    vec("feige_relay_problems_total", "Errors that clients were told, by code.", "code"),
		drops:       vec("feige_relay_drops_total", "Connections that were dropped, by code.", "code"),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "feige_relay_ack_seconds", Help: "From a request to Kafka's acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
		bytesOut:    counter("feige_relay_sent_bytes_total", "Bytes of frames written to clients."),
		resent:      counter("feige_relay_resent_total", "Requests that came again and were acknowledged from memory."),
		assigned:    counter("feige_relay_assigned_total", "Conversations assigned automatically."),
		receptions:  counter("feige_relay_reception_changes_total", "Changes of the reception table."),
		shields:     counter("feige_relay_shields_total", "Messages hidden, or shown again."),
		unpublished: counter("feige_relay_unpublished_total", "Sign-outs and refusals that could not be published in time."),
		uploads:     vec("feige_relay_uploads_total", "Uploads, by outcome.", "code"),
	}
	if reg != nil {
		reg.MustRegister(m.connections, m.frames, m.problems, m.drops, m.ack, m.bytesOut, m.resent, m.assigned, m.receptions, m.shields, m.unpublished, m.uploads)
	}
	return m
}

func (m *metrics) problem(code protocol.Code) { m.problems.WithLabelValues(string(code)).Inc() }

// typeLabel keeps what clients make up out of the labels.
func (m *metrics) typeLabel(t protocol.Type) string {
	if _, known := operations[t]; known {
		return string(t)
	}
	switch t {
	case protocol.TypeHello, protocol.TypePing, protocol.TypeResume, protocol.TypeWatch:
		return string(t)
	}
	return "unknown"
}
