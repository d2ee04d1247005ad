package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// batch is how many records of the ring are handed over at a time while catching up.
const batch = 128

// Follow hands missed the records after the given offset (or none: Now) that fo wants, in order, and then
// lets fo.Deliver have all that come. missed may block; its error ends it. Nothing is left out or told twice
// in between. Once Follow has returned nil, Leave must be called.
func (f *Feed) Follow(ctx context.Context, fo *Follower, after int64, missed func(*Record) error) error {
	number := f.PartitionOf(fo.Shop)
	p, err := f.open(ctx, number)
	if err != nil {
		return err
	}
	// While somebody catches up, the partition is not laid to rest.
	if !f.hold(p, 1) {
		return fmt.Errorf("open %s/%d: %w: it was laid to rest", f.topic, number, ErrUnavailable)
	}
	defer f.hold(p, -1)
	return f.catchUp(ctx, p, fo, after, missed)
}

// hold adds to the count of those who need the partition; false if it is not being read any more.
func (f *Feed) hold(p *partition, n int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.partitions[p.number] != p {
		return false
	}
	p.mu.Lock()
	p.count += n
	p.mu.Unlock()
	return true
}

func (f *Feed) catchUp(ctx context.Context, p *partition, fo *Follower, after int64, missed func(*Record) error) error {
	if after == Now {
		p.mu.Lock()
		defer p.mu.Unlock()
		fo.from = p.head
		p.register(fo)
		return nil
	}
	cursor := after + 1
	if cursor > p.position()+1 {
		if err := f.exists(ctx, p.number, cursor); err != nil {
			return err
		}
	}
	for {
		recs, next, done, covered := p.after(fo, cursor, batch)
		if !covered {
			var err error
			if cursor, err = f.older(ctx, p, fo, cursor, missed); err != nil {
				return err
			}
			continue
		}
		if done {
			return nil
		}
		for _, r := range recs {
			if err := missed(r); err != nil {
				return err
			}
		}
		cursor = next
	}
}

// Start is the lowest offset that the shop's partition still has.
func (f *Feed) Start(ctx context.Context, shop string) (int64, error) {
	start, _, err := f.extent(ctx, f.PartitionOf(shop))
	return start, err
}

// exists makes sure that an offset that lies beyond what was read is not beyond the log.
func (f *Feed) exists(ctx context.Context, number int32, cursor int64) error {
	_, end, err := f.extent(ctx, number)
	if err != nil {
		return err
	}
	if cursor > end {
		return fmt.Errorf("%s/%d ends at %d, and %d is asked for: %w", f.topic, number, end, cursor, ErrGone)
	}
	return nil
}

// older reads from cursor up to where the ring begins now.
func (f *Feed) older(ctx context.Context, p *partition, fo *Follower, cursor int64, missed func(*Record) error) (int64, error) {
	start, _, err := f.extent(ctx, p.number)
	if err != nil {
		return 0, err
	}
	if cursor < start {
		return 0, fmt.Errorf("%s/%d begins at %d, and %d is asked for: %w", f.topic, p.number, start, cursor, ErrGone)
	}
	p.mu.Lock()
	to := p.first
	p.mu.Unlock()
	err = f.Scan(ctx, p.number, cursor, to, fo.Shop, func(r *Record) error {
		if !fo.wants(r) {
			return nil
		}
		return missed(r)
	})
	return max(to, cursor), err
}

// Scan reads the stretch [from, to) of a partition and hands over the shop's events in it, each once. Few
// scans run at a time; others wait.
func (f *Feed) Scan(ctx context.Context, number int32, from, to int64, shop string, each func(*Record) error) error {
	if from >= to {
		return nil
	}
	select {
	case f.scans <- struct{}{}:
		defer func() { <-f.scans }()
	case <-ctx.Done():
		return fmt.Errorf("scan %s/%d: %w: too many scans", f.topic, number, ErrUnavailable)
	}
	start := time.Now()
	defer func() { f.metrics.scans.Observe(time.Since(start).Seconds()) }()
	opts := append(f.opts[:len(f.opts):len(f.opts)],
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{f.topic: {number: kgo.NewOffset().At(from)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchMaxPartitionBytes(1<<20))
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("kafka client: %w", err)
	}
	defer client.Close()
	ids := map[string]struct{}{}
	for next := from; next < to; {
		fetches := client.PollRecords(ctx, 1000)
		if ctx.Err() != nil {
			return fmt.Errorf("scan %s/%d: %w: %w", f.topic, number, ErrUnavailable, ctx.Err())
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("scan %s/%d at %d: %w: %w", f.topic, number, next, ErrUnavailable, err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if r.Offset >= to {
				return nil
			}
			next = r.Offset + 1
			if schemas.ShopOf(string(r.Key)) != shop {
				continue
			}
			rec, ok := decode(number, r.Offset, r.Key, r.Value)
			if !ok {
				continue
			}
			if _, repeat := ids[rec.Event.EventId]; repeat {
				continue
			}
			ids[rec.Event.EventId] = struct{}{}
			if err := each(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

// Since is the offset to follow after in order to see what the shop's partition was given since a time, but
// no more than its newest records.
func (f *Feed) Since(ctx context.Context, shop string, atMS int64, records int64) (int64, error) {
	number := f.PartitionOf(shop)
	start, end, err := f.extent(ctx, number)
	if err != nil {
		return 0, err
	}
	from := end
	listed, err := f.admin.ListOffsetsAfterMilli(ctx, atMS, f.topic)
	if err != nil {
		return 0, fmt.Errorf("offsets of %s/%d: %w: %w", f.topic, number, ErrUnavailable, err)
	}
	if l, ok := lookup(listed, f.topic, number); ok {
		from = l
	}
	return max(from, start, end-records) - 1, nil
}

func lookup(listed kadm.ListedOffsets, topic string, number int32) (int64, bool) {
	l, ok := listed.Lookup(topic, number)
	return l.Offset, ok && l.Err == nil && l.Offset >= 0
}

// Newest hands over what memory holds of a conversation before an offset (or Now), newest first, until each
// returns false. It returns the lowest offset that memory covers.
func (f *Feed) Newest(ctx context.Context, shop, conversation string, before int64, each func(*Record) bool) (int64, error) {
	p, err := f.open(ctx, f.PartitionOf(shop))
	if err != nil {
		return 0, err
	}
	fo := &Follower{Shop: shop, Conversation: conversation}
	p.mu.Lock()
	first := p.first
	ring := p.ring
	if before != Now {
		ring = ring[:p.search(before)]
	}
	var recs []*Record
	for _, r := range ring {
		if fo.wants(r) {
			recs = append(recs, r)
		}
	}
	p.mu.Unlock()
	for i := len(recs) - 1; i >= 0; i-- {
		if !each(recs[i]) {
			break
		}
	}
	return first, nil
}
