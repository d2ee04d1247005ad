package sinks

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// consumerU is an offender, and consumerKey what its records stand under.
var consumerU = &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, Id: "u"}

const consumerKey = "consumer:u"

// flagOf is a flag with every field set.
func flagOf(change func(*chatv1.Flag)) *chatv1.Flag {
	f := &chatv1.Flag{
		FlagId: "f", Offender: consumerU, ShopId: "s", ConversationId: "c", EventId: "e", ActorId: "u", AtUs: at(0),
		Category: chatv1.Category_CATEGORY_ABUSE, SubKind: "insult", Severity: chatv1.Severity_SEVERITY_HIGH, Confidence: 0.75, SpanFrom: 3, SpanTo: 5,
		Evidence: "rude words", Detector: "words", DetectorVersion: "7", PolicyVersion: "v1", AutoConfirmed: true,
	}
	change(f)
	return f
}

func stepOf(t testing.TB, ns schemas.Namespace, key string, c *chatv1.Case) *kgo.Record {
	t.Helper()
	return recordOf(t, ns, schemas.TopicCases, key, 8, c)
}

func sanctionOf(change func(*chatv1.Sanction)) *chatv1.Sanction {
	s := &chatv1.Sanction{
		SanctionId: "x", Version: 6, Offender: consumerU, Kind: chatv1.SanctionKind_SANCTION_KIND_MUTE, FlagId: "f", Category: chatv1.Category_CATEGORY_ABUSE,
		ShopId: "s", ConversationId: "c", EventId: "e", ActorId: "u", FromUs: at(0), UntilUs: at(9), Points: 2, Restrictions: []string{"p", "q"},
		Offence: 3, Reversed: true, PolicyVersion: "v1", DecidedAtUs: at(1),
	}
	change(s)
	return s
}

func readOf(change func(*chatv1.ReadRecord)) *chatv1.ReadRecord {
	r := &chatv1.ReadRecord{
		ReadId: "r", AtUs: at(0), AccountId: "m", Role: "reviewer", ShopId: "s", ConversationId: "c", What: "history", Reason: "appeal 5", Address: "::1", Messages: 4,
	}
	change(r)
	return r
}

func makesCases(t *testing.T, ns schemas.Namespace, makes func(string, *kgo.Record, map[string][]row)) {
	place := row{"log_offset": "8"}
	if p := schemas.Partition([]byte(consumerKey), testPartitions); p != 0 {
		place["log_partition"] = fmt.Sprint(p)
	}
	of := with(place, row{"offender_kind": "1", "offender_id": "u", "flag_id": "f", "time": us(0)})
	flag := func(f *chatv1.Flag) *chatv1.Case { return &chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}} }

	makes("a flag", stepOf(t, ns, consumerKey, flag(flagOf(func(*chatv1.Flag) {}))), map[string][]row{
		"violation_flags_data": {with(of, row{
			"shop_id": "s", "conversation_id": "c", "event_id": "e", "actor_id": "u", "category": "2", "sub_kind": "insult", "severity": "3",
			"confidence": "0.75", "auto_confirmed": "true", "detector": "words", "detector_version": "7", "policy_version": "v1",
		})},
		"violation_evidence_data": {with(place, row{"flag_id": "f", "time": us(0), "span_from": "3", "span_to": "5", "evidence": "rude words"})},
	})
	shopKey := "shop:s"
	ofShop := row{"offender_kind": "2", "offender_id": "s", "flag_id": "f", "time": us(0), "log_offset": "8"}
	if p := schemas.Partition([]byte(shopKey), testPartitions); p != 0 {
		ofShop["log_partition"] = fmt.Sprint(p)
	}
	makes("a verdict about a shop", stepOf(t, ns, shopKey, &chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: &chatv1.ReviewVerdict{
		VerdictId: "v", FlagId: "f", Offender: &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_SHOP, Id: "s"}, Ruling: chatv1.Ruling_RULING_DISMISSED,
		Category: chatv1.Category_CATEGORY_SPAM, ReviewerId: "m", Note: "no", AtUs: at(0),
	}}}), map[string][]row{"verdicts_data": {with(ofShop, row{"verdict_id": "v", "ruling": "2", "category": "5", "reviewer_id": "m", "note": "no"})}})
	makes("an appeal", stepOf(t, ns, consumerKey, &chatv1.Case{Step: &chatv1.Case_Appeal{Appeal: &chatv1.Appeal{
		AppealId: "p", FlagId: "f", Offender: consumerU, Reason: "not me", AtUs: at(0),
	}}}), map[string][]row{"appeal_steps_data": {with(of, row{"appeal_id": "p", "step": "1", "note": "not me"})}})
	makes("an appeal's decision", stepOf(t, ns, consumerKey, &chatv1.Case{Step: &chatv1.Case_AppealDecision{AppealDecision: &chatv1.AppealDecision{
		AppealId: "p", FlagId: "f", Offender: consumerU, Granted: true, ReviewerId: "m", Note: "right", AtUs: at(0),
	}}}), map[string][]row{"appeal_steps_data": {with(of, row{"appeal_id": "p", "step": "2", "granted": "true", "account_id": "m", "note": "right"})}})

	sanctionRow := with(of, row{
		"sanction_id": "x", "kind": "2", "category": "2", "shop_id": "s", "conversation_id": "c", "event_id": "e", "actor_id": "u", "until": maybeUS(9),
		"points": "2", "restrictions": "p|q", "offence": "3", "reversed": "true", "policy_version": "v1", "decided_at": us(1), "log_offset": "6",
	})
	sanction := func(s *chatv1.Sanction) *kgo.Record {
		return recordOf(t, ns, schemas.TopicSanctions, consumerKey, 8, s)
	}
	makes("a sanction", sanction(sanctionOf(func(*chatv1.Sanction) {})), map[string][]row{"sanctions_data": {sanctionRow}})
	makes("a ban without end", sanction(sanctionOf(func(s *chatv1.Sanction) {
		s.Kind, s.UntilUs = chatv1.SanctionKind_SANCTION_KIND_BAN, 0
	})), map[string][]row{"sanctions_data": {without(with(sanctionRow, row{"kind": "3"}), "until")}})

	makes("a read", recordOf(t, ns, schemas.TopicReads, "s/c", 8, readOf(func(*chatv1.ReadRecord) {})), map[string][]row{"audit_reads_data": {{
		"shop_id": "s", "conversation_id": "c", "read_id": "r", "time": us(0), "reader_role": "reviewer", "reader_id": "m",
		"authorised_by": "appeal 5", "purpose": "history", "address": "::1", "messages": "4",
	}}})
}

func refusesCases(t *testing.T, refuses func(name string, rec *kgo.Record, code, reason string)) {
	flag := func(key string, change func(*chatv1.Flag)) *kgo.Record {
		return stepOf(t, "", key, &chatv1.Case{Step: &chatv1.Case_Flag{Flag: flagOf(change)}})
	}
	verdict := func(change func(*chatv1.ReviewVerdict)) *kgo.Record {
		v := &chatv1.ReviewVerdict{VerdictId: "v", FlagId: "f", Offender: consumerU, Ruling: 1, AtUs: at(0)}
		change(v)
		return stepOf(t, "", consumerKey, &chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: v}})
	}
	refuses("a case of nothing", stepOf(t, "", consumerKey, &chatv1.Case{}), CodeInvalid, "without a step")
	refuses("a flag under its shop's key", flag("s", func(*chatv1.Flag) {}), CodeMisplaced, `"consumer:u" under key "s"`)
	refuses("a flag of nobody", flag("", func(f *chatv1.Flag) { f.Offender = nil }), CodeMisplaced, "under key")
	refuses("an offender of the future", flag(consumerKey, func(f *chatv1.Flag) { f.Offender = &chatv1.Offender{Kind: 9, Id: "u"} }), CodeMisplaced, "under key")
	refuses("a flag without an id", flag(consumerKey, func(f *chatv1.Flag) { f.FlagId = "" }), CodeInvalid, "without the id")
	refuses("a flag at no time", flag(consumerKey, func(f *chatv1.Flag) { f.AtUs = 0 }), CodeInvalid, "a step of a case: time 0")
	refuses("a category of the future", flag(consumerKey, func(f *chatv1.Flag) { f.Category = 99 }), CodeInvalid, "category 99")
	refuses("a severity of the future", flag(consumerKey, func(f *chatv1.Flag) { f.Severity = 9 }), CodeInvalid, "severity 9")
	elsewhere := flag(consumerKey, func(*chatv1.Flag) {})
	elsewhere.Partition = (elsewhere.Partition + 1) % testPartitions
	refuses("a flag in another partition", elsewhere, CodeMisplaced, "belongs to partition")
	refuses("a verdict without an id", verdict(func(v *chatv1.ReviewVerdict) { v.VerdictId = "" }), CodeInvalid, "without the id")
	refuses("a ruling of the future", verdict(func(v *chatv1.ReviewVerdict) { v.Ruling = 9 }), CodeInvalid, "ruling 9")
	refuses("a verdict of another category", verdict(func(v *chatv1.ReviewVerdict) { v.Category = -1 }), CodeInvalid, "category -1")
	refuses("an appeal about no flag", stepOf(t, "", consumerKey, &chatv1.Case{Step: &chatv1.Case_Appeal{Appeal: &chatv1.Appeal{
		AppealId: "p", Offender: consumerU, AtUs: at(0),
	}}}), CodeInvalid, "without the id")
	refuses("a decision of no appeal", stepOf(t, "", consumerKey, &chatv1.Case{Step: &chatv1.Case_AppealDecision{AppealDecision: &chatv1.AppealDecision{
		FlagId: "f", Offender: consumerU, AtUs: at(0),
	}}}), CodeInvalid, "without the id")

	sanction := func(key string, change func(*chatv1.Sanction)) *kgo.Record {
		return recordOf(t, "", schemas.TopicSanctions, key, 8, sanctionOf(change))
	}
	refuses("a sanction under another key", sanction("shop:s", func(*chatv1.Sanction) {}), CodeMisplaced, `"consumer:u" under key "shop:s"`)
	refuses("a sanction without an id", sanction(consumerKey, func(s *chatv1.Sanction) { s.SanctionId = "" }), CodeInvalid, "without an id")
	refuses("a sanction of version -1", sanction(consumerKey, func(s *chatv1.Sanction) { s.Version = -1 }), CodeInvalid, "version -1")
	refuses("a sanction of the future", sanction(consumerKey, func(s *chatv1.Sanction) { s.Kind = 99 }), CodeInvalid, "kind 99")
	refuses("a sanction of another category", sanction(consumerKey, func(s *chatv1.Sanction) { s.Category = 99 }), CodeInvalid, "category 99")
	refuses("a sanction from no time", sanction(consumerKey, func(s *chatv1.Sanction) { s.FromUs = 0 }), CodeInvalid, "a sanction: time 0")
	refuses("a sanction decided at no time", sanction(consumerKey, func(s *chatv1.Sanction) { s.DecidedAtUs = 0 }), CodeInvalid, "a sanction: time 0")
	refuses("a sanction until 1970", sanction(consumerKey, func(s *chatv1.Sanction) { s.UntilUs = 5 }), CodeInvalid, "time 5")

	read := func(key string, change func(*chatv1.ReadRecord)) *kgo.Record {
		return recordOf(t, "", schemas.TopicReads, key, 8, readOf(change))
	}
	refuses("a read under a shop's key", read("s", func(*chatv1.ReadRecord) {}), CodeMisplaced, `"s/c" under key "s"`)
	refuses("a read of no shop", read("/c", func(r *chatv1.ReadRecord) { r.ShopId = "" }), CodeMisplaced, "under key")
	refuses("a read without an id", read("s/c", func(r *chatv1.ReadRecord) { r.ReadId = "" }), CodeInvalid, "without an id")
	refuses("a read by nobody", read("s/c", func(r *chatv1.ReadRecord) { r.AccountId = "" }), CodeInvalid, "or an account")
	refuses("a read at no time", read("s/c", func(r *chatv1.ReadRecord) { r.AtUs = 0 }), CodeInvalid, "a read: time 0")
}
