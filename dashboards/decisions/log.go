package decisions

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// records reads the topics into the view.
type records struct {
	restrictions, table string
	client              *kgo.Client
	view                *view
	logger              *slog.Logger
	loaded              atomic.Bool
}

func newRecords(b broker.Config, ns schemas.Namespace, v *view, logger *slog.Logger) (*records, error) {
	opts, err := b.KGO()
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, kgo.FetchMaxWait(250*time.Millisecond), kgo.FetchMinBytes(1), kgo.MetadataMinAge(250*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{}))...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &records{restrictions: ns.Topic(schemas.TopicRestrictions), table: ns.Topic(schemas.TableOf(schemas.GroupService)), client: client, view: v, logger: logger}, nil
}

// run reads until ctx ends.
func (r *records) run(ctx context.Context) {
	ends := r.begin(ctx)
	for ctx.Err() == nil {
		if !r.loaded.Load() && len(ends) == 0 {
			r.loaded.Store(true)
		}
		r.client.PollFetches(ctx).EachPartition(func(p kgo.FetchTopicPartition) {
			for _, rec := range p.Records {
				r.apply(rec)
				if key := fmt.Sprint(p.Topic, "/", p.Partition); ends[key] > 0 && rec.Offset+1 >= ends[key] {
					delete(ends, key)
				}
			}
		})
	}
}

// begin waits for the topics and reads them from their starts. It returns where their partitions end.
func (r *records) begin(ctx context.Context) map[string]int64 {
	admin := kadm.NewClient(r.client)
	told := false
	for pause := 50 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 2*time.Second) {
		starts, err := admin.ListStartOffsets(ctx, r.restrictions, r.table)
		if err == nil {
			err = starts.Error()
		}
		var last kadm.ListedOffsets
		if err == nil {
			if last, err = admin.ListEndOffsets(ctx, r.restrictions, r.table); err == nil {
				err = last.Error()
			}
		}
		if err == nil {
			from, ends := map[string]map[int32]kgo.Offset{}, map[string]int64{}
			for topic, partitions := range last {
				from[topic] = map[int32]kgo.Offset{}
				for p, end := range partitions {
					from[topic][p] = kgo.NewOffset().AtStart()
					if end.Offset > starts[topic][p].Offset {
						ends[fmt.Sprint(topic, "/", p)] = end.Offset
					}
				}
			}
			r.client.AddConsumePartitions(from)
			return ends
		}
		if !told && ctx.Err() == nil {
			told = true
			r.logger.Info("decisions: the topics cannot be read yet", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

func (r *records) apply(rec *kgo.Record) {
	switch {
	case rec.Topic == r.restrictions:
		var d chatv1.Decision
		if d.UnmarshalVT(rec.Value) == nil && d.ShopId != "" {
			r.view.decided(&d, rec.Partition, rec.Offset)
		}
	case schemas.IsTickKey(string(rec.Key)):
		r.view.ticked(rec.Partition, rec.Value)
	case len(rec.Value) > 0:
		r.view.stated(string(rec.Key), rec.Value)
	}
}
