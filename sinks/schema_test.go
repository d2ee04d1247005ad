package sinks

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// What sinks insert is what the tables have: every column that is not computed, of the same type.
func TestColumnsAreTheTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const query = "SELECT table, name, type FROM system.columns WHERE database = {db:String} AND endsWith(table, '_data') AND default_kind = '' ORDER BY table, position"
	rows, err := w.conn.Query(t.Context(), query, clickhouse.Named("db", w.database))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	theirs := make(map[string][][2]string)
	for rows.Next() {
		var table, name, kind string
		if err := rows.Scan(&table, &name, &kind); err != nil {
			t.Fatal(err)
		}
		theirs[table] = append(theirs[table], [2]string{name, kind})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range newBatch().tables() {
		columns := theirs[table.name]
		delete(theirs, table.name)
		// Columns with defaults of their own are not among theirs: an insert may leave any blank one out.
		if len(columns) != len(table.columns) {
			t.Errorf("%s: %d columns, the table has %d", table.name, len(table.columns), len(columns))
			continue
		}
		for i, c := range table.columns {
			if name, kind := c.head(); columns[i] != [2]string{name, kind} {
				t.Errorf("%s: column %d is %s %s, the table has %v", table.name, i+1, name, kind, columns[i])
			}
		}
	}
	for name := range theirs {
		t.Errorf("nothing writes table %s", name)
	}
}

// Columns that are blank in all rows of an insert are left out of it, and read as if they had been written.
func TestBlankColumnsReadTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	writer := newWriter(w.cfg, w.conn, w.database, m, newEngine(engineClickHouse, slog.New(slog.DiscardHandler), m))
	// bare are records with as little in them as can be, told apart by n.
	bare := func(n int64) []*kgo.Record {
		return []*kgo.Record{
			recordOf(t, w.ns, schemas.TopicEvents, "s/c", n, &chatv1.ChatEvent{
				EventId: fmt.Sprint(n), ShopId: "s", ConversationId: "c", OccurredAtUs: at(0), Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{}},
			}),
			recordOf(t, w.ns, schemas.TopicTakeovers, "s", 0, &chatv1.Takeover{ShopId: "s", Number: n, StartedAtUs: at(0)}),
			recordOf(t, w.ns, schemas.TopicRestrictions, "s", 0, &chatv1.Decision{ShopId: "s", Revision: int32(n), PeriodStartUs: at(0), PeriodEndUs: at(1)}),
			recordOf(t, w.ns, schemas.TopicSanctions, consumerKey, 0, &chatv1.Sanction{SanctionId: fmt.Sprint(n), Offender: consumerU, FromUs: at(0), DecidedAtUs: at(0)}),
		}
	}
	for _, records := range [][]*kgo.Record{bare(101), append(bare(102), samples(t, w.ns)...)} {
		mapper, b := newMapper(w.ns, testPartitions), newBatch()
		for _, rec := range records {
			mapper.add(b, rec, time.Unix(1, 0))
		}
		if left := b.chats.cardKind.needless(0, b.chats.rows()); left != (len(records) == 4) {
			t.Errorf("of %d records: needless is %t", len(records), left)
		}
		if letters, err := writer.write(t.Context(), b); err != nil || len(letters) != 0 {
			t.Fatalf("letters %v, %v", letters, err)
		}
	}
	for _, q := range []struct{ table, identity, offset string }{
		{"chat_events", "event_id", "log_offset"}, {"takeovers", "number", "source_offset"},
		{"restrictions", "revision", "source_offset"}, {"sanctions", "sanction_id", "log_offset"},
	} {
		query := fmt.Sprintf("SELECT concat(toString(count()), ' ', toString(uniqExact(tuple(COLUMNS('.*') EXCEPT (%s, %s))))) FROM db.%s WHERE toString(%s) IN ('101', '102')",
			q.identity, q.offset, q.table, q.identity)
		if got := w.text(query); got != "2 1" {
			t.Errorf("%s: rows and different rows %s, want 2 1", q.table, got)
		}
	}
}
