package stream_test

import (
	"slices"
	"testing"

	"github.com/feigeio/feige/processors/stream"
)

func TestStore(t *testing.T) {
	t.Parallel()
	s := stream.NewStore()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(s.Open())
	for _, k := range []string{"b", "a", "d", "c"} {
		ok(s.Set(k, []byte("value of "+k)))
	}
	ok(s.Set("a", []byte("new value of a")))
	ok(s.Delete("d"))
	ok(s.Delete("never there"))
	ok(s.MarkRecovered())

	get := func(key, want string) {
		t.Helper()
		v, err := s.Get(key)
		ok(err)
		has, err := s.Has(key)
		ok(err)
		if string(v) != want || has != (want != "") || (want == "") != (v == nil) {
			t.Errorf("%q holds %q (has %v), want %q", key, v, has, want)
		}
	}
	get("a", "new value of a")
	get("b", "value of b")
	get("d", "")
	get("never there", "")

	walk := func(name string, start, limit []byte, want ...string) {
		t.Helper()
		it, err := s.IteratorWithRange(start, limit)
		ok(err)
		defer it.Release()
		var keys []string
		for it.Next() {
			v, err := it.Value()
			ok(err)
			if stored, _ := s.Get(string(it.Key())); string(stored) != string(v) {
				t.Errorf("%s: %q walks as %q, holds %q", name, it.Key(), v, stored)
			}
			keys = append(keys, string(it.Key()))
		}
		ok(it.Err())
		slices.Sort(keys)
		if !slices.Equal(keys, want) {
			t.Errorf("%s: keys %v, want %v", name, keys, want)
		}
	}
	walk("all", nil, nil, "a", "b", "c")
	walk("from b", []byte("b"), nil, "b", "c")
	walk("before c", nil, []byte("c"), "a", "b")
	walk("from b before c", []byte("b"), []byte("c"), "b")

	it, err := s.Iterator()
	ok(err)
	if !it.Seek([]byte("b")) || !it.Next() || string(it.Key()) != "b" {
		t.Errorf("after Seek the walk does not go on with the key sought")
	}
	if it.Seek([]byte("d")) {
		t.Errorf("Seek found a deleted key")
	}
	it, err = s.Iterator()
	ok(err)
	ok(s.Set("z", []byte("came later")))
	n := 0
	for it.Next() {
		n++
	}
	if n != 3 {
		t.Errorf("a walk saw %d keys, want the 3 that were there when it began", n)
	}
	ok(s.Close())
}

func TestStoreOffset(t *testing.T) {
	t.Parallel()
	s := stream.NewStore()
	want := func(want int64) {
		t.Helper()
		if got, err := s.GetOffset(-3); err != nil || got != want {
			t.Errorf("offset %d (%v), want %d", got, err, want)
		}
	}
	want(-3)
	for _, o := range []int64{0, 17} {
		if err := s.SetOffset(o); err != nil {
			t.Fatal(err)
		}
		want(o)
	}
}
