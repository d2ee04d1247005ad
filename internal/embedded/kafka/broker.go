package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
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
	// Readers are consumer groups beside the processors' that must have read a topic before retention
	// drops anything of it, in every namespace: the sinks'.
	Readers []Reader
}

const (
	// minSessionTimeout is the shortest session timeout that a consumer group may ask for.
	minSessionTimeout = 500 * time.Millisecond
	// maxMessageBytes is the largest batch that the broker takes: Kafka's own default.
	maxMessageBytes = 1<<20 + 12
	// segmentBytes is small, because a segment is what retention gives back to the disk.
	segmentBytes = 8 << 20
	// never is a period that does not end: 100 years. (kfake counts in nanoseconds: much more would
	// overflow.)
	never = 100 * 365 * 24 * time.Hour
)

// Broker is a running embedded broker.
type Broker struct {
	cfg     Config
	log     *slog.Logger
	cluster *kfake.Cluster
	lock    *flock.Flock // nil in memory
	addr    string
	keeper  *keeper
	closing sync.Once
}

// Start opens the directory and answers clients when it returns. The broker must be closed after its
// clients, and the clients must be able to reach it until then.
func Start(ctx context.Context, cfg Config, deps Dependencies) (_ *Broker, err error) {
	fail := func(err error) (*Broker, error) { return nil, fmt.Errorf("embedded kafka: %w", err) }
	if err := cfg.Validate(); err != nil {
		return fail(err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	b := &Broker{cfg: cfg, log: deps.Logger}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Dir != "" {
		if b.lock, err = lockDir(cfg.Dir); err != nil {
			return fail(err)
		}
		defer func() {
			if err != nil {
				_ = b.lock.Unlock()
			}
		}()
		if err := repair(cfg.Dir, b.log); err != nil {
			return fail(err)
		}
	}
	if b.cluster, err = kfake.NewCluster(b.options()...); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fail(fmt.Errorf("address %s is in use: stop the process that listens there (ss -ltnp shows it), or set another addr", cfg.Addr))
		}
		return fail(fmt.Errorf("start on %s with directory %q: %w", cfg.Addr, cfg.Dir, err))
	}
	if b.keeper, err = newKeeper(b.addr, cfg.Dir, cfg.Housekeeping, deps, b.log); err != nil {
		b.cluster.Close()
		return fail(err)
	}
	b.log.Info("embedded kafka is up", "addr", b.addr, "dir", cfg.Dir)
	return b, nil
}

func (b *Broker) options() []kfake.Opt {
	port, _ := b.cfg.port()
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	opts := []kfake.Opt{
		kfake.Ports(port),
		kfake.ListenFn(b.listen),
		kfake.ClusterID("feige"),
		kfake.GroupMinSessionTimeout(minSessionTimeout),
		kfake.WithLogger(brokerLog{b.log}),
		kfake.BrokerConfigs(map[string]string{
			"log.segment.bytes": strconv.Itoa(segmentBytes),
			"message.max.bytes": strconv.Itoa(maxMessageBytes),
			// Its own cleaning loses data: retention empties partitions, which then count from 0 again after
			// a kill, and compaction rewrites segments in place. None of it may run, whatever a topic asks for.
			"log.retention.ms":       "-1",
			"log.retention.bytes":    "-1",
			"log.cleaner.backoff.ms": ms(never),
			// A group that has been away for a week must find its commits.
			"offsets.retention.minutes": strconv.Itoa(int(never / time.Minute)),
		}),
	}
	if b.cfg.Dir != "" {
		opts = append(opts, kfake.DataDir(b.cfg.Dir))
	}
	if b.cfg.SyncWrites {
		opts = append(opts, kfake.SyncWrites())
	}
	return opts
}

// Addr is where clients reach the broker, host:port.
func (b *Broker) Addr() string { return b.addr }

// Run does the housekeeping every so often until ctx ends or the broker is closed. What fails is logged,
// counted, and tried again.
func (b *Broker) Run(ctx context.Context) error { return b.keeper.run(ctx) }

// Housekeep compacts and retains once, now.
func (b *Broker) Housekeep(ctx context.Context) error { return b.keeper.once(ctx) }

// Close ends housekeeping, stops listening, writes what is left, and gives the directory free. Further
// calls do nothing.
func (b *Broker) Close() (err error) {
	b.closing.Do(func() {
		b.keeper.close()
		b.cluster.Close()
		if b.lock != nil {
			if err = b.lock.Unlock(); err != nil {
				err = fmt.Errorf("embedded kafka: unlock %s: %w", b.cfg.Dir, err)
			}
		}
	})
	return err
}

func (b *Broker) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	b.addr = l.Addr().String()
	return guardedListener{l, b.log}, nil
}

// brokerLog carries what the broker itself complains about. Its information lines speak of every request.
type brokerLog struct{ log *slog.Logger }

func (l brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		l.log.Error("embedded kafka: " + fmt.Sprintf(format, args...))
	case kfake.LogLevelWarn:
		l.log.Warn("embedded kafka: " + fmt.Sprintf(format, args...))
	}
}
