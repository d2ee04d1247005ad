package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ErrBusy says that another process replays the same recording into the same namespace.
var ErrBusy = errors.New("the same recording is being replayed by another process")

// checkpoint is how far one import has come: every record of it up to here is acknowledged, and of what
// follows at most the next Window events (and their ticks) may be in the log.
type checkpoint struct {
	Format int `json:"format"` // 1
	// NowUS is the clock that rows were checked against; it stays that of the first run.
	NowUS  int64 `json:"now_us"`
	Events int64 `json:"events"`
	// Ticks that were published, one counted for all partitions, and the time of the newest.
	Ticks      int64 `json:"ticks"`
	LastTickUS int64 `json:"last_tick_us"`
	Window     int   `json:"window"`
	// Ends are offsets of chat.events, by partition: what may be in the log of what follows is at or
	// past them.
	Ends []int64 `json:"ends"`
	Done bool    `json:"done"`
	// Files and Run are for people.
	Files []string  `json:"files"`
	Run   string    `json:"run"`
	At    time.Time `json:"at"`
}

// importKey is what an import is known by: the content of its files, in order, and how they are read.
// Names and compression do not count.
func importKey(recs []*recording) (string, error) {
	h := sha256.New()
	for _, r := range recs {
		var m Mapping
		var delim byte
		if r.mapping != nil {
			m, delim = r.mapping.Mapping, r.mapping.delimiter
			m.Delimiter = "" // told by delim
		}
		b, err := json.Marshal(struct {
			Digest, Format string
			Delimiter      byte
			Mapping        Mapping
		}{r.digest, string(r.format), delim, m})
		if err != nil {
			return "", fmt.Errorf("digest of the import: %w", err)
		}
		h.Write(append(b, '\n'))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// checkpoints is one import's place on the topic import.checkpoints.
type checkpoints struct {
	wire     *wire
	tail     *tailReader
	topic    string
	key      string
	cfg      Config
	next     int64 // the offset up to which the topic is known to hold no other writer's checkpoint of key
	patience time.Duration
}

// load reads the topic and returns the newest checkpoint of the key, or nil.
func (c *checkpoints) load(ctx context.Context) (*checkpoint, error) {
	starts, ends, err := c.tail.bounds(ctx, c.topic, 1)
	if err != nil {
		return nil, err
	}
	var newest []byte
	err = c.tail.read(ctx, c.topic, starts, ends, func(r *kgo.Record) {
		if string(r.Key) == c.key {
			newest = r.Value
		}
	})
	if err != nil {
		return nil, err
	}
	c.next = ends[0]
	if newest == nil {
		return nil, nil
	}
	cp := &checkpoint{}
	if err := json.Unmarshal(newest, cp); err != nil {
		return nil, fmt.Errorf("checkpoint of import %.12s in %s: %w", c.key, c.topic, err)
	}
	if cp.Format != 1 {
		return nil, fmt.Errorf("checkpoint of import %.12s in %s: format %d is of a newer version", c.key, c.topic, cp.Format)
	}
	return cp, nil
}

// save writes a checkpoint and returns when it is acknowledged. Saving twice is harmless, so unclear
// failures are simply tried again.
func (c *checkpoints) save(ctx context.Context, cp *checkpoint) error {
	value, err := json.Marshal(cp)
	if err != nil {
		return fmt.Errorf("encode checkpoint: %w", err)
	}
	recs := []record{{key: []byte(c.key), value: value}}
	expiry := time.Now().Add(c.patience)
	for attempt := 1; ; attempt++ {
		try, cancel := context.WithTimeout(ctx, c.cfg.AttemptTimeout)
		base, err := c.wire.produce(try, 0, recs, cp.At)
		cancel()
		if err == nil {
			return c.alone(ctx, base, cp.Run)
		}
		f := classify(err)
		if !f.retry || time.Now().After(expiry) || !pause(ctx, backoff(c.cfg.RetryBackoff, attempt)) {
			return &PublishError{Topic: c.topic, Partition: 0, Kind: f.kind, Cause: err}
		}
	}
}

// alone makes sure that nobody else wrote checkpoints of the same import since the last look.
func (c *checkpoints) alone(ctx context.Context, offset int64, run string) error {
	from := c.next
	c.next = offset + 1
	if offset == from {
		return nil
	}
	var other error
	err := c.tail.read(ctx, c.topic, []int64{from}, []int64{offset}, func(r *kgo.Record) {
		cp := checkpoint{}
		if string(r.Key) == c.key && json.Unmarshal(r.Value, &cp) == nil && cp.Run != run {
			other = fmt.Errorf("%w (run %s at %s)", ErrBusy, cp.Run, cp.At.Format(time.RFC3339))
		}
	})
	return errors.Join(err, other)
}
