package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// keeper does the housekeeping, as a client of the broker like any other: what it asks for is what the
// protocol promises.
type keeper struct {
	addr    string
	dir     string // empty in memory
	cfg     Housekeeping
	readers []Reader
	log     *slog.Logger
	metrics *metrics
	client  *kgo.Client
	admin   *kadm.Client

	closed context.Context
	cancel context.CancelFunc

	round  sync.Mutex // held for a whole round; guards what follows
	groups map[string]membership
	tables map[partition]tableMemo
	held   map[partition]string
}

// partition of a topic.
type partition struct {
	topic  string
	number int32
}

func newKeeper(addr, dir string, cfg Housekeeping, deps Dependencies, log *slog.Logger) (*keeper, error) {
	k := &keeper{
		addr: addr, dir: dir, cfg: cfg.withDefaults(), readers: append(processorReaders(), deps.Readers...), log: log,
		groups: map[string]membership{}, tables: map[partition]tableMemo{}, held: map[partition]string{},
	}
	var err error
	if k.metrics, err = newMetrics(deps.Registry); err != nil {
		return nil, err
	}
	// A record that is appended twice does no harm, so nothing is asked of the broker to prevent it.
	k.client, err = kgo.NewClient(
		kgo.SeedBrokers(addr),
		kgo.ClientID("feige-housekeeping"),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.DisableIdempotentWrite(),
		kgo.MetadataMinAge(100*time.Millisecond), // a round is to see topics that are new or gone
		kgo.ProducerBatchMaxBytes(maxMessageBytes),
	)
	if err != nil {
		k.metrics.unregister()
		return nil, fmt.Errorf("housekeeping client: %w", err)
	}
	k.admin = kadm.NewClient(k.client)
	k.closed, k.cancel = context.WithCancel(context.Background())
	return k, nil
}

func (k *keeper) run(ctx context.Context) error {
	tick := time.NewTicker(k.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.closed.Done():
			return nil
		case <-tick.C:
		}
		if err := k.once(ctx); err != nil && ctx.Err() == nil && k.closed.Err() == nil {
			k.metrics.errors.Inc()
			k.log.Warn("embedded kafka: housekeeping will be tried again", "in", k.cfg.Interval, "err", err)
		}
	}
}

// once is one round. Rounds do not overlap.
func (k *keeper) once(ctx context.Context) error {
	k.round.Lock()
	defer k.round.Unlock()
	if k.closed.Err() != nil {
		return errors.New("embedded kafka: housekeeping: the broker is closed")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(k.closed, cancel)()

	s, err := k.survey(ctx)
	if err != nil {
		return fmt.Errorf("embedded kafka: housekeeping: %w", err)
	}
	k.forget(s)
	var errs []error
	for _, t := range s.topics {
		if t.base.Table {
			err = k.compactTable(ctx, s, t)
		} else {
			err = k.retain(ctx, s, t)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("embedded kafka: housekeeping of %s: %w", t.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (k *keeper) close() {
	k.cancel()
	k.round.Lock() // until the round under way has noticed
	defer k.round.Unlock()
	k.client.Close()
	k.metrics.unregister()
}

// truncate deletes records below to, but never the last one: a partition without records counts from 0
// again after a kill. It returns the new start of the log.
func (k *keeper) truncate(ctx context.Context, p partition, start, to int64) (int64, error) {
	ends, err := k.admin.ListEndOffsets(ctx, p.topic)
	if err != nil {
		return start, fmt.Errorf("list end offset: %w", err)
	}
	end, ok := ends.Lookup(p.topic, p.number)
	if !ok || end.Err != nil {
		return start, fmt.Errorf("list end offset of partition %d: %w", p.number, errOr(end.Err))
	}
	if to = min(to, end.Offset-1); to <= start {
		return start, nil
	}
	var offsets kadm.Offsets
	offsets.AddOffset(p.topic, p.number, to, -1)
	resp, err := k.admin.DeleteRecords(ctx, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return start, fmt.Errorf("delete records of partition %d below offset %d: %w", p.number, to, err)
	}
	return to, nil
}

func errOr(err error) error {
	if err == nil {
		return errors.New("the broker does not know it")
	}
	return err
}
