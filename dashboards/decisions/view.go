package decisions

import (
	"cmp"
	"slices"
	"sync"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// shop is what is known of one.
type shop struct {
	// periods, oldest first; of each all revisions, lowest first.
	periods [][]*chatv1.Decision
	// state is the service processor's value, encoded; applied the offset that it rests on.
	state   []byte
	applied int64
}

// change is one decision as it came.
type change struct {
	partition int32
	offset    int64
	decision  *chatv1.Decision
}

// view is the state of all shops, as of what was read. Safe for concurrent use.
type view struct {
	mu      sync.RWMutex
	periods int
	shops   map[string]*shop
	// tickUS is the newest tick of each partition.
	tickUS map[int32]int64
	// newest changes, oldest first, at most kept; dropped is up to where each partition's were let go.
	newest  []change
	kept    int
	dropped map[int32]int64
	places  map[int32]int64
	more    chan struct{} // closed at the next change
}

func newView(periods, kept int) *view {
	return &view{periods: periods, kept: kept, shops: map[string]*shop{}, tickUS: map[int32]int64{}, dropped: map[int32]int64{}, places: map[int32]int64{}, more: make(chan struct{})}
}

func (v *view) of(id string) *shop {
	s := v.shops[id]
	if s == nil {
		s = &shop{applied: -1}
		v.shops[id] = s
	}
	return s
}

// decided takes a record of service.restrictions. One that came before changes nothing.
func (v *view) decided(d *chatv1.Decision, partition int32, offset int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.places[partition] = offset + 1
	s := v.of(d.ShopId)
	at, found := slices.BinarySearchFunc(s.periods, d, func(p []*chatv1.Decision, d *chatv1.Decision) int {
		return cmp.Compare(p[0].PeriodStartUs, d.PeriodStartUs)
	})
	if !found {
		s.periods = slices.Insert(s.periods, at, []*chatv1.Decision{d})
		if n := len(s.periods) - v.periods; n > 0 {
			s.periods = slices.Delete(s.periods, 0, n)
		}
	} else {
		revisions := s.periods[at]
		if revisions[len(revisions)-1].Revision >= d.Revision {
			return
		}
		s.periods[at] = append(revisions, d)
	}
	v.newest = append(v.newest, change{partition, offset, d})
	if n := len(v.newest) - v.kept; n > 0 {
		for _, c := range v.newest[:n] {
			v.dropped[c.partition] = c.offset + 1
		}
		v.newest = slices.Delete(v.newest, 0, n)
	}
	close(v.more)
	v.more = make(chan struct{})
}

// stated takes a value of the service processor's table. Among values of a shop the one with the highest offset holds.
func (v *view) stated(id string, value []byte) {
	applied, ok := statev1.Applied(value)
	if !ok {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.of(id); applied >= s.applied {
		s.state, s.applied = value, applied
	}
}

func (v *view) ticked(partition int32, value []byte) {
	var st statev1.Service
	if st.UnmarshalVT(value) != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tickUS[partition] = max(v.tickUS[partition], st.TickUs)
}

// decisions are a shop's, newest period first, of each all revisions, newest first. Nobody may change them.
func (v *view) decisions(id string) (out []*chatv1.Decision) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	s := v.shops[id]
	if s == nil {
		return nil
	}
	for i := len(s.periods) - 1; i >= 0; i-- {
		for j := len(s.periods[i]) - 1; j >= 0; j-- {
			out = append(out, s.periods[i][j])
		}
	}
	return out
}

// inForce are the newest revisions of a shop's periods that restrict it at an instant.
func (v *view) inForce(id string, atUS int64) (out []*chatv1.Decision) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if s := v.shops[id]; s != nil {
		out = s.inForce(atUS)
	}
	return out
}

func (s *shop) inForce(atUS int64) (out []*chatv1.Decision) {
	for _, revisions := range s.periods {
		if d := revisions[len(revisions)-1]; d.Restricted && d.RestrictedFromUs <= atUS && atUS < d.RestrictedUntilUs {
			out = append(out, d)
		}
	}
	return out
}

// state is a shop's value with the newest tick of its partition; nil where there is none.
func (v *view) state(id string, partition int32) (value []byte, tickUS int64) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if s := v.shops[id]; s != nil {
		value = s.state
	}
	return value, v.tickUS[partition]
}

// known tells whether anything is known of a shop.
func (v *view) known(id string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.shops[id] != nil
}

// list is the ids of shops after one, in order; restricted: only those that are at an instant.
func (v *view) list(after string, restricted bool, atUS int64, limit int) (ids []string, more bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for id, s := range v.shops {
		if id > after && (!restricted || len(s.inForce(atUS)) > 0) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if len(ids) > limit {
		return ids[:limit], true
	}
	return ids, false
}

// since are the changes at or after places, the places after them, and a channel that is closed when there are more. gap: some
// are no longer kept.
func (v *view) since(places map[int32]int64) (out []change, after map[int32]int64, gap bool, more <-chan struct{}) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	after = map[int32]int64{}
	for p, at := range v.places {
		after[p] = at
		if from, ok := places[p]; ok && from < v.dropped[p] {
			gap = true
		}
	}
	for _, c := range v.newest {
		if from, ok := places[c.partition]; !ok || c.offset >= from {
			out = append(out, c)
		}
	}
	return out, after, gap, v.more
}
