package kafka

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// read passes the records from start up to end (exclusive) to each, in order. A record's memory is each's
// only until it returns.
func (k *keeper) read(ctx context.Context, p partition, start, end int64, each func(*kgo.Record) error) error {
	switch {
	case start >= end:
		return nil
	case k.dir != "":
		return readDisk(ctx, k.dir, p, start, end, each)
	}
	return k.fetch(ctx, p, start, end, each)
}

// fetch reads as a client does.
func (k *keeper) fetch(ctx context.Context, p partition, start, end int64, each func(*kgo.Record) error) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(k.addr),
		kgo.ClientID("feige-housekeeping"),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: {p.number: kgo.NewOffset().At(start)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.KeepControlRecords(),
		kgo.FetchMaxBytes(4<<20),
		kgo.FetchMaxPartitionBytes(4<<20),
	)
	if err != nil {
		return fmt.Errorf("reading client: %w", err)
	}
	defer client.Close()
	for {
		fetches := client.PollFetches(ctx)
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read from offset %d: %w", start, err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if r.Offset >= end {
				return nil
			}
			start = r.Offset + 1
			if r.Attrs.IsControl() {
				continue
			}
			if err := each(r); err != nil {
				return err
			}
		}
		if start >= end {
			return nil
		}
	}
}

// readDisk reads the segment files beside the broker, which handles one request after the other and has
// better things to do. Everything below an end offset that the broker has told is in the files whole, and
// nobody but housekeeping deletes files.
func readDisk(ctx context.Context, dir string, p partition, start, end int64, each func(*kgo.Record) error) error {
	dir = filepath.Join(dir, "partitions", p.topic+"-"+strconv.Itoa(int(p.number)))
	segments, err := listSegments(dir)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	i, exact := slices.BinarySearchFunc(segments, start, func(s snapshotSegment, at int64) int { return int(s.BaseOffset - at) })
	if !exact {
		i-- // the segment before the first that lies beyond
	}
	r := diskReader{
		next: start, end: end, each: each,
		opts: kgo.ProcessFetchPartitionOpts{Topic: p.topic, Partition: p.number, Offset: start},
		into: kgo.DefaultDecompressor(),
	}
	for ; i >= 0 && i < len(segments) && r.next < end; i++ {
		if err := r.segment(ctx, segmentPath(dir, segments[i].BaseOffset)); err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
	if r.next < end {
		return fmt.Errorf("read: the files in %s end at offset %d, not at %d", dir, r.next, end)
	}
	return nil
}

type diskReader struct {
	next, end int64 // offsets still to read
	each      func(*kgo.Record) error
	opts      kgo.ProcessFetchPartitionOpts
	into      kgo.Decompressor
	batches   []byte
}

// diskChunk is about how many bytes of batches are decoded at a time.
const diskChunk = 256 << 10

func (d *diskReader) segment(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, diskChunk)
	for d.next < d.end {
		header, err := in.Peek(batchHeader)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		size := int(int32(binary.BigEndian.Uint32(header[8:]))) + 12
		first := int64(binary.BigEndian.Uint64(header))
		next := first + int64(int32(binary.BigEndian.Uint32(header[23:]))) + 1
		if size < batchHeader || size > maxRequestBytes || next <= first {
			return fmt.Errorf("%s: no batch where offset %d should be", path, d.next)
		}
		if next <= d.next { // below the start
			if _, err := in.Discard(size); err != nil {
				return err
			}
			continue
		}
		if first > d.next {
			return fmt.Errorf("%s: offset %d is missing", path, d.next)
		}
		n := len(d.batches)
		d.batches = slices.Grow(d.batches, size)[:n+size]
		if _, err := io.ReadFull(in, d.batches[n:]); err != nil {
			return fmt.Errorf("%s: batch at offset %d: %w", path, first, err)
		}
		d.next = next
		if len(d.batches) >= diskChunk {
			if err := d.decode(ctx); err != nil {
				return err
			}
		}
	}
	return d.decode(ctx)
}

func (d *diskReader) decode(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil || len(d.batches) == 0 {
		return err
	}
	part := kmsg.NewFetchResponseTopicPartition()
	part.Partition = d.opts.Partition
	part.RecordBatches = d.batches
	records, _ := kgo.ProcessFetchPartition(d.opts, &part, d.into, nil)
	if records.Err != nil {
		return fmt.Errorf("batches before offset %d: %w", d.next, records.Err)
	}
	for _, r := range records.Records {
		if r.Offset >= d.end {
			break
		}
		if err := d.each(r); err != nil {
			return err
		}
	}
	d.batches = d.batches[:0]
	return nil
}
