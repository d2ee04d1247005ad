package deadletters

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	const ns = schemas.Namespace("n")
	at := time.Unix(1_793_000_000, 0)
	letter := &Letter{DeadLetter: &chatv1.DeadLetter{Topic: "n.chat.events", Partition: 2, Offset: 7, Stage: "sinks", Code: "insert"}, At: at}
	again := &Letter{DeadLetter: letter.DeadLetter, At: at, ResubmittedAt: at}
	is := func(name string, f Filter, l *Letter, want bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := f.matches(ns, l); got != want {
				t.Errorf("%t, want %t", got, want)
			}
		})
	}
	is("everything", Filter{}, letter, true)
	is("its id", Filter{IDs: []string{"x/0/0", "n.chat.events/2/7"}}, letter, true)
	is("other ids", Filter{IDs: []string{"n.chat.events/2/8"}}, letter, false)
	is("its topic", Filter{Topic: "chat.events"}, letter, true)
	is("its full topic", Filter{Topic: "n.chat.events"}, letter, true)
	is("another topic", Filter{Topic: "chat.facts"}, letter, false)
	is("its stage and code", Filter{Stage: "sinks", Code: "insert"}, letter, true)
	is("another stage", Filter{Stage: "service"}, letter, false)
	is("another code", Filter{Stage: "sinks", Code: "decode"}, letter, false)
	is("since then", Filter{Since: at}, letter, true)
	is("until then", Filter{Until: at}, letter, false)
	is("after", Filter{Since: at.Add(1)}, letter, false)
	is("open", Filter{Open: true}, letter, true)
	is("not open", Filter{Open: true}, again, false)
	is("all of them", Filter{}, again, true)
}

// Letters lie where their key belongs; a record that is published once more, where it says.
func TestPartitioner(t *testing.T) {
	t.Parallel()
	p := Partitioner("n")
	l := &Letter{DeadLetter: &chatv1.DeadLetter{Topic: "n.chat.events", Partition: 3, Offset: 9}}
	rec, err := l.Record("n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.ForTopic(rec.Topic).Partition(rec, 5), int(schemas.Partition(rec.Key, 5)); got != want {
		t.Errorf("a letter lands in %d, not in %d", got, want)
	}
	if got := p.ForTopic("n.chat.events").Partition(&kgo.Record{Partition: 3, Key: []byte("s/c")}, 5); got != 3 {
		t.Errorf("a record lands in %d, not in 3", got)
	}
}
