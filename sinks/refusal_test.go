package sinks

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func protoNumber(n int) protoreflect.FieldNumber { return protoreflect.FieldNumber(n) }
func protoInt(v int64) protoreflect.Value        { return protoreflect.ValueOfInt64(v) }

func TestRefusals(t *testing.T) {
	t.Parallel()
	refuses := func(name string, rec *kgo.Record, code, reason string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBatch()
			newMapper("", testPartitions).add(b, rec, time.Unix(1, 0))
			if b.rows() != 0 {
				t.Fatalf("it makes %d rows", b.rows())
			}
			if len(b.refused) != 1 {
				t.Fatalf("%d letters", len(b.refused))
			}
			l := b.refused[0]
			if l.Code != code || !strings.Contains(l.Reason, reason) {
				t.Errorf("%s: %s; want %s: … %s …", l.Code, l.Reason, code, reason)
			}
			if l.Topic != rec.Topic || l.Partition != rec.Partition || l.Offset != rec.Offset || string(l.Value) != string(rec.Value) || l.Stage != "sinks" {
				t.Errorf("the letter is about %v", l)
			}
			if b.ends[rec.Topic][rec.Partition].Offset != rec.Offset+1 {
				t.Error("its offset would not be committed")
			}
		})
	}
	message := func(change func(*chatv1.ChatEvent)) *chatv1.ChatEvent {
		ev := &chatv1.ChatEvent{
			EventId: "e", ShopId: "s", ConversationId: "c", OccurredAtUs: at(0), Actor: &chatv1.Actor{Role: chatv1.Role_ROLE_CONSUMER},
			Payload: &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: "hi"}},
		}
		change(ev)
		return ev
	}
	event := func(key string, change func(*chatv1.ChatEvent)) *kgo.Record {
		return recordOf(t, "", schemas.TopicEvents, key, 7, message(change))
	}
	same := func(*chatv1.ChatEvent) {}

	garbage := event("s/c", same)
	garbage.Value = []byte{0xff, 0xff}
	refuses("garbage", garbage, CodeDecode, "EOF")
	elsewhere := event("s/c", same)
	elsewhere.Partition = (elsewhere.Partition + 1) % testPartitions
	refuses("another partition", elsewhere, CodeMisplaced, "belongs to partition")
	refuses("another conversation's key", event("s/d", same), CodeMisplaced, `an event of "s/c" under key "s/d"`)
	refuses("a longer key", event("s/c2", same), CodeMisplaced, "under key")
	refuses("a shop's key", event("s", same), CodeMisplaced, "under key")
	refuses("no shop", event("/c", func(ev *chatv1.ChatEvent) { ev.ShopId = "" }), CodeMisplaced, "under key")
	refuses("1970", event("s/c", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = 5 }), CodeInvalid, "time 5 µs is not between 2000 and 2200")
	refuses("2200", event("s/c", func(ev *chatv1.ChatEvent) { ev.OccurredAtUs = latestUS }), CodeInvalid, "not between")
	refuses("a role of the future", event("s/c", func(ev *chatv1.ChatEvent) { ev.Actor.Role = 99 }), CodeInvalid, "role 99")
	refuses("a message of the future", event("s/c", func(ev *chatv1.ChatEvent) { ev.GetMessage().Kind = 99 }), CodeInvalid, "kind 99")
	refuses("no payload", event("s/c", func(ev *chatv1.ChatEvent) { ev.Payload = nil }), CodeInvalid, "a kind that this version does not know")
	refuses("a negative size", event("s/c", func(ev *chatv1.ChatEvent) { ev.GetMessage().Attachments = []*chatv1.Attachment{{Size: -1}} }), CodeInvalid, "-1 bytes")
	refuses("a wild score", event("s/c", func(ev *chatv1.ChatEvent) {
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: 256}}
	}), CodeInvalid, "score of 256")

	fact := func(key string, f *chatv1.Fact) *kgo.Record { return recordOf(t, "", schemas.TopicFacts, key, 7, f) }
	refuses("a fact under another key", fact("z", &chatv1.Fact{ShopId: "s"}), CodeMisplaced, `shop "s" under key "z"`)
	refuses("a fact from nowhere", fact("s", &chatv1.Fact{ShopId: "s", SourceOffset: -1}), CodeInvalid, "offset -1")
	refuses("an outcome of the future", fact("s", &chatv1.Fact{ShopId: "s", Rounds: []*chatv1.Round{{Outcome: 99, StartedAtUs: at(0)}}}), CodeInvalid, "outcome 99")
	refuses("a round without an outcome", fact("s", &chatv1.Fact{ShopId: "s", Rounds: []*chatv1.Round{{StartedAtUs: at(0)}}}), CodeInvalid, "outcome 0")
	refuses("a round without a start", fact("s", &chatv1.Fact{ShopId: "s", Rounds: []*chatv1.Round{{Outcome: 1}}}), CodeInvalid, "a round: time 0")
	refuses("a good round and a bad life", fact("s", &chatv1.Fact{
		ShopId: "s", Rounds: []*chatv1.Round{{Outcome: 1, StartedAtUs: at(0)}}, Lives: []*chatv1.ConversationLife{{End: 9, StartedAtUs: at(0)}},
	}), CodeInvalid, "end 9")
	refuses("a rating at no time", fact("s", &chatv1.Fact{ShopId: "s", Rating: &chatv1.Rating{Score: 3}}), CodeInvalid, "a rating: time 0")

	refuses("a takeover of the future", recordOf(t, "", schemas.TopicTakeovers, "s", 7, &chatv1.Takeover{ShopId: "s", Trigger: 9, StartedAtUs: at(0)}), CodeInvalid, "trigger 9")
	refuses("a snapshot of no shop", recordOf(t, "", schemas.TopicKpis, "", 7, &chatv1.Kpi{}), CodeMisplaced, "under key")
	refuses("a negative version", recordOf(t, "", schemas.TopicKpis, "s", 7, &chatv1.Kpi{ShopId: "s", Version: -2, StartUs: at(0), EndUs: at(1)}), CodeInvalid, "version -2")
	refuses("a verdict of the future", recordOf(t, "", schemas.TopicKpis, "s", 7, &chatv1.Kpi{
		ShopId: "s", StartUs: at(0), EndUs: at(1), Indicators: []*chatv1.Indicator{{Name: "x", Verdict: 9}},
	}), CodeInvalid, `indicator "x": a verdict of 9`)
	refuses("revision 0", recordOf(t, "", schemas.TopicRestrictions, "s", 7, &chatv1.Decision{ShopId: "s", PeriodStartUs: at(0), PeriodEndUs: at(1)}), CodeInvalid, "revision 0")
	refuses("an empty letter", recordOf(t, "", schemas.TopicDeadLetters, "x/0/0", 7, &chatv1.DeadLetter{}), CodeInvalid, "names no topic")

	refuses("a topic of others", recordOf(t, "", "orders", "s", 7, &chatv1.Fact{}), CodeInvalid, "do not know")
	refusesCases(t, refuses)
}

func TestBrief(t *testing.T) {
	t.Parallel()
	is := func(name string, err error, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := brief(err); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
	is("plain", errors.New("no\n route"), "no route")
	is("away", fmt.Errorf("inserting: %w", &clickhouse.Exception{Code: 241, Message: "memory 'limit'"}), "ClickHouse code 241: memory 'limit'")
	is("values of a constraint", &clickhouse.Exception{
		Code: 469, CodeName: "VIOLATED_CONSTRAINT", Message: "Constraint `x` is violated at row 1. Expression: (score < 5). Column values: text = 'secret'",
	}, "ClickHouse code 469: Constraint `x` is violated at row 1. Expression: (score < 5) (VIOLATED_CONSTRAINT)")
	is("a value that cannot be parsed", &clickhouse.Exception{Code: 6, CodeName: "CANNOT_PARSE_TEXT", Message: "Cannot parse string 'secret' as UInt8"},
		"ClickHouse code 6: Cannot parse string (CANNOT_PARSE_TEXT)")
	is("long", errors.New(strings.Repeat("亲", 300)), strings.Repeat("亲", 166)+"…")
}

func TestAboutData(t *testing.T) {
	t.Parallel()
	is := func(name string, err error, want bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := aboutData(err); got != want {
				t.Errorf("%v: %t", err, got)
			}
		})
	}
	is("refused connection", errors.New("dial tcp: connection refused"), false)
	is("constraint", fmt.Errorf("x: %w", &clickhouse.Exception{Code: 469}), true)
	is("constraint over HTTP", &clickhouse.HTTPError{StatusCode: 500, Err: &clickhouse.Exception{Code: 469}}, true)
	is("unknown table", &clickhouse.Exception{Code: 60}, false)
	is("too many parts", &clickhouse.Exception{Code: 252}, false)
	is("memory", &clickhouse.Exception{Code: 241}, false)
	is("a value of another type", unfit{errors.New("converting")}, true)
}
