package oracle

import (
	"fmt"
	"math"
	"strings"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Tables of cases and penalties, by the names of their views; accounts and issues stand in no view.
const (
	TableFlags       = "violation_flags"
	TableEvidence    = "violation_evidence"
	TableVerdicts    = "verdicts"
	TableAppealSteps = "appeal_steps"
	TableSanctions   = "sanctions"
	TableAccounts    = "accounts"
	TableIssues      = "issued sanctions"
)

// ComparePenalties lists where got disagrees with want.
func ComparePenalties(want, got *Penalties) []Difference {
	out := CompareSanctions(want.Sanctions, got.Sanctions)
	issues := func(p *Penalties) (rows []row) {
		for _, s := range p.Issued {
			r := sanctionRow(s)
			r.table, r.key = TableIssues, fmt.Sprintf("%s version %d", r.key, s.Version)
			rows = append(rows, r)
		}
		return rows
	}
	out = append(out, compareRows(issues(want), issues(got))...)
	accounts := func(p *Penalties) (rows []row) {
		for _, a := range p.Accounts {
			muted := "without end"
			if a.MutedUntilUS != math.MaxInt64 {
				muted = Instant(a.MutedUntilUS)
			}
			rows = append(rows, row{TableAccounts, OffenderName(a.Offender), []field{
				text("banned", a.Banned), text("muted_until", muted), text("points", a.Points),
			}})
		}
		return rows
	}
	return append(out, compareRows(accounts(want), accounts(got))...)
}

// CompareSanctions lists where the newest versions of sanctions disagree.
func CompareSanctions(want, got []*chatv1.Sanction) []Difference {
	rows := func(all []*chatv1.Sanction) (out []row) {
		for _, s := range all {
			out = append(out, sanctionRow(s))
		}
		return out
	}
	return compareRows(rows(want), rows(got))
}

func sanctionRow(s *chatv1.Sanction) row {
	until := "without end"
	if s.UntilUs != 0 {
		until = Instant(s.UntilUs)
	}
	return row{TableSanctions, OffenderName(s.Offender) + " " + s.SanctionId, []field{
		text("kind", s.Kind), text("flag_id", s.FlagId), text("category", s.Category), text("shop_id", s.ShopId),
		text("conversation_id", s.ConversationId), text("event_id", s.EventId), text("actor_id", s.ActorId), text("time", Instant(s.FromUs)),
		text("until", until), text("points", s.Points), text("restrictions", strings.Join(s.Restrictions, ",")), text("offence", s.Offence),
		text("reversed", s.Reversed), text("policy_version", s.PolicyVersion), text("decided_at", Instant(s.DecidedAtUs)), text("log_offset", s.Version),
	}}
}
