package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/broker"
	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	"github.com/feigeio/feige/internal/warehouse"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// engine is the one ClickHouse of this process; nil when there is no library, and why.
var engine struct {
	server  *eclickhouse.Server
	missing error
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if _, engine.missing = eclickhouse.Locate(""); engine.missing != nil {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "audit-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cfg := eclickhouse.DefaultConfig()
	cfg.Dir, cfg.Addr = dir, "127.0.0.1:0"
	cfg.MaxMemoryBytes, cfg.MaxQueryMemoryBytes = 2<<30, 1<<30
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if engine.server, err = eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{Logger: logger}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := engine.server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// openDatabase gives an empty database with the product's tables.
func openDatabase(t *testing.T, ns schemas.Namespace) (driver.Conn, string) {
	t.Helper()
	if engine.server == nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(engine.missing)
		}
		t.Skip(engine.missing)
	}
	cfg := warehouse.DefaultConfig()
	cfg.Addr = []string{engine.server.Addr()}
	conn, err := warehouse.Open(t.Context(), cfg, ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	database := cfg.DatabaseFor(ns)
	if _, err := warehouse.Migrate(t.Context(), conn, warehouse.MigrateOptions{Database: database}); err != nil {
		t.Fatal(err)
	}
	return conn, database
}

// openBroker gives a broker in memory with the topic of chat events.
func openBroker(t *testing.T, ns schemas.Namespace, partitions int32) (broker.Config, *kgo.Client) {
	t.Helper()
	kafka, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0", Housekeeping: ekafka.DefaultHousekeeping()}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kafka.Close() })
	cfg := broker.DefaultConfig()
	cfg.Brokers, cfg.Partitions = []string{kafka.Addr()}, partitions
	opts, err := cfg.KGO()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(ns.Topic(schemas.TopicEvents)))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if _, err := kadm.NewClient(client).CreateTopics(t.Context(), partitions, 1, nil, ns.Topic(schemas.TopicEvents), ns.Topic(schemas.TopicCases)); err != nil {
		t.Fatal(err)
	}
	return cfg, client
}

// publish writes the logs of the partitions.
func publish(t *testing.T, client *kgo.Client, logs [][]oracle.Record) {
	t.Helper()
	var records []*kgo.Record
	for p, log := range logs {
		for _, r := range log {
			value, err := r.Event.MarshalVT()
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, &kgo.Record{
				Partition: int32(p), Key: []byte(scenario.Key(r, int32(p), int32(len(logs)))), Value: value,
			})
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// storage puts rows where the views read them.
type storage struct {
	t        *testing.T
	conn     driver.Conn
	database string
}

func (s storage) insert(table, columns string, rows [][]any) {
	s.t.Helper()
	if len(rows) == 0 {
		return
	}
	batch, err := s.conn.PrepareBatch(s.t.Context(), "INSERT INTO "+s.database+"."+table+" ("+columns+")")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, row := range rows {
		if err := batch.Append(row...); err != nil {
			s.t.Fatalf("%s: %v", table, err)
		}
	}
	if err := batch.Send(); err != nil {
		s.t.Fatalf("%s: %v", table, err)
	}
}

func instant(us int64) time.Time { return time.UnixMicro(us).UTC() }

func maybeInstant(us int64) *time.Time {
	if us == 0 {
		return nil
	}
	at := instant(us)
	return &at
}

func maybe(has bool, v float64) *float64 {
	if !has {
		return nil
	}
	return &v
}

// fill stores what a log amounts to.
func (s storage) fill(partition int32, log []oracle.Record, r *oracle.Result) {
	s.t.Helper()
	var rows [][]any
	for _, e := range log {
		if e.Event.GetTick() == nil {
			kind := chatv1.File_chat_v1_event_proto.Messages().ByName("ChatEvent").Oneofs().ByName("payload")
			field := e.Event.ProtoReflect().WhichOneof(kind)
			rows = append(rows, []any{
				e.Event.ShopId, e.Event.EventId, e.Event.ConversationId, instant(e.Event.OccurredAtUs), int8(field.Number()),
				int8(e.Event.Actor.Role), partition, e.Offset,
			})
		}
	}
	s.insert("chat_events_data", "shop_id, event_id, conversation_id, time, kind, actor_role, log_partition, log_offset", rows)
	rows = nil
	for _, o := range r.Rounds {
		var wait *int64
		if o.Outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED {
			wait = &o.WaitUs
		}
		rows = append(rows, []any{
			o.ShopID, o.ConversationID, o.Number, o.Life, o.NumberInLife, int8(o.Outcome), instant(o.StartedAtUs), maybeInstant(o.EndedAtUs), wait,
			o.AgentId, o.ConsumerId, o.Counted, o.Within, o.StartOffset, partition, int64(0), uint64(1),
		})
	}
	s.insert("rounds_data", "shop_id, conversation_id, number, life, number_in_life, outcome, started_at, ended_at, wait_us, agent_id, "+
		"consumer_id, counted, within, start_offset, log_partition, source_offset, version", rows)
	rows = nil
	for _, l := range r.Lives {
		rows = append(rows, []any{
			l.ShopID, l.ConversationID, l.Life, instant(l.StartedAtUs), maybeInstant(l.EndedAtUs), int8(l.End), l.ConsumerId, l.FirstAgentId,
			maybeInstant(l.FirstReplyAtUs), l.Rounds, partition, int64(0),
		})
	}
	s.insert("conversations_data", "shop_id, conversation_id, life, started_at, ended_at, life_end, consumer_id, first_agent_id, "+
		"first_reply_at, rounds, log_partition, source_offset", rows)
	rows = nil
	for _, o := range r.Ratings {
		rows = append(rows, []any{o.ShopID, o.ConversationID, o.Life, uint8(o.Score), instant(o.RatedAtUs), o.ConsumerId, partition, int64(0)})
	}
	s.insert("ratings_data", "shop_id, conversation_id, life, score, rated_at, consumer_id, log_partition, source_offset", rows)
	rows = nil
	for _, o := range r.Takeovers {
		rows = append(rows, []any{
			o.ShopId, o.Number, int8(o.Trigger), instant(o.StartedAtUs), maybeInstant(o.EndedAtUs), int8(o.End), o.EndedBy, o.TriggerEventId,
			o.TriggerConversationId, o.TriggerConsumerId, o.Unreplied, o.Consumers, o.EvidenceOffsets, o.Limit, o.PolicyVersion, partition, int64(0),
		})
	}
	s.insert("takeovers_data", "shop_id, number, trigger, started_at, ended_at, takeover_end, ended_by, trigger_event_id, "+
		"trigger_conversation_id, trigger_consumer_id, unreplied, consumers, evidence_offsets, unreplied_limit, policy_version, "+
		"log_partition, source_offset", rows)
	rows = nil
	for _, k := range r.Kpis {
		rows = append(rows, append(append([]any{
			k.ShopId, int8(k.Kind), instant(k.StartUs), instant(k.EndUs), uint64(1), k.Final, k.Takeovers, k.BotUs, k.PolicyVersion, partition, int64(0),
		}, counts(k.Counts)...), indicators(k.Indicators)...))
	}
	s.insert("service_kpis_data", "shop_id, window_kind, window_start, window_end, version, is_final, takeovers, bot_us, policy_version, "+
		"log_partition, log_offset, "+countColumns+", "+indicatorColumns, rows)
	rows = nil
	for _, d := range r.Decisions {
		rows = append(rows, append(append([]any{
			d.ShopId, instant(d.PeriodStartUs), instant(d.PeriodEndUs), uint32(d.Revision), d.Restricted, list(d.Restrictions),
			maybeInstant(d.RestrictedFromUs), maybeInstant(d.RestrictedUntilUs), list(d.Missed), d.CheckpointSeconds, d.PolicyVersion, partition, int64(0),
		}, counts(d.Counts)...), indicators(d.Evidence)...))
	}
	s.insert("restrictions_data", "shop_id, period_start, period_end, revision, restricted, restrictions, restricted_from, restricted_until, "+
		"missed, checkpoint_seconds, policy_version, log_partition, source_offset, "+countColumns+", "+indicatorColumns, rows)
}

func list(s []string) []string { return append([]string{}, s...) }

const countColumns = "rounds, rounds_answered, rounds_within, wait_sum_us, first_answered, first_wait_sum_us, conversations, " +
	"conversations_mean_within, conversations_strict_within, conversations_unanswered, messages, messages_within, ratings, " +
	"ratings_dissatisfied, ratings_sum"

func counts(c *chatv1.Counts) []any {
	return []any{
		c.Rounds, c.RoundsAnswered, c.RoundsWithin, c.WaitSumUs, c.FirstAnswered, c.FirstWaitSumUs, c.Conversations, c.ConversationsMeanWithin,
		c.ConversationsStrictWithin, c.ConversationsUnanswered, c.Messages, c.MessagesWithin, c.Ratings, c.RatingsDissatisfied, c.RatingsSum,
	}
}

const indicatorColumns = "indicator_names, indicator_values, indicator_samples, indicator_standards, indicator_comparisons, " +
	"indicator_verdicts, indicator_definitions"

func indicators(all []*chatv1.Indicator) []any {
	var names, comparisons, definitions, verdicts []string
	var values, standards []*float64
	var samples []int64
	words := map[chatv1.Verdict]string{
		chatv1.Verdict_VERDICT_REPORTED: "reported", chatv1.Verdict_VERDICT_NOT_JUDGED: "not_judged",
		chatv1.Verdict_VERDICT_MET: "met", chatv1.Verdict_VERDICT_MISSED: "missed",
	}
	for _, i := range all {
		names, comparisons, definitions = append(names, i.Name), append(comparisons, i.Comparison), append(definitions, i.Definition)
		verdicts, samples = append(verdicts, words[i.Verdict]), append(samples, i.Samples)
		values, standards = append(values, maybe(i.HasValue, i.Value)), append(standards, maybe(i.HasStandard, i.Standard))
	}
	return []any{names, values, samples, standards, comparisons, verdicts, definitions}
}
