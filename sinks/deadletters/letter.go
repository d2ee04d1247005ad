// Package deadletters reads and writes topic dead.letters: records that a stage could not take.
//
// A letter says where the record stands (topic, partition, offset), which stage gave up on it and why, and holds its key and
// value. Submitting it again is a word on the same topic and under the same key: the letter once more, with
// header "feige-resubmitted-us" and the time. What a letter's newest word is, is its state: with the header it was
// submitted again, without it is open, be it for the first time or because the record failed once more.
//
// How a record is submitted again depends on who gave up on it:
//   - Sinks read dead.letters themselves. They take the record out of the submitted letter and write its rows as if
//     it had just been read where it stands; no other stage sees it, and its offset stays what it was.
//   - For every other stage the record's key and value are published to its topic and partition once more,
//     with header "feige-resubmitted-from". Whoever took it the first time drops the repeat or does the same again.
//
// The package knows no record type but the letter.
package deadletters

import (
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// StageSinks is the stage of letters that sinks write.
const StageSinks = "sinks"

// Headers of records.
const (
	// HeaderResubmittedUS is on a letter that was submitted again: when, UTC microseconds in decimal.
	HeaderResubmittedUS = "feige-resubmitted-us"
	// HeaderFrom is on a record that was published once more: the id of its letter.
	HeaderFrom = "feige-resubmitted-from"
)

// Letter is a dead letter as its newest word has it.
type Letter struct {
	*chatv1.DeadLetter
	// At is the time of the newest word about it.
	At time.Time
	// ResubmittedAt is when it was submitted again; zero: it is open.
	ResubmittedAt time.Time
}

// ID names the record that the letter is about: "topic/partition/offset". Several stages can have a letter
// about one record.
func (l *Letter) ID() string {
	return fmt.Sprintf("%s/%d/%d", l.Topic, l.Partition, l.Offset)
}

// Open is true when the record was not submitted again since it last failed.
func (l *Letter) Open() bool { return l.ResubmittedAt.IsZero() }

// Record is the letter as a record of topic dead.letters.
func (l *Letter) Record(ns schemas.Namespace) (*kgo.Record, error) {
	value, err := l.MarshalVT()
	if err != nil {
		return nil, fmt.Errorf("encoding the letter about %s: %w", l.ID(), err)
	}
	return &kgo.Record{Topic: ns.Topic(schemas.TopicDeadLetters), Key: []byte(l.ID()), Value: value}, nil
}

// ResubmittedUS is when a record of topic dead.letters was submitted again, UTC microseconds; 0: it is a letter.
func ResubmittedUS(rec *kgo.Record) int64 {
	for _, h := range rec.Headers {
		if h.Key == HeaderResubmittedUS {
			us, err := strconv.ParseInt(string(h.Value), 10, 64)
			if err != nil || us <= 0 {
				return 0
			}
			return us
		}
	}
	return 0
}

// Partitioner puts letters where their key belongs and every other record into the partition that it names.
func Partitioner(ns schemas.Namespace) kgo.Partitioner {
	return partitioner(ns.Topic(schemas.TopicDeadLetters))
}

type partitioner string

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner { return byTopic(topic == string(p)) }

// byTopic is true for the topic of letters.
type byTopic bool

func (byTopic) RequiresConsistency(*kgo.Record) bool { return true }

func (letters byTopic) Partition(rec *kgo.Record, n int) int {
	if !letters {
		return int(rec.Partition)
	}
	return int(schemas.Partition(rec.Key, int32(n)))
}

// Producing are the options of a client that publishes letters or submits them again: acknowledged by all, and
// given back to the caller instead of being tried without end.
func Producing(ns schemas.Namespace) []kgo.Opt {
	return []kgo.Opt{
		kgo.RecordPartitioner(Partitioner(ns)),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.DisableIdempotentWrite(), // a repeated letter is the same letter
		kgo.RecordDeliveryTimeout(10 * time.Second),
	}
}
