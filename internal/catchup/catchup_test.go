package catchup

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fixture is a broker with two topics of two partitions.
func fixture(t *testing.T) (*kgo.Client, *kadm.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "events", "facts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, kadm.NewClient(client)
}

func produce(t *testing.T, client *kgo.Client, topic string, partition int32, n int) {
	t.Helper()
	for range n {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Partition: partition, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func commit(t *testing.T, admin *kadm.Client, group, topic string, partition int32, at int64) {
	t.Helper()
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: at, LeaderEpoch: -1})
	if err := admin.CommitAllOffsets(t.Context(), group, offsets); err != nil {
		t.Fatal(err)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	client, admin := fixture(t)
	stage := Stage{Group: "g", Topics: []string{"events", "facts"}}
	check := func(name string, behind, total int64) {
		t.Helper()
		lags, err := Measure(t.Context(), admin, []Stage{stage})
		if err != nil {
			t.Fatal(err)
		}
		if lags[0].Behind != behind || lags[0].Total != total {
			t.Fatalf("%s: got %d of %d, want %d of %d", name, lags[0].Behind, lags[0].Total, behind, total)
		}
	}
	check("empty topics, no group", 0, 0)
	produce(t, client, "events", 0, 3)
	produce(t, client, "events", 1, 2)
	produce(t, client, "facts", 1, 4)
	check("nothing committed", 9, 9)
	commit(t, admin, "g", "events", 0, 3)
	commit(t, admin, "g", "events", 1, 1)
	check("some committed", 5, 9)
	commit(t, admin, "g", "events", 1, 2)
	commit(t, admin, "g", "facts", 1, 4)
	check("all committed", 0, 9)
	var deleted kadm.Offsets
	deleted.Add(kadm.Offset{Topic: "events", Partition: 0, At: 2, LeaderEpoch: -1})
	if _, err := admin.DeleteRecords(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	check("a deleted beginning is not lag", 0, 7)
}

func TestMeasureMissingTopic(t *testing.T) {
	t.Parallel()
	_, admin := fixture(t)
	stages := []Stage{{Group: "g", Topics: []string{"none"}}}
	lags, err := Measure(t.Context(), admin, stages)
	if err != nil {
		t.Fatal(err)
	}
	if len(lags[0].Missing) != 1 || lags[0].Missing[0] != "none" {
		t.Fatalf("got %v", lags[0].Missing)
	}
	err = Wait(t.Context(), admin, stages, Options{Interval: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Fatalf("got %v", err)
	}
}

// A stage that reads everything and writes only then must not end the wait early.
func TestWaitSeesLateWrites(t *testing.T) {
	t.Parallel()
	client, admin := fixture(t)
	stages := []Stage{{Group: "first", Topics: []string{"events"}}, {Group: "second", Topics: []string{"facts"}}}
	produce(t, client, "events", 0, 1)
	looks := 0
	err := Wait(t.Context(), admin, stages, Options{Interval: time.Millisecond, Progress: func(lags []Lag) {
		switch looks++; looks {
		case 3:
			if lags[0].Behind != 1 {
				t.Errorf("look 3: got %d", lags[0].Behind)
			}
			commit(t, admin, "first", "events", 0, 1)
		case 4:
			if lags[0].Behind != 0 {
				t.Errorf("look 4: got %d", lags[0].Behind)
			}
			produce(t, client, "facts", 0, 1)
		case 8:
			commit(t, admin, "second", "facts", 0, 1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if looks < 10 {
		t.Fatalf("ended after %d looks, before the second stage was done and looked at twice", looks)
	}
}

func TestWaitIsQuietFor(t *testing.T) {
	t.Parallel()
	_, admin := fixture(t)
	begin := time.Now()
	const quiet = 50 * time.Millisecond
	if err := Wait(t.Context(), admin, []Stage{{Group: "g", Topics: []string{"events"}}}, Options{Interval: time.Millisecond, Quiet: quiet}); err != nil {
		t.Fatal(err)
	}
	if time.Since(begin) < quiet {
		t.Fatal("did not wait")
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	client, admin := fixture(t)
	produce(t, client, "events", 0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	err := Wait(ctx, admin, []Stage{{Group: "g", Topics: []string{"events"}}}, Options{Interval: time.Millisecond, Progress: func([]Lag) { cancel() }})
	if err != context.Canceled {
		t.Fatalf("got %v", err)
	}
}
