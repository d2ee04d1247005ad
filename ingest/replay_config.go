package ingest

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/feigeio/feige/internal/policy"
)

// ReplayConfig says what is replayed and how.
type ReplayConfig struct {
	// Files are recordings; several are merged by time, equal times in the order of the files.
	Files []string `yaml:"files"`
	// Format of all files: csv, jsonl, or empty: by name.
	Format Format `yaml:"format"`
	// Mapping of CSV columns.
	Mapping Mapping `yaml:"mapping"`
	// Speed: 0 as fast as possible, 1 real time, n that many times as fast (0 to 1000000).
	Speed float64 `yaml:"speed"`
	// RejectFile takes the rows that are not acceptable, as JSON lines; empty:
	// rejects/<first file>.rejects.jsonl; "-": none, they are only counted.
	RejectFile string `yaml:"reject_file"`
	// TempDir is for sorting a recording that is not in order of time; empty: the system's.
	TempDir string `yaml:"temp_dir"`
	// SortBytes is the memory that sorting may take, bytes (1048576 to 4294967296).
	SortBytes int `yaml:"sort_bytes"`
	// BatchEvents is how many events are written between two checkpoints (1 to 65536).
	BatchEvents int `yaml:"batch_events"`
	// Patience is how long a batch is tried while Kafka is away (100ms to 24h).
	Patience time.Duration `yaml:"patience"`
	// Progress, if set, hears how far the replay is, from one goroutine, at most some times a second.
	Progress func(Progress) `yaml:"-" json:"-"`
}

// DefaultReplayConfig replays at full speed.
func DefaultReplayConfig() ReplayConfig {
	return ReplayConfig{SortBytes: 64 << 20, BatchEvents: 8192, Patience: 2 * time.Minute}
}

// Validate names the first bad key and its value.
func (c ReplayConfig) Validate() error {
	switch {
	case len(c.Files) == 0:
		return errors.New("replay.files: no file is given")
	case math.IsNaN(c.Speed) || c.Speed < 0 || c.Speed > 1e6:
		return fmt.Errorf("replay.speed: %v is not between 0 and 1000000", c.Speed)
	case c.SortBytes < 1<<20 || c.SortBytes > 1<<32:
		return fmt.Errorf("replay.sort_bytes: %d is not between 1048576 and 4294967296", c.SortBytes)
	case c.BatchEvents < 1 || c.BatchEvents > 1<<16:
		return fmt.Errorf("replay.batch_events: %d is not between 1 and 65536", c.BatchEvents)
	case c.Patience < 100*time.Millisecond || c.Patience > 24*time.Hour:
		return fmt.Errorf("replay.patience: %v is not between 100ms and 24h", c.Patience)
	}
	return nil
}

func (c ReplayConfig) rejectPath() string {
	switch c.RejectFile {
	case "-":
		return ""
	case "":
		return filepath.Join("rejects", filepath.Base(c.Files[0])+".rejects.jsonl")
	}
	return c.RejectFile
}

// ReplayDependencies are Dependencies and the policy, whose periods say when the closing tick is due.
type ReplayDependencies struct {
	Dependencies
	Policy *policy.Set
}

// Progress is how far a replay is.
type Progress struct {
	// Checking is true during the first pass, in which rows are counted and checked: Events is 0 then.
	Checking bool
	// Rows read in the first pass; Events to be published, and those done.
	Rows, Events, Done int64
	// EventTimeUS is the time of the newest event published.
	EventTimeUS int64
	Elapsed     time.Duration
}

// Report is what became of a replay. Rows = Events + Rejects. When it ended well, Events = Published +
// Skipped.
type Report struct {
	Files []FileReport
	// Key is the digest that the import is known by.
	Key string
	// Rows of all files; those that are events; those that were rejected.
	Rows, Events, Rejects int64
	// Published by this run; Skipped: were in the log already.
	Published, Skipped int64
	// Ticks published by this run, one counted for all partitions.
	Ticks int64
	// AlreadyDone: an earlier run had published everything, this one published nothing.
	AlreadyDone bool
	// Resumed: an earlier run had begun.
	Resumed bool
	// Times of the oldest and newest event, and of the closing tick; 0 without events.
	FirstUS, LastUS, ClosingTickUS int64
	// RejectFile is where the rejects are; empty without any.
	RejectFile string
	Elapsed    time.Duration
}

// FileReport is the part of one file.
type FileReport struct {
	Path                  string
	Rows, Events, Rejects int64
	// Sorted: the file was in order of time.
	Sorted bool
}

// ClosingTickUS is the time at which everything that events up to newestUS belong to is closed: the end
// of their half-month plus the lateness that the policy allows.
func ClosingTickUS(p *policy.Set, newestUS int64) int64 {
	period := p.Calendar().HalfMonth(newestUS)
	return period.End + p.At(period.Start).Assessment.LatenessUS()
}
