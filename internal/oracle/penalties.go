package oracle

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// CaseRecord is one step of a partition of violations.cases. It stands under its offender's key.
type CaseRecord struct {
	Offset int64
	Case   *chatv1.Case
}

// Penalties is what a partition's cases amount to.
type Penalties struct {
	// Sanctions as they stand at the end of the log, by offender and id. Each carries the version of the step
	// that changed it last.
	Sanctions []*chatv1.Sanction
	// Issued are all versions of all sanctions, in the order of the log.
	Issued []*chatv1.Sanction
	// Accounts by offender: those with a confirmed flag.
	Accounts []Account
	Seen     SeenCases
}

// Account is what binds an offender as of its newest step that took effect.
type Account struct {
	Offender *chatv1.Offender
	Banned   bool
	// MutedUntilUS is 0 without a mute and math.MaxInt64 for one without end.
	MutedUntilUS int64
	// Points in force at the time of that step.
	Points int32
}

// SeenCases counts what happened in a log of cases.
type SeenCases struct {
	Steps, Without int // steps, and those that did nothing
	Confirmed      int
	Reissued       int // sanctions that changed
	Reversed       int
	Restored       int // sanctions in force again after they were reversed
	AppealsLate    int
	AppealsTaken   int
	Granted        int
	Gone           int // flags that are no longer kept
}

// Bounds of docs/semantics.md.
const (
	keptFlags    = 128
	keptVerdicts = 8
)

// accusation is a flag that was confirmed at least once.
type accusation struct {
	flag        *chatv1.Flag
	confirmedAt int64
	rulings     []ruling
	appeals     []*plea
}

type ruling struct {
	id        string
	confirmed bool
	category  chatv1.Category
	loss      bool
}

type plea struct {
	id        string
	decided   bool
	granted   bool
	decidedAt int64
}

// docket is everything against one offender.
type docket struct {
	set         *policy.Set
	offender    *chatv1.Offender
	accusations []*accusation
	clock       int64
	published   map[string]*chatv1.Sanction
	seen        *SeenCases

	// What flags that are gone have left behind.
	goneOffences    int
	gonePoints      int32
	gonePointsUntil int64
	goneBan         bool
	goneMute        int64
}

// RunCases reads one partition's whole log of cases, in order.
func RunCases(set *policy.Set, log []CaseRecord) *Penalties {
	out := &Penalties{}
	dockets := map[string]*docket{}
	for _, r := range log {
		out.Seen.Steps++
		who := accused(r.Case)
		name := OffenderName(who)
		d := dockets[name]
		if d == nil {
			d = &docket{set: set, offender: who, published: map[string]*chatv1.Sanction{}, seen: &out.Seen}
			dockets[name] = d
		}
		out.Issued = append(out.Issued, d.take(r)...)
	}
	for _, d := range dockets {
		for _, s := range d.published {
			out.Sanctions = append(out.Sanctions, s)
		}
		if d.clock != 0 {
			out.Accounts = append(out.Accounts, d.account())
		}
	}
	// A sanction whose flags are gone stays as it was issued last.
	last := map[string]*chatv1.Sanction{}
	for _, s := range out.Issued {
		last[OffenderName(s.Offender)+" "+s.SanctionId] = s
	}
	out.Sanctions = out.Sanctions[:0]
	for _, s := range last {
		out.Sanctions = append(out.Sanctions, s)
	}
	slices.SortFunc(out.Sanctions, func(a, b *chatv1.Sanction) int {
		return cmp.Or(strings.Compare(OffenderName(a.Offender), OffenderName(b.Offender)), strings.Compare(a.SanctionId, b.SanctionId))
	})
	slices.SortFunc(out.Accounts, func(a, b Account) int {
		return strings.Compare(OffenderName(a.Offender), OffenderName(b.Offender))
	})
	return out
}

// OffenderName is the offender in words, which is also the key of its cases.
func OffenderName(o *chatv1.Offender) string {
	if o.GetKind() == chatv1.OffenderKind_OFFENDER_KIND_SHOP {
		return "shop:" + o.GetId()
	}
	return "consumer:" + o.GetId()
}

func accused(c *chatv1.Case) *chatv1.Offender {
	for _, o := range []*chatv1.Offender{
		c.GetFlag().GetOffender(), c.GetVerdict().GetOffender(), c.GetAppeal().GetOffender(), c.GetAppealDecision().GetOffender(),
	} {
		if o != nil {
			return o
		}
	}
	return nil
}

// take follows a step and says what it changes in what is published.
func (d *docket) take(r CaseRecord) []*chatv1.Sanction {
	own := max(r.Case.GetFlag().GetAtUs(), r.Case.GetVerdict().GetAtUs(), r.Case.GetAppeal().GetAtUs(), r.Case.GetAppealDecision().GetAtUs())
	at := max(own, d.clock)
	if own == 0 || !d.happens(r.Case, at) {
		d.seen.Without++
		return nil
	}
	d.clock = at
	return d.publish(d.sentence(), r.Offset, at)
}

func (d *docket) happens(c *chatv1.Case, at int64) bool {
	switch s := c.Step.(type) {
	case *chatv1.Case_Flag:
		if d.against(s.Flag.FlagId) != nil || !s.Flag.AutoConfirmed {
			return false
		}
		d.accuse(s.Flag, at)
		return true
	case *chatv1.Case_Verdict:
		return d.rule(s.Verdict, at)
	case *chatv1.Case_Appeal:
		return d.plead(s.Appeal, at)
	case *chatv1.Case_AppealDecision:
		return d.answer(s.AppealDecision, at)
	}
	return false
}

func (d *docket) against(flag string) *accusation {
	for _, a := range d.accusations {
		if a.flag.FlagId == flag {
			return a
		}
	}
	return nil
}

func (d *docket) accuse(f *chatv1.Flag, at int64) *accusation {
	a := &accusation{flag: f, confirmedAt: at}
	d.accusations = append(d.accusations, a)
	d.seen.Confirmed++
	for len(d.accusations) > keptFlags {
		d.letGo(at)
	}
	return a
}

// letGo lets the oldest flag go. Where it was the last one on its event, what it led to stays.
func (d *docket) letGo(at int64) {
	old := d.accusations[0]
	d.accusations = d.accusations[1:]
	d.seen.Gone++
	event := old.subject()
	for _, a := range d.accusations {
		if a.subject() == event {
			return
		}
	}
	if old.stands() {
		d.goneOffences++
		if until := d.gonePointsUntil; until != 0 && until <= at {
			d.gonePoints = 0
		}
		if p := d.published[event+"/points"]; p != nil && !p.Reversed && (p.UntilUs == 0 || at < p.UntilUs) {
			d.gonePoints += p.Points
			d.gonePointsUntil = p.UntilUs
		}
		if b := d.published[event+"/ban"]; b != nil && !b.Reversed {
			d.goneBan = true
		}
		if m := d.published[event+"/mute"]; m != nil && !m.Reversed {
			d.goneMute = max(d.goneMute, endOf(m.UntilUs))
		}
	}
	for _, kind := range []string{"shield", "order", "points", "milestone", "mute", "ban"} {
		delete(d.published, event+"/"+kind)
	}
}

func endOf(until int64) int64 {
	if until == 0 {
		return math.MaxInt64
	}
	return until
}

func (d *docket) rule(v *chatv1.ReviewVerdict, at int64) bool {
	confirms := v.Ruling == chatv1.Ruling_RULING_CONFIRMED
	a := d.against(v.FlagId)
	if a == nil {
		if !confirms || v.Flag == nil {
			return false
		}
		a = d.accuse(v.Flag, at)
	}
	newest := a.rulings[max(0, len(a.rulings)-keptVerdicts):]
	for _, r := range newest {
		if r.id == v.VerdictId {
			return false
		}
	}
	a.rulings = append(a.rulings, ruling{v.VerdictId, confirms, v.Category, v.Loss})
	return true
}

func (d *docket) plead(p *chatv1.Appeal, at int64) bool {
	a := d.against(p.FlagId)
	if a == nil || a.dismissed() {
		return false
	}
	terms := d.set.At(a.confirmedAt).Verification.AppealsUS
	since := a.confirmedAt
	for _, earlier := range a.appeals {
		if earlier.id == p.AppealId || !earlier.decided || earlier.granted {
			return false
		}
		since = earlier.decidedAt
	}
	if len(a.appeals) == len(terms) {
		return false
	}
	if end := since + terms[len(a.appeals)]; at >= end {
		d.seen.AppealsLate++
		return false
	}
	a.appeals = append(a.appeals, &plea{id: p.AppealId})
	d.seen.AppealsTaken++
	return true
}

func (d *docket) answer(p *chatv1.AppealDecision, at int64) bool {
	a := d.against(p.FlagId)
	if a == nil {
		return false
	}
	for _, plea := range a.appeals {
		if plea.id == p.AppealId && !plea.decided {
			plea.decided, plea.granted, plea.decidedAt = true, p.Granted, at
			if p.Granted {
				d.seen.Granted++
			}
			return true
		}
	}
	return false
}

// dismissed: so says the newest ruling.
func (a *accusation) dismissed() bool {
	return len(a.rulings) > 0 && !a.rulings[len(a.rulings)-1].confirmed
}

// category is as flagged, or as the newest confirming ruling that names one has it.
func (a *accusation) category() chatv1.Category {
	for i := len(a.rulings) - 1; i >= 0; i-- {
		if r := a.rulings[i]; r.confirmed && r.category != chatv1.Category_CATEGORY_UNSPECIFIED {
			return r.category
		}
	}
	return a.flag.Category
}

// loss: the newest confirming ruling says that it cost the other side money.
func (a *accusation) loss() bool {
	for i := len(a.rulings) - 1; i >= 0; i-- {
		if a.rulings[i].confirmed {
			return a.rulings[i].loss
		}
	}
	return false
}

func (a *accusation) stands() bool {
	if a.dismissed() || a.category() == chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER {
		return false
	}
	for _, p := range a.appeals {
		if p.granted {
			return false
		}
	}
	return true
}

// subject is what the flag is on: an event, or itself.
func (a *accusation) subject() string {
	return cmp.Or(a.flag.EventId, a.flag.FlagId)
}
