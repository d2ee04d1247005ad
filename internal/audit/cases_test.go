package audit_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/scenario"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func keyOf(c *chatv1.Case) string {
	for _, o := range []*chatv1.Offender{
		c.GetFlag().GetOffender(), c.GetVerdict().GetOffender(), c.GetAppeal().GetOffender(), c.GetAppealDecision().GetOffender(),
	} {
		if o != nil {
			return oracle.OffenderName(o)
		}
	}
	return ""
}

// eventfulCases are cases in which a bit of everything happens, dealt out to the partitions.
func eventfulCases(t *testing.T, set *policy.Set) [][]oracle.CaseRecord {
	t.Helper()
	for seed := range uint64(2000) {
		logs := make([][]oracle.CaseRecord, partitions)
		for _, r := range scenario.GenerateCases(seed).Log {
			p := schemas.Partition([]byte(keyOf(r.Case)), partitions)
			logs[p] = append(logs[p], oracle.CaseRecord{Offset: int64(len(logs[p])), Case: r.Case})
		}
		var reversed, reissued, granted, sanctions int
		for _, log := range logs {
			p := oracle.RunCases(set, log)
			reversed, reissued, granted = reversed+p.Seen.Reversed, reissued+p.Seen.Reissued, granted+p.Seen.Granted
			sanctions += len(p.Sanctions)
		}
		if reversed > 3 && reissued > 3 && granted > 0 && sanctions > 10 && sanctions < 200 {
			return logs
		}
	}
	t.Fatal("no seed is eventful")
	return nil
}

func publishCases(t *testing.T, client *kgo.Client, ns schemas.Namespace, logs [][]oracle.CaseRecord) {
	t.Helper()
	var records []*kgo.Record
	for p, log := range logs {
		for _, r := range log {
			value, err := r.Case.MarshalVT()
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, &kgo.Record{Topic: ns.Topic(schemas.TopicCases), Partition: int32(p), Key: []byte(keyOf(r.Case)), Value: value})
		}
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// fillCases stores what a log of cases amounts to.
func (s storage) fillCases(partition int32, log []oracle.CaseRecord, p *oracle.Penalties) {
	s.t.Helper()
	var flags, evidence, verdicts, appeals, sanctions [][]any
	for _, r := range log {
		switch x := r.Case.Step.(type) {
		case *chatv1.Case_Flag:
			f := x.Flag
			flags = append(flags, []any{
				int8(f.Offender.Kind), f.Offender.Id, f.FlagId, f.ShopId, f.ConversationId, f.EventId, f.ActorId, instant(f.AtUs), int8(f.Category), f.SubKind,
				int8(f.Severity), f.Confidence, f.AutoConfirmed, f.Detector, f.DetectorVersion, f.PolicyVersion, partition, r.Offset,
			})
			evidence = append(evidence, []any{f.FlagId, instant(f.AtUs), f.SpanFrom, f.SpanTo, f.Evidence, partition, r.Offset})
		case *chatv1.Case_Verdict:
			v := x.Verdict
			verdicts = append(verdicts, []any{
				int8(v.Offender.Kind), v.Offender.Id, v.FlagId, v.VerdictId, instant(v.AtUs), int8(v.Ruling), int8(v.Category), v.ReviewerId, v.Note, partition, r.Offset,
			})
		case *chatv1.Case_Appeal:
			a := x.Appeal
			appeals = append(appeals, []any{int8(a.Offender.Kind), a.Offender.Id, a.FlagId, a.AppealId, int8(1), instant(a.AtUs), false, "", a.Reason, partition, r.Offset})
		case *chatv1.Case_AppealDecision:
			d := x.AppealDecision
			appeals = append(appeals, []any{int8(d.Offender.Kind), d.Offender.Id, d.FlagId, d.AppealId, int8(2), instant(d.AtUs), d.Granted, d.ReviewerId, d.Note, partition, r.Offset})
		}
	}
	for _, x := range p.Issued {
		sanctions = append(sanctions, sanctionRow(partition, x))
	}
	const offender = "offender_kind, offender_id, "
	s.insert("violation_flags_data", offender+"flag_id, shop_id, conversation_id, event_id, actor_id, time, category, sub_kind, severity, confidence, "+
		"auto_confirmed, detector, detector_version, policy_version, log_partition, log_offset", flags)
	s.insert("violation_evidence_data", "flag_id, time, span_from, span_to, evidence, log_partition, log_offset", evidence)
	s.insert("verdicts_data", offender+"flag_id, verdict_id, time, ruling, category, reviewer_id, note, log_partition, log_offset", verdicts)
	s.insert("appeal_steps_data", offender+"flag_id, appeal_id, step, time, granted, account_id, note, log_partition, log_offset", appeals)
	s.insert("sanctions_data", sanctionColumns, sanctions)
}

const sanctionColumns = "offender_kind, offender_id, sanction_id, kind, flag_id, category, shop_id, conversation_id, event_id, actor_id, time, until, points, " +
	"restrictions, offence, reversed, policy_version, decided_at, log_partition, log_offset"

func sanctionRow(partition int32, x *chatv1.Sanction) []any {
	return []any{
		int8(x.Offender.Kind), x.Offender.Id, x.SanctionId, int8(x.Kind), x.FlagId, int8(x.Category), x.ShopId, x.ConversationId, x.EventId, x.ActorId,
		instant(x.FromUs), maybeInstant(x.UntilUs), x.Points, list(x.Restrictions), x.Offence, x.Reversed, x.PolicyVersion, instant(x.DecidedAtUs), partition, x.Version,
	}
}

func TestDifferencesOfCasesAreFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "cases")
	p := int32(0)
	for i, log := range w.cases {
		if len(oracle.RunCases(w.deps.Policy, log).Sanctions) > 3 {
			p = int32(i)
		}
	}
	sanction := proto.CloneOf(oracle.RunCases(w.deps.Policy, w.cases[p]).Sanctions[0])
	sanction.Offence += 7
	invented := proto.CloneOf(sanction)
	invented.SanctionId = "elsewhere/mute"
	newer := proto.CloneOf(sanction)
	newer.SanctionId, newer.Version = "later/mute", 1_000_000
	w.store.insert("sanctions_data", sanctionColumns, [][]any{sanctionRow(p, sanction), sanctionRow(p, invented), sanctionRow(p, newer)})
	for _, table := range []string{"violation_flags_data", "violation_evidence_data", "verdicts_data", "appeal_steps_data"} {
		if err := w.store.conn.Exec(t.Context(), "INSERT INTO "+w.store.database+"."+table+" SELECT * REPLACE ('invented' AS flag_id) FROM "+
			w.store.database+"."+table+" LIMIT 1"); err != nil {
			t.Fatal(err)
		}
		if err := w.store.conn.Exec(t.Context(), "ALTER TABLE "+w.store.database+"."+table+" DELETE WHERE flag_id != 'invented' AND flag_id IN "+
			"(SELECT min(flag_id) FROM "+w.store.database+"."+table+" WHERE flag_id != 'invented') SETTINGS mutations_sync = 1"); err != nil {
			t.Fatal(err)
		}
	}
	r := w.audit(t, nil)
	text := words(r)
	for _, want := range []string{": offence: want ", "elsewhere/mute: unexpected", "violations.cases/0: offsets 0 to "} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	for name, want := range map[string][3]int{ // missing, unexpected, different
		oracle.TableFlags: {1, 1, 0}, oracle.TableEvidence: {1, 1, 0}, oracle.TableSanctions: {0, 1, 1},
	} {
		if got := table(r, name); [3]int{got.Missing, got.Unexpected, got.Different} != want {
			t.Errorf("%s: %+v, want missing, unexpected, different %v", name, got, want)
		}
	}
	for _, name := range []string{oracle.TableVerdicts, oracle.TableAppealSteps} {
		if got := table(r, name); got.Missing == 0 || got.Unexpected != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := table(r, oracle.TableSanctions); got.Newer != 1 {
		t.Errorf("sanctions: %+v, want one set aside", got)
	}
}
