package ops

import (
	"context"
	"sort"
	"sync"
	"time"
)

// CheckTimeout bounds one readiness check.
const CheckTimeout = 2 * time.Second

// Checks are the named conditions of readiness. Safe for concurrent use.
type Checks struct {
	mu     sync.Mutex
	checks map[string]func(context.Context) error
}

// NewChecks has no condition: ready at once.
func NewChecks() *Checks { return &Checks{checks: map[string]func(context.Context) error{}} }

// Register adds or replaces a condition. It holds while check returns nil.
func (c *Checks) Register(name string, check func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks[name] = check
}

// CheckResult is the state of one condition.
type CheckResult struct {
	Name string
	// Err is nil when the condition holds.
	Err error
}

// Run asks all conditions at the same time and returns them by name.
func (c *Checks) Run(ctx context.Context) (results []CheckResult, ready bool) {
	c.mu.Lock()
	for name := range c.checks {
		results = append(results, CheckResult{Name: name})
	}
	sort.Slice(results, func(i, j int) bool { return results[i].Name < results[j].Name })
	asked := make([]func(context.Context) error, len(results))
	for i, r := range results {
		asked[i] = c.checks[r.Name]
	}
	c.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, CheckTimeout)
	defer cancel()
	var wait sync.WaitGroup
	for i, check := range asked {
		wait.Go(func() { results[i].Err = check(ctx) })
	}
	wait.Wait()
	ready = true
	for _, r := range results {
		ready = ready && r.Err == nil
	}
	return results, ready
}
