package sinks

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	engineClickHouse = "clickhouse"
	engineKafka      = "kafka"
)

// engine is whether ClickHouse or Kafka answers, as far as is known. It speaks when that changes, not at every
// failure. It is safe for concurrent use.
type engine struct {
	name   string
	logger *slog.Logger
	gauge  prometheus.Gauge

	mu    sync.Mutex
	away  bool
	since time.Time
}

func newEngine(name string, logger *slog.Logger, m *metrics) *engine {
	return &engine{name: name, logger: logger, gauge: m.away.WithLabelValues(name)}
}

func (e *engine) failed(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away {
		return
	}
	e.away, e.since = true, time.Now()
	e.gauge.Set(1)
	args := []any{"engine", e.name, "error", brief(err)}
	if do := hint(err); do != "" {
		args = append(args, "do", do)
	}
	e.logger.Warn("sinks: waiting: "+e.name+" does not take what it is given", args...)
}

func (e *engine) worked() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.away {
		return
	}
	e.away = false
	e.gauge.Set(0)
	e.logger.Info("sinks: going on: "+e.name+" is back", "engine", e.name, "after", time.Since(e.since).Round(time.Millisecond))
}

// backoff are the pauses between tries: they double from least to most, and are spread by half.
type backoff struct{ least, most, next time.Duration }

func (b *backoff) wait(ctx context.Context) error {
	if b.next == 0 {
		b.next = b.least
	}
	pause := b.next/2 + rand.N(b.next/2+1)
	b.next = min(2*b.next, b.most)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
