package kafka

// selection finds out, in one pass over a table's partition, which records are still needed below the
// group's commit, and from where on everything stays. It holds the keys, not the values.
type selection struct {
	commit int64
	start  int64 // of the log
	end    int64 // of the pass, exclusive
	beyond int64 // offset of the first value at or beyond the commit; -1: none yet
	index  map[string]int32
	slots  []slot
}

// slot is a key's newest value below the commit.
type slot struct{ offset, applied int64 }

func newSelection(start, end, commit int64) *selection {
	return &selection{commit: commit, start: start, end: end, beyond: -1, index: map[string]int32{}}
}

// add takes the records in the order of the log.
func (s *selection) add(offset int64, key []byte, applied int64) {
	if applied >= s.commit {
		if s.beyond < 0 {
			s.beyond = offset
		}
		return
	}
	i, known := s.index[string(key)]
	switch {
	case !known:
		s.index[string(key)] = int32(len(s.slots))
		s.slots = append(s.slots, slot{offset, applied})
	case applied >= s.slots[i].applied:
		s.slots[i] = slot{offset, applied}
	}
}

// plan is what compaction does to a partition: it appends the records in keep again, and deletes
// everything below upTo.
type plan struct {
	start, upTo int64
	keep        bitmap // by offset - start
	kept        int64
	keys        int64 // with a value below the commit, appended again or not
}

func (s *selection) plan() plan {
	p := plan{start: s.start, upTo: s.end, keys: int64(len(s.slots))}
	if s.beyond >= 0 {
		p.upTo = s.beyond
	}
	p.keep = newBitmap(p.upTo - p.start)
	for _, slot := range s.slots {
		if slot.offset < p.upTo {
			p.keep.set(slot.offset - p.start)
			p.kept++
		}
	}
	return p
}

func (p plan) keeps(offset int64) bool { return offset < p.upTo && p.keep.has(offset-p.start) }

// worthwhile tells whether there is enough garbage.
func (p plan) worthwhile(minRecords int64, factor float64) bool {
	records := p.upTo - p.start
	return records >= minRecords && float64(records) >= factor*float64(p.kept) && records > p.kept
}

type bitmap []uint64

func newBitmap(n int64) bitmap    { return make(bitmap, (n+63)/64) }
func (b bitmap) set(i int64)      { b[i/64] |= 1 << (i % 64) }
func (b bitmap) has(i int64) bool { return b[i/64]&(1<<(i%64)) != 0 }
