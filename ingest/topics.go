package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
)

// TopicCheckpoints holds how far each import has come: key = the import's digest, value = JSON, the
// newest record of a key counts. One partition.
const TopicCheckpoints = "import.checkpoints"

// TopicPolicy says how the brokers keep the topics.
type TopicPolicy struct {
	// Compact lets the brokers compact table topics and checkpoints (clusters). Without it they are
	// created with cleanup.policy=delete (the embedded engine, which compacts tables by itself).
	Compact bool
	// Retention of topics that are not tables; 0 keeps everything. What processors have not read yet
	// must never be deleted, so anything below some days is a risk. Not applied without Compact.
	Retention time.Duration
	// MinCompactionLag keeps older values of table topics, so that a processor can roll back to its
	// commit.
	MinCompactionLag time.Duration
}

// EmbeddedTopics is the policy for the embedded engine.
func EmbeddedTopics() TopicPolicy { return TopicPolicy{} }

// ClusterTopics is the policy for a real cluster.
func ClusterTopics() TopicPolicy { return TopicPolicy{Compact: true, MinCompactionLag: time.Hour} }

// TopicResult says what ApplyTopics did about one topic.
type TopicResult struct {
	Name       string // with namespace
	Partitions int32
	Created    bool
}

// ApplyTopics creates every topic of the product that is missing in the namespace. It changes nothing
// about topics that are there, but fails, naming it, for one with another number of partitions than the
// configuration has. What was done before an error is returned with it.
func ApplyTopics(ctx context.Context, b broker.Config, ns schemas.Namespace, policy TopicPolicy) ([]TopicResult, error) {
	if err := (Dependencies{Broker: b, Namespace: ns}).validate(); err != nil {
		return nil, err
	}
	opts, err := b.KGO()
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	adm := kadm.NewClient(cl)
	defer adm.Close()
	have, err := adm.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list topics at %v: %w", b.Brokers, errors.Join(ErrUnavailable, err))
	}
	var results []TopicResult
	for _, t := range append(schemas.Topics(), schemas.Topic{Name: TopicCheckpoints, SingleOK: true}) {
		name, partitions := ns.Topic(t.Name), b.Partitions
		if t.Name == TopicCheckpoints {
			partitions = 1
		}
		created := false
		if !have.Has(name) {
			created, err = createTopic(ctx, adm, name, partitions, b.Replication, configsOf(t, policy, b.Replication))
			if err != nil {
				return results, fmt.Errorf("create topic %s: %w", name, err)
			}
		}
		if !created {
			n, err := countPartitions(ctx, adm, name)
			if err != nil {
				return results, fmt.Errorf("describe topic %s: %w", name, err)
			}
			if n != partitions && (!t.SingleOK || t.Name == TopicCheckpoints) {
				return results, fmt.Errorf("topic %s has %d partitions, not %d: set kafka.partitions to %d, or use another namespace (%w)",
					name, n, partitions, n, ErrPartitions)
			}
			partitions = n
		}
		results = append(results, TopicResult{Name: name, Partitions: partitions, Created: created})
	}
	return results, nil
}

func configsOf(t schemas.Topic, p TopicPolicy, replication int16) map[string]*string {
	c := map[string]string{"cleanup.policy": "delete", "retention.ms": "-1"}
	keyed := t.Table || t.Name == TopicCheckpoints
	if p.Compact && keyed {
		c = map[string]string{"cleanup.policy": "compact", "min.compaction.lag.ms": strconv.FormatInt(p.MinCompactionLag.Milliseconds(), 10)}
	} else if p.Compact && p.Retention > 0 {
		c["retention.ms"] = strconv.FormatInt(p.Retention.Milliseconds(), 10)
	}
	if replication >= 3 {
		c["min.insync.replicas"] = "2"
	}
	out := make(map[string]*string, len(c))
	for _, k := range slices.Sorted(maps.Keys(c)) {
		out[k] = kadm.StringPtr(c[k])
	}
	return out
}

// createTopic reports false, without an error, when somebody else was faster.
func createTopic(ctx context.Context, adm *kadm.Client, name string, partitions int32, replication int16, configs map[string]*string) (bool, error) {
	res, err := adm.CreateTopic(ctx, partitions, replication, configs, name)
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		return false, nil
	case err != nil && res.ErrMessage != "":
		return false, fmt.Errorf("%w (%s)", err, res.ErrMessage)
	case err != nil:
		return false, err
	}
	return true, nil
}

func countPartitions(ctx context.Context, adm *kadm.Client, name string) (int32, error) {
	have, err := adm.ListTopics(ctx, name)
	if err != nil {
		return 0, err
	}
	t, ok := have[name]
	if !ok {
		return 0, ErrNoTopic
	}
	if t.Err != nil {
		return 0, t.Err
	}
	return int32(len(t.Partitions)), nil
}
