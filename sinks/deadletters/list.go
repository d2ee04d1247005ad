package deadletters

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Dependencies are where the letters are.
type Dependencies struct {
	Broker    broker.Config
	Namespace schemas.Namespace
	// Logger is told of records on dead.letters that are no letters; nil: nothing is said.
	Logger *slog.Logger
}

func (d Dependencies) logger() *slog.Logger {
	if d.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Logger
}

// Filter chooses letters. What is empty chooses all.
type Filter struct {
	// IDs of records, "topic/partition/offset".
	IDs []string
	// Topic that the record stands on, with or without namespace.
	Topic string
	// Stage that gave up on it.
	Stage string
	// Code of the failure.
	Code string
	// Since and Until bound the time of the newest word, half-open.
	Since, Until time.Time
	// Open leaves out what was submitted again and has not failed since.
	Open bool
}

func (f Filter) matches(ns schemas.Namespace, l *Letter) bool {
	switch {
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, l.ID()),
		f.Topic != "" && f.Topic != l.Topic && ns.Topic(f.Topic) != l.Topic,
		f.Stage != "" && f.Stage != l.Stage,
		f.Code != "" && f.Code != l.Code,
		!f.Since.IsZero() && l.At.Before(f.Since),
		!f.Until.IsZero() && !l.At.Before(f.Until),
		f.Open && !l.Open():
		return false
	}
	return true
}

// List reads topic dead.letters from its beginning to where it ends now and returns the chosen letters, by topic,
// partition, offset, and stage.
func List(ctx context.Context, deps Dependencies, filter Filter) ([]*Letter, error) {
	options, err := deps.Broker.KGO()
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	topic := deps.Namespace.Topic(schemas.TopicDeadLetters)
	spans, err := spansOf(ctx, options, topic)
	if err != nil {
		return nil, err
	}
	letters := make(map[letterKey]*Letter)
	if len(spans) > 0 {
		if err := read(ctx, options, topic, spans, func(rec *kgo.Record) {
			l, err := letterOf(rec)
			if err != nil {
				deps.logger().Warn("a record on dead.letters is no letter", "partition", rec.Partition, "offset", rec.Offset, "error", err)
				return
			}
			letters[keyOf(l)] = l // words about one record share a partition: the last one read is the newest
		}); err != nil {
			return nil, err
		}
	}
	var chosen []*Letter
	for _, l := range letters {
		if filter.matches(deps.Namespace, l) {
			chosen = append(chosen, l)
		}
	}
	slices.SortFunc(chosen, func(a, b *Letter) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Stage, b.Stage))
	})
	return chosen, nil
}

type letterKey struct {
	topic, stage string
	partition    int32
	offset       int64
}

func keyOf(l *Letter) letterKey { return letterKey{l.Topic, l.Stage, l.Partition, l.Offset} }

func letterOf(rec *kgo.Record) (*Letter, error) {
	d := &chatv1.DeadLetter{}
	if err := d.UnmarshalVT(rec.Value); err != nil {
		return nil, err
	}
	if d.Topic == "" {
		return nil, fmt.Errorf("it names no topic")
	}
	l := &Letter{DeadLetter: d, At: rec.Timestamp}
	if us := ResubmittedUS(rec); us != 0 {
		l.ResubmittedAt = time.UnixMicro(us)
	}
	return l, nil
}

// stretch is what there is to read of a partition: half-open.
type stretch struct{ start, end int64 }

func spansOf(ctx context.Context, options []kgo.Opt, topic string) (map[int32]stretch, error) {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("dead letters: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("dead letters: asking where topic %s begins: %w", topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("dead letters: asking where topic %s ends: %w", topic, err)
	}
	spans := make(map[int32]stretch)
	for partition, end := range ends[topic] {
		start, _ := starts.Lookup(topic, partition)
		if err := cmp.Or(end.Err, start.Err); err != nil {
			return nil, fmt.Errorf("dead letters: topic %s, partition %d: %w", topic, partition, err)
		}
		if start.Offset < end.Offset {
			spans[partition] = stretch{start.Offset, end.Offset}
		}
	}
	return spans, nil
}

func read(ctx context.Context, options []kgo.Opt, topic string, spans map[int32]stretch, each func(*kgo.Record)) error {
	from := make(map[int32]kgo.Offset, len(spans))
	for partition, span := range spans {
		from[partition] = kgo.NewOffset().At(span.start)
	}
	client, err := kgo.NewClient(append(slices.Clone(options), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))...)
	if err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	defer client.Close()
	for len(spans) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("dead letters: reading topic %s: %w", topic, err)
		}
		for _, failure := range fetches.Errors() {
			return fmt.Errorf("dead letters: reading topic %s, partition %d: %w", failure.Topic, failure.Partition, failure.Err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			span, ok := spans[rec.Partition]
			if ok && rec.Offset < span.end {
				each(rec)
			}
			if ok && rec.Offset >= span.end-1 { // beyond it where the last one is gone
				delete(spans, rec.Partition)
			}
		})
	}
	return nil
}

// stamp is a header's value for a time.
func stamp(at time.Time) []byte { return strconv.AppendInt(nil, at.UnixMicro(), 10) }
