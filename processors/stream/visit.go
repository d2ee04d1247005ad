package stream

import (
	"context"
	"time"

	"github.com/lovoo/goka"
)

const visitor = "tick"

// Visit asks for a pass of Spec.Visit over all keys of all partitions held. Requests that come while one
// waits are one. A pass also follows every assignment.
func (p *Processor) Visit() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *Processor) visitLoop(ctx context.Context, gp *goka.Processor) {
	if p.spec.Visit == nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		began := time.Now()
		if !p.visitOnce(ctx, gp) {
			continue // the next session asks again
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(p.cfg.VisitInterval - time.Since(began)):
		}
	}
}

// visitOnce makes a pass within the current session. False: there is none.
func (p *Processor) visitOnce(ctx context.Context, gp *goka.Processor) bool {
	p.visit.Lock()
	defer p.visit.Unlock()
	p.mu.Lock()
	if p.session == nil {
		p.mu.Unlock()
		return false
	}
	ctx, cancel := context.WithCancel(ctx)
	p.visiting = cancel
	p.mu.Unlock()
	defer cancel()
	if p.spec.BeforeVisit != nil {
		p.spec.BeforeVisit()
	}
	err := gp.VisitAll(ctx, visitor, nil)
	if err == nil && p.spec.AfterVisit != nil {
		p.spec.AfterVisit()
	}
	if err != nil && ctx.Err() == nil {
		p.log.Debug("visit ended early", "error", brief(err))
	}
	p.metrics.visits.Inc()
	return true
}
