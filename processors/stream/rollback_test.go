package stream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/feigeio/feige/processors/stream"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// tableUpdate is one record of a table on its way back.
type tableUpdate struct {
	topic     goka.Stream
	partition int32
	offset    int64
}

func (u tableUpdate) Topic() goka.Stream    { return u.topic }
func (u tableUpdate) Partition() int32      { return u.partition }
func (u tableUpdate) Offset() int64         { return u.offset }
func (u tableUpdate) Headers() goka.Headers { return nil }
func (u tableUpdate) Timestamp() time.Time  { return time.Time{} }

// tableValue rests on an input offset; note tells values on the same offset apart.
func tableValue(t testing.TB, applied int64, note string) []byte {
	t.Helper()
	b, err := (&statev1.Conversation{AppliedPlusOne: uint64(applied) + 1, ConsumerId: note}).MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func storedNote(t testing.TB, s storage.Storage, key string) string {
	t.Helper()
	b, err := s.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	if b == nil {
		return "nothing"
	}
	var c statev1.Conversation
	if err := c.UnmarshalVT(b); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d%s", int64(c.AppliedPlusOne)-1, c.ConsumerId)
}

func TestRecoveredTableIsAsOfTheCommit(t *testing.T) {
	t.Parallel()
	type value struct {
		applied int64
		note    string
	}
	check := func(name string, limit int64, log []value, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stream.NewRollback("g", "g-table", "in", map[int32]int64{2: limit})
			s := stream.NewStore()
			for i, v := range log {
				if err := r.Update(tableUpdate{"g-table", 2, int64(i)}, s, "k", tableValue(t, v.applied, v.note)); err != nil {
					t.Fatal(err)
				}
			}
			if got := storedNote(t, s, "k"); got != want {
				t.Errorf("recovered %s, want %s", got, want)
			}
		})
	}
	check("all before the commit", 10, []value{{3, ""}, {9, ""}}, "9")
	check("at the commit", 10, []value{{3, ""}, {9, ""}, {10, ""}}, "9")
	check("beyond the commit", 10, []value{{3, ""}, {12, ""}, {40, ""}}, "3")
	check("nothing committed", 0, []value{{0, ""}, {1, ""}}, "nothing")
	check("written late by a dying owner", 10, []value{{3, ""}, {9, ""}, {5, ""}}, "9")
	check("written again", 10, []value{{3, ""}, {9, "a"}, {3, ""}, {9, "b"}}, "9b")
	check("beyond, then late", 10, []value{{12, ""}, {7, ""}, {13, ""}, {4, ""}}, "7")
	check("first input record", 1, []value{{0, ""}}, "0")
}

func TestRollbackProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Int64Range(0, 12).Draw(rt, "limit")
		log := rapid.SliceOf(rapid.Int64Range(0, 15)).Draw(rt, "log")
		r := stream.NewRollback("g", "g-table", "in", map[int32]int64{0: limit})
		s := stream.NewStore()
		want, best := "nothing", int64(-1)
		for i, applied := range log {
			note := fmt.Sprint("@", i)
			if err := r.Update(tableUpdate{"g-table", 0, int64(i)}, s, "k", tableValue(t, applied, note)); err != nil {
				rt.Fatal(err)
			}
			if applied < limit && applied >= best {
				want, best = fmt.Sprint(applied, note), applied
			}
		}
		want = strings.ReplaceAll(want, " ", "")
		if got := storedNote(t, s, "k"); got != want {
			rt.Errorf("recovered %s, want %s", got, want)
		}
	})
}

func TestRollbackLeavesJoinedTablesAlone(t *testing.T) {
	t.Parallel()
	r := stream.NewRollback("g", "g-table", "in", map[int32]int64{0: 1})
	s := stream.NewStore()
	if err := r.Update(tableUpdate{"other-table", 0, 0}, s, "k", []byte("whatever it holds")); err != nil {
		t.Fatal(err)
	}
	if v, _ := s.Get("k"); string(v) != "whatever it holds" {
		t.Errorf("a joined table's value became %q", v)
	}
}

func TestRollbackRefusesWhatItCannotPlace(t *testing.T) {
	t.Parallel()
	check := func(name string, partition int32, value []byte, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stream.NewRollback("g", "g-table", "in", map[int32]int64{0: 10})
			s := stream.NewStore()
			err := r.Update(tableUpdate{"g-table", partition, 77}, s, "k", value)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one about %q", err, want)
			}
			if v, _ := s.Get("k"); v != nil {
				t.Errorf("stored %q", v)
			}
		})
	}
	place := `table g-table/0 offset 77: value of "k"`
	check("empty", 0, []byte{}, place)
	check("deleted", 0, nil, place)
	check("short", 0, tableValue(t, 3, "")[:8], place)
	check("another first field", 0, []byte("0123456789"), place)
	check("unknown commit", 1, tableValue(t, 3, ""), "table g-table/1: read back without a known commit")
}

// What is stored must not hold on to the buffer that a whole fetch came in.
func TestRecoveredValuesAreCopies(t *testing.T) {
	t.Parallel()
	r := stream.NewRollback("g", "g-table", "in", map[int32]int64{0: 10})
	s := stream.NewStore()
	buffer := tableValue(t, 3, "note")
	if err := r.Update(tableUpdate{"g-table", 0, 0}, s, "k", buffer); err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	if got := storedNote(t, s, "k"); got != "3note" {
		t.Errorf("stored %s, want 3note", got)
	}
}

func TestReadingStartsWhereTheStateIs(t *testing.T) {
	t.Parallel()
	check := func(name string, limit, initial int64, ok bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stream.NewRollback("g", "g-table", "in", map[int32]int64{0: limit})
			if err := r.Check(fakeClaim{topic: "in", initial: initial}); (err == nil) != ok {
				t.Errorf("error %v, want ok %v", err, ok)
			}
		})
	}
	check("at the commit", 10, 10, true)
	check("no commit", 0, sarama.OffsetOldest, true)
	check("from zero", 0, 0, true)
	check("past the commit", 10, 11, false)
	check("before the commit", 10, 9, false)
	check("commit out of range", 10, sarama.OffsetOldest, false)
	check("a commit that was not seen", 0, 5, false)
}

func TestAssignLooksUpCommits(t *testing.T) {
	t.Parallel()
	b := startBroker(t, "in", "g-table")
	cl := kafkaClient(t, b.addr, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	admin := kadm.NewClient(cl)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for p := range int32(partitions) {
		for range 10 {
			if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "in", Partition: p, Value: []byte("v")}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	offsets := kadm.Offsets{}
	offsets.AddOffset("in", 1, 6, -1)
	offsets.AddOffset("in", 3, 10, -1)
	if err := admin.CommitAllOffsets(ctx, "g", offsets); err != nil {
		t.Fatal(err)
	}
	r := stream.NewRollback("g", "g-table", "in", nil)
	if err := r.Assign(ctx, cl, 0, 1, 3); err != nil {
		t.Fatal(err)
	}
	want := map[int32]int64{0: 0, 1: 6, 3: 10}
	if got := r.Limits(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("limits %v, want %v", got, want)
	}
	if err := r.Assign(ctx, cl); err != nil {
		t.Errorf("no partitions: %v", err)
	}

	cut := kadm.Offsets{}
	cut.AddOffset("in", 1, 6, -1)
	cut.AddOffset("in", 2, 3, -1)
	if _, err := admin.DeleteRecords(ctx, cut); err != nil {
		t.Fatal(err)
	}
	if err := r.Assign(ctx, cl, 1); err != nil {
		t.Errorf("cut just before the commit: %v", err)
	}
	err := r.Assign(ctx, cl, 2)
	if err == nil || !strings.Contains(err.Error(), "in/2 begins at offset 3") {
		t.Errorf("cut past what was applied: error %v", err)
	}
	if err := r.Assign(ctx, cl, 99); err == nil {
		t.Error("a partition that does not exist was accepted")
	}
}
