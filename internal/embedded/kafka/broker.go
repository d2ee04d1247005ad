package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Dependencies of the broker. All are optional.
type Dependencies struct {
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// minSessionTimeout is the shortest session timeout that a consumer group may ask for.
const minSessionTimeout = 500 * time.Millisecond

// maxMessageBytes is the largest batch that the broker takes.
const maxMessageBytes = 1 << 20

// Broker is a running embedded broker.
type Broker struct {
	cfg     Config
	log     *slog.Logger
	cluster *kfake.Cluster
	lock    *flock.Flock
	addr    string
	closing sync.Once
}

// Start opens the directory and answers clients when it returns. The broker must be closed after its
// clients: a group member that disappears with the broker holds up the group after a restart.
func Start(ctx context.Context, cfg Config, deps Dependencies) (_ *Broker, err error) {
	port, err := cfg.port()
	if err != nil {
		return nil, fmt.Errorf("embedded kafka: %w", err)
	}
	b := &Broker{cfg: cfg, log: deps.Logger}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embedded kafka: %w", err)
	}
	if cfg.Dir != "" {
		if b.lock, err = lockDir(cfg.Dir); err != nil {
			return nil, fmt.Errorf("embedded kafka: %w", err)
		}
		defer func() {
			if err != nil {
				_ = b.lock.Unlock()
			}
		}()
	}
	opts := []kfake.Opt{
		kfake.Ports(port),
		kfake.ListenFn(b.listen),
		kfake.ClusterID("feige"),
		kfake.DefaultNumPartitions(1),
		kfake.GroupMinSessionTimeout(minSessionTimeout),
		kfake.WithLogger(kfakeLog{b.log}),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.ms":  "-1",
			"log.segment.bytes": "8388608",
			"message.max.bytes": fmt.Sprint(maxMessageBytes),
		}),
	}
	if cfg.Dir != "" {
		opts = append(opts, kfake.DataDir(cfg.Dir))
	}
	b.cluster, err = kfake.NewCluster(opts...)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("embedded kafka: address %s is in use: stop the process that listens there (ss -ltnp 'sport = :%d' shows it), or set another addr", cfg.Addr, port)
		}
		return nil, fmt.Errorf("embedded kafka: start on %s with directory %q: %w", cfg.Addr, cfg.Dir, err)
	}
	return b, nil
}

// Addr is where clients reach the broker, host:port.
func (b *Broker) Addr() string { return b.addr }

// Run does the housekeeping until ctx ends.
func (b *Broker) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Close stops listening, writes what is left, and gives the directory free. Further calls do nothing.
func (b *Broker) Close() (err error) {
	b.closing.Do(func() {
		b.cluster.Close()
		if b.lock != nil {
			err = b.lock.Unlock()
		}
	})
	return err
}

func (b *Broker) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err == nil {
		b.addr = l.Addr().String()
	}
	return l, err
}

func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	path := filepath.Join(dir, "lock")
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	if !ok {
		return nil, fmt.Errorf("data directory %s is in use by another process: stop it first (fuser %s shows it), or set another dir", dir, path)
	}
	return lock, nil
}

type kfakeLog struct{ log *slog.Logger }

func (l kfakeLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded kafka", "what", fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("embedded kafka", "what", fmt.Sprintf(format, args...))
	}
}
