package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// lettersTable is dead_letters_data.
type lettersTable struct {
	*table
	topic               *columnOf[string]
	partition           *columnOf[int32]
	offset              *columnOf[int64]
	stage, code, reason *columnOf[string]
	recordAt, letterAt  *columnOf[time.Time]
	resubmittedAt       *columnOf[*time.Time]
	key, value          *columnOf[string]
	letterOffset        *columnOf[int64]
}

func newLettersTable() *lettersTable {
	t := newTable("dead_letters_data")
	return &lettersTable{
		table:         t,
		topic:         add[string](t, "topic", kindWord),
		partition:     add[int32](t, "log_partition", "Int32"),
		offset:        add[int64](t, "log_offset", "Int64"),
		stage:         add[string](t, "stage", kindWord),
		code:          add[string](t, "code", kindWord),
		reason:        add[string](t, "reason", "String"),
		recordAt:      add[time.Time](t, "record_at", kindTime),
		letterAt:      add[time.Time](t, "letter_at", kindTime),
		resubmittedAt: add[*time.Time](t, "resubmitted_at", kindMaybeTime),
		key:           add[string](t, "record_key", "String"),
		value:         add[string](t, "record_value", "String"),
		letterOffset:  add[int64](t, "letter_offset", "Int64"),
	}
}

// write makes the row of a letter; resubmittedUS is 0 where the record was not submitted again.
func (t *lettersTable) write(origin int32, rec *kgo.Record, d *chatv1.DeadLetter, resubmittedUS int64) {
	recordAt := d.RecordAtUs
	if !validTime(recordAt) {
		recordAt = 0 // a clock that was wrong, or none
	}
	i := t.next(origin)
	t.topic.put(i, d.Topic)
	t.partition.put(i, d.Partition)
	t.offset.put(i, d.Offset)
	t.stage.put(i, d.Stage)
	t.code.put(i, d.Code)
	t.reason.put(i, d.Reason)
	t.recordAt.put(i, instant(recordAt))
	t.letterAt.put(i, rec.Timestamp.UTC())
	t.resubmittedAt.put(i, maybe(resubmittedUS))
	t.key.put(i, string(d.Key))
	t.value.put(i, string(d.Value))
	t.letterOffset.put(i, rec.Offset)
}
