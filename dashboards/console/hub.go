package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// errAway says that ClickHouse gives no answer now.
var errAway = errors.New("ClickHouse does not answer")

// question is a query with what a viewer chose. Equal ones are asked once for all who look.
type question struct {
	id                                          string
	period, shop, agent, conversation, category string
	span                                        string
}

// result is the newest answer to a question, ready to be sent. Immutable.
type result struct {
	question question
	// data is {"id", "atUs", "tookMs", "fromUs", "toUs", "stepS", "columns", "rows"}, or {"id", "error"}.
	data []byte
	// sum of what was answered: an equal one changes nothing on the page.
	sum   uint64
	atUS  int64
	fault bool
}

// entry is a question that is looked at, or was lately. The hub's lock guards it.
type entry struct {
	question question
	every    time.Duration
	watchers map[*watch]bool
	last     *result
	queued   bool
	due      time.Time
	left     time.Time
	failing  bool
	// number in the order in which they were first looked at.
	number int
}

// watch is what one viewer looks at. Its channel has room for one.
type watch struct {
	wake  chan struct{}
	fresh map[question]*result // what was not taken yet
	seen  map[question]uint64
}

// hub asks each question that somebody looks at, again and again, and tells all who look.
type hub struct {
	cfg     Config
	answer  func(ctx context.Context, q question) ([]byte, uint64, error)
	log     *slog.Logger
	asked   *prometheus.HistogramVec
	work    chan *entry
	kick    chan struct{}
	mu      sync.Mutex
	entries map[question]*entry
	count   int
}

func newHub(cfg Config, answer func(context.Context, question) ([]byte, uint64, error), logger *slog.Logger) *hub {
	return &hub{cfg: cfg, answer: answer, log: logger, work: make(chan *entry), kick: make(chan struct{}, 1), entries: map[question]*entry{},
		asked: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "feige_console_query_seconds", Help: "How long the console's queries took, by outcome.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 12)}, []string{"outcome"})}
}

// look begins to watch; what is known is there at once. leave must be called.
func (h *hub) look(questions []question, every time.Duration) *watch {
	w := &watch{wake: make(chan struct{}, 1), fresh: map[question]*result{}, seen: map[question]uint64{}}
	now := time.Now()
	h.mu.Lock()
	for _, q := range questions {
		e := h.entries[q]
		if e == nil {
			h.count++
			e = &entry{question: q, every: every, watchers: map[*watch]bool{}, due: now, number: h.count}
			h.entries[q] = e
		}
		if len(e.watchers) == 0 || every < e.every {
			e.every = every
		}
		e.watchers[w] = true
		if e.last != nil {
			w.fresh[q] = e.last
		}
	}
	h.mu.Unlock()
	w.nudge()
	nudge(h.kick)
	return w
}

func (h *hub) leave(w *watch) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.entries {
		if e.watchers[w] {
			delete(e.watchers, w)
			e.left = now
		}
	}
}

// take is what is new since the last call.
func (h *hub) take(w *watch) []*result {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []*result
	for q, r := range w.fresh {
		if sum, ok := w.seen[q]; !ok || sum != r.sum {
			out = append(out, r)
		}
		w.seen[q] = r.sum
	}
	clear(w.fresh)
	return out
}

func (w *watch) nudge() { nudge(w.wake) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// get is one answer, at most as old as given.
func (h *hub) get(ctx context.Context, q question, age time.Duration) (*result, error) {
	w := h.look([]question{q}, age)
	defer h.leave(w)
	oldest := time.Now().Add(-age).UnixMicro()
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return nil, fmt.Errorf("console: %s: %w", q.id, ctx.Err())
		}
		for _, r := range h.take(w) {
			if r.fault {
				return nil, fmt.Errorf("console: %s: %w", q.id, errAway)
			}
			if r.atUS >= oldest {
				return r, nil
			}
		}
	}
}

// run asks until ctx ends.
func (h *hub) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range h.cfg.Queries {
		workers.Go(func() {
			for e := range h.work {
				h.ask(ctx, e)
			}
		})
	}
	defer workers.Wait()
	defer close(h.work)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, e := range h.dueNow() {
			select {
			case h.work <- e:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-tick.C:
		case <-h.kick:
		case <-ctx.Done():
			return
		}
	}
}

// dueNow are the questions to be asked, in the order of the pages, and forgets those that nobody looked at for long.
func (h *hub) dueNow() (due []*entry) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for q, e := range h.entries {
		switch {
		case e.queued:
		case len(e.watchers) == 0:
			if now.Sub(e.left) > h.cfg.Keep {
				delete(h.entries, q)
			}
		case !now.Before(e.due):
			e.queued = true
			due = append(due, e)
		}
	}
	slices.SortFunc(due, func(x, y *entry) int { return x.number - y.number })
	return due
}

func (h *hub) ask(ctx context.Context, e *entry) {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	data, sum, err := h.answer(limited, e.question)
	late := limited.Err() != nil
	cancel()
	r := &result{question: e.question, data: data, sum: sum, atUS: began.UnixMicro()}
	outcome := "answered"
	if err != nil {
		outcome = "failed"
		code := "failed"
		if late {
			code = "slow"
		}
		body, _ := json.Marshal(map[string]string{"id": e.question.id, "error": code}) //nolint:errchkjson // strings
		h1 := fnv.New64a()
		_, _ = h1.Write(body) // it cannot fail
		r.data, r.sum, r.fault = body, h1.Sum64(), true
	}
	h.asked.WithLabelValues(outcome).Observe(time.Since(began).Seconds())
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && !e.failing && ctx.Err() == nil {
		h.log.Warn("console: a figure cannot be read", "query", e.question.id, "error", err)
	}
	e.failing = err != nil
	e.queued = false
	// One that takes long is not asked for all the time.
	e.due = time.Now().Add(max(e.every, 4*time.Since(began)))
	if !r.fault {
		e.last = r // a viewer who comes while it fails sees what was known last
	}
	for w := range e.watchers {
		w.fresh[e.question] = r
		w.nudge()
	}
}
