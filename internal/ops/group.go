package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// DefaultStopTimeout bounds how long a Group waits for all its services to stop.
const DefaultStopTimeout = 10 * time.Second

// Service is something that runs until its context ends.
type Service struct {
	// Name is for logs and errors.
	Name string
	// Run returns nil after its context ended and everything it held is put down, or an error when it
	// cannot go on. A return before the context ends, with or without error, stops the group.
	Run func(ctx context.Context) error
	// Ready, if set, is asked until it returns nil before the next tier starts. It must honour its context.
	Ready func(ctx context.Context) error
}

// Group starts tiers of services in order and stops them in reverse. The services of one tier start and
// stop together.
type Group struct {
	logger  *slog.Logger
	timeout time.Duration
	tiers   [][]Service
}

// NewGroup waits at most stopTimeout for all services together to stop.
func NewGroup(logger *slog.Logger, stopTimeout time.Duration) *Group {
	return &Group{logger: logger, timeout: stopTimeout}
}

// Add appends one tier. It must not be called after Run.
func (g *Group) Add(services ...Service) { g.tiers = append(g.tiers, services) }

// ServiceError is the failure of one service.
type ServiceError struct {
	Service string
	Err     error
}

func (e *ServiceError) Error() string { return e.Service + ": " + e.Err.Error() }
func (e *ServiceError) Unwrap() error { return e.Err }

var (
	errEndedEarly = errors.New("ended by itself")
	// ErrStopTimeout is returned when services did not stop in time.
	ErrStopTimeout = errors.New("did not stop in time")
)

type ending struct {
	service string
	err     error
}

// tier is the running part of one tier.
type tier struct {
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	left   map[string]struct{}
}

func (t *tier) running() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for name := range t.left {
		names = append(names, name)
	}
	return names
}

// Run blocks until ctx ends (then nil, once everything has stopped), or a service fails: then the others
// are stopped and the first failure is returned as a *ServiceError.
func (g *Group) Run(ctx context.Context) error {
	count := 0
	for _, services := range g.tiers {
		count += len(services)
	}
	endings := make(chan ending, count)
	var started []*tier
	failure := func() error {
		for _, services := range g.tiers {
			t := g.start(ctx, services, endings)
			started = append(started, t)
			if err := g.awaitReady(ctx, services, endings); err != nil || ctx.Err() != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case e := <-endings:
			return early(ctx, e)
		}
	}()
	return g.stop(started, endings, failure)
}

func (g *Group) start(ctx context.Context, services []Service, endings chan<- ending) *tier {
	// The group ends each tier itself, in reverse order: the context of the caller must not end all at once.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &tier{cancel: cancel, done: make(chan struct{}), left: map[string]struct{}{}}
	var wait sync.WaitGroup
	for _, s := range services {
		t.left[s.Name] = struct{}{}
	}
	for _, s := range services {
		g.logger.Debug("service starts", "service", s.Name)
		wait.Go(func() {
			err := s.Run(own)
			t.mu.Lock()
			delete(t.left, s.Name)
			t.mu.Unlock()
			if err == nil && own.Err() == nil {
				err = errEndedEarly
			}
			if own.Err() != nil && errors.Is(err, context.Canceled) {
				err = nil
			}
			endings <- ending{service: s.Name, err: err}
		})
	}
	go func() { wait.Wait(); close(t.done) }()
	return t
}

// awaitReady asks each service of a tier until it is ready, the context ends, or something fails.
func (g *Group) awaitReady(ctx context.Context, services []Service, endings <-chan ending) error {
	const pause = 20 * time.Millisecond
	for _, s := range services {
		for s.Ready != nil && s.Ready(ctx) != nil {
			select {
			case <-ctx.Done():
				return nil
			case e := <-endings:
				return early(ctx, e)
			case <-time.After(pause):
			}
		}
		g.logger.Debug("service is ready", "service", s.Name)
	}
	return nil
}

func early(ctx context.Context, e ending) error {
	if ctx.Err() != nil && e.err == nil {
		return nil
	}
	return &ServiceError{Service: e.service, Err: e.err}
}

func (g *Group) stop(started []*tier, endings <-chan ending, failure error) error {
	deadline := time.NewTimer(g.timeout)
	defer deadline.Stop()
	for i := len(started) - 1; i >= 0; i-- {
		started[i].cancel()
		select {
		case <-started[i].done:
			continue
		case <-deadline.C:
		}
		// Out of time: tell the rest at once and say who was late.
		var late []string
		for j := i; j >= 0; j-- {
			started[j].cancel()
			late = append(late, started[j].running()...)
		}
		err := fmt.Errorf("%s: %w (%s)", strings.Join(late, ", "), ErrStopTimeout, g.timeout)
		if failure != nil {
			return fmt.Errorf("%w; then %w", failure, err)
		}
		return err
	}
	for {
		select {
		case e := <-endings:
			if e.err != nil && failure == nil {
				failure = &ServiceError{Service: e.service, Err: e.err}
			}
		default:
			return failure
		}
	}
}
