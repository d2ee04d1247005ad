package sinks

import (
	"testing"
	"time"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	"github.com/feigeio/feige/sinks/deadletters"
)

// Every record type ends in the view that a person asks, in the words that it shows.
func TestEveryTopicArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)

	w.publishMessages("s", 0, 10)
	w.publish(schemas.TopicEvents, "s/c1", &chatv1.ChatEvent{
		EventId: "p", ShopId: "s", ConversationId: "c1", OccurredAtUs: at(0), Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: "u1"},
		Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{
			Kind:        chatv1.MessageKind_MESSAGE_KIND_PICTURE,
			Attachments: []*chatv1.Attachment{{Id: "b1", MimeType: "image/png", Size: 3, QrPayloads: []string{"x", "y"}}, {Id: "b2", MimeType: "image/png", Size: 4}},
		}},
	})
	w.publish(schemas.TopicEvents, "s/", &chatv1.ChatEvent{
		EventId: "in", ShopId: "s", OccurredAtUs: at(0), Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "a"},
		Payload: &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{Client: "web", Address: "::1", SessionId: "n"}},
	})
	for p := range w.broker.Partitions {
		w.publish(schemas.TopicEvents, schemas.TickKey(p, w.broker.Partitions), &chatv1.ChatEvent{OccurredAtUs: at(1), Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at(1)}}})
	}
	round := &chatv1.Round{Number: 1, Life: 1, NumberInLife: 1, Outcome: chatv1.RoundOutcome_ROUND_OUTCOME_OPEN, StartedAtUs: at(0), Counted: true}
	answered := round.CloneVT()
	answered.Outcome, answered.EndedAtUs, answered.WaitUs, answered.AgentId = chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED, at(90), 90_000_000, "a"
	withdrawn := round.CloneVT()
	withdrawn.Number, withdrawn.Outcome = 2, chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN
	w.publish(schemas.TopicFacts, "s", &chatv1.Fact{ShopId: "s", ConversationId: "c1", SourceOffset: 1, Rounds: []*chatv1.Round{round}, Lives: []*chatv1.ConversationLife{{Life: 1, StartedAtUs: at(0)}}})
	w.publish(schemas.TopicFacts, "s", &chatv1.Fact{ShopId: "s", ConversationId: "c1", SourceOffset: 2, Rounds: []*chatv1.Round{answered}})
	w.publish(schemas.TopicFacts, "s", &chatv1.Fact{ShopId: "s", ConversationId: "c1", SourceOffset: 3, Rounds: []*chatv1.Round{withdrawn}, Lives: []*chatv1.ConversationLife{
		{Life: 1, StartedAtUs: at(0), EndedAtUs: at(99), End: chatv1.LifeEnd_LIFE_END_CLOSED, FirstAgentId: "a", FirstReplyAtUs: at(90), Rounds: 1}, {Life: 2, StartedAtUs: at(100)}}})
	w.publish(schemas.TopicFacts, "s", &chatv1.Fact{ShopId: "s", ConversationId: "c1", SourceOffset: 4, Rating: &chatv1.Rating{Life: 1, Score: 2, RatedAtUs: at(200), ConsumerId: "u1"}})
	begun := &chatv1.Takeover{ShopId: "s", Number: 1, Trigger: chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_SAME_CONSUMER, StartedAtUs: at(5), Unreplied: 11, EvidenceOffsets: []int64{0, 1, 2}, Limit: 10, SourceOffset: 5}
	ended := begun.CloneVT()
	ended.EndedAtUs, ended.End, ended.EndedBy, ended.SourceOffset = at(6), chatv1.TakeoverEnd_TAKEOVER_END_MANUAL_REPLY, "a", 6
	w.publish(schemas.TopicTakeovers, "s", begun)
	w.publish(schemas.TopicTakeovers, "s", ended)
	indicators := []*chatv1.Indicator{
		{Name: "manual_reply_3min_rate", HasValue: true, Value: 0.5, Samples: 40, HasStandard: true, Standard: 0.7, Comparison: ">=", Verdict: chatv1.Verdict_VERDICT_MISSED, Definition: "conversation"},
		{Name: "dissatisfaction_rate", Verdict: chatv1.Verdict_VERDICT_NOT_JUDGED},
	}
	for version := range int64(3) {
		w.publish(schemas.TopicKpis, "s", &chatv1.Kpi{
			ShopId: "s", Kind: chatv1.WindowKind_WINDOW_KIND_DAY, StartUs: at(0), EndUs: at(86400), Version: version, Counts: &chatv1.Counts{Rounds: 10 + version},
			BotUs: 2_500_000, Indicators: indicators, PolicyVersion: "v1",
		})
	}
	for revision := range int32(2) {
		w.publish(schemas.TopicRestrictions, "s", &chatv1.Decision{
			ShopId: "s", PeriodStartUs: at(0), PeriodEndUs: at(10), Revision: revision + 1, Restricted: revision == 0, RestrictedFromUs: at(10) * int64(1-revision),
			RestrictedUntilUs: at(20) * int64(1-revision), Evidence: indicators, Missed: []string{"manual_reply_3min_rate"}[revision:], SourceOffset: 7,
		})
	}
	w.caughtUp()

	is := func(query string, want string) {
		t.Helper()
		if got := w.text(query); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", query, got, want)
		}
	}
	is("SELECT concat(toString(count()), ' ', toString(uniqExact(event_id))) FROM db.chat_events", "12 12")
	is("SELECT concat(toString(min(time)), ' ', toString(countIf(actor_role = 'agent')), ' ', toString(sum(text_runes))) FROM db.chat_events WHERE message_kind = 'text'",
		"2026-10-26 07:33:20.000000 1 60")
	is("SELECT text FROM db.chat_texts WHERE event_id = '00000000-0000-7000-8000-000000000003'", "text 3")
	is("SELECT toString(groupArray((position, attachment_id, qr_payloads))) FROM (SELECT * FROM db.chat_attachments ORDER BY position)", "[(1,'b1',['x','y']),(2,'b2',[])]")
	is("SELECT toString((kind, account_id, client, session_id)) FROM db.sign_ins", "('signed_in','a','web','n')")
	is("SELECT toString(groupArray((number, outcome, wait_us, agent_id, ended_at IS NULL))) FROM db.rounds", "[(1,'answered',90000000,'a',0)]")
	is("SELECT toString(groupArray((life, life_end, ended_at IS NULL, first_agent_id, score, rated_at IS NULL))) FROM (SELECT * FROM db.conversations ORDER BY life)",
		"[(1,'closed',0,'a',2,0),(2,'open',1,'',NULL,1)]")
	is("SELECT toString(groupArray((score, life))) FROM db.ratings", "[(2,1)]")
	is("SELECT toString(groupArray((number, trigger, takeover_end, ended_by, evidence_offsets))) FROM db.takeovers", "[(1,'same_consumer','manual_reply','a',[0,1,2])]")
	is("SELECT toString(groupArray((window_kind, version, rounds, indicator_names))) FROM db.service_kpis", "[('day',2,12,['manual_reply_3min_rate','dissatisfaction_rate'])]")
	is("SELECT toString(groupArray((position, name, value, standard, verdict, definition))) FROM db.service_indicators",
		"[(1,'manual_reply_3min_rate',0.5,0.7,'missed','conversation'),(2,'dissatisfaction_rate',NULL,NULL,'not_judged','')]")
	is("SELECT toString(groupArray((manual_reply_3min_rate, dissatisfaction_rate, avg_response_seconds, bot_seconds, missed, toString(local_start)))) FROM db.shop_kpis_now",
		"[(0.5,NULL,NULL,2.5,['manual_reply_3min_rate'],'2026-10-26 15:33:20.000000')]")
	is("SELECT toString(groupArray((revision, restricted, restricted_from IS NULL))) FROM (SELECT * FROM db.restrictions ORDER BY revision)", "[(1,true,0),(2,false,1)]")
	is("SELECT toString(groupArray((revision, restricted, restricted_from IS NULL, missed, evidence['manual_reply_3min_rate']))) FROM db.decisions", "[(2,false,1,[],0.5)]")
	is("SELECT toString(groupArray((agent_id, rounds, avg_wait_seconds, toString(local_day)))) FROM db.agent_performance", "[('a',1,90,'2026-10-26')]")
	is("SELECT toString(groupArray((consumer_messages, agent_messages, consumers, toString(local_hour)))) FROM db.hourly_load", "[(10,1,7,'2026-10-26 15:00:00')]")
	if letters := w.letters(deadletters.Filter{}); len(letters) != 0 {
		t.Errorf("letters: %v", letters)
	}
}

// Repeats on a topic, and a whole second run over it by another sink, change nothing.
func TestRepeatsMakeNoDuplicates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := eventOf("s", 0)
	w.publishMessages("s", 0, 200)
	later := first.CloneVT()
	later.OccurredAtUs = at(7 * 86400) // a resend that was stamped anew
	later.GetMessage().Text = "another text"
	w.publish(schemas.TopicEvents, "s/c0", later)
	w.publishMessages("s", 100, 200)
	w.start(nil)
	w.caughtUp()
	if rows, ids := w.number("SELECT count() FROM db.chat_events"), w.number("SELECT uniqExact(event_id) FROM db.chat_events"); rows != 200 || ids != 200 {
		t.Errorf("%d rows of %d events", rows, ids)
	}
	if n := w.number("SELECT count() FROM db.chat_texts"); n != 200 {
		t.Errorf("%d texts", n)
	}
	if text := w.text("SELECT text FROM db.chat_texts WHERE event_id = '" + first.EventId + "'"); text != "text 0" {
		t.Errorf("%q stands in place of the first occurrence", text)
	}
}

// A clean stop leaves nothing to be read again.
func TestStopCommits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.MaxBatchAge = time.Minute // only the stop closes the batch
	r := w.start(nil)
	w.publishMessages("s", 0, 50)
	w.eventually(func() bool { return w.metric(r, "feige_sinks_records_total") == 50 }, func() string { return "not everything is read" })
	if n := w.number("SELECT count() FROM db.chat_events"); n != 0 {
		t.Fatalf("%d rows before the stop", n)
	}
	w.end(r)
	if n := w.number("SELECT count() FROM db.chat_events"); n != 50 || w.behind() != 0 {
		t.Errorf("%d rows, %d records behind", n, w.behind())
	}
}

// A round whose start a shield moves into the next month is not seen twice, however the months are asked for.
func TestRoundMovesIntoTheNextMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(nil)
	month := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	open := &chatv1.Round{Number: 1, Outcome: chatv1.RoundOutcome_ROUND_OUTCOME_OPEN, StartedAtUs: month - 1}
	moved := open.CloneVT()
	moved.StartedAtUs = month + 5_000_000
	w.publish(schemas.TopicFacts, "s", &chatv1.Fact{ShopId: "s", ConversationId: "c", SourceOffset: 1, Kind: chatv1.FactKind_FACT_KIND_CONSUMER_MESSAGE, Rounds: []*chatv1.Round{open}})
	w.caughtUp()
	if n := w.number("SELECT count() FROM db.rounds WHERE started_at < '2026-02-01'"); n != 1 {
		t.Fatalf("%d rounds in January", n)
	}
	w.publish(schemas.TopicFacts, "s", &chatv1.Fact{ShopId: "s", ConversationId: "c", SourceOffset: 2, Kind: chatv1.FactKind_FACT_KIND_OTHER, Rounds: []*chatv1.Round{moved}})
	w.caughtUp()
	for query, want := range map[string]uint64{
		"SELECT count() FROM db.rounds":                                                                              1,
		"SELECT count() FROM db.rounds WHERE started_at >= '2026-02-01'":                                             1,
		"SELECT count() FROM db.rounds WHERE started_at < '2026-02-01'":                                              0,
		"SELECT countIf(outcome = 'open') FROM db.rounds_data FINAL WHERE _partition_id = '202601'":                  0,
		"SELECT countIf(outcome = 'open') FROM (SELECT * FROM db.rounds_data FINAL) WHERE started_at < '2026-02-01'": 0,
	} {
		if n := w.number(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}
