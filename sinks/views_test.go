package sinks

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// identities are, for each view, the columns that tell its rows apart.
var identities = map[string]string{
	"chat_events":        "shop_id, event_id",
	"chat_texts":         "shop_id, event_id",
	"chat_attachments":   "shop_id, event_id, position",
	"sign_ins":           "shop_id, event_id",
	"rounds":             "shop_id, conversation_id, number",
	"conversations":      "shop_id, conversation_id, life",
	"ratings":            "shop_id, conversation_id, life",
	"takeovers":          "shop_id, number",
	"service_kpis":       "shop_id, window_kind, window_start",
	"service_indicators": "shop_id, window_kind, window_start, name",
	"restrictions":       "shop_id, period_start, revision",
	"decisions":          "shop_id, period_start",
	"dead_letters":       "topic, log_partition, log_offset, stage",
	"audit_reads":        "shop_id, read_id",
	"violation_flags":    "flag_id",
	"violation_evidence": "flag_id",
	"verdicts":           "flag_id, verdict_id",
	"appeal_steps":       "flag_id, appeal_id, step",
	"sanctions":          "offender_kind, offender_id, sanction_id",
	"shop_kpis_now":      "shop_id, window_kind",
	"agent_performance":  "shop_id, agent_id, local_day",
	"hourly_load":        "shop_id, hour",
}

// Whoever asks a view by its obvious name sees nothing twice: not what was published twice, not what was read twice, not
// what is told anew with another time, and not at a month's end.
func TestViewsHaveNoDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	month := int64(31 * 86400)
	records := samples(t, w.ns)
	counted := &chatv1.Fact{ // for the views over rounds
		ShopId: "s", ConversationId: "c", SourceOffset: 1, Rounds: []*chatv1.Round{{Number: 9, Outcome: 1, StartedAtUs: at(0), Counted: true}},
	}
	again := &chatv1.ChatEvent{
		EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(month), Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Text: "other words"}},
	}
	reversed := sanctionOf(func(s *chatv1.Sanction) { s.Version, s.DecidedAtUs = 7, at(month) })
	records = append(records,
		recordOf(t, w.ns, schemas.TopicFacts, "s", 0, counted),
		recordOf(t, w.ns, schemas.TopicEvents, "s/c", 0, again),
		recordOf(t, w.ns, schemas.TopicSanctions, consumerKey, 0, reversed),
		recordOf(t, w.ns, schemas.TopicKpis, "s", 0, &chatv1.Kpi{ShopId: "s", Kind: 1, StartUs: at(0), EndUs: at(1), Version: 4, Indicators: []*chatv1.Indicator{{Name: "x"}, {Name: "y"}}}),
		recordOf(t, w.ns, schemas.TopicRestrictions, "s", 0, &chatv1.Decision{ShopId: "s", Revision: 2, PeriodStartUs: at(0), PeriodEndUs: at(1)}),
	)
	publish := func() {
		for _, rec := range records {
			rec := &kgo.Record{Topic: rec.Topic, Key: rec.Key, Value: rec.Value, Partition: schemas.Partition(rec.Key, w.broker.Partitions)}
			if err := w.client.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish()
	r := w.start(nil)
	w.caughtUp()
	publish() // once more on the topics, into parts of their own
	w.caughtUp()
	w.end(r)
	if _, err := w.admin().DeleteGroup(t.Context(), w.ns.Topic(Group)); err != nil {
		t.Fatal(err)
	}
	w.start(nil) // and all of it read once more
	w.caughtUp()

	rows, err := w.conn.Query(t.Context(), "SELECT name FROM system.tables WHERE database = '"+w.database+"' AND engine = 'View'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var view string
		if err := rows.Scan(&view); err != nil {
			t.Fatal(err)
		}
		identity, ok := identities[view]
		if !ok {
			t.Errorf("view %s: what tells its rows apart is not known here", view)
			continue
		}
		all, apart := w.number("SELECT count() FROM db."+view), w.number("SELECT uniqExact("+identity+") FROM db."+view)
		if all != apart || all == 0 {
			t.Errorf("view %s: %d rows, %d of them different", view, all, apart)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if all, stored := w.number("SELECT count() FROM db.chat_events"), w.number("SELECT count() FROM db.chat_events_data"); all == stored {
		t.Errorf("%d rows are stored and %d shown: the test does not test what it should", stored, all)
	}
	// What is in one month is not in another one as well.
	for _, q := range []struct{ view, time, row string }{
		{"chat_events", "time", "event_id = 'e'"}, {"chat_texts", "time", "event_id = 'e'"}, {"sanctions", "decided_at", "sanction_id = 'x'"},
	} {
		sum := uint64(0)
		for _, compare := range []string{"<", ">="} {
			sum += w.number(fmt.Sprintf("SELECT count() FROM db.%s WHERE %s AND %s %s '2026-11-01'", q.view, q.row, q.time, compare))
		}
		if sum != 1 {
			t.Errorf("view %s: %d rows with %s, month by month", q.view, sum, q.row)
		}
	}
	if got := w.text("SELECT text FROM db.chat_texts WHERE event_id = 'e'"); got != "words" {
		t.Errorf("%q stands in place of what was said first", got)
	}
	if got := w.text("SELECT toString(groupArray(log_offset)) FROM db.sanctions"); got != "[7]" {
		t.Errorf("sanctions %s: not the newest state", got)
	}
}
