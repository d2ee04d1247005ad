package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	"github.com/feigeio/feige/sinks"
)

// watcher looks at how far a pipeline is, from outside. It copes with brokers that come and go.
type watcher struct {
	t     *testing.T
	admin *kadm.Client
	ns    schemas.Namespace
}

func watch(t *testing.T, addr, ns string) *watcher {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RetryTimeout(time.Second), kgo.DialTimeout(time.Second),
		kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &watcher{t: t, admin: kadm.NewClient(client), ns: schemas.Namespace(ns)}
}

// progress is how many records chat.events holds, and how many of it and of what follows from it the stages have committed.
// ok is false while the broker does not answer.
func (w *watcher) progress() (published, processed int64, ok bool) {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	ends, err := w.admin.ListEndOffsets(ctx, w.ns.Topic(schemas.TopicEvents))
	if err != nil || ends.Error() != nil {
		return 0, 0, false
	}
	ends.Each(func(o kadm.ListedOffset) { published += o.Offset })
	for _, group := range []string{
		schemas.GroupConversations, schemas.GroupReception, schemas.GroupService, schemas.GroupViolations, schemas.GroupPatterns, schemas.GroupPenalties, sinks.Group,
	} {
		commits, err := w.admin.FetchOffsets(ctx, w.ns.Topic(group))
		if err != nil {
			continue // before its first commit
		}
		commits.Each(func(o kadm.OffsetResponse) { processed += max(o.At, 0) })
	}
	return published, processed, true
}

// await returns true once reached says so, and false when what is under way ends before.
func (w *watcher) await(p interface{ running() bool }, reached func(published, processed int64) bool) bool {
	for p.running() {
		if published, processed, ok := w.progress(); ok && reached(published, processed) {
			return true
		}
		time.Sleep(3 * time.Millisecond)
	}
	return false
}
