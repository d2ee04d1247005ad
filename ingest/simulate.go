package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/feigeio/feige/ingest/traffic"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// SimulateConfig says what traffic is made up, and where it goes.
type SimulateConfig struct {
	// Seed: the same seed gives the same traffic.
	Seed uint64 `yaml:"seed"`
	// Shops (1 to 1000000), of very unequal size.
	Shops int `yaml:"shops"`
	// Rate is the mean number of events a second (0.001 to 1000000).
	Rate float64 `yaml:"rate"`
	// Curve lets the rate rise and fall with the hours of the day in Asia/Shanghai, and agents work in
	// shifts. Without it the rate is the same at any hour.
	Curve bool `yaml:"curve"`
	// From and To, both set: that stretch of the past, as fast as possible. Neither: live, by the wall
	// clock, until stopped.
	From time.Time `yaml:"from"`
	To   time.Time `yaml:"to"`
	// File, if set, takes the events as JSON lines (gzip by .gz) in place of Kafka; history only.
	File string `yaml:"file"`
}

// DefaultSimulateConfig is a little live traffic.
func DefaultSimulateConfig() SimulateConfig {
	return SimulateConfig{Seed: 1, Shops: 50, Rate: 20}
}

// Validate names the first bad key and its value.
func (c SimulateConfig) Validate() error {
	if c.From.IsZero() != c.To.IsZero() {
		return errors.New("simulate.from, simulate.to: give both or neither")
	}
	if c.File != "" && c.live() {
		return errors.New("simulate.file: only with simulate.from and simulate.to")
	}
	if err := c.traffic(time.Unix(0, 0)).Validate(); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
}

func (c SimulateConfig) live() bool { return c.From.IsZero() }

// warmUp is how long live traffic has run when it begins to be published: about as long as conversations
// last, so that the rate is right from the start.
const warmUp = 30 * time.Minute

func (c SimulateConfig) traffic(now time.Time) traffic.Config {
	t := traffic.Config{Seed: c.Seed, Shops: c.Shops, Rate: c.Rate, Flat: !c.Curve}
	if c.live() {
		t.FromUS, t.WarmUpUS = now.UnixMicro(), warmUp.Microseconds()
	} else {
		t.FromUS, t.ToUS = c.From.UnixMicro(), c.To.UnixMicro()
	}
	return t
}

// SimulateReport is what was made.
type SimulateReport struct {
	Events, Ticks   int64
	FirstUS, LastUS int64
}

// Simulate makes up traffic and publishes it. Live, it ends well when ctx does; while Kafka is away it
// waits, and then catches up; ticks are the Clock's. A stretch of the past brings the ticks that replayed
// time needs, and a closing tick. Unlike a replay it keeps no checkpoint: to have a stretch exactly once
// whatever happens, write it to a file and replay that.
func Simulate(ctx context.Context, cfg SimulateConfig, ingest Config, deps ReplayDependencies) (SimulateReport, error) {
	if err := cfg.Validate(); err != nil {
		return SimulateReport{}, err
	}
	deps.Dependencies = deps.withDefaults()
	s := &simulation{cfg: cfg, deps: deps}
	var err error
	if cfg.File != "" {
		err = s.toFile(ctx)
	} else {
		err = s.toKafka(ctx, ingest)
	}
	if err != nil {
		return s.report, fmt.Errorf("simulate: %w", err)
	}
	return s.report, nil
}

type simulation struct {
	cfg     SimulateConfig
	deps    ReplayDependencies
	report  SimulateReport
	pub     *Publisher
	pending []*chatv1.ChatEvent
	tickUS  int64
	away    bool
}

// simulateBatch is how many events of the past are published together, liveBatch how many live ones: few
// enough that a batch that is published again does not repeat too much of one conversation.
const (
	simulateBatch = 4096
	liveBatch     = 512
)

func (s *simulation) toKafka(ctx context.Context, ingest Config) error {
	if s.deps.Policy == nil && !s.cfg.live() {
		return errors.New("no policy")
	}
	pub, err := NewPublisher(ingest, s.deps.Dependencies)
	if err != nil {
		return err
	}
	defer pub.Close()
	s.pub = pub
	now := time.UnixMicro(s.deps.NowUS())
	if s.cfg.live() {
		err = traffic.Generate(s.cfg.traffic(now), func(ev *chatv1.ChatEvent) error { return s.pace(ctx, ev) })
		if ctx.Err() != nil {
			return nil // told to stop
		}
		return err
	}
	err = traffic.Generate(s.cfg.traffic(now), func(ev *chatv1.ChatEvent) error { return s.past(ctx, ev) })
	if err == nil {
		err = s.flush(ctx)
	}
	if err != nil || s.report.Events == 0 {
		return err
	}
	return s.tick(ctx, ClosingTickUS(s.deps.Policy, s.report.LastUS))
}

// past gathers events of the past.
func (s *simulation) past(ctx context.Context, ev *chatv1.ChatEvent) error {
	if tickDue(s.tickUS, ev.OccurredAtUs) {
		if err := s.flush(ctx); err != nil {
			return err
		}
		if err := s.tick(ctx, ev.OccurredAtUs); err != nil {
			return err
		}
	}
	s.pending = append(s.pending, ev)
	if len(s.pending) >= simulateBatch {
		return s.flush(ctx)
	}
	return nil
}

// pace gathers live events that are due, and waits for the next.
func (s *simulation) pace(ctx context.Context, ev *chatv1.ChatEvent) error {
	wait := time.Duration(ev.OccurredAtUs-s.deps.NowUS()) * time.Microsecond
	if wait > 0 || len(s.pending) >= liveBatch {
		if err := s.flush(ctx); err != nil {
			return err
		}
		// Flushing took time: what is left of the wait.
		wait = time.Duration(ev.OccurredAtUs-s.deps.NowUS()) * time.Microsecond
		if wait > 0 && !pause(ctx, wait) {
			return ctx.Err()
		}
	}
	s.pending = append(s.pending, ev)
	return nil
}

func (s *simulation) tick(ctx context.Context, atUS int64) error {
	s.tickUS = atUS
	if err := s.patiently(ctx, func() error { return s.pub.PublishTick(ctx, atUS) }); err != nil {
		return err
	}
	s.report.Ticks++
	return nil
}

func (s *simulation) flush(ctx context.Context) error {
	if len(s.pending) == 0 {
		return nil
	}
	if err := s.patiently(ctx, func() error { return s.pub.Publish(ctx, s.pending...) }); err != nil {
		return err
	}
	if s.report.Events == 0 {
		s.report.FirstUS = s.pending[0].OccurredAtUs
	}
	s.report.Events += int64(len(s.pending))
	s.report.LastUS = s.pending[len(s.pending)-1].OccurredAtUs
	clear(s.pending)
	s.pending = s.pending[:0]
	return nil
}

// patiently tries on while Kafka is away, live; the ids of the events make repeats harmless.
func (s *simulation) patiently(ctx context.Context, publish func() error) error {
	for {
		err := publish()
		var pe *PublishError
		if err == nil && s.away {
			s.away = false
			s.deps.Logger.Info("simulated traffic goes on")
		}
		if err == nil || !s.cfg.live() || !errors.As(err, &pe) || !pe.Retryable() || ctx.Err() != nil {
			return err
		}
		if !s.away {
			s.away = true
			s.deps.Logger.Warn("simulated traffic stands still; trying on", "error", err)
		}
		pause(ctx, time.Second)
	}
}

func (s *simulation) toFile(ctx context.Context) error {
	f, err := os.Create(s.cfg.File)
	if err != nil {
		return err
	}
	defer f.Close()
	var out io.Writer = f
	var zip *gzip.Writer
	if strings.HasSuffix(strings.ToLower(s.cfg.File), ".gz") {
		zip = gzip.NewWriter(f)
		out = zip
	}
	w := bufio.NewWriterSize(out, 256<<10)
	err = traffic.Generate(s.cfg.traffic(time.Time{}), func(ev *chatv1.ChatEvent) error {
		if s.report.Events == 0 {
			s.report.FirstUS = ev.OccurredAtUs
		}
		s.report.LastUS = ev.OccurredAtUs
		if s.report.Events++; s.report.Events%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return WriteJSONL(w, ev)
	})
	if err == nil {
		err = w.Flush()
	}
	if err == nil && zip != nil {
		err = zip.Close()
	}
	if err == nil {
		err = f.Close()
	}
	return err
}

// WriteJSONL writes an event as a line of JSON that an import of JSON lines takes back.
func WriteJSONL(w io.Writer, ev *chatv1.ChatEvent) error {
	loose, err := protojson.Marshal(ev)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", ev.EventId, err)
	}
	// The encoder varies its spaces from build to build.
	var line bytes.Buffer
	if err := json.Compact(&line, loose); err != nil {
		return fmt.Errorf("encode event %s: %w", ev.EventId, err)
	}
	line.WriteByte('\n')
	_, err = w.Write(line.Bytes())
	return err
}
