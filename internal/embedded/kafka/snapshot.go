package kafka

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// snapshot is the broker's summary of a partition (version 1 of its format). With one that fits the files,
// the partition is opened segment by segment; without, all of it is read into memory first.
type snapshot struct {
	Version          int               `json:"version"`
	HighWatermark    int64             `json:"high_watermark"`
	LastStableOffset int64             `json:"last_stable_offset"`
	LogStartOffset   int64             `json:"log_start_offset"`
	Epoch            int32             `json:"epoch"`
	LeaderNode       int32             `json:"leader_node,omitempty"`
	MaxTimestamp     int64             `json:"max_timestamp"`
	CreatedAt        time.Time         `json:"created_at"`
	AbortedTxns      []json.RawMessage `json:"aborted_txns,omitempty"`
	Segments         []snapshotSegment `json:"segments"`
}

type snapshotSegment struct {
	BaseOffset int64 `json:"base_offset"`
	Size       int64 `json:"size"`
	MinEpoch   int32 `json:"min_epoch,omitempty"`
	MaxEpoch   int32 `json:"max_epoch,omitempty"`
}

// errLeave says that a partition is better left to the broker's own, slower, opening.
var errLeave = errors.New("left to the broker")

// renewSnapshots writes the snapshots of partitions that changed after the last clean stop.
func renewSnapshots(dir string, log *slog.Logger) error {
	partitions, err := os.ReadDir(filepath.Join(dir, "partitions"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range partitions {
		path := filepath.Join(dir, "partitions", p.Name())
		if err := renewSnapshot(path, log); err != nil && !errors.Is(err, errLeave) {
			return fmt.Errorf("partition %s: %w", p.Name(), err)
		}
	}
	return nil
}

func renewSnapshot(dir string, log *slog.Logger) error {
	segments, err := listSegments(dir)
	if err != nil || len(segments) == 0 {
		return err
	}
	var old snapshot
	raw, err := os.ReadFile(filepath.Join(dir, "snapshot.json"))
	if err == nil && json.Unmarshal(raw, &old) == nil {
		if old.Version != 1 || len(old.AbortedTxns) > 0 {
			return errLeave
		}
		if slices.EqualFunc(old.Segments, segments, func(a, b snapshotSegment) bool {
			return a.BaseOffset == b.BaseOffset && a.Size == b.Size
		}) {
			return nil
		}
	}
	s := snapshot{Version: 1, CreatedAt: time.Now(), MaxTimestamp: -1}
	first := int64(-1)
	for i := range segments {
		last := i == len(segments)-1
		whole, err := eachBatch(segmentPath(dir, segments[i].BaseOffset), last, func(b batch) error {
			if b.transactional {
				return errLeave
			}
			if first < 0 {
				first = b.offset
			}
			s.HighWatermark = b.next
			s.Epoch = b.epoch
			s.MaxTimestamp = max(s.MaxTimestamp, b.maxTimestamp)
			return nil
		})
		if err != nil {
			return err
		}
		if whole == segments[i].Size {
			continue
		}
		if !last {
			return errLeave
		}
		log.Warn("embedded kafka: half-written batch cut off after a crash", "partition", filepath.Base(dir), "bytes", segments[i].Size-whole)
		if err := os.Truncate(segmentPath(dir, segments[i].BaseOffset), whole); err != nil {
			return err
		}
		segments[i].Size = whole
	}
	if segments[len(segments)-1].Size == 0 || first < 0 {
		return errLeave
	}
	s.LastStableOffset = s.HighWatermark
	s.LogStartOffset = first
	if old.LogStartOffset < s.HighWatermark {
		s.LogStartOffset = max(first, old.LogStartOffset) // it only ever advances
	}
	s.Segments = segments
	if raw, err = json.Marshal(s); err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, "snapshot.json"), raw)
}

func segmentPath(dir string, base int64) string {
	return filepath.Join(dir, strconv.FormatInt(base, 10)+".dat")
}

func listSegments(dir string) ([]snapshotSegment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segments []snapshotSegment
	for _, f := range files {
		name, found := strings.CutSuffix(f.Name(), ".dat")
		base, err := strconv.ParseInt(name, 10, 64)
		if !found || err != nil {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		segments = append(segments, snapshotSegment{BaseOffset: base, Size: info.Size()})
	}
	slices.SortFunc(segments, func(a, b snapshotSegment) int { return int(a.BaseOffset - b.BaseOffset) })
	return segments, nil
}

// batch is what the header of a record batch says.
type batch struct {
	offset, next  int64
	epoch         int32
	maxTimestamp  int64
	transactional bool // or a control batch
}

// batchHeader is the length of a version 2 record batch up to its records.
const batchHeader = 61

// eachBatch walks the whole batches of a segment and returns where they end. With check it reads their
// records too and stops before the first whose checksum is wrong.
func eachBatch(path string, check bool, each func(batch) error) (whole int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var header [batchHeader]byte
	var body []byte
	for {
		if _, err := f.ReadAt(header[:], whole); err == io.EOF || err == io.ErrUnexpectedEOF {
			return whole, nil
		} else if err != nil {
			return whole, err
		}
		be := binary.BigEndian
		size := int64(int32(be.Uint32(header[8:]))) + 12
		if size < batchHeader || size > info.Size()-whole || header[16] != 2 {
			return whole, nil
		}
		if check {
			body = slices.Grow(body[:0], int(size))[:size]
			if _, err := f.ReadAt(body, whole); err != nil {
				return whole, err
			}
			if crc32.Checksum(body[21:], castagnoli) != be.Uint32(header[17:]) {
				return whole, nil
			}
		}
		offset := int64(be.Uint64(header[0:]))
		err := each(batch{
			offset:        offset,
			next:          offset + int64(int32(be.Uint32(header[23:]))) + 1,
			epoch:         int32(be.Uint32(header[12:])),
			maxTimestamp:  int64(be.Uint64(header[35:])),
			transactional: be.Uint16(header[21:])&0x30 != 0,
		})
		if err != nil {
			return whole, err
		}
		whole += size
	}
}
