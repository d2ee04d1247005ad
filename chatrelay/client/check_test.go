package client

import (
	"fmt"
	"testing"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestCheck makes sure that the check sees what it is there for.
func TestCheck(t *testing.T) {
	t.Parallel()
	said := func(run string, n int) *chatv1.ChatEvent {
		id := fmt.Sprintf("%s%s-%d", runPrefix, run, n)
		return &chatv1.ChatEvent{EventId: id, ConversationId: "c", Actor: &chatv1.Actor{Id: "a"},
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{ClientMessageId: id}}}
	}
	run := func(name string, want Check, numbers ...int) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newChecker()
			for i, n := range numbers {
				c.delivered(0, int64(i), said("x", n))
			}
			want.Events, want.Numbered = int64(len(numbers)), int64(len(numbers))
			got := c.snapshot()
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got.OK() != (want.Lost == 0 && want.Duplicates == 0 && want.Reordered == 0) {
				t.Error("OK is wrong")
			}
		})
	}
	run("all", Check{}, 1, 2, 3)
	run("from the middle", Check{}, 7, 8, 9)
	run("lost", Check{Lost: 2}, 1, 2, 5)
	run("twice", Check{Duplicates: 1}, 1, 2, 2, 3)
	run("out of order", Check{Reordered: 1}, 1, 3, 2, 4)
	run("an old one again", Check{Duplicates: 1}, 1, 2, 3, 1)

	c := newChecker()
	c.delivered(0, 5, said("x", 1))
	c.delivered(1, 1, said("y", 1)) // another partition, another run
	c.delivered(0, 5, said("x", 2))
	if k := c.snapshot(); k.Backwards != 1 || k.OK() {
		t.Errorf("got %+v", k)
	}
	for n := range 3 * recentEvents {
		if !c.fresh(fmt.Sprint(n)) {
			t.Fatal("a new event was taken for a repeat")
		}
	}
	if c.fresh(fmt.Sprint(3*recentEvents-1)) || !c.fresh("0") || len(c.ids) != recentEvents {
		t.Error("the newest are not remembered, or too many")
	}
}

func TestNumbered(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]int64{"": 0, "x-1": 0, "fabc-7": 7, "fabc": 0, "fabc-x": 0, "fabc--1": 1, "fabc-0": 0} {
		if _, n, ok := numbered(id); ok != (want > 0) || ok && n != want {
			t.Errorf("%q: %d, %v", id, n, ok)
		}
	}
}
