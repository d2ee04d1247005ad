package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/sinks/deadletters"
)

// batch is what is gathered between two commits: rows by table, letters about records that make none, and
// up to where the log was read. One goroutine owns it at a time.
type batch struct {
	chats        *chatsTable
	texts        *textsTable
	attachments  *attachmentsTable
	signIns      *signInsTable
	rounds       *roundsTable
	lives        *livesTable
	ratings      *ratingsTable
	takeovers    *takeoversTable
	kpis         *kpisTable
	restrictions *restrictionsTable
	deadLetters  *lettersTable
	cases        casesTables
	sanctions    *sanctionsTable
	reads        *readsTable

	// sources are the records that have rows.
	sources []*kgo.Record
	// refused are letters to be published before the commit.
	refused []*deadletters.Letter
	// ends are the offsets to commit: per topic and partition, one past the newest record that was read.
	ends map[string]map[int32]kgo.EpochOffset
	// records and bytes that were read.
	records int
	bytes   int64
	// opened is when the first record came.
	opened time.Time
}

func newBatch() *batch {
	return &batch{
		chats: newChatsTable(), texts: newTextsTable(), attachments: newAttachmentsTable(), signIns: newSignInsTable(),
		rounds: newRoundsTable(), lives: newLivesTable(), ratings: newRatingsTable(),
		takeovers: newTakeoversTable(), kpis: newKpisTable(), restrictions: newRestrictionsTable(),
		deadLetters: newLettersTable(), cases: newCasesTables(), sanctions: newSanctionsTable(), reads: newReadsTable(),
		ends: make(map[string]map[int32]kgo.EpochOffset),
	}
}

// tables of the batch, the largest first.
func (b *batch) tables() []*table {
	return append([]*table{
		b.chats.table, b.texts.table, b.rounds.table, b.lives.table, b.kpis.table, b.attachments.table, b.signIns.table,
		b.ratings.table, b.takeovers.table, b.restrictions.table, b.deadLetters.table, b.sanctions.table, b.reads.table,
	}, b.cases.all()...)
}

func (b *batch) empty() bool { return b.records == 0 }

// rows of the largest table.
func (b *batch) rows() int {
	most := 0
	for _, t := range b.tables() {
		most = max(most, t.rows())
	}
	return most
}

// read notes that a record was read, whether it makes rows or not.
func (b *batch) read(rec *kgo.Record, now time.Time) {
	if b.records == 0 {
		b.opened = now
	}
	b.records++
	b.bytes += int64(len(rec.Key)+len(rec.Value)) + recordOverhead
	partitions := b.ends[rec.Topic]
	if partitions == nil {
		partitions = make(map[int32]kgo.EpochOffset)
		b.ends[rec.Topic] = partitions
	}
	partitions[rec.Partition] = kgo.EpochOffset{Epoch: rec.LeaderEpoch, Offset: rec.Offset + 1}
}

// recordOverhead is about what a record takes in memory besides its bytes.
const recordOverhead = 200

// source is the origin of the rows that a record makes.
func (b *batch) source(rec *kgo.Record) int32 {
	b.sources = append(b.sources, rec)
	return int32(len(b.sources) - 1)
}

func (b *batch) reset() {
	for _, t := range b.tables() {
		if t != b.kpis.table {
			t.reset()
		}
	}
	b.kpis.reset()
	clear(b.sources)
	b.sources = b.sources[:0]
	clear(b.refused)
	b.refused = b.refused[:0]
	clear(b.ends)
	b.records, b.bytes = 0, 0
}
