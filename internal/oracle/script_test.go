package oracle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/e2e/machines"
	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

var shanghai = time.FixedZone("CST", 8*3600)

// us reads a wall-clock time of Shanghai, such as "2024-03-05 10:00:00" or with ".000001".
func us(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05.999999", s, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

// script writes a log of one shop, "shop". Offsets count from 0.
type script struct {
	t   *testing.T
	log []oracle.Record
}

func (s *script) add(conversation, at string, role chatv1.Role, actor string, payload any) *chatv1.ChatEvent {
	s.t.Helper()
	e := &chatv1.ChatEvent{
		EventId: fmt.Sprintf("e%d", len(s.log)), ShopId: "shop", ConversationId: conversation,
		Actor: &chatv1.Actor{Role: role, Id: actor}, OccurredAtUs: us(s.t, at),
	}
	switch p := payload.(type) {
	case chatv1.MessageKind:
		e.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: p}}
	case *chatv1.ConversationOpened:
		e.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: p}
	case *chatv1.ConversationClosed:
		e.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: p}
	case *chatv1.ConversationRated:
		e.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: p}
	case *chatv1.ConversationTransferred:
		e.Payload = &chatv1.ChatEvent_ConversationTransferred{ConversationTransferred: p}
	case *chatv1.ConsumerBlocked:
		e.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: p}
	case *chatv1.ConsumerUnblocked:
		e.Payload = &chatv1.ChatEvent_ConsumerUnblocked{ConsumerUnblocked: p}
	case *chatv1.MessageShielded:
		e.Payload = &chatv1.ChatEvent_MessageShielded{MessageShielded: p}
	case *chatv1.ReceptionResumed:
		e.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: p}
	default:
		s.t.Fatalf("payload %T", payload)
	}
	s.put(e)
	return e
}

func (s *script) put(e *chatv1.ChatEvent) {
	s.log = append(s.log, oracle.Record{Offset: int64(len(s.log)), Event: e})
}

const written = chatv1.MessageKind_MESSAGE_KIND_TEXT

func (s *script) consumer(conversation, at string) *chatv1.ChatEvent {
	s.t.Helper()
	return s.add(conversation, at, chatv1.Role_ROLE_CONSUMER, "of-"+conversation, written)
}

func (s *script) agent(conversation, agent, at string) *chatv1.ChatEvent {
	s.t.Helper()
	return s.add(conversation, at, chatv1.Role_ROLE_AGENT, agent, written)
}

func (s *script) bot(conversation, at string) *chatv1.ChatEvent {
	s.t.Helper()
	return s.add(conversation, at, chatv1.Role_ROLE_BOT, "bot", written)
}

func (s *script) closed(conversation, at string) {
	s.t.Helper()
	s.add(conversation, at, chatv1.Role_ROLE_AGENT, "ann", &chatv1.ConversationClosed{})
}

func (s *script) rated(conversation, at string, score int32, life int64) *chatv1.ChatEvent {
	s.t.Helper()
	return s.add(conversation, at, chatv1.Role_ROLE_CONSUMER, "of-"+conversation, &chatv1.ConversationRated{Score: score, Life: life})
}

func (s *script) shielded(conversation, at string, message *chatv1.ChatEvent) {
	s.t.Helper()
	s.add(conversation, at, chatv1.Role_ROLE_SYSTEM, "", &chatv1.MessageShielded{MessageEventId: message.EventId})
}

func (s *script) resumed(at string) {
	s.t.Helper()
	s.add("", at, chatv1.Role_ROLE_AGENT, "ann", &chatv1.ReceptionResumed{})
}

func (s *script) tick(at string) {
	s.t.Helper()
	us := us(s.t, at)
	s.put(&chatv1.ChatEvent{OccurredAtUs: us, Payload: &chatv1.ChatEvent_Tick{Tick: &chatv1.Tick{AtUs: us}}})
}

// run is the oracle's result. The processors' state machines must come to the same.
func (s *script) run() *oracle.Result { return s.runBy(policy.Default()) }

func (s *script) runBy(p *policy.Set) *oracle.Result {
	s.t.Helper()
	want := oracle.Run(p, s.log)
	got, err := machines.Run(p, s.log)
	if err != nil {
		s.t.Error(err)
		return want
	}
	for _, d := range oracle.Compare(want, got) {
		s.t.Errorf("machines differ from the oracle: %v", d)
	}
	return want
}

func clockOf(us int64) string {
	if us == 0 {
		return "-"
	}
	return strings.TrimSuffix(time.UnixMicro(us).In(shanghai).Format("01-02 15:04:05.000000"), ".000000")
}

// rounds writes rounds as "c1 1: answered 03-05 10:00:00 to 03-05 10:01:00 by ann, counted".
func rounds(r *oracle.Result) []string {
	var out []string
	for _, o := range r.Rounds {
		s := fmt.Sprintf("%s %d: %s %s to %s", o.ConversationID, o.Number,
			strings.ToLower(strings.TrimPrefix(o.Outcome.String(), "ROUND_OUTCOME_")), clockOf(o.StartedAtUs), clockOf(o.EndedAtUs))
		if o.AgentId != "" {
			s += " by " + o.AgentId
		}
		if o.WaitUs != 0 {
			s += fmt.Sprintf(" after %v", time.Duration(o.WaitUs)*time.Microsecond)
		}
		if o.Counted {
			s += ", counted"
		}
		if o.Within {
			s += ", within"
		}
		out = append(out, s)
	}
	return out
}

// lives writes lives as "c1 1: closed 03-05 10:00:00 to 03-05 11:00:00".
func lives(r *oracle.Result) []string {
	var out []string
	for _, l := range r.Lives {
		end := map[chatv1.LifeEnd]string{
			chatv1.LifeEnd_LIFE_END_UNSPECIFIED: "open", chatv1.LifeEnd_LIFE_END_CLOSED: "closed", chatv1.LifeEnd_LIFE_END_LAPSED: "lapsed",
		}[l.End]
		out = append(out, fmt.Sprintf("%s %d: %s %s to %s", l.ConversationID, l.Life, end, clockOf(l.StartedAtUs), clockOf(l.EndedAtUs)))
	}
	return out
}

// takeovers writes takeovers as "1: same 11 of 1 from 03-05 10:00:00 to - evidence [0 1 2]".
func takeovers(r *oracle.Result) []string {
	var out []string
	for _, o := range r.Takeovers {
		trigger := "across"
		if o.Trigger == chatv1.TakeoverTrigger_TAKEOVER_TRIGGER_SAME_CONSUMER {
			trigger = "same"
		}
		out = append(out, fmt.Sprintf("%d: %s, %d of %d consumers, %s to %s, evidence %v",
			o.Number, trigger, o.Unreplied, o.Consumers, clockOf(o.StartedAtUs), clockOf(o.EndedAtUs), o.EvidenceOffsets))
	}
	return out
}

// windows writes snapshots as "day 03-05: final, rounds 1/1/1, …".
func windows(r *oracle.Result) []string {
	var out []string
	for _, k := range r.Kpis {
		name := "day"
		if k.Kind == chatv1.WindowKind_WINDOW_KIND_HALF_MONTH {
			name = "half"
		}
		c := k.Counts
		s := fmt.Sprintf("%s %s:", name, time.UnixMicro(k.StartUs).In(shanghai).Format("01-02"))
		if k.Final {
			s += " final,"
		}
		s += fmt.Sprintf(" rounds %d answered %d within %d, conversations %d mean %d strict %d unanswered %d, messages %d within %d, ratings %d bad %d",
			c.Rounds, c.RoundsAnswered, c.RoundsWithin, c.Conversations, c.ConversationsMeanWithin, c.ConversationsStrictWithin,
			c.ConversationsUnanswered, c.Messages, c.MessagesWithin, c.Ratings, c.RatingsDissatisfied)
		if k.Takeovers > 0 || k.BotUs > 0 {
			s += fmt.Sprintf(", takeovers %d bot %v", k.Takeovers, time.Duration(k.BotUs)*time.Microsecond)
		}
		out = append(out, s)
	}
	return out
}

// decisions writes decisions as "03-01 revision 1 at 0s: missed [...]".
func decisions(r *oracle.Result) []string {
	var out []string
	for _, d := range r.Decisions {
		s := fmt.Sprintf("%s revision %d at %ds: rounds %d, missed %v",
			time.UnixMicro(d.PeriodStartUs).In(shanghai).Format("01-02"), d.Revision, d.CheckpointSeconds, d.Counts.Rounds, d.Missed)
		if d.Restricted {
			s += fmt.Sprintf(", restricted %s to %s", clockOf(d.RestrictedFromUs), clockOf(d.RestrictedUntilUs))
		}
		out = append(out, s)
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}
