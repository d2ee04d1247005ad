package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
)

const sinkGroup = "sink-events"

func TestRetention(t *testing.T) {
	t.Parallel()
	type at = map[string]int64 // commits on chat.events by group
	hour := Retention{Age: time.Hour}
	all := func(offset int64) at {
		return at{schemas.GroupConversations: offset, schemas.GroupViolations: offset, sinkGroup: offset}
	}
	cut := func(name string, bounds Retention, old, young int, commits at, want int64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := eager()
			cfg.Events = bounds
			b := start(t, Config{Housekeeping: cfg}, Reader{sinkGroup, events})
			c := client(t, b.Addr(), kgo.ProducerBatchCompression(kgo.NoCompression()))
			createTopics(t, c, 2, events)
			for i := range old + young {
				r := &kgo.Record{Topic: events, Value: make([]byte, 1000)}
				if i < old {
					r.Timestamp = time.Now().Add(-2 * time.Hour)
				}
				write(t, c, r)
			}
			for g, offset := range commits {
				commit(t, c, g, events, 0, offset)
			}
			for range 2 { // a second round changes nothing
				if err := b.Housekeep(testContext(t)); err != nil {
					t.Fatal(err)
				}
				start, end := bounds2(t, c, events)
				if start != want || end != int64(old+young) {
					t.Errorf("the log goes from %d to %d, want %d to %d", start, end, want, old+young)
				}
			}
		})
	}
	cut("by age", hour, 20, 10, all(30), 20)
	cut("nothing is old", hour, 0, 10, all(10), 0)
	cut("all is old: the last stays", hour, 10, 0, all(10), 9)
	cut("the only record is old", hour, 1, 0, all(1), 0)
	cut("no bounds", Retention{}, 20, 0, all(20), 0)
	cut("not past the processor", hour, 20, 10, at{schemas.GroupConversations: 7, schemas.GroupViolations: 25, sinkGroup: 25}, 7)
	cut("not past the sink", hour, 20, 10, at{schemas.GroupConversations: 25, schemas.GroupViolations: 25, sinkGroup: 3}, 3)
	cut("the processor has not begun", hour, 20, 10, at{schemas.GroupViolations: 25, sinkGroup: 25}, 0)
	cut("the sink has not begun", hour, 20, 10, at{schemas.GroupConversations: 25, schemas.GroupViolations: 25}, 0)
	cut("not past an outside group", hour, 20, 10, at{schemas.GroupConversations: 25, schemas.GroupViolations: 25, sinkGroup: 25, "curious": 5}, 5)
	cut("small enough", Retention{Bytes: 1 << 20}, 0, 100, all(100), 0)
}

func bounds2(t *testing.T, c *kgo.Client, topic string) (int64, int64) { return bounds(t, c, topic, 0) }

// A topic that is too large gives up the oldest of each partition, and the disk gets it back.
func TestRetentionBySize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := eager()
	cfg.Others = Retention{Bytes: 20 << 20}
	b := start(t, Config{Dir: dir, Housekeeping: cfg})
	c := client(t, b.Addr(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	createTopics(t, c, 2, takeover, "not.ours")
	var records []*kgo.Record
	for i := range 40 << 10 {
		records = append(records, &kgo.Record{Topic: takeover, Partition: int32(i % 2), Value: make([]byte, 1<<10)},
			&kgo.Record{Topic: "not.ours", Partition: int32(i % 2), Value: make([]byte, 1<<9)})
	}
	write(t, c, records...)
	before := size(t, dir, takeover)
	if err := b.Housekeep(testContext(t)); err != nil {
		t.Fatal(err)
	}
	for p := range int32(2) {
		start, end := bounds(t, c, takeover, p)
		if kept := end - start; kept < 9<<10 || kept > 11<<10 {
			t.Errorf("partition %d keeps %d records, want about %d", p, kept, 10<<10)
		}
		if start, _ := bounds(t, c, "not.ours", p); start != 0 {
			t.Errorf("a topic that is not the product's was cut at %d", start)
		}
	}
	// Segments are 8 MiB; one per partition may be cut in the middle.
	if after := size(t, dir, takeover); after > (20+2*8+1)<<20 || after >= before {
		t.Errorf("%d bytes on disk, %d before", after, before)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, Config{Dir: dir, Housekeeping: cfg})
	if start, end := bounds(t, client(t, b.Addr()), takeover, 0); end != 20<<10 || start < 9<<10 {
		t.Errorf("after a restart the log goes from %d to %d", start, end)
	}
}

func size(t *testing.T, dir, topic string) (sum int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "partitions"), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.Contains(path, topic) && strings.HasSuffix(path, ".dat") {
			info, err := d.Info()
			if err != nil {
				return err
			}
			sum += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	is := func(topic, ns, base, group, input string) {
		t.Run(topic, func(t *testing.T) {
			t.Parallel()
			got, ok := recognise(topic)
			if !ok || string(got.ns) != ns || got.base.Name != base {
				t.Fatalf("got %v %+v", ok, got)
			}
			g, in, ok := got.input()
			if ok != (group != "") || g != group || in != input {
				t.Errorf("input %q %q %v", g, in, ok)
			}
		})
	}
	is("chat.events", "", "chat.events", "", "")
	is("dead.letters", "", "dead.letters", "", "")
	is("conversations-table", "", "conversations-table", "conversations", "chat.events")
	is("reception-table", "", "reception-table", "reception", "chat.facts")
	is("service-table", "", "service-table", "service", "chat.facts")
	is("n1.chat.facts", "n1", "chat.facts", "", "")
	is("n1.service-table", "n1", "service-table", "n1.service", "n1.chat.facts")
	for _, other := range []string{"", ".chat.events", "N.chat.events", "a.b.chat.events", "chat.events.old", "xchat.events", "events"} {
		if got, ok := recognise(other); ok {
			t.Errorf("%q is taken for %+v", other, got)
		}
	}
	for _, topic := range schemas.Topics() {
		if p, ok := recognise(topic.Name); topic.Table && ok {
			if _, _, ok := p.input(); !ok {
				t.Errorf("the table %s has no known processor", topic.Name)
			}
		}
	}
}
