package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Beside the broker the same is read as through it, from and to any offset.
func TestReadDisk(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), testContext(t)
	b := start(t, Config{Dir: dir})
	admin := kadm.NewClient(client(t, b.Addr()))
	small := map[string]*string{"segment.bytes": kadm.StringPtr("1500")}
	if resp, err := admin.CreateTopics(ctx, 2, 1, small, events); err != nil || resp.Error() != nil {
		t.Fatal(err, resp.Error())
	}
	codecs := []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()}
	n := 0
	for i := range 60 {
		c := client(t, b.Addr(), kgo.ProducerBatchCompression(codecs[i%len(codecs)]))
		var records []*kgo.Record
		for range 1 + i%9 {
			records = append(records, &kgo.Record{
				Topic: events, Partition: 1, Key: fmt.Appendf(nil, "k%d", n), Value: []byte(strings.Repeat(fmt.Sprint(n), 40)),
				Headers: []kgo.RecordHeader{{Key: "h", Value: fmt.Append(nil, n)}},
			})
			n++
		}
		write(t, c, records...)
		c.Close()
	}
	p := partition{events, 1}
	if s, err := listSegments(filepath.Join(dir, "partitions", "chat.events-1")); err != nil || len(s) < 4 {
		t.Fatalf("segments %v (%v), want some", s, err)
	}
	text := func(r *kgo.Record) string {
		return fmt.Sprint(r.Topic, r.Partition, r.Offset, string(r.Key), string(r.Value), string(r.Headers[0].Value), r.Timestamp.UnixMilli())
	}
	collect := func(name string, start, end int64, read func(func(*kgo.Record) error) error) (got []string) {
		t.Helper()
		if err := read(func(r *kgo.Record) error { got = append(got, text(r)); return nil }); err != nil {
			t.Fatalf("%s from %d to %d: %v", name, start, end, err)
		}
		return got
	}
	for _, span := range [][2]int64{{0, int64(n)}, {0, 1}, {1, 2}, {7, 100}, {50, int64(n)}, {int64(n) - 1, int64(n)}, {100, 101}, {9, 9}} {
		want := collect("fetch", span[0], span[1], func(each func(*kgo.Record) error) error {
			if span[0] == span[1] {
				return nil
			}
			return b.keeper.fetch(ctx, p, span[0], span[1], each)
		})
		got := collect("disk", span[0], span[1], func(each func(*kgo.Record) error) error {
			return b.keeper.read(ctx, p, span[0], span[1], each)
		})
		if int64(len(want)) != span[1]-span[0] || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("from %d to %d: %d records from disk, %d from the broker, %d expected", span[0], span[1], len(got), len(want), span[1]-span[0])
		}
	}
	fails := func(name string, start, end int64, each func(*kgo.Record) error, want string) {
		t.Helper()
		if err := b.keeper.read(ctx, p, start, end, each); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	ignore := func(*kgo.Record) error { return nil }
	fails("past the end", 0, int64(n)+1, ignore, fmt.Sprintf("end at offset %d, not at %d", n, n+1))
	fails("reader's error", 0, int64(n), func(*kgo.Record) error { return errors.New("enough") }, "enough")
	if _, err := b.keeper.truncate(ctx, p, 0, 100); err != nil {
		t.Fatal(err)
	}
	fails("deleted", 0, int64(n), ignore, "end at offset 0")
	segs, err := listSegments(filepath.Join(dir, "partitions", "chat.events-1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(segmentPath(filepath.Join(dir, "partitions", "chat.events-1"), segs[1].BaseOffset)); err != nil {
		t.Fatal(err)
	}
	fails("a file is missing", 100, int64(n), ignore, fmt.Sprintf("offset %d is missing", segs[1].BaseOffset))
}

// aBatch is a record batch as it stands in a file.
func aBatch(first int64, records int) []byte {
	b := kmsg.RecordBatch{FirstOffset: first, Magic: 2, LastOffsetDelta: int32(records - 1), NumRecords: int32(records), ProducerID: -1, ProducerEpoch: -1}
	for i := range records {
		r := kmsg.Record{OffsetDelta: int32(i), Key: []byte("k"), Value: tableValue(first+int64(i), "text")}
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		b.Records = r.AppendTo(b.Records)
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], castagnoli))
	return raw
}

func FuzzReadDisk(f *testing.F) {
	f.Add(append(aBatch(0, 3), aBatch(3, 2)...), int64(1), int64(5))
	f.Add(aBatch(0, 3)[:70], int64(0), int64(3))
	f.Fuzz(func(t *testing.T, data []byte, start, end int64) {
		dir := t.TempDir()
		path := filepath.Join(dir, "partitions", "t-0")
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "0.dat"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		start = max(0, start)
		_ = readDisk(t.Context(), dir, partition{"t", 0}, start, end, func(r *kgo.Record) error {
			if r.Offset < start || r.Offset >= end {
				t.Fatalf("offset %d is not in %d to %d", r.Offset, start, end)
			}
			return nil
		})
	})
}
