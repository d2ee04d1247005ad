package stream

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/lovoo/goka/storage"
)

// store is one partition's table in memory: a storage.Storage that forgets everything with the
// assignment, so that nothing newer than a commit can survive.
type store struct {
	mu     sync.Mutex
	values map[string][]byte
	offset atomic.Int64 // unknown: none yet
}

const unknown = -1 << 62

func newStore() *store {
	s := &store{values: map[string][]byte{}}
	s.offset.Store(unknown)
	return s
}

func (s *store) Open() error          { return nil }
func (s *store) Close() error         { return nil }
func (s *store) MarkRecovered() error { return nil }

func (s *store) Has(key string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.values[key]
	return ok, nil
}

func (s *store) Get(key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], nil
}

// Set keeps the slice: goka hands over a fresh one for every update.
func (s *store) Set(key string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = value
	return nil
}

func (s *store) Delete(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
	return nil
}

func (s *store) GetOffset(unset int64) (int64, error) {
	if offset := s.offset.Load(); offset != unknown {
		return offset, nil
	}
	return unset, nil
}

func (s *store) SetOffset(offset int64) error {
	s.offset.Store(offset)
	return nil
}

func (s *store) Iterator() (storage.Iterator, error) { return s.IteratorWithRange(nil, nil) }

// IteratorWithRange walks the keys that exist now, in no order; values are read as they are when reached.
func (s *store) IteratorWithRange(start, limit []byte) (storage.Iterator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := &iterator{s: s, at: -1, keys: make([]string, 0, len(s.values))}
	for k := range s.values {
		if (start == nil || k >= string(start)) && (limit == nil || k < string(limit)) {
			it.keys = append(it.keys, k)
		}
	}
	return it, nil
}

type iterator struct {
	s    *store
	keys []string
	at   int
}

func (it *iterator) Next() bool             { it.at++; return it.at < len(it.keys) }
func (it *iterator) Err() error             { return nil }
func (it *iterator) Key() []byte            { return []byte(it.keys[it.at]) }
func (it *iterator) Value() ([]byte, error) { return it.s.Get(it.keys[it.at]) }
func (it *iterator) Release()               {}

// Seek moves before the given key.
func (it *iterator) Seek(key []byte) bool {
	for i, k := range it.keys {
		if bytes.Equal([]byte(k), key) {
			it.at = i - 1
			return true
		}
	}
	return false
}
