package oracle_test

import (
	"fmt"
	"testing"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// TestCompare finds every kind of difference.
func TestCompare(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	s.consumer("c1", "2024-03-05 10:00:00")
	s.agent("c1", "ann", "2024-03-05 10:01:40")
	s.rated("c1", "2024-03-05 10:02:00", 5, 0)
	s.tick("2024-03-16 00:00:00")
	if d := oracle.Compare(s.run(), s.run()); len(d) > 0 {
		t.Fatalf("a result differs from itself: %v", d)
	}
	got := s.run()
	got.Rounds[0].AgentId = "bob"
	got.Lives = append(got.Lives, got.Lives[0])
	got.Ratings = nil
	got.Kpis[0].Indicators[6].Value *= 1.009  // within the tolerance of percentiles
	got.Kpis[0].Indicators[7].Value *= 1.0101 // not so
	got.Decisions = append(got.Decisions, &chatv1.Decision{ShopId: "shop", Revision: 7})
	var found []string
	for _, d := range oracle.Compare(s.run(), got) {
		found = append(found, d.String())
	}
	same(t, "differences", found,
		"rounds shop/c1 round 1: agent_id: want ann, got bob",
		"conversations shop/c1 life 1: duplicate",
		"ratings shop/c1 life 1: missing",
		"service_indicators shop day from 2024-03-04T16:00:00.000000Z p90_response_seconds: value: want 100, got 101.01",
		"restrictions shop period from 1970-01-01T00:00:00.000000Z revision 7: unexpected",
	)
}

// BenchmarkRun reads 60,000 events over 14 years of one partition.
func BenchmarkRun(b *testing.B) {
	var log []oracle.Record
	at := int64(1_267_400_000_000_000)
	for i := range 60_000 {
		e := &chatv1.ChatEvent{
			EventId: fmt.Sprint(i), ShopId: fmt.Sprintf("shop-%d", i%3), ConversationId: fmt.Sprintf("c%d", i%1000), OccurredAtUs: at,
			Actor:   &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER, Id: fmt.Sprintf("u%d", i%1000)},
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: written}},
		}
		if i%17 == 5 {
			e.Actor = &chatv1.Actor{Role: chatv1.Role_ROLE_AGENT, Id: "ann"}
		}
		if i%2 == 0 {
			log = append(log, oracle.Record{Offset: int64(len(log)), Event: &chatv1.ChatEvent{Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: at}}}})
		}
		log = append(log, oracle.Record{Offset: int64(len(log)), Event: e})
		at += 14 * 365 * 86_400_000_000 / 60_000
	}
	p := policy.Default()
	for b.Loop() {
		oracle.Run(p, log)
	}
}
