package chatrelay

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
)

// buckets are token buckets by key. Buckets that are full again are forgotten.
type buckets struct {
	rate Rate

	mu    sync.Mutex
	byKey map[string]*rate.Limiter
	// sweepAt is the size at which full buckets are looked for.
	sweepAt int
}

func newBuckets(r Rate) *buckets {
	return &buckets{rate: r, byKey: map[string]*rate.Limiter{}, sweepAt: 1024}
}

// take takes a token; if there is none it says how long until there is one.
func (b *buckets) take(key string, now time.Time) (ok bool, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.byKey[key]
	if l == nil {
		if len(b.byKey) >= b.sweepAt {
			b.sweep(now)
		}
		l = rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst)
		b.byKey[key] = l
	}
	if l.AllowN(now, 1) {
		return true, 0
	}
	missing := 1 - l.TokensAt(now)
	return false, time.Duration(missing / b.rate.PerSecond * float64(time.Second))
}

func (b *buckets) sweep(now time.Time) {
	for key, l := range b.byKey {
		if l.TokensAt(now) >= float64(b.rate.Burst) {
			delete(b.byKey, key)
		}
	}
	b.sweepAt = max(1024, 2*len(b.byKey))
}

// counts are numbers of what is open, by key.
type counts struct {
	mu    sync.Mutex
	byKey map[string]int
}

func newCounts() *counts { return &counts{byKey: map[string]int{}} }

// enter counts one more, unless there are limit already.
func (c *counts) enter(key string, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] >= limit {
		return false
	}
	c.byKey[key]++
	return true
}

func (c *counts) leave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key]--; c.byKey[key] <= 0 {
		delete(c.byKey, key)
	}
}

// limiters are all limits of a relay.
type limiters struct {
	connects, account, address, shop, reads, uploads, shopUploads, typing *buckets
	open                                                                  *counts
}

func newLimiters(l Limits) *limiters {
	return &limiters{
		connects: newBuckets(l.Connects), account: newBuckets(l.AccountMessages), address: newBuckets(l.AddressMessages),
		shop: newBuckets(l.ShopMessages), reads: newBuckets(l.Reads), uploads: newBuckets(l.AccountUploads), shopUploads: newBuckets(l.ShopUploads),
		typing: newBuckets(Rate{PerSecond: 5, Burst: 10}), open: newCounts(),
	}
}

// message takes what one request that publishes costs.
func (l *limiters) message(id signin.Identity, address, shop string) *protocol.Problem {
	now := time.Now()
	if id.Role != signin.Service {
		if ok, wait := l.account.take(id.Key(), now); !ok {
			return limited("this account sends too much", wait)
		}
		if ok, wait := l.address.take(address, now); !ok {
			return limited("too much comes from this address", wait)
		}
	}
	if ok, wait := l.shop.take(shop, now); !ok {
		return limited("too much happens in this shop", wait)
	}
	return nil
}

func limited(text string, wait time.Duration) *protocol.Problem {
	p := protocol.Problemf(protocol.CodeRateLimited, "%s", text)
	p.RetryAfterMS = max(1, wait.Milliseconds())
	return p
}
