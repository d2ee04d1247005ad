package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/feigeio/feige/schemas"
)

// tickEveryUS is how far event time advances in a replay before it is told again.
const tickEveryUS = int64(time.Hour / time.Microsecond)

// settle is how long a resumed replay waits before it looks at the log, so that requests that a killed
// run had sent, and the broker not yet stored, are seen.
const settle = 500 * time.Millisecond

// Replay publishes recordings in order of time, with the ticks that replayed time needs, each event
// exactly once: how far an import has come stands on import.checkpoints, and a later run of the same
// content goes on from there, looking into the log for what the checkpoint does not know. A finished import
// publishes nothing when it is run again. One run at a time: a second is noticed and ends with ErrBusy.
//
// Each partition has one request on its way at a time. After an unclear failure the log is read before
// anything is sent again, so that nothing is repeated.
func Replay(ctx context.Context, cfg ReplayConfig, ingest Config, deps ReplayDependencies) (Report, error) {
	if err := errors.Join(cfg.Validate(), ingest.Validate()); err != nil {
		return Report{}, err
	}
	deps.Dependencies = deps.withDefaults()
	if err := deps.validate(); err != nil {
		return Report{}, err
	}
	if deps.Policy == nil {
		return Report{}, errors.New("replay: no policy")
	}
	start := time.Now()
	r := &replay{cfg: cfg, ingest: ingest, deps: deps, start: start, metrics: newMetrics(deps.Registry), run: uuid.NewString()}
	err := r.prepare()
	if err == nil {
		err = r.do(ctx)
	}
	r.report.Elapsed = time.Since(start)
	if err != nil {
		return r.report, fmt.Errorf("replay: %w", err)
	}
	return r.report, nil
}

// replay is one run.
type replay struct {
	cfg     ReplayConfig
	ingest  Config
	deps    ReplayDependencies
	metrics *metrics
	start   time.Time
	run     string

	recs    []*recording
	scans   []scanned
	nowUS   int64
	report  Report
	told    time.Time
	cps     *checkpoints
	state   checkpoint // as of the newest record that is acknowledged
	writer  *replayWriter
	tickSrc string // what tick ids derive from
	// recalled is how many of the next events an earlier run may have written past its last checkpoint. Until
	// they are passed, checkpoints keep the earlier run's offsets.
	recalled int64
}

func (r *replay) prepare() error {
	seen := map[string]bool{}
	for _, path := range r.cfg.Files {
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if seen[abs] {
			return fmt.Errorf("%s is given twice", path)
		}
		seen[abs] = true
		rec, err := newRecording(path, r.cfg.Format, r.cfg.Mapping)
		if err != nil {
			return err
		}
		r.recs = append(r.recs, rec)
	}
	return nil
}

func (r *replay) do(ctx context.Context) error {
	if err := r.check(ctx, r.deps.NowUS()); err != nil {
		return err
	}
	known, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer r.disconnect()
	if known != nil && r.clockMatters(known.NowUS) {
		if err := r.check(ctx, known.NowUS); err != nil {
			return err
		}
	}
	if known != nil && known.Done {
		r.report.AlreadyDone, r.report.Skipped = true, r.report.Events
		r.metrics.rows.WithLabelValues("skipped").Add(float64(r.report.Events))
		r.deps.Logger.Info("recording was replayed before; nothing is published", "import", r.report.Key[:12], "at", known.At)
		return nil
	}
	if err := r.begin(ctx, known); err != nil {
		return err
	}
	stream, closing, err := r.open()
	if err != nil {
		return err
	}
	defer closing()
	return r.publish(ctx, stream)
}

// check is the first pass over all files.
func (r *replay) check(ctx context.Context, nowUS int64) error {
	r.nowUS = nowUS
	rejects := &rejectLog{path: r.cfg.rejectPath()}
	defer rejects.abandon()
	rep := Report{}
	r.scans = nil
	for _, rec := range r.recs {
		s, err := rec.scan(ctx, nowUS, rejects, func(rows int64) {
			r.tell(Progress{Checking: true, Rows: rep.Rows + rows})
		})
		if err != nil {
			return err
		}
		r.scans = append(r.scans, s)
		rep.Files = append(rep.Files, FileReport{Path: rec.path, Rows: s.rows, Events: s.events, Rejects: s.rejects, Sorted: s.sorted})
		rep.Rows, rep.Events, rep.Rejects = rep.Rows+s.rows, rep.Events+s.events, rep.Rejects+s.rejects
		if s.events > 0 {
			if rep.FirstUS == 0 || s.minUS < rep.FirstUS {
				rep.FirstUS = s.minUS
			}
			rep.LastUS = max(rep.LastUS, s.maxUS)
		}
	}
	if err := rejects.close(); err != nil {
		return err
	}
	if rep.Rejects > 0 {
		rep.RejectFile = rejects.path
		r.deps.Logger.Warn("rows were rejected", "rejected", rep.Rejects, "of", rep.Rows, "file", rejects.path)
	}
	if rep.Events > 0 {
		rep.ClosingTickUS = ClosingTickUS(r.deps.Policy, rep.LastUS)
	}
	var err error
	rep.Key, err = importKey(r.recs)
	r.report, r.tickSrc = rep, rep.Key
	return err
}

// clockMatters tells whether the rows would be judged differently by the clock of the first run.
func (r *replay) clockMatters(firstUS int64) bool {
	for _, s := range r.scans {
		if s.future > 0 || s.events > 0 && s.maxUS > firstUS+MaxSkew.Microseconds() {
			return true
		}
	}
	return false
}

func (r *replay) connect(ctx context.Context) (*checkpoint, error) {
	ns, b := r.deps.Namespace, r.deps.Broker
	tail, err := newTailReader(b)
	if err != nil {
		return nil, err
	}
	events, err := newWire(b, ns.Topic(schemas.TopicEvents))
	if err == nil {
		var cw *wire
		cw, err = newWire(b, ns.Topic(TopicCheckpoints))
		r.cps = &checkpoints{wire: cw, tail: tail, topic: ns.Topic(TopicCheckpoints), key: r.report.Key, cfg: r.ingest, patience: r.cfg.Patience}
	}
	if err != nil {
		tail.close()
		return nil, err
	}
	r.writer = &replayWriter{wire: events, tail: tail, cfg: r.ingest, patience: r.cfg.Patience, metrics: r.metrics}
	known, err := r.look(ctx)
	if err != nil {
		r.disconnect()
	}
	return known, err
}

func (r *replay) look(ctx context.Context) (*checkpoint, error) {
	expiry := time.Now().Add(r.ingest.Timeout)
	if err := r.writer.wire.check(ctx, r.deps.Broker.Partitions, r.ingest.RetryBackoff, expiry); err != nil {
		return nil, err
	}
	if err := r.cps.wire.check(ctx, 1, r.ingest.RetryBackoff, expiry); err != nil {
		return nil, err
	}
	return r.cps.load(ctx)
}

func (r *replay) disconnect() {
	r.writer.wire.close()
	r.cps.wire.close()
	r.cps.tail.close()
}

// begin takes up the known checkpoint, or writes the first one.
func (r *replay) begin(ctx context.Context, known *checkpoint) error {
	b := r.deps.Broker
	if known == nil {
		_, ends, err := r.cps.tail.bounds(ctx, r.writer.wire.topic, b.Partitions)
		if err != nil {
			return err
		}
		r.state = checkpoint{Format: 1, NowUS: r.nowUS, Ends: ends, Files: r.cfg.Files, Run: r.run, Window: 2 * r.cfg.BatchEvents}
		r.writer.ends = ends
		return r.save(ctx, false)
	}
	r.report.Resumed = true
	if !pause(ctx, settle) {
		return ctx.Err()
	}
	starts, ends, err := r.cps.tail.bounds(ctx, r.writer.wire.topic, b.Partitions)
	if err != nil {
		return err
	}
	if len(known.Ends) != len(ends) {
		return fmt.Errorf("%w: %s had %d when the import began, and has %d", ErrPartitions, r.writer.wire.topic, len(known.Ends), len(ends))
	}
	for p := range ends {
		if known.Ends[p] > ends[p] {
			return fmt.Errorf("%s/%d ends at offset %d, but the import had come to %d: the topic was emptied; use another namespace",
				r.writer.wire.topic, p, ends[p], known.Ends[p])
		}
		starts[p] = max(starts[p], known.Ends[p])
	}
	r.state = *known
	r.state.Run, r.state.Files = r.run, r.cfg.Files
	r.writer.ends = ends
	r.writer.from, r.writer.to = starts, ends
	r.writer.window = known.Window
	r.deps.Logger.Info("replay goes on where it stopped", "import", r.report.Key[:12], "events", known.Events, "of", r.report.Events)
	return nil
}

// save writes where the replay is.
func (r *replay) save(ctx context.Context, done bool) error {
	cp := r.state
	cp.Done, cp.At = done, time.Now().UTC()
	// A resumed run may have begun with another batch size.
	cp.Window = max(cp.Window, 2*r.cfg.BatchEvents)
	if err := r.cps.save(ctx, &cp); err != nil {
		return err
	}
	r.metrics.published.WithLabelValues("checkpoint").Inc()
	return nil
}

// open gives the events of all files in order of time.
func (r *replay) open() (itemStream, func(), error) {
	dir := ""
	var streams []itemStream
	cleanup := func() {
		for _, s := range streams {
			_ = s.Close()
		}
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	for i, rec := range r.recs {
		fs, err := rec.stream(r.nowUS)
		if err != nil {
			cleanup()
			return nil, nil, err
		}
		var s itemStream = fs
		if !r.scans[i].sorted {
			if dir == "" {
				if dir, err = os.MkdirTemp(r.cfg.TempDir, "feige-sort-"); err != nil {
					_ = fs.Close()
					cleanup()
					return nil, nil, fmt.Errorf("sort recording: %w", err)
				}
			}
			if s, err = sortStream(fs, dir, r.cfg.SortBytes); err != nil {
				cleanup()
				return nil, nil, err
			}
		}
		streams = append(streams, s)
	}
	m, err := merge(streams)
	if err != nil {
		cleanup()
		return nil, nil, err
	}
	return m, cleanup, nil
}

func (r *replay) tell(p Progress) {
	final := p.Events > 0 && p.Done == p.Events
	if r.cfg.Progress == nil || !final && time.Since(r.told) < 100*time.Millisecond {
		return
	}
	r.told = time.Now()
	p.Elapsed = time.Since(r.start)
	r.cfg.Progress(p)
}
