package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// verdict is what a comparison found.
type verdict struct {
	wrong []string
	// stuck says that the processors never came to the end of their input.
	stuck error
	// late is what visits have yet to tell: nothing waits for them.
	late []string

	events, ticks, facts, factRepeats, takeovers, snapshots, decisions, letters, tableRecords int
	compacted                                                                                 int64
}

func (v *verdict) fail(format string, a ...any) { v.wrong = append(v.wrong, fmt.Sprintf(format, a...)) }
func (v *verdict) wait(format string, a ...any) { v.late = append(v.late, fmt.Sprintf(format, a...)) }

func (v *verdict) String() string {
	return fmt.Sprintf("events %d (ticks %d, dead letters %d), facts %d and %d repeats, takeover records %d, snapshots %d, decisions %d, table records %d (%d compacted)",
		v.events, v.ticks, v.letters, v.facts, v.factRepeats, v.takeovers, v.snapshots, v.decisions, v.tableRecords, v.compacted)
}

// compare reads all topics and holds them against one pass over chat.events.
func compare(ctx context.Context, pol *policy.Set, addr string) (*verdict, error) {
	log, err := readLog(ctx, addr, productTopics()...)
	if err != nil {
		return nil, err
	}
	v := &verdict{}
	first := map[place]int64{}
	for p, records := range log[schemas.TopicFacts] {
		for _, r := range records {
			f := &chatv1.Fact{}
			if err := f.UnmarshalVT(r.Value); err != nil {
				v.fail("fact %d/%d: %v", p, r.Offset, err)
				continue
			}
			if at := (place{int32(p), f.SourceOffset}); first[at] == 0 {
				first[at] = r.Offset + 1
			}
		}
	}
	for at := range first {
		first[at]--
	}
	ref := refer(pol, log[schemas.TopicEvents], first)
	if ref.contradiction != nil {
		v.fail("the reference contradicts itself: %v", ref.contradiction)
	}
	v.events, v.ticks = ref.events, ref.ticks
	for topic, parts := range log {
		for p, records := range parts {
			for _, r := range records {
				if topic != schemas.TopicEvents && schemas.Partition(r.Key, partitions) != int32(p) {
					v.fail("%s/%d offset %d: key %q belongs elsewhere", topic, p, r.Offset, r.Key)
				}
			}
		}
	}
	v.compareFacts(ref, log[schemas.TopicFacts])
	v.compareTakeovers(ref, log[schemas.TopicTakeovers])
	v.compareLetters(ref, log[schemas.TopicDeadLetters])
	v.compareSnapshots(ref, log[schemas.TopicKpis])
	v.compareDecisions(ref, log[schemas.TopicRestrictions])
	for group, want := range ref.tables {
		v.compareTable(group, want, log[schemas.TableOf(group)])
	}
	return v, nil
}

func (v *verdict) compareFacts(ref *reference, log [][]*kgo.Record) {
	for p, records := range log {
		want := ref.facts[p]
		seen := map[int64]bool{}
		next := 0
		for _, r := range records {
			f := &chatv1.Fact{}
			if f.UnmarshalVT(r.Value) != nil {
				continue
			}
			at := place{int32(p), f.SourceOffset}
			if b := ref.fact[at]; b == nil {
				v.fail("fact of %v was not expected", at)
			} else if !bytes.Equal(b, r.Value) {
				v.fail("fact of %v differs", at)
			}
			if seen[f.SourceOffset] {
				v.factRepeats++
				continue
			}
			seen[f.SourceOffset] = true
			v.facts++
			if next < len(want) && want[next] != f.SourceOffset {
				v.fail("facts of partition %d: %d first appears where %d should", p, f.SourceOffset, want[next])
				next = len(want) // once is enough
			}
			next++
		}
		for _, o := range want {
			if !seen[o] {
				v.fail("fact of %v is missing", place{int32(p), o})
			}
		}
	}
}

func (v *verdict) compareTakeovers(ref *reference, log [][]*kgo.Record) {
	seen := map[place]bool{}
	for p, records := range log {
		for _, r := range records {
			t := &chatv1.Takeover{}
			if err := t.UnmarshalVT(r.Value); err != nil {
				v.fail("takeover %d/%d: %v", p, r.Offset, err)
				continue
			}
			at := place{int32(p), t.SourceOffset}
			if !bytes.Equal(ref.takeovers[at], r.Value) {
				v.fail("takeover of %s at %v is not as expected", t.ShopId, at)
			}
			seen[at] = true
		}
	}
	v.takeovers = len(seen)
	for at := range ref.takeovers {
		if !seen[at] {
			v.fail("takeover at %v is missing", at)
		}
	}
}

func (v *verdict) compareLetters(ref *reference, log [][]*kgo.Record) {
	seen := map[place]bool{}
	for _, records := range log {
		for _, r := range records {
			d := &chatv1.DeadLetter{}
			if err := d.UnmarshalVT(r.Value); err != nil {
				v.fail("dead letter %q: %v", r.Key, err)
				continue
			}
			at := place{d.Partition, d.Offset}
			if d.Topic != schemas.TopicEvents || ref.letters[at] != d.Code {
				v.fail("dead letter %q with code %q, want %q", r.Key, d.Code, ref.letters[at])
			}
			seen[at] = true
		}
	}
	v.letters = len(seen)
	for at := range ref.letters {
		if !seen[at] {
			v.fail("dead letter of %v is missing", at)
		}
	}
}

func (v *verdict) compareSnapshots(ref *reference, log [][]*kgo.Record) {
	newest := map[windowKey]int64{}
	for p, records := range log {
		for _, r := range records {
			k := &chatv1.Kpi{}
			if err := k.UnmarshalVT(r.Value); err != nil {
				v.fail("snapshot %d/%d: %v", p, r.Offset, err)
				continue
			}
			v.snapshots++
			key := windowKey{k.ShopId, k.Kind, k.StartUs}
			if !bytes.Equal(ref.snapshots[key][k.Version], r.Value) {
				v.fail("snapshot of %v, version %d, is not as expected", key, k.Version)
			}
			newest[key] = max(newest[key], k.Version)
		}
	}
	for key, version := range ref.newest {
		if newest[key] < version {
			v.wait("snapshot of %v: newest version %d, want %d", key, newest[key], version)
		}
	}
}

func (v *verdict) compareDecisions(ref *reference, log [][]*kgo.Record) {
	seen := map[decisionKey]bool{}
	for p, records := range log {
		for _, r := range records {
			d := &chatv1.Decision{}
			if err := d.UnmarshalVT(r.Value); err != nil {
				v.fail("decision %d/%d: %v", p, r.Offset, err)
				continue
			}
			key := decisionKey{d.ShopId, d.PeriodStartUs, d.Revision}
			if !bytes.Equal(ref.decisions[key], r.Value) {
				v.fail("decision %v is not as expected", key)
			}
			seen[key] = true
		}
	}
	v.decisions = len(seen)
	for key := range ref.decisions {
		if !seen[key] {
			v.wait("decision %v is missing", key)
		}
	}
}

// compareTable takes of every key the value that rests on the latest offset.
func (v *verdict) compareTable(group string, want map[string][]byte, log [][]*kgo.Record) {
	got, applied := map[string][]byte{}, map[string]int64{}
	for p, records := range log {
		v.tableRecords += len(records)
		if len(records) > 0 {
			v.compacted += records[0].Offset
		}
		for _, r := range records {
			at, ok := statev1.Applied(r.Value)
			if !ok {
				v.fail("table of %s/%d offset %d does not begin with an offset", group, p, r.Offset)
				continue
			}
			key := string(r.Key)
			if was, ok := applied[key]; !ok || at >= was {
				got[key], applied[key] = r.Value, at
			}
		}
	}
	for key, b := range want {
		if !bytes.Equal(got[key], b) {
			at, _ := statev1.Applied(b)
			v.fail("table of %s: %q rests on %d, want %d (%d bytes, want %d)", group, key, applied[key], at, len(got[key]), len(b))
		}
	}
	for key := range got {
		if want[key] == nil {
			v.fail("table of %s: %q was not expected", group, key)
		}
	}
}

// drained waits until all groups have committed all input, looking twice, stage by stage.
func drained(ctx context.Context, cl *kgo.Client) error {
	admin := kadm.NewClient(cl)
	behind := int64(-1)
	for zeros := 0; zeros < 2; {
		n, err := lag(ctx, admin)
		if err == nil {
			behind = n
		}
		if err == nil && n == 0 {
			zeros++
			continue
		}
		zeros = 0
		select {
		case <-ctx.Done():
			return fmt.Errorf("not drained: %d records behind (%v)", behind, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func lag(ctx context.Context, admin *kadm.Client) (behind int64, err error) {
	for _, stage := range []struct{ group, topic string }{
		{schemas.GroupConversations, schemas.TopicEvents}, {schemas.GroupReception, schemas.TopicFacts}, {schemas.GroupService, schemas.TopicFacts},
	} {
		commits, err := admin.FetchOffsets(ctx, stage.group)
		if err != nil {
			return 0, err
		}
		ends, err := admin.ListEndOffsets(ctx, stage.topic)
		if err == nil {
			err = ends.Error()
		}
		if err != nil {
			return 0, err
		}
		ends.Each(func(end kadm.ListedOffset) {
			at := int64(0)
			if c, ok := commits.Lookup(stage.topic, end.Partition); ok && c.At > 0 {
				at = c.At
			}
			behind += end.Offset - at
		})
	}
	return behind, nil
}

// settle waits until everything has been processed and told, and returns how it compares. What only
// visits tell may take a moment longer.
func settle(t testing.TB, pol *policy.Set, addr string, limit time.Duration) *verdict {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := drained(ctx, kafkaClient(t, addr)); err != nil {
		return &verdict{stuck: err}
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		v, err := compare(ctx, pol, addr)
		if err != nil {
			return &verdict{stuck: err}
		}
		if len(v.wrong) > 0 || len(v.late) == 0 {
			return v
		}
		select {
		case <-ctx.Done():
			v.wrong = append(v.wrong, v.late...)
			return v
		case <-time.After(wait):
		}
	}
}

// mustBeExact fails the test with what is wrong.
func (v *verdict) mustBeExact(t testing.TB) {
	t.Helper()
	t.Log(v)
	if v.stuck != nil {
		t.Error(v.stuck)
	}
	for i, w := range v.wrong {
		if i == 10 {
			t.Errorf("… and %d more", len(v.wrong)-i)
			break
		}
		t.Error(w)
	}
}
