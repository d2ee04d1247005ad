package penalties

import (
	"slices"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// categoryNames are the policy's names of the categories.
var categoryNames = map[chatv1.Category]string{
	chatv1.Category_CATEGORY_THIRD_PARTY_INFO: policy.CategoryThirdPartyInfo,
	chatv1.Category_CATEGORY_ABUSE:            policy.CategoryAbuse,
	chatv1.Category_CATEGORY_POLITICAL:        policy.CategoryPolitical,
	chatv1.Category_CATEGORY_OBSCENE:          policy.CategoryObscene,
	chatv1.Category_CATEGORY_SPAM:             policy.CategorySpam,
	chatv1.Category_CATEGORY_FRAUD:            policy.CategoryFraud,
	chatv1.Category_CATEGORY_MALICIOUS_BLOCK:  policy.CategoryMaliciousBlock,
	chatv1.Category_CATEGORY_MALICIOUS_CLAIM:  policy.CategoryMaliciousClaim,
	chatv1.Category_CATEGORY_MISUSE:           policy.CategoryMisuse,
}

var severityNames = map[chatv1.Severity]policy.Severity{
	chatv1.Severity_SEVERITY_LOW: policy.SeverityLow, chatv1.Severity_SEVERITY_MEDIUM: policy.SeverityMedium, chatv1.Severity_SEVERITY_HIGH: policy.SeverityHigh,
}

// offence is all standing flags on one event.
type offence struct {
	group       string
	confirmedAt int64
	strictest   *statev1.Offence
	weight      int64
}

// derive says what the standing flags amount to at the time of the newest step, sets it in the state, and
// returns what differs from what was last published.
func (m *Machine) derive(st *statev1.Penalty, off, at int64) []*chatv1.Sanction {
	consumer := st.Offender.GetKind() == chatv1.OffenderKind_OFFENDER_KIND_CONSUMER
	var due []*chatv1.Sanction
	st.Banned, st.MutedUntilUs, st.Points = st.EarlierBanned, st.EarlierMutedUntilUs, 0
	if consumer {
		due = m.consumer(st)
	} else {
		due = m.shop(st, at)
	}
	return reissue(st, due, off, at)
}

// offences groups the standing flags, in the order of the first confirmation.
func (m *Machine) offences(st *statev1.Penalty, weigh func(*statev1.Offence) int64) []*offence {
	var list []*offence
	for _, o := range st.Offences {
		if !stands(o) {
			continue
		}
		group := groupOf(o)
		weight := weigh(o)
		at := slices.IndexFunc(list, func(g *offence) bool { return g.group == group })
		if at < 0 {
			list = append(list, &offence{group, o.ConfirmedAtUs, o, weight})
		} else if g := list[at]; weight > g.weight {
			g.strictest, g.weight = o, weight
		}
	}
	return list
}

func (m *Machine) consumer(st *statev1.Penalty) (due []*chatv1.Sanction) {
	bans := func(o *statev1.Offence) bool {
		rule := &m.policy.At(o.ConfirmedAtUs).Penalties.Consumer
		return rule.Bans(categoryNames[o.Category]) || rule.BanOnLoss && o.Loss
	}
	offences := m.offences(st, func(o *statev1.Offence) int64 {
		if bans(o) {
			return 1
		}
		return 0
	})
	for i, g := range offences {
		pol := m.policy.At(g.confirmedAt)
		rule := &pol.Penalties.Consumer
		n := int(st.EarlierOffences) + i + 1
		if rule.Shield && g.strictest.Flag.EventId != "" && g.strictest.Flag.ConversationId != "" {
			due = append(due, sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_SHIELD, n, pol))
		}
		if bans(g.strictest) {
			st.Banned = true
			due = append(due, sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_BAN, n, pol))
			continue
		}
		mute := sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_MUTE, n, pol)
		length := rule.MuteUS(n)
		if length != policy.Forever {
			mute.UntilUs = g.confirmedAt + length
		}
		st.MutedUntilUs = max(st.MutedUntilUs, untilOf(mute))
		due = append(due, mute)
	}
	return due
}

func (m *Machine) shop(st *statev1.Penalty, at int64) (due []*chatv1.Sanction) {
	offences := m.offences(st, func(o *statev1.Offence) int64 {
		return int64(m.policy.At(o.ConfirmedAtUs).Violations.Points(categoryNames[o.Category], o.Flag.Kind, severityNames[o.Flag.Severity]))
	})
	// Points so far.
	earlier := []*chatv1.Sanction{{Points: st.EarlierPoints, UntilUs: st.EarlierPointsUntilUs}}
	inForce := func(at int64) (sum int32) {
		for _, p := range earlier {
			if p.UntilUs == 0 || at < p.UntilUs {
				sum += p.Points
			}
		}
		return sum
	}
	for i, g := range offences {
		pol := m.policy.At(g.confirmedAt)
		rule := &pol.Penalties.Merchant
		n := int(st.EarlierOffences) + i + 1
		f := g.strictest.Flag
		if rule.Shield && f.EventId != "" && f.ConversationId != "" {
			due = append(due, sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_SHIELD, n, pol))
		}
		if rule.FlagOrders && f.ConversationId != "" {
			due = append(due, sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_ORDER_FLAG, n, pol))
		}
		before := inForce(g.confirmedAt)
		points := sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_POINTS, n, pol)
		points.Points = int32(g.weight)
		if rule.PointsExpireUS != policy.Forever {
			points.UntilUs = g.confirmedAt + rule.PointsExpireUS
		}
		earlier = append(earlier, points)
		due = append(due, points)
		reached, ok := rule.Milestone(int(before + points.Points))
		if !ok {
			continue
		}
		if was, already := rule.Milestone(int(before)); already && was.Points >= reached.Points {
			continue
		}
		ms := sanction(st, g, chatv1.SanctionKind_SANCTION_KIND_MILESTONE, n, pol)
		ms.Points, ms.Restrictions = int32(reached.Points), slices.Clone(reached.Restrictions)
		if reached.ForUS != policy.Forever {
			ms.UntilUs = g.confirmedAt + reached.ForUS
		}
		due = append(due, ms)
	}
	st.Points = inForce(at)
	return due
}

func sanction(st *statev1.Penalty, g *offence, kind chatv1.SanctionKind, n int, pol *policy.Policy) *chatv1.Sanction {
	f := g.strictest.Flag
	return &chatv1.Sanction{
		SanctionId: g.group + "/" + kindNames[kind], Offender: st.Offender.CloneVT(), Kind: kind, FlagId: f.FlagId, Category: g.strictest.Category,
		ShopId: f.ShopId, ConversationId: f.ConversationId, EventId: f.EventId, ActorId: f.ActorId,
		FromUs: g.confirmedAt, Offence: int32(n), PolicyVersion: pol.Version,
	}
}

var kindNames = map[chatv1.SanctionKind]string{
	chatv1.SanctionKind_SANCTION_KIND_SHIELD: "shield", chatv1.SanctionKind_SANCTION_KIND_MUTE: "mute", chatv1.SanctionKind_SANCTION_KIND_BAN: "ban",
	chatv1.SanctionKind_SANCTION_KIND_POINTS: "points", chatv1.SanctionKind_SANCTION_KIND_MILESTONE: "milestone", chatv1.SanctionKind_SANCTION_KIND_ORDER_FLAG: "order",
}

// reissue compares what is due with what was published, and keeps what is published from now on.
func reissue(st *statev1.Penalty, due []*chatv1.Sanction, off, at int64) (changed []*chatv1.Sanction) {
	issue := func(s *chatv1.Sanction) {
		s.Version, s.DecidedAtUs = off, at
		changed = append(changed, s.CloneVT())
	}
	var kept []*chatv1.Sanction
	for _, old := range st.Sanctions {
		i := slices.IndexFunc(due, func(s *chatv1.Sanction) bool { return s.SanctionId == old.SanctionId })
		if i >= 0 {
			s := due[i]
			due = slices.Delete(due, i, i+1)
			if !same(old, s) {
				issue(s)
			} else {
				s = old
			}
			kept = append(kept, s)
			continue
		}
		if !old.Reversed {
			old.Reversed = true
			issue(old)
		}
		kept = append(kept, old)
	}
	for _, s := range due {
		issue(s)
		kept = append(kept, s)
	}
	st.Sanctions = kept
	return changed
}

func same(a, b *chatv1.Sanction) bool {
	return !a.Reversed && a.FlagId == b.FlagId && a.Category == b.Category && a.FromUs == b.FromUs && a.UntilUs == b.UntilUs &&
		a.Points == b.Points && a.Offence == b.Offence && a.PolicyVersion == b.PolicyVersion && slices.Equal(a.Restrictions, b.Restrictions)
}
