package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/scenario"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Violations and penalties survive kills: the same events and steps of cases go into two namespaces, one of whose stages are
// killed again and again. Both hold what their log of cases amounts to, each row once, and both hold the same flags.
func TestCasesCrash(t *testing.T) {
	t.Parallel()
	in, rng := newInstallation(t, "processors: {instance_id: one, max_restart_pause: 1s}\nsinks: {session_timeout: 6s}\n"), random(t)
	in.onEngines(func(*process) {
		in.namespace("calm", "--embedded")
		in.namespace("stormy", "--embedded")
		for _, ns := range []string{"calm", "stormy"} {
			processors, sinks := in.roles(ns)
			pub := in.publisher(ns)
			records := pub.records()
			const batches = 8
			for i := range batches {
				pub.publish(records[i*len(records)/batches : (i+1)*len(records)/batches])
				if ns == "stormy" {
					time.Sleep(upTo(rng, 1500*time.Millisecond))
					if processors.kill(); i == 3 {
						sinks.kill()
					}
					if i%2 == 1 {
						processors.awaitReady()
					}
				}
			}
			in.audit(ns)
			processors.stop()
			sinks.stop()
		}
		// Which copy of an advertisement was one too many depends on which partition was read first; how many were does not.
		for what, rows := range map[string]string{
			"flags on events":  "SELECT * EXCEPT log_offset FROM feige_%s.violation_flags WHERE detector != 'repetition'",
			"copies of an ad":  "SELECT offender_id, count() FROM feige_%s.violation_flags WHERE detector = 'repetition' GROUP BY ALL",
			"people's words":   "SELECT * EXCEPT log_offset FROM feige_%s.verdicts",
			"appeals":          "SELECT * EXCEPT log_offset FROM feige_%s.appeal_steps",
			"shops' sanctions": "SELECT sanction_id, until, points, reversed FROM feige_%s.sanctions WHERE offender_id LIKE 's%%-shop-%%'",
		} {
			for _, pair := range [][2]any{{"calm", "stormy"}, {"stormy", "calm"}} {
				only := fmt.Sprintf(rows, pair[0]) + " EXCEPT ALL " + fmt.Sprintf(rows, pair[1])
				if found := in.sql("SELECT * FROM (" + only + ") LIMIT 3"); len(found) > 0 {
					t.Errorf("%s, only in %s: %v", what, pair[0], found)
				}
			}
		}
		counts := in.checkNoRepeats("stormy")
		for _, name := range []string{"violation_flags", "violation_evidence", "sanctions"} {
			if counts[name] == 0 {
				t.Errorf("%s: no row", name)
			}
		}
		for table, least := range map[string]int{"verdicts": 100, "appeal_steps": 100} {
			if n := in.number("SELECT count() FROM feige_stormy." + table); n < least {
				t.Errorf("%s: %d rows, want at least %d", table, n, least)
			}
		}
		kinds := map[string]bool{}
		for _, row := range in.sql("SELECT DISTINCT sub_kind FROM feige_stormy.violation_flags") {
			kinds[row[0]] = true
		}
		for _, kind := range []string{"wechat", "repeated_ad", "after_question", "unauthorised_client", "new_client_and_network"} {
			if !kinds[kind] {
				t.Errorf("nothing was flagged as %s, only %v", kind, kinds)
			}
		}
		t.Logf("rows: %v; sanctions reversed: %d", counts, in.number("SELECT count() FROM feige_stormy.sanctions WHERE reversed"))
		if repeated := in.number("SELECT count() FROM feige_stormy.sanctions WHERE reversed"); repeated == 0 {
			t.Error("nothing was reversed")
		}

		// One more sanction is found.
		in.sql("INSERT INTO feige_stormy.sanctions_data SELECT * REPLACE ('invented' AS sanction_id) FROM feige_stormy.sanctions_data FINAL LIMIT 1")
		if got := in.run("audit", "--wait", "--namespace=stormy"); got.code == 0 || !strings.Contains(got.stdout, "1 row differs") {
			t.Errorf("a sanction was invented; audit: exit code %d\n%s", got.code, tail(got.stdout))
		}
	})
}

// publisher writes records of a namespace's topics.
type publisher struct {
	in         *installation
	client     *kgo.Client
	ns         schemas.Namespace
	partitions int32
	serial     int
}

func (in *installation) publisher(ns string) *publisher {
	in.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(in.kafka), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(client.Close)
	p := &publisher{in: in, client: client, ns: schemas.Namespace(ns)}
	topics, err := kadm.NewClient(client).ListTopics(in.t.Context(), p.ns.Topic(schemas.TopicEvents))
	if err != nil {
		in.t.Fatal(err)
	}
	p.partitions = int32(len(topics[p.ns.Topic(schemas.TopicEvents)].Partitions))
	return p
}

func (p *publisher) publish(records []*kgo.Record) {
	p.in.t.Helper()
	if err := p.client.ProduceSync(p.in.t.Context(), records...).FirstErr(); err != nil {
		p.in.t.Fatal(err)
	}
}

func (p *publisher) record(topic, key string, value interface{ MarshalVT() ([]byte, error) }) *kgo.Record {
	b, err := value.MarshalVT()
	if err != nil {
		p.in.t.Fatal(err)
	}
	return &kgo.Record{Topic: p.ns.Topic(topic), Key: []byte(key), Partition: schemas.Partition([]byte(key), p.partitions), Value: b}
}

// records are chat events with a bit of everything that is flagged, among steps of cases that people take.
func (p *publisher) records() []*kgo.Record {
	at := time.Date(2026, 3, 9, 4, 0, 0, 0, time.UTC).UnixMicro()
	event := func(shop, conversation string, role chatv1.Role, actor string) *chatv1.ChatEvent {
		p.serial++
		at += 1_000_000
		return &chatv1.ChatEvent{
			EventId: uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "cases %d", p.serial)).String(), ShopId: shop, ConversationId: conversation,
			Actor: &chatv1.Actor{Role: role, Id: actor}, OccurredAtUs: at,
		}
	}
	var chats, steps []*kgo.Record
	publish := func(e *chatv1.ChatEvent) {
		chats = append(chats, p.record(schemas.TopicEvents, schemas.EventKey(e.ShopId, e.ConversationId), e))
	}
	say := func(shop string, role chatv1.Role, actor, text string) {
		e := event(shop, "talk-"+actor, role, actor)
		if role == chatv1.Role_ROLE_AGENT {
			e.ConversationId = "talk-of-" + shop
		}
		e.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: chatv1.MessageKind_MESSAGE_KIND_TEXT, Text: text}}
		publish(e)
	}
	for i := range 60 {
		shop, consumer := fmt.Sprintf("shop-%d", i%15), fmt.Sprintf("consumer-%d", i)
		say(shop, chatv1.Role_ROLE_CONSUMER, consumer, "你好，什么时候发货？")
		if i%3 == 0 {
			e := event(shop, "talk-"+consumer, chatv1.Role_ROLE_AGENT, "agent-1")
			e.Payload = &chatv1.ChatEvent_ConsumerBlocked{ConsumerBlocked: &chatv1.ConsumerBlocked{ConsumerId: consumer}}
			publish(e)
		}
		say(shop, chatv1.Role_ROLE_AGENT, "agent-1", fmt.Sprintf("亲，加我微信 wx_8812%03d 给您便宜", i))
		say(shop, chatv1.Role_ROLE_CONSUMER, consumer, "客服都是傻逼，骗子")
		if i%5 == 0 {
			for j := range 4 { // the same to everybody
				say(fmt.Sprintf("shop-%d", (i+j)%15), chatv1.Role_ROLE_CONSUMER, "advertiser-"+consumer, "真人刷单，刷单返佣，一单十元，要的联系微信 shua_dan88")
			}
			e := event(shop, "", chatv1.Role_ROLE_AGENT, "agent-2")
			e.Payload = &chatv1.ChatEvent_ClientRefused{ClientRefused: &chatv1.ClientRefused{Client: "robot"}}
			publish(e)
			for j, client := range []string{"workbench-web", "workbench-mobile"} {
				e := event(shop, "", chatv1.Role_ROLE_AGENT, fmt.Sprintf("agent-of-%d", i))
				e.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{Client: client, Address: fmt.Sprintf("10.%d.0.1:7", i+j), SessionId: fmt.Sprint(i, j)}}
				publish(e)
			}
		}
	}
	for seed := range uint64(40) {
		for _, r := range scenario.GenerateCases(seed).Log {
			c := proto.CloneOf(r.Case)
			key := rename(c, fmt.Sprintf("s%d-", seed))
			steps = append(steps, p.record(schemas.TopicCases, key, c))
		}
	}
	var all []*kgo.Record
	for len(chats) > 0 || len(steps) > 0 { // evenly mixed
		n := (len(steps) + len(chats)) / max(1, len(chats))
		n = min(n, len(steps))
		all, steps = append(all, steps[:n]...), steps[n:]
		if len(chats) > 0 {
			all, chats = append(all, chats[0]), chats[1:]
		}
	}
	return all
}

// rename keeps scenarios apart, and returns the key of the step.
func rename(c *chatv1.Case, prefix string) string {
	var o *chatv1.Offender
	flag := func(f *chatv1.Flag) {
		if f == nil {
			return
		}
		f.FlagId, f.Offender = prefix+f.FlagId, proto.CloneOf(f.Offender)
		f.Offender.Id = prefix + f.Offender.Id
		if f.EventId != "" {
			f.EventId = prefix + f.EventId
		}
	}
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		flag(s.Flag)
		return oracle.OffenderName(s.Flag.Offender)
	case *chatv1.Case_Verdict:
		s.Verdict.VerdictId, s.Verdict.FlagId, o = prefix+s.Verdict.VerdictId, prefix+s.Verdict.FlagId, s.Verdict.Offender
		flag(s.Verdict.Flag)
	case *chatv1.Case_Appeal:
		s.Appeal.AppealId, s.Appeal.FlagId, o = prefix+s.Appeal.AppealId, prefix+s.Appeal.FlagId, s.Appeal.Offender
	case *chatv1.Case_AppealDecision:
		s.AppealDecision.AppealId, s.AppealDecision.FlagId, o = prefix+s.AppealDecision.AppealId, prefix+s.AppealDecision.FlagId, s.AppealDecision.Offender
	}
	o.Id = prefix + o.Id
	return oracle.OffenderName(o)
}
