package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

// The test binary is also the process that some tests kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// testContext ends a test that hangs.
func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// eager housekeeping does whatever there is to do, at once.
func eager() Housekeeping {
	return Housekeeping{Interval: time.Second, CompactMinRecords: 1, CompactFactor: 1.1}
}

func start(t testing.TB, cfg Config, readers ...Reader) *Broker {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	b, err := Start(testContext(t), cfg, Dependencies{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Readers: readers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func client(t testing.TB, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sync.OnceFunc(c.Close))
	return c
}

func createTopics(t testing.TB, c *kgo.Client, partitions int32, names ...string) {
	t.Helper()
	resp, err := kadm.NewClient(c).CreateTopics(testContext(t), partitions, 1, map[string]*string{"cleanup.policy": kadm.StringPtr("delete")}, names...)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// tableValue is a group table's value: the applied offset first, then a text.
func tableValue(applied int64, text string) []byte {
	return append(binary.LittleEndian.AppendUint64([]byte{1<<3 | 1}, uint64(applied)+1), text...)
}

func write(t testing.TB, c *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := c.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, c *kgo.Client, group, topic string, p int32, at int64) {
	t.Helper()
	var o kadm.Offsets
	o.AddOffset(topic, p, at, -1)
	resp, err := kadm.NewClient(c).CommitOffsets(testContext(t), group, o)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func bounds(t testing.TB, c *kgo.Client, topic string, p int32) (start, end int64) {
	t.Helper()
	admin := kadm.NewClient(c)
	starts, err := offsets(admin.ListStartOffsets(testContext(t), topic))
	if err != nil {
		t.Fatal(err)
	}
	ends, err := offsets(admin.ListEndOffsets(testContext(t), topic))
	if err != nil {
		t.Fatal(err)
	}
	return starts[partition{topic, p}], ends[partition{topic, p}]
}

// contents are all records of a partition.
func contents(t testing.TB, b *Broker, topic string, p int32) (records []*kgo.Record) {
	t.Helper()
	c := client(t, b.Addr())
	start, end := bounds(t, c, topic, p)
	err := b.keeper.fetch(testContext(t), partition{topic, p}, start, end, func(r *kgo.Record) error {
		records = append(records, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

const (
	events   = schemas.TopicEvents
	facts    = schemas.TopicFacts
	takeover = schemas.TopicTakeovers
)

var conversationsTable = schemas.TableOf(schemas.GroupConversations)
