package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// While `feige up` runs, clients that know nothing of it use its Kafka and its ClickHouse.
func TestOutsideClients(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	in.onEngines(func(*process) {
		const wanted = 500
		in.must("topics", "apply", "--embedded")
		in.must("simulate", "--from=2026-03-08T00:00:00+08:00", "--to=2026-03-09T00:00:00+08:00", "--shops=5", "--rate=0.02")
		eventually(t, "rows in ClickHouse", func() bool { return in.number("SELECT count() FROM feige.chat_events") >= wanted })
		t.Run("franz-go", func(t *testing.T) { readFranz(t, in.kafka, wanted) })
		t.Run("kafka-go", func(t *testing.T) { readKafkaGo(t, in.kafka, wanted) })
		t.Run("curl", func(t *testing.T) { askAsCurl(t, in.clickhouse) })
		t.Run("clickhouse-go", func(t *testing.T) { askClickHouseGo(t, in.clickhouse) })
		t.Run("reader", func(t *testing.T) { readerMayOnlyRead(t, in.clickhouse) })
		t.Run("auditor", func(t *testing.T) { auditorIsRecorded(t, in) })
	})
}

// events counts the chat events among records, and wants every record to be one.
type events struct {
	t    *testing.T
	seen map[string]bool
}

func (e *events) take(key, value []byte) {
	e.t.Helper()
	var ev chatv1.ChatEvent
	if err := ev.UnmarshalVT(value); err != nil {
		e.t.Fatalf("record with key %q: %v", key, err)
	}
	if schemas.IsTickKey(string(key)) {
		return
	}
	if want := schemas.EventKey(ev.ShopId, ev.ConversationId); string(key) != want {
		e.t.Errorf("key %q, want %q", key, want)
	}
	e.seen[ev.EventId] = true
}

func readFranz(t *testing.T, addr string, wanted int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumerGroup("somebody"), kgo.ConsumeTopics(schemas.TopicEvents),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := events{t, map[string]bool{}}
	for len(got.seen) < wanted {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("after %d events: %v", len(got.seen), err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got.take(r.Key, r.Value) })
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
}

func readKafkaGo(t *testing.T, addr string, wanted int) {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, GroupID: "somebody-else", Topic: schemas.TopicEvents,
		StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := events{t, map[string]bool{}}
	for len(got.seen) < wanted {
		message, err := reader.FetchMessage(ctx)
		if err != nil {
			t.Fatalf("after %d events: %v", len(got.seen), err)
		}
		got.take(message.Key, message.Value)
	}
}

func askAsCurl(t *testing.T, addr string) {
	check := func(name, method, query, body, want string) {
		t.Run(name, func(t *testing.T) {
			status, text := fetch(t.Context(), method, "http://"+addr+"/"+query, body)
			if status != http.StatusOK || !strings.Contains(text, want) {
				t.Errorf("%d %q, want %q", status, text, want)
			}
		})
	}
	check("ping", http.MethodGet, "ping", "", "Ok.")
	check("tables", http.MethodGet, "?query=SHOW+TABLES+FROM+feige", "", "chat_events\n")
	check("statement in the body", http.MethodPost, "", "SELECT count() > 0 FROM feige.chat_events", "1\n")
	check("parameters", http.MethodPost, "?param_shop=none", "SELECT count() FROM feige.chat_events WHERE shop_id = {shop:String}", "0\n")
	check("format", http.MethodPost, "", "SELECT count() AS n FROM feige.chat_events FORMAT JSONEachRow", `{"n":`)
	check("comments", http.MethodPost, "", "SELECT comment FROM system.columns WHERE database = 'feige' AND table = 'chat_events' AND name = 'shop_id'", "Shop")
}

func askClickHouseGo(t *testing.T, addr string) {
	conn, err := clickhouse.Open(&clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{addr},
		Auth: clickhouse.Auth{Database: "feige", Username: "reader"}, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rows, err := conn.Query(t.Context(), "SELECT shop_id, kind, time, attachments FROM chat_events WHERE kind = $1 ORDER BY time LIMIT 10", "message")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var shop, kind string
		var at time.Time
		var attachments uint16
		if err := rows.Scan(&shop, &kind, &at, &attachments); err != nil {
			t.Fatal(err)
		}
		if shop == "" || kind != "message" || at.Year() != 2026 {
			t.Errorf("row %q %q %v", shop, kind, at)
		}
		n++
	}
	if err := rows.Err(); err != nil || n != 10 {
		t.Fatalf("%d rows, want 10: %v", n, err)
	}
}

// readerMayOnlyRead tries, as the account for boards, what it must not do.
func readerMayOnlyRead(t *testing.T, addr string) {
	ask := func(user, statement string) (int, string) {
		return fetch(t.Context(), http.MethodPost, "http://"+addr+"/?"+url.Values{"user": {user}}.Encode(), statement)
	}
	if status, text := ask("reader", "SELECT count() FROM feige.chat_events"); status != http.StatusOK {
		t.Fatalf("reading: %d %s", status, text)
	}
	for _, statement := range []string{
		"INSERT INTO feige.chat_events_data (shop_id) VALUES ('x')",
		"CREATE TABLE feige.mine (a Int64) ENGINE = Memory",
		"DROP TABLE feige.chat_events_data",
		"TRUNCATE TABLE feige.chat_events_data",
		"ALTER TABLE feige.chat_events_data DELETE WHERE 1",
		"CREATE DATABASE mine",
		"SYSTEM STOP MERGES",
		"SELECT * FROM file('/etc/passwd', 'LineAsString')",
		"SELECT 1 INTO OUTFILE 'outfile'",
		"SELECT 1; SELECT 2",
		"SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
	} {
		if status, text := ask("reader", statement); status < 400 || status >= 500 && !strings.Contains(text, "DB::Exception") {
			t.Errorf("%s: %d %s, want a refusal", statement, status, strings.TrimSpace(text))
		}
	}
	if status, _ := ask("nobody", "SELECT 1"); status != http.StatusForbidden && status != http.StatusUnauthorized {
		t.Errorf("an unknown account: status %d", status)
	}
	if status, text := ask("default", fmt.Sprintf("SELECT count() FROM %s.chat_events", database(""))); status != http.StatusOK || text == "0\n" {
		t.Errorf("afterwards: %d %s", status, text)
	}
}

// auditorIsRecorded reads texts as the auditor, and finds the reading among all others'.
func auditorIsRecorded(t *testing.T, in *installation) {
	status, text := fetch(t.Context(), http.MethodPost, "http://"+in.clickhouse+"/?user=auditor", "SELECT count() FROM feige.chat_texts WHERE text != 'geheim'")
	if status != http.StatusOK || text == "0\n" {
		t.Fatalf("reading: %d %s", status, text)
	}
	const kept = "FROM feige.audit_reads WHERE reader_id = 'auditor' AND reader_role = 'auditor' AND statement = 'SELECT count() FROM feige.chat_texts WHERE text != \\'?\\''"
	eventually(t, "the record of the reading", func() bool { return in.number("SELECT count() "+kept) == 1 })
}
