package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// caseLog is what a partition of violations.cases amounts to: what it says itself, each flag, verdict, and step of an
// appeal at its first place, and the sanctions that follow.
type caseLog struct {
	flags     []*flagRow
	verdicts  []*verdictRow
	appeals   []*appealRow
	penalties *oracle.Penalties
}

// auditCases audits violations.cases and what follows from it.
func auditCases(ctx context.Context, log chatLog, tables warehouse, cfg Config, deps Dependencies, report *Report) error {
	extents, err := log.extents(ctx, cfg.Until)
	if err != nil {
		return err
	}
	for _, e := range extents {
		part, want, err := recomputeCases(ctx, log, e, int32(len(extents)), deps)
		if err != nil {
			return err
		}
		t := newTally()
		if e.start > 0 {
			part.Unaudited = "violation_flags, violation_evidence, verdicts, appeal_steps, sanctions: they may rest on earlier steps"
		} else {
			got, err := tables.readCases(ctx, e.partition)
			if err != nil {
				return err
			}
			matchCases(t, cfg, e, want, got)
		}
		report.addCases(part, t)
	}
	return nil
}

func recomputeCases(ctx context.Context, log chatLog, e extent, partitions int32, deps Dependencies) (Partition, *caseLog, error) {
	part := Partition{Partition: e.partition, Start: e.start, End: e.end, Dropped: map[string]int{}}
	want := &caseLog{}
	var steps []oracle.CaseRecord
	seen := map[string]bool{}
	first := func(key string) bool {
		was := seen[key]
		seen[key] = true
		return !was
	}
	err := log.read(ctx, e, func(r *kgo.Record) error {
		part.Records++
		c, why := decodeCase(r, partitions)
		if why != "" {
			part.Dropped[string(why)]++
			return nil
		}
		part.Events++
		steps = append(steps, oracle.CaseRecord{Offset: r.Offset, Case: c})
		switch s := c.Step.(type) {
		case *chatv1.Case_Flag:
			if row := flagRowOf(s.Flag, r.Offset); first(row.key()) {
				want.flags = append(want.flags, row)
			}
			s.Flag.Evidence = "" // only to save memory
		case *chatv1.Case_Verdict:
			if row := verdictRowOf(s.Verdict, r.Offset); first(row.key()) {
				want.verdicts = append(want.verdicts, row)
			}
		case *chatv1.Case_Appeal:
			a := s.Appeal
			if row := (&appealRow{OffenderKind: kindOfOffender(a.Offender), OffenderID: a.Offender.GetId(), Flag: a.FlagId, Appeal: a.AppealId, Step: 1, AtUS: a.AtUs, Offset: r.Offset}); first(row.key()) {
				want.appeals = append(want.appeals, row)
			}
		case *chatv1.Case_AppealDecision:
			d := s.AppealDecision
			if row := (&appealRow{OffenderKind: kindOfOffender(d.Offender), OffenderID: d.Offender.GetId(), Flag: d.FlagId, Appeal: d.AppealId, Step: 2, AtUS: d.AtUs, Granted: d.Granted, Account: d.ReviewerId, Offset: r.Offset}); first(row.key()) {
				want.appeals = append(want.appeals, row)
			}
		}
		return nil
	})
	if err != nil {
		return part, nil, err
	}
	want.penalties = oracle.RunCases(deps.Policy, steps)
	return part, want, nil
}

// decodeCase reads a record of violations.cases.
func decodeCase(r *kgo.Record, partitions int32) (*chatv1.Case, dropped) {
	c := &chatv1.Case{}
	if err := c.UnmarshalVT(r.Value); err != nil {
		return nil, "undecodable"
	}
	var o *chatv1.Offender
	var at int64
	var ids []string
	categories := []chatv1.Category{0}
	severity, ruling := chatv1.Severity(0), chatv1.Ruling(0)
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		f := s.Flag
		o, at, ids, severity, categories = f.GetOffender(), f.GetAtUs(), []string{f.GetFlagId()}, f.GetSeverity(), []chatv1.Category{f.GetCategory()}
	case *chatv1.Case_Verdict:
		v := s.Verdict
		o, at, ids, ruling = v.GetOffender(), v.GetAtUs(), []string{v.GetFlagId(), v.GetVerdictId()}, v.GetRuling()
		categories = []chatv1.Category{v.GetCategory(), v.GetFlag().GetCategory()}
		if f := v.GetFlag(); f != nil && (f.FlagId != v.FlagId || offenderKey(f.Offender) != offenderKey(o)) {
			return nil, "with another flag than it names"
		}
	case *chatv1.Case_Appeal:
		o, at, ids = s.Appeal.GetOffender(), s.Appeal.GetAtUs(), []string{s.Appeal.GetFlagId(), s.Appeal.GetAppealId()}
	case *chatv1.Case_AppealDecision:
		o, at, ids = s.AppealDecision.GetOffender(), s.AppealDecision.GetAtUs(), []string{s.AppealDecision.GetFlagId(), s.AppealDecision.GetAppealId()}
	default:
		return nil, "without a step"
	}
	for _, id := range ids {
		if id == "" {
			return nil, "without an id"
		}
	}
	for _, category := range categories {
		if _, known := chatv1.Category_name[int32(category)]; !known {
			return nil, "of an unknown category"
		}
	}
	_, known := chatv1.Severity_name[int32(severity)]
	_, also := chatv1.Ruling_name[int32(ruling)]
	switch key := offenderKey(o); {
	case key == "" || key != string(r.Key):
		return nil, "under another key"
	case schemas.Partition(r.Key, partitions) != r.Partition:
		return nil, "in another partition"
	case at < earliestUS || at >= latestUS:
		return nil, "dated before 2000 or after 2199"
	case !known || !also:
		return nil, "of an unknown severity or ruling"
	}
	return c, ""
}

func offenderKey(o *chatv1.Offender) string {
	switch o.GetKind() {
	case chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, chatv1.OffenderKind_OFFENDER_KIND_SHOP:
		return oracle.OffenderName(o)
	}
	return ""
}

func kindOfOffender(o *chatv1.Offender) int8 { return int8(o.GetKind()) }

// matchCases holds what a partition's cases amount to against what is stored.
func matchCases(t *tally, cfg Config, e extent, want *caseLog, got *storedCases) {
	matchRows(t, oracle.TableFlags, e, keep(want.flags, func(r *flagRow) bool { return cfg.holds(r.AtUS) }), got.flags)
	spans := make([]*evidenceRow, 0, len(want.flags))
	for _, f := range want.flags {
		if cfg.holds(f.AtUS) {
			spans = append(spans, &evidenceRow{Flag: f.Flag, AtUS: f.AtUS, From: f.from, To: f.to, Offset: f.Offset})
		}
	}
	matchRows(t, oracle.TableEvidence, e, spans, got.evidence)
	matchRows(t, oracle.TableVerdicts, e, keep(want.verdicts, func(r *verdictRow) bool { return cfg.holds(r.AtUS) }), got.verdicts)
	matchRows(t, oracle.TableAppealSteps, e, keep(want.appeals, func(r *appealRow) bool { return cfg.holds(r.AtUS) }), got.appeals)
	w, g := setAside(t, oracle.TableSanctions, keep(want.penalties.Sanctions, func(s *chatv1.Sanction) bool { return cfg.holds(s.FromUs) }), got.sanctions,
		func(s *chatv1.Sanction) string { return oracle.OffenderName(s.Offender) + " " + s.SanctionId },
		func(v versioned[*chatv1.Sanction]) bool { return v.source >= e.end })
	t.differences = append(t.differences, oracle.CompareSanctions(w, g)...)
}

// caseRow is a row that says what a step says.
type caseRow interface {
	key() string
	offset() int64
	fields() map[string]string
}

// matchRows compares rows of steps; those behind the end are set aside.
func matchRows[T caseRow](t *tally, table string, e extent, want, got []T) {
	there := map[string]T{}
	for _, g := range got {
		if g.offset() >= e.end {
			t.newer[table]++
			continue
		}
		if _, twice := there[g.key()]; twice {
			t.differences = append(t.differences, oracle.Difference{Kind: oracle.Duplicate, Table: table, Key: g.key()})
			continue
		}
		there[g.key()] = g
	}
	for _, w := range want {
		t.rows[table]++
		g, ok := there[w.key()]
		if !ok {
			t.differences = append(t.differences, oracle.Difference{Kind: oracle.Missing, Table: table, Key: w.key()})
			continue
		}
		delete(there, w.key())
		found := g.fields()
		wanted := w.fields()
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			if value := wanted[name]; found[name] != value {
				t.differences = append(t.differences, oracle.Difference{Kind: oracle.Different, Table: table, Key: w.key(), Field: name, Want: value, Got: found[name]})
			}
		}
	}
	for _, g := range got {
		if _, left := there[g.key()]; left {
			delete(there, g.key())
			t.differences = append(t.differences, oracle.Difference{Kind: oracle.Unexpected, Table: table, Key: g.key()})
		}
	}
}

func (r *flagRow) fields() map[string]string {
	return map[string]string{
		"shop_id": r.Shop, "conversation_id": r.Conversation, "event_id": r.Event, "actor_id": r.Actor, "time": oracle.Instant(r.AtUS),
		"category": fmt.Sprint(r.Category), "sub_kind": r.SubKind, "severity": fmt.Sprint(r.Severity), "confidence": fmt.Sprint(r.Confidence),
		"auto_confirmed": fmt.Sprint(r.Auto), "detector": r.Detector, "detector_version": r.DetectorVersion, "policy_version": r.PolicyVersion,
		"log_offset": fmt.Sprint(r.Offset),
	}
}
