package audit

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/internal/oracle"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// storedCases is what ClickHouse holds of one partition of cases.
type storedCases struct {
	flags     []*flagRow
	evidence  []*evidenceRow
	verdicts  []*verdictRow
	appeals   []*appealRow
	sanctions []versioned[*chatv1.Sanction]
}

type flagRow struct {
	OffenderKind                             int8
	OffenderID, Flag, Shop, Conversation     string
	Event, Actor                             string
	AtUS                                     int64
	Category                                 int8
	SubKind                                  string
	Severity                                 int8
	Confidence                               float64
	Auto                                     bool
	Detector, DetectorVersion, PolicyVersion string
	Offset                                   int64
	from, to                                 int32 // of the evidence
}

func flagRowOf(f *chatv1.Flag, offset int64) *flagRow {
	return &flagRow{
		kindOfOffender(f.Offender), f.Offender.GetId(), f.FlagId, f.ShopId, f.ConversationId, f.EventId, f.ActorId, f.AtUs, int8(f.Category), f.SubKind,
		int8(f.Severity), f.Confidence, f.AutoConfirmed, f.Detector, f.DetectorVersion, f.PolicyVersion, offset, f.SpanFrom, f.SpanTo,
	}
}

func (r *flagRow) key() string {
	return fmt.Sprintf("%d %s flag %s", r.OffenderKind, r.OffenderID, r.Flag)
}
func (r *flagRow) offset() int64 { return r.Offset }

// evidenceRow leaves out the words: a report must not hold them.
type evidenceRow struct {
	Flag     string
	AtUS     int64
	From, To int32
	Offset   int64
}

func (r *evidenceRow) key() string   { return "flag " + r.Flag }
func (r *evidenceRow) offset() int64 { return r.Offset }
func (r *evidenceRow) fields() map[string]string {
	return map[string]string{
		"time": oracle.Instant(r.AtUS), "span_from": fmt.Sprint(r.From), "span_to": fmt.Sprint(r.To), "log_offset": fmt.Sprint(r.Offset),
	}
}

type verdictRow struct {
	OffenderKind              int8
	OffenderID, Flag, Verdict string
	AtUS                      int64
	Ruling, Category          int8
	Reviewer                  string
	Offset                    int64
}

func verdictRowOf(v *chatv1.ReviewVerdict, offset int64) *verdictRow {
	return &verdictRow{
		kindOfOffender(v.Offender), v.Offender.GetId(), v.FlagId, v.VerdictId, v.AtUs, int8(v.Ruling), int8(v.Category), v.ReviewerId, offset,
	}
}

func (r *verdictRow) key() string   { return fmt.Sprintf("flag %s verdict %s", r.Flag, r.Verdict) }
func (r *verdictRow) offset() int64 { return r.Offset }
func (r *verdictRow) fields() map[string]string {
	return map[string]string{
		"offender": fmt.Sprintf("%d %s", r.OffenderKind, r.OffenderID), "time": oracle.Instant(r.AtUS), "ruling": fmt.Sprint(r.Ruling),
		"category": fmt.Sprint(r.Category), "reviewer_id": r.Reviewer, "log_offset": fmt.Sprint(r.Offset),
	}
}

type appealRow struct {
	OffenderKind             int8
	OffenderID, Flag, Appeal string
	Step                     int8 // 1: filed, 2: decided
	AtUS                     int64
	Granted                  bool
	Account                  string
	Offset                   int64
}

func (r *appealRow) key() string {
	return fmt.Sprintf("flag %s appeal %s step %d", r.Flag, r.Appeal, r.Step)
}
func (r *appealRow) offset() int64 { return r.Offset }
func (r *appealRow) fields() map[string]string {
	return map[string]string{
		"offender": fmt.Sprintf("%d %s", r.OffenderKind, r.OffenderID), "time": oracle.Instant(r.AtUS), "granted": fmt.Sprint(r.Granted),
		"account_id": r.Account, "log_offset": fmt.Sprint(r.Offset),
	}
}

func (w warehouse) readCases(ctx context.Context, p int32) (*storedCases, error) {
	out := &storedCases{}
	for _, read := range []func(context.Context, int32, *storedCases) error{w.flags, w.evidence, w.verdicts, w.appeals, w.sanctions} {
		if err := read(ctx, p, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w warehouse) flags(ctx context.Context, p int32, out *storedCases) error {
	columns := "toInt8(offender_kind), offender_id, flag_id, shop_id, conversation_id, event_id, actor_id, " + micros("time") +
		", toInt8(category), toString(sub_kind), toInt8(severity), confidence, auto_confirmed, toString(detector), toString(detector_version), " +
		"toString(policy_version), log_offset"
	return w.each(ctx, oracle.TableFlags, columns, "time", "", p, func(r driver.Rows) error {
		f := &flagRow{}
		out.flags = append(out.flags, f)
		return r.Scan(&f.OffenderKind, &f.OffenderID, &f.Flag, &f.Shop, &f.Conversation, &f.Event, &f.Actor, &f.AtUS, &f.Category, &f.SubKind,
			&f.Severity, &f.Confidence, &f.Auto, &f.Detector, &f.DetectorVersion, &f.PolicyVersion, &f.Offset)
	})
}

func (w warehouse) evidence(ctx context.Context, p int32, out *storedCases) error {
	return w.each(ctx, oracle.TableEvidence, "flag_id, "+micros("time")+", span_from, span_to, log_offset", "time", "", p, func(r driver.Rows) error {
		f := &evidenceRow{}
		out.evidence = append(out.evidence, f)
		return r.Scan(&f.Flag, &f.AtUS, &f.From, &f.To, &f.Offset)
	})
}

func (w warehouse) verdicts(ctx context.Context, p int32, out *storedCases) error {
	columns := "toInt8(offender_kind), offender_id, flag_id, verdict_id, " + micros("time") + ", toInt8(ruling), toInt8(category), reviewer_id, log_offset"
	return w.each(ctx, oracle.TableVerdicts, columns, "time", "", p, func(r driver.Rows) error {
		v := &verdictRow{}
		out.verdicts = append(out.verdicts, v)
		return r.Scan(&v.OffenderKind, &v.OffenderID, &v.Flag, &v.Verdict, &v.AtUS, &v.Ruling, &v.Category, &v.Reviewer, &v.Offset)
	})
}

func (w warehouse) appeals(ctx context.Context, p int32, out *storedCases) error {
	columns := "toInt8(offender_kind), offender_id, flag_id, appeal_id, toInt8(step), " + micros("time") + ", granted, account_id, log_offset"
	return w.each(ctx, oracle.TableAppealSteps, columns, "time", "", p, func(r driver.Rows) error {
		a := &appealRow{}
		out.appeals = append(out.appeals, a)
		return r.Scan(&a.OffenderKind, &a.OffenderID, &a.Flag, &a.Appeal, &a.Step, &a.AtUS, &a.Granted, &a.Account, &a.Offset)
	})
}

func (w warehouse) sanctions(ctx context.Context, p int32, out *storedCases) error {
	columns := "toInt8(offender_kind), offender_id, sanction_id, toInt8(kind), flag_id, toInt8(category), shop_id, conversation_id, event_id, actor_id, " +
		micros("time") + ", " + maybeMicros("until") + ", points, arrayMap(x -> toString(x), restrictions), offence, reversed, toString(policy_version), " +
		micros("decided_at") + ", log_offset"
	return w.each(ctx, oracle.TableSanctions, columns, "time", "", p, func(r driver.Rows) error {
		s := &chatv1.Sanction{Offender: &chatv1.Offender{}}
		var offender, kind, category int8
		if err := r.Scan(&offender, &s.Offender.Id, &s.SanctionId, &kind, &s.FlagId, &category, &s.ShopId, &s.ConversationId, &s.EventId, &s.ActorId,
			&s.FromUs, &s.UntilUs, &s.Points, &s.Restrictions, &s.Offence, &s.Reversed, &s.PolicyVersion, &s.DecidedAtUs, &s.Version); err != nil {
			return err
		}
		s.Offender.Kind, s.Kind, s.Category = chatv1.OffenderKind(offender), chatv1.SanctionKind(kind), chatv1.Category(category)
		out.sanctions = append(out.sanctions, versioned[*chatv1.Sanction]{row: s, source: s.Version})
		return nil
	})
}
