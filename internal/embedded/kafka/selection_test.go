package kafka

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// logged is a record of a table as a reader sees it.
type logged struct {
	offset, applied int64
	key, text       string
}

// restore is how a reader restores a table to a commit: per key the value with the highest applied offset
// below it; of equal ones the later.
func restore(log []logged, commit int64) map[string]string {
	at := map[string]int64{}
	state := map[string]string{}
	for _, r := range log {
		if r.applied >= commit {
			continue
		}
		if best, ok := at[r.key]; !ok || r.applied >= best {
			at[r.key], state[r.key] = r.applied, r.text
		}
	}
	return state
}

// compactLog applies a plan to a log, with what the processor wrote meanwhile among the appended records.
func compactLog(log []logged, p plan, meanwhile []logged, mix func() bool) []logged {
	var appended, rest []logged
	for _, r := range log {
		if r.offset < p.upTo && p.keeps(r.offset) {
			appended = append(appended, r)
		}
		if r.offset >= p.upTo {
			rest = append(rest, r)
		}
	}
	next := int64(len(log))
	if n := len(log); n > 0 {
		next = log[n-1].offset + 1
	}
	for len(appended)+len(meanwhile) > 0 {
		from := &appended
		if len(appended) == 0 || len(meanwhile) > 0 && mix() {
			from = &meanwhile
		}
		r := (*from)[0]
		*from = (*from)[1:]
		r.offset = next
		next++
		rest = append(rest, r)
	}
	return rest
}

// Whatever a table holds, and whatever is written during compaction, restoring to any commit at or after
// the one noted gives the same before and after.
func TestCompactionKeepsWhatRestoringNeeds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.IntRange(1, 6).Draw(t, "keys")
		write := func(log []logged, offset, applied int64) []logged {
			return append(log, logged{offset, applied, fmt.Sprint("k", rapid.IntRange(0, keys-1).Draw(t, "key")), fmt.Sprint(offset)})
		}
		// A processor applies its input in order, may write several values for one input, and starts over
		// from a commit when it is killed; a frozen predecessor may write old values in between.
		var log []logged
		var applied, commit int64
		start := rapid.Int64Range(0, 100).Draw(t, "start")
		for range rapid.IntRange(0, 60).Draw(t, "records") {
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				applied = commit
			case 1:
				commit = rapid.Int64Range(commit, applied).Draw(t, "commit")
			case 2:
				log = write(log, start+int64(len(log)), max(0, applied-rapid.Int64Range(0, 5).Draw(t, "late")))
				continue
			case 3:
				log = write(log, start+int64(len(log)), applied)
			}
			log = write(log, start+int64(len(log)), applied)
			applied++
		}
		end := start + int64(len(log))
		sel := newSelection(start, end, commit)
		for _, r := range log {
			sel.add(r.offset, []byte(r.key), r.applied)
		}
		p := sel.plan()
		var meanwhile []logged
		for range rapid.IntRange(0, 10).Draw(t, "meanwhile") {
			// Below the commit only a frozen predecessor still writes: what it has written before.
			if len(log) > 0 && rapid.Bool().Draw(t, "late") {
				r := log[rapid.IntRange(0, len(log)-1).Draw(t, "again")]
				if best := restore(log, r.applied+1)[r.key]; r.applied >= commit || best == r.text {
					meanwhile = append(meanwhile, r)
				}
				continue
			}
			applied = max(applied, commit)
			meanwhile = write(meanwhile, end+int64(len(meanwhile)), applied)
			applied++
		}
		after := compactLog(log, p, meanwhile, func() bool { return rapid.Bool().Draw(t, "mix") })
		before := append(append([]logged(nil), log...), meanwhile...)
		for at := commit; at <= applied+1; at++ {
			if want, got := restore(before, at), restore(after, at); fmt.Sprint(want) != fmt.Sprint(got) {
				t.Fatalf("restored to %d: %v after compaction, %v before (commit %d, plan %+v)\nlog %v\nmeanwhile %v\nafter %v", at, got, want, commit, p, log, meanwhile, after)
			}
		}
		if int64(len(log)) > 0 && len(after) == 0 {
			t.Fatal("the partition is empty")
		}
		if p.kept > p.keys {
			t.Fatalf("%d values kept of %d keys", p.kept, p.keys)
		}
	})
}

func TestWorthwhile(t *testing.T) {
	t.Parallel()
	is := func(name string, want bool, records, kept, minRecords int64, factor float64) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plan{start: 1000, upTo: 1000 + records, kept: kept}
			if got := p.worthwhile(minRecords, factor); got != want {
				t.Errorf("got %v", got)
			}
		})
	}
	is("nothing", false, 0, 0, 1, 1.1)
	is("all needed", false, 10, 10, 1, 1.1)
	is("enough garbage", true, 10, 2, 10, 4)
	is("too few records", false, 9, 2, 10, 4)
	is("too little garbage", false, 10, 3, 10, 4)
	is("all garbage: what is kept lies later", true, 10, 0, 10, 4)
}
