package queries_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/dashboards/queries"
)

// What boards read from the indexes is what the views say, where rows came twice, in another order, in other batches, and
// where a round's start was moved.
func TestIndexesAgreeWithTheViews(t *testing.T) {
	c, conn, large := crowded(t)
	if large {
		t.Skip("the crowd is for measuring")
	}
	again := []string{
		"INSERT INTO chat_events_data SELECT * FROM chat_events_data WHERE log_offset % 3 = 0",
		// Published twice: the same event at a later offset.
		"INSERT INTO chat_events_data SELECT * REPLACE (log_offset + 1000000 AS log_offset) FROM chat_events_data WHERE log_offset % 7 = 0",
		"INSERT INTO rounds_data SELECT * FROM rounds_data WHERE source_offset % 3 = 0 ORDER BY rand()",
		"INSERT INTO sign_ins_data SELECT * FROM sign_ins_data WHERE kind = 'signed_in' OR rand() % 2 = 0",
		// The first message of an open round was taken back: it begins ten minutes later.
		"INSERT INTO rounds_data SELECT * REPLACE (addMinutes(started_at, 10) AS started_at, source_offset + 500000 AS source_offset, version + 1000000 AS version) FROM rounds_data FINAL WHERE outcome = 'open' AND cityHash64(conversation_id) % 2 = 0",
		// All messages of another were.
		"INSERT INTO rounds_data SELECT * REPLACE ('withdrawn' AS outcome, version + 1000000 AS version) FROM rounds_data FINAL WHERE outcome = 'open' AND cityHash64(conversation_id) % 5 = 1",
	}
	for _, sql := range again {
		if err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	const waiting = `FROM rounds WHERE outcome = 'open' AND {{shop:shop_id}} AND started_at > {{now}} - INTERVAL 24 HOUR AND started_at <= {{now}}`
	const inPeriod = `{{shop:shop_id}} AND counted AND outcome = 'answered' AND started_at >= {{period_start}} AND started_at < {{period_end}}`
	same := map[string]string{
		"live.waiting_count": "SELECT count() AS waiting " + waiting,
		"live.longest":       "SELECT maxOrNull(dateDiff('second', started_at, {{now}})) AS seconds " + waiting,
		"live.waiting": "SELECT shop_id, conversation_id, consumer_id, started_at AS since, dateDiff('second', started_at, {{now}}) AS seconds, counted " + waiting +
			" ORDER BY started_at, shop_id, conversation_id LIMIT 500",
		"agents.table": `SELECT shop_id, agent_id, count() AS rounds, countIf(within) / rounds AS within_share, avg(wait_us) / 1000000 AS avg_wait, max(wait_us) / 1000000 AS longest
			FROM rounds WHERE ` + inPeriod + ` GROUP BY shop_id, agent_id ORDER BY within_share, rounds DESC, shop_id, agent_id LIMIT 500`,
		"agents.trend": `SELECT toDateTime(toDate(started_at, {{tz}}), {{tz}}) AS time, agent_id, avg(wait_us) / 1000000 AS avg_wait FROM rounds WHERE ` + inPeriod + `
			AND agent_id IN (SELECT agent_id FROM rounds WHERE ` + inPeriod + ` GROUP BY agent_id ORDER BY count() DESC, agent_id LIMIT 20) GROUP BY time, agent_id ORDER BY time, agent_id`,
		"agents.slowest": `SELECT shop_id, agent_id, conversation_id, consumer_id, started_at, wait_us / 1000000 AS waited FROM rounds WHERE ` + inPeriod + ` ORDER BY waited DESC, shop_id, conversation_id, started_at LIMIT 100`,
		"agents.signed_in": `SELECT shop_id, account_id AS agent_id, max(time) AS since, argMax(client, time) AS application FROM sign_ins WHERE {{shop:shop_id}} AND account_role = 'agent' AND kind != 'refused'
			GROUP BY shop_id, agent_id HAVING argMax(kind, (time, log_offset)) = 'signed_in' ORDER BY since, shop_id, agent_id LIMIT 500`,
		"agents.messages": `SELECT {{bucket:time}} AS time, count() AS messages FROM (SELECT time FROM chat_events WHERE kind = 'message' AND actor_role = 'agent' AND NOT automatic AND {{shop:shop_id}} AND {{in_range:time}})
			GROUP BY time ORDER BY time`,
		"overview.messages": `SELECT {{bucket:time}} AS time, countIf(actor_role = 'consumer') AS consumer, countIf(actor_role = 'agent') AS agent, countIf(actor_role = 'bot') AS bot
			FROM (SELECT time, actor_role FROM chat_events WHERE kind = 'message' AND {{shop:shop_id}} AND {{in_range:time}}) GROUP BY time ORDER BY time`,
		"pipeline.rate":   "SELECT {{bucket:time}} AS time, count() AS events FROM (SELECT time FROM chat_events WHERE {{in_range:time}}) GROUP BY time ORDER BY time",
		"pipeline.behind": "SELECT if(count() = 0, NULL, dateDiff('second', max(time), {{now}})) AS seconds FROM chat_events",
		"pipeline.partitions": `SELECT log_partition, newest_offset, newest, fact_offset FROM (SELECT log_partition, max(log_offset) AS newest_offset, max(time) AS newest FROM chat_events_data GROUP BY log_partition) AS e
			LEFT JOIN (SELECT log_partition, max(source_offset) AS fact_offset FROM rounds_data GROUP BY log_partition) AS f USING log_partition ORDER BY log_partition`,
	}
	same["conversation.events"] = `SELECT time, toString(kind) AS event, toString(actor_role) AS role, actor_id, toString(message_kind) AS message, text_runes, automatic, shielded, log_offset
		FROM chat_events WHERE shop_id = {{shop}} AND conversation_id = {{conversation}} ORDER BY log_offset LIMIT 1000`
	_, found := ask(t, conn, "SELECT conversation_id FROM chat_events_data WHERE log_offset >= 1000000 AND shop_id = "+queries.Quote(c.biggest())+" LIMIT 1")
	for _, q := range queries.Every() {
		plain, ok := same[q.ID]
		if !ok {
			if strings.Contains(q.SQL, "_index") {
				t.Errorf("%s reads an index and is not compared", q.ID)
			}
			continue
		}
		delete(same, q.ID)
		rows := 0
		for _, v := range c.choices(q) {
			v.Conversation = found[0][0]
			if strings.HasPrefix(q.ID, "live") || strings.HasPrefix(q.ID, "pipeline") {
				v.From = v.Now.Add(-15 * 24 * time.Hour)
			}
			_, got := ask(t, conn, queries.Bind(q.SQL, v))
			_, want := ask(t, conn, queries.Bind(plain, v))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s, shop %s: %d rows, the views say %d: %s", q.ID, v.Shop, len(got), len(want), firstDifference(got, want))
			}
			rows += len(got)
		}
		if rows == 0 {
			t.Errorf("%s: nothing was compared", q.ID)
		}
	}
	for id := range same {
		t.Errorf("no query %s", id)
	}
}

func firstDifference(got, want [][]string) string {
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			return strings.Join(got[i], " | ") + " for " + strings.Join(want[i], " | ")
		}
	}
	return "at the end"
}
