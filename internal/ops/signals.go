package ops

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// WithSignals ends the context at the first SIGINT or SIGTERM. At the second, impatient is called; it is
// expected to end the process. Call stop to give the signals back.
func WithSignals(parent context.Context, impatient func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			impatient()
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
