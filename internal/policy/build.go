package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// builder turns a document into policies and notes what the schema cannot say.
type builder struct {
	src      *source
	loc      *time.Location
	calendar *worktime.Calendar
	problems Problems
}

func build(src *source, doc document) (*Set, error) {
	b := &builder{src: src}
	loc, err := time.LoadLocation(doc.TimeZone)
	if err != nil || doc.TimeZone == "Local" {
		b.bad("time_zone", "unknown zone %q; want an IANA time zone such as Asia/Shanghai or UTC", doc.TimeZone)
		return nil, b.problems.err()
	}
	b.loc, b.calendar = loc, worktime.NewCalendar(loc)
	s := &Set{name: src.name, calendar: b.calendar, source: doc}
	for i := range doc.Versions {
		p := b.version(fmt.Sprintf("versions[%d]", i), &doc.Versions[i])
		p.index = i
		s.versions = append(s.versions, p)
	}
	b.order(doc, s.versions)
	if err := b.problems.err(); err != nil {
		return nil, err
	}
	s.comments = src.comments()
	return s, nil
}

func (b *builder) bad(path, format string, args ...any) {
	b.problems = append(b.problems, b.src.problem(path, format, args...))
}

// order checks names and dates of the versions against each other.
func (b *builder) order(doc document, versions []*Policy) {
	first := map[string]int{}
	for i, p := range versions {
		path := fmt.Sprintf("versions[%d]", i)
		if j, twice := first[p.Version]; twice {
			b.bad(path+".version", "%q is the name of versions[%d] too; every version has its own", p.Version, j)
		} else {
			first[p.Version] = i
		}
		if i == 0 {
			continue
		}
		from := path + ".effective_from"
		switch before := versions[i-1].EffectiveFromUS; {
		case p.EffectiveFromUS == Always:
			b.bad(from, "only the first version can be in force always; want a day or a time after that of the version before")
		case p.EffectiveFromUS <= before:
			b.bad(from, "%s is not after %s of the version before; want versions in the order in which they come into force",
				doc.Versions[i].EffectiveFrom, doc.Versions[i-1].EffectiveFrom)
		}
	}
}

func (b *builder) version(path string, d *versionDoc) *Policy {
	p := &Policy{Version: d.Version, EffectiveFromUS: b.instant(path+".effective_from", d.EffectiveFrom)}
	b.reception(path+".reception", d, &p.Reception)
	p.Conversation = Conversation{
		RoundExpiryUS: b.positive(path+".conversation.round_expiry", d.Conversation.RoundExpiry),
		LifeLapseUS:   b.positive(path+".conversation.life_lapse", d.Conversation.LifeLapse),
	}
	b.assessment(path+".assessment", d, &p.Assessment)
	p.Messages = Messages{
		TextLimitBytes: b.size(path+".messages.text_limit", d.Messages.TextLimit),
		ClockSkewUS:    b.duration(path+".messages.clock_skew", d.Messages.ClockSkew),
	}
	p.Confidentiality = Confidentiality{AuditedReaders: d.Confidentiality.AuditedReaders}
	p.Accounts = Accounts{
		NewAfterUS:        b.positive(path+".accounts.new_after", d.Accounts.NewAfter),
		ChangeWithinUS:    b.positive(path+".accounts.change_within", d.Accounts.ChangeWithin),
		NetworksAtOnce:    d.Accounts.NetworksAtOnce,
		IPv4NetworkBits:   d.Accounts.IPv4NetworkBits,
		IPv6NetworkBits:   d.Accounts.IPv6NetworkBits,
		AuthorisedClients: slices.Clone(d.Accounts.AuthorisedClients),
	}
	b.violations(path+".violations", d, &p.Violations)
	p.Detection = Detection{
		PermittedLinkDomains: slices.Clone(d.Detection.PermittedLinkDomains),
		RepeatedAd: RepeatedAd{
			Copies:     d.Detection.RepeatedAd.Copies,
			WithinUS:   b.positive(path+".detection.repeated_ad.within", d.Detection.RepeatedAd.Within),
			Similarity: d.Detection.RepeatedAd.Similarity,
		},
		MaliciousBlock: MaliciousBlock{
			SoonAfterUS:      b.positive(path+".detection.malicious_block.soon_after", d.Detection.MaliciousBlock.SoonAfter),
			TimesPeerRate:    d.Detection.MaliciousBlock.TimesPeerRate,
			MinConversations: d.Detection.MaliciousBlock.MinConversations,
		},
	}
	for i, s := range d.Verification.Appeals {
		p.Verification.AppealsUS = append(p.Verification.AppealsUS, b.positive(fmt.Sprintf("%s.verification.appeals[%d]", path, i), s))
	}
	b.penalties(path+".penalties", d, &p.Penalties)
	return p
}

func (b *builder) reception(path string, d *versionDoc, r *Reception) {
	*r = Reception{
		WorkingHours:             b.hours(path+".working_hours", d.Reception.WorkingHours),
		UnrepliedLimit:           d.Reception.UnrepliedLimit,
		Unit:                     d.Reception.Unit,
		SameConsumerClearedBy:    d.Reception.SameConsumerClearedBy,
		AcrossConsumersClearedBy: d.Reception.AcrossConsumersClearedBy,
		OutsideHours:             d.Reception.OutsideHours,
		HandBack:                 d.Reception.HandBack,
		ResumeClearsCounts:       d.Reception.ResumeClearsCounts,
	}
	for i, name := range d.Reception.ManualReplyKinds {
		kind, ok := chatv1.MessageKind_value["MESSAGE_KIND_"+strings.ToUpper(name)]
		if !ok {
			b.bad(fmt.Sprintf("%s.manual_reply_kinds[%d]", path, i), "unknown message kind %q", name)
		}
		r.ManualReplyKinds = append(r.ManualReplyKinds, chatv1.MessageKind(kind))
	}
}

func (b *builder) assessment(path string, d *versionDoc, a *Assessment) {
	*a = Assessment{
		AssessedTime:       b.hours(path+".assessed_time", d.Assessment.AssessedTime),
		Period:             d.Assessment.Period,
		ResponseLimitUS:    b.positive(path+".response_limit", d.Assessment.ResponseLimit),
		Definition:         d.Assessment.Definition,
		DissatisfiedScores: slices.Clone(d.Assessment.DissatisfiedScores),
		Restrictions:       slices.Clone(d.Assessment.Restrictions),
		RestrictedFor:      d.Assessment.RestrictedFor,
	}
	for i, s := range d.Assessment.Checkpoints {
		at := fmt.Sprintf("%s.checkpoints[%d]", path, i)
		us := b.duration(at, s)
		switch {
		case i > 0 && us <= a.CheckpointsUS[i-1]:
			b.bad(at, "%s is not later than %s before it; want checkpoints ascending", s, d.Assessment.Checkpoints[i-1])
		case us > maxLateness:
			b.bad(at, "%s is too late; want at most 10d, so that a period is final before the next one ends", s)
		case us%1_000_000 != 0:
			b.bad(at, "%s is no whole number of seconds", s)
		}
		a.CheckpointsUS = append(a.CheckpointsUS, us)
	}
	standards := map[string]int{}
	for i, s := range d.Assessment.Standards {
		at := fmt.Sprintf("%s.standards[%d]", path, i)
		if j, twice := standards[s.Indicator]; twice {
			b.bad(at+".indicator", "%s has a standard already, standards[%d]; want one an indicator", s.Indicator, j)
		} else {
			standards[s.Indicator] = i
		}
		if isRate(s.Indicator) && s.Value > 1 {
			b.bad(at+".value", "is %v; %s is a share, want a number from 0 to 1", s.Value, s.Indicator)
		}
		a.Standards = append(a.Standards, Standard(s))
	}
}

// maxLateness stays below the shortest half-month, 13 days.
const maxLateness = 10 * 86_400_000_000

func (b *builder) violations(path string, d *versionDoc, v *Violations) {
	rule := func(r ruleDoc) MerchantRule {
		return MerchantRule{Name: r.Name, Low: r.Points.Low, Medium: r.Points.Medium, High: r.Points.High}
	}
	rules, categories := &d.Violations.MerchantRules, &d.Violations.Categories
	v.rules = map[string]MerchantRule{
		RuleSpam: rule(rules.Spam), RuleHarassment: rule(rules.Harassment),
		RuleProhibited: rule(rules.Prohibited), RuleTransactionFlow: rule(rules.TransactionFlow),
	}
	for _, name := range MerchantRules() {
		if r := v.rules[name]; r.Low > r.Medium || r.Medium > r.High {
			b.bad(path+".merchant_rules."+name+".points", "fall as severity rises; want low <= medium <= high")
		}
	}
	v.categories = map[string]Category{}
	for name, c := range map[string]*categoryDoc{
		CategoryThirdPartyInfo: &categories.ThirdPartyInfo, CategoryAbuse: &categories.Abuse,
		CategoryPolitical: &categories.Political, CategoryObscene: &categories.Obscene,
		CategorySpam: &categories.Spam, CategoryFraud: &categories.Fraud,
		CategoryMaliciousBlock: &categories.MaliciousBlock, CategoryMaliciousClaim: &categories.MaliciousClaim,
		CategoryMisuse: &categories.Misuse,
	} {
		at := path + ".categories." + name
		out := Category{
			Paragraph: c.Paragraph, Sides: slices.Clone(c.Sides), AutoConfirm: c.AutoConfirm, Severity: c.Severity,
			kinds: map[string]string{},
		}
		for kind, rule := range c.Kinds {
			if out.Binds(SideMerchant) != (rule != RuleNone) {
				b.bad(at+".kinds."+kind, "is %s; want %s, as sides says", rule,
					map[bool]string{true: "a merchant rule", false: RuleNone}[out.Binds(SideMerchant)])
			}
			out.kinds[kind] = rule
		}
		v.categories[name] = out
	}
}

func (b *builder) penalties(path string, d *versionDoc, p *Penalties) {
	c, m := &d.Penalties.Consumer, &d.Penalties.Merchant
	*p = Penalties{
		SeveralRules: d.Penalties.SeveralRules,
		Consumer:     ConsumerPenalties{Shield: c.Shield, BanCategories: slices.Clone(c.BanCategories), BanOnLoss: c.BanOnLoss},
		Merchant: MerchantPenalties{
			Shield: m.Shield, FlagOrders: m.FlagOrders,
			PointsExpireUS: b.orForever(path+".merchant.points_expire_after", m.PointsExpireAfter),
		},
	}
	for i, s := range c.Mutes {
		at := fmt.Sprintf("%s.consumer.mutes[%d]", path, i)
		us := b.orForever(at, s)
		if i > 0 && us < p.Consumer.MutesUS[i-1] {
			b.bad(at, "%s is shorter than %s before it; want mutes that do not get shorter", s, c.Mutes[i-1])
		}
		p.Consumer.MutesUS = append(p.Consumer.MutesUS, us)
	}
	for i, s := range m.Milestones {
		at := fmt.Sprintf("%s.merchant.milestones[%d]", path, i)
		if i > 0 && s.Points <= m.Milestones[i-1].Points {
			b.bad(at+".points", "%d is not more than %d before it; want milestones ascending", s.Points, m.Milestones[i-1].Points)
		}
		p.Merchant.Milestones = append(p.Merchant.Milestones, Milestone{
			Points: s.Points, Restrictions: slices.Clone(s.Restrictions), ForUS: b.orForever(at+".for", s.For),
		})
	}
}

func (b *builder) hours(path string, windows []string) worktime.Hours {
	for i, w := range windows {
		if lastSecond.MatchString(w) {
			b.bad(fmt.Sprintf("%s[%d]", path, i), "window %q ends before its last second; windows are half-open, write 23:00 for 22:59:59", w)
		}
	}
	h, err := worktime.ParseHours(windows)
	var wrong *worktime.WindowError
	if errors.As(err, &wrong) {
		b.bad(fmt.Sprintf("%s[%d]", path, wrong.Index), "window %q: %s", wrong.Window, wrong.Problem)
	}
	return h
}

// lastSecond finds a window written with its last second in place of its end.
var lastSecond = regexp.MustCompile(`-[0-9]{2}:[0-9]{2}:59$`)

func (b *builder) duration(path, s string) int64 {
	us, ok := parseDuration(s)
	if !ok {
		b.bad(path, "%q is no duration; want one such as 180s, 10m, 24h, 2d, 1h30m, up to 36500d", s)
	}
	return us
}

func (b *builder) positive(path, s string) int64 {
	us := b.duration(path, s)
	if zero, ok := parseDuration(s); ok && zero == 0 {
		b.bad(path, "is %s; want more than 0", s)
	}
	return us
}

func (b *builder) orForever(path, s string) int64 {
	if s == "forever" {
		return Forever
	}
	return b.positive(path, s)
}

func (b *builder) size(path, s string) int {
	n, ok := parseSize(s)
	switch {
	case !ok:
		b.bad(path, "%q is no size; want one such as 16KiB, up to 512KiB", s)
	case n < 1 || n > 512<<10:
		b.bad(path, "is %s; want 1B to 512KiB, so that an event fits a Kafka record", s)
	}
	return n
}

func (b *builder) instant(path, s string) int64 {
	if s == "always" {
		return Always
	}
	if len(s) == len("2026-11-01") {
		day, err := b.calendar.ParsePeriod(s)
		if err != nil {
			b.bad(path, "%v", err)
		}
		return day.Start
	}
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		b.bad(path, "%q is no time; want one such as 2026-11-01T00:00:00+08:00", s)
		return 0
	}
	return at.UnixMicro()
}
