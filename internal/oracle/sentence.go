package oracle

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// deed is an offence: the standing flags on one event.
type deed struct {
	subject string
	number  int
	at      int64 // of the first confirmation among them
	policy  *policy.Policy
	// gravest is the flag by which it is punished, and weight how grave that is.
	gravest *accusation
	weight  int
}

// sentence is what the standing flags lead to.
func (d *docket) sentence() []*chatv1.Sanction {
	var out []*chatv1.Sanction
	deeds := d.deeds()
	for i, o := range deeds {
		hidden := o.gravest.flag.EventId != "" && o.gravest.flag.ConversationId != ""
		if d.isShop() {
			rule := o.policy.Penalties.Merchant
			if hidden && rule.Shield {
				out = append(out, d.sanction(o, "shield"))
			}
			if o.gravest.flag.ConversationId != "" && rule.FlagOrders {
				out = append(out, d.sanction(o, "order"))
			}
			out = append(out, d.points(o))
			if m := d.milestone(deeds[:i], o); m != nil {
				out = append(out, m)
			}
			continue
		}
		rule := o.policy.Penalties.Consumer
		if hidden && rule.Shield {
			out = append(out, d.sanction(o, "shield"))
		}
		if d.bans(o.gravest) {
			out = append(out, d.sanction(o, "ban"))
			continue
		}
		mute := d.sanction(o, "mute")
		if long := rule.MutesUS[min(o.number, len(rule.MutesUS))-1]; long != policy.Forever {
			mute.UntilUs = o.at + long
		}
		out = append(out, mute)
	}
	return out
}

func (d *docket) isShop() bool { return d.offender.GetKind() == chatv1.OffenderKind_OFFENDER_KIND_SHOP }

// deeds are the offences in the order of their first confirmations.
func (d *docket) deeds() []deed {
	var out []deed
	for _, a := range d.accusations {
		if !a.stands() {
			continue
		}
		weight := d.weight(a)
		known := false
		for i := range out {
			if out[i].subject != a.subject() {
				continue
			}
			known = true
			if weight > out[i].weight {
				out[i].gravest, out[i].weight = a, weight
			}
		}
		if !known {
			out = append(out, deed{
				subject: a.subject(), number: d.goneOffences + len(out) + 1, at: a.confirmedAt, policy: d.set.At(a.confirmedAt), gravest: a, weight: weight,
			})
		}
	}
	return out
}

// weight orders flags by how grave they are: points of a shop; of a consumer, whether the account is closed.
func (d *docket) weight(a *accusation) int {
	if !d.isShop() {
		if d.bans(a) {
			return 1
		}
		return 0
	}
	v := d.set.At(a.confirmedAt).Violations
	category, ok := v.Category(categoryName(a.category()))
	if !ok {
		return 0
	}
	rule, ok := v.MerchantRule(category.MerchantRule(a.flag.Kind))
	if !ok {
		return 0
	}
	return map[chatv1.Severity]int{
		chatv1.Severity_SEVERITY_LOW: rule.Low, chatv1.Severity_SEVERITY_MEDIUM: rule.Medium, chatv1.Severity_SEVERITY_HIGH: rule.High,
	}[a.flag.Severity]
}

func (d *docket) bans(a *accusation) bool {
	rule := d.set.At(a.confirmedAt).Penalties.Consumer
	return slices.Contains(rule.BanCategories, categoryName(a.category())) || rule.BanOnLoss && a.loss()
}

func categoryName(c chatv1.Category) string {
	return strings.ToLower(strings.TrimPrefix(c.String(), "CATEGORY_"))
}

func (d *docket) points(o deed) *chatv1.Sanction {
	s := d.sanction(o, "points")
	s.Points, s.UntilUs = int32(o.weight), expiryOf(o)
	return s
}

// expiryOf is when an offence's points are forgotten; 0: never.
func expiryOf(o deed) int64 {
	if long := o.policy.Penalties.Merchant.PointsExpireUS; long != policy.Forever {
		return o.at + long
	}
	return 0
}

// inForce are the points of offences, and of those that are gone, at an instant.
func (d *docket) inForce(deeds []deed, at int64) int {
	sum := 0
	if d.gonePointsUntil == 0 || at < d.gonePointsUntil {
		sum = int(d.gonePoints)
	}
	for _, o := range deeds {
		if end := expiryOf(o); end == 0 || at < end {
			sum += o.weight
		}
	}
	return sum
}

// milestone is the one that the offence takes the shop to, if it is higher than where the shop stood before.
func (d *docket) milestone(before []deed, o deed) *chatv1.Sanction {
	was := d.inForce(before, o.at)
	var reached *policy.Milestone
	for _, m := range o.policy.Penalties.Merchant.Milestones {
		if m.Points > was && m.Points <= was+o.weight {
			reached = &m
		}
	}
	if reached == nil {
		return nil
	}
	s := d.sanction(o, "milestone")
	s.Points, s.Restrictions = int32(reached.Points), slices.Clone(reached.Restrictions)
	if reached.ForUS != policy.Forever {
		s.UntilUs = o.at + reached.ForUS
	}
	return s
}

var sanctionKinds = map[string]chatv1.SanctionKind{
	"shield": chatv1.SanctionKind_SANCTION_KIND_SHIELD, "mute": chatv1.SanctionKind_SANCTION_KIND_MUTE,
	"ban": chatv1.SanctionKind_SANCTION_KIND_BAN, "points": chatv1.SanctionKind_SANCTION_KIND_POINTS,
	"milestone": chatv1.SanctionKind_SANCTION_KIND_MILESTONE, "order": chatv1.SanctionKind_SANCTION_KIND_ORDER_FLAG,
}

func (d *docket) sanction(o deed, kind string) *chatv1.Sanction {
	f := o.gravest.flag
	return &chatv1.Sanction{
		SanctionId: o.subject + "/" + kind, Kind: sanctionKinds[kind], Offender: d.offender,
		FlagId: f.FlagId, Category: o.gravest.category(), ShopId: f.ShopId, ConversationId: f.ConversationId, EventId: f.EventId, ActorId: f.ActorId,
		FromUs: o.at, Offence: int32(o.number), PolicyVersion: o.policy.Version,
	}
}

// publish says what of a sentence is new, and what of the one before it no longer follows.
func (d *docket) publish(sentence []*chatv1.Sanction, offset, at int64) []*chatv1.Sanction {
	var out []*chatv1.Sanction
	follows := map[string]bool{}
	for _, s := range sentence {
		follows[s.SanctionId] = true
		before := d.published[s.SanctionId]
		if before != nil {
			// What does not bear on the effect does not make a new version.
			as := proto.CloneOf(before)
			as.Version, as.DecidedAtUs = 0, 0
			if proto.Equal(as, s) {
				continue
			}
			d.seen.Reissued++
			if before.Reversed {
				d.seen.Restored++
			}
		}
		s.Version, s.DecidedAtUs = offset, at
		d.published[s.SanctionId] = s
		out = append(out, s)
	}
	for id, before := range d.published {
		if follows[id] || before.Reversed {
			continue
		}
		s := proto.CloneOf(before)
		s.Reversed, s.Version, s.DecidedAtUs = true, offset, at
		d.published[id] = s
		d.seen.Reversed++
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *chatv1.Sanction) int { return strings.Compare(a.SanctionId, b.SanctionId) })
	return out
}

func (d *docket) account() Account {
	a := Account{Offender: d.offender, Banned: d.goneBan, MutedUntilUS: d.goneMute}
	for _, s := range d.published {
		switch {
		case s.Reversed:
		case s.Kind == chatv1.SanctionKind_SANCTION_KIND_BAN:
			a.Banned = true
		case s.Kind == chatv1.SanctionKind_SANCTION_KIND_MUTE:
			a.MutedUntilUS = max(a.MutedUntilUS, endOf(s.UntilUs))
		}
	}
	if d.isShop() {
		a.Points = int32(d.inForce(d.deeds(), d.clock))
	}
	return a
}
