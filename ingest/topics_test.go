package ingest

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

func TestApplyTopics(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	want := len(schemas.Topics()) + 1
	created := func(ns schemas.Namespace, policy TopicPolicy) int {
		t.Helper()
		res, err := ApplyTopics(t.Context(), k.cfg, ns, policy)
		if err != nil {
			t.Fatal(err)
		}
		if len(res) != want {
			t.Errorf("%d topics reported, want %d", len(res), want)
		}
		n := 0
		for _, r := range res {
			if r.Created {
				n++
			}
		}
		return n
	}
	if n := created("", EmbeddedTopics()); n != 0 {
		t.Errorf("second run created %d topics", n)
	}
	if n := created("trial", ClusterTopics()); n != want {
		t.Errorf("new namespace: created %d topics, want %d", n, want)
	}

	cl, err := kgo.NewClient(kgo.SeedBrokers(k.cfg.Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	adm := kadm.NewClient(cl)
	defer adm.Close()
	config := func(topic, key, want string) {
		t.Helper()
		rcs, err := adm.DescribeTopicConfigs(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range rcs[0].Configs {
			if c.Key == key && c.MaybeValue() == want {
				return
			}
		}
		t.Errorf("%s: %s is not %s", topic, key, want)
	}
	config("conversations-table", "cleanup.policy", "delete")
	config("chat.events", "retention.ms", "-1")
	config("trial.conversations-table", "cleanup.policy", "compact")
	config("trial.conversations-table", "min.compaction.lag.ms", "3600000")
	config("trial.chat.events", "cleanup.policy", "delete")

	other := k.cfg
	other.Partitions = 8
	_, err = ApplyTopics(t.Context(), other, "", EmbeddedTopics())
	if !errors.Is(err, ErrPartitions) || !strings.Contains(err.Error(), "topic chat.events has 4 partitions, not 8") {
		t.Errorf("got %v", err)
	}
}

func TestApplyTopicsWithoutKafka(t *testing.T) {
	t.Parallel()
	k := startKafka(t)
	k.cfg.Brokers = []string{deadAddr(t)}
	if _, err := ApplyTopics(t.Context(), k.cfg, "", EmbeddedTopics()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
