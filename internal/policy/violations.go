package policy

import "slices"

// Categories of violations (2.3 to 2.10, and malicious claims).
const (
	CategoryThirdPartyInfo = "third_party_info"
	CategoryAbuse          = "abuse"
	CategoryPolitical      = "political"
	CategoryObscene        = "obscene"
	CategorySpam           = "spam"
	CategoryFraud          = "fraud"
	CategoryMaliciousBlock = "malicious_block"
	CategoryMaliciousClaim = "malicious_claim"
	CategoryMisuse         = "misuse"
)

// Categories lists their names. The slice is the caller's.
func Categories() []string {
	return []string{
		CategoryThirdPartyInfo, CategoryAbuse, CategoryPolitical, CategoryObscene, CategorySpam,
		CategoryFraud, CategoryMaliciousBlock, CategoryMaliciousClaim, CategoryMisuse,
	}
}

// Merchant rules that a shop's violation falls under.
const (
	RuleSpam            = "spam"             // 滥发信息
	RuleHarassment      = "harassment"       // 骚扰他人
	RuleProhibited      = "prohibited"       // 发布违禁信息
	RuleTransactionFlow = "transaction_flow" // 违背交易流程
	RuleNone            = "none"             // a shop cannot commit it
)

// MerchantRules lists the rules that a shop can break. The slice is the caller's.
func MerchantRules() []string {
	return []string{RuleSpam, RuleHarassment, RuleProhibited, RuleTransactionFlow}
}

// Severity of a violation.
type Severity string

// Severities, from the lightest.
const (
	SeverityLow    Severity = "low"
	SeverityMedium Severity = "medium"
	SeverityHigh   Severity = "high"
)

// Side is one of the two parties of a conversation.
type Side string

// Sides.
const (
	SideConsumer Side = "consumer"
	SideMerchant Side = "merchant"
)

// Violations says what counts as one and how it weighs.
type Violations struct {
	rules      map[string]MerchantRule
	categories map[string]Category
}

// MerchantRule is a rule of the platform for shops.
type MerchantRule struct {
	// Name on the platform.
	Name string
	// Low, Medium, and High are the points a violation of that severity costs.
	Low, Medium, High int
}

// Category is a kind of violation.
type Category struct {
	// Paragraph of the rules.
	Paragraph string
	// Sides that it binds.
	Sides []Side
	// AutoConfirm is the confidence (0 to 1) from which a flag is confirmed at once.
	AutoConfirm float64
	Severity    Severity
	kinds       map[string]string
}

// Binds tells whether the category binds a side.
func (c Category) Binds(side Side) bool { return slices.Contains(c.Sides, side) }

// Kinds are the category's sub-kinds, sorted. The slice is the caller's.
func (c Category) Kinds() []string { return sortedKeys(c.kinds) }

// MerchantRule is the rule that a sub-kind falls under; RuleNone for one that a shop cannot commit or that is not known.
func (c Category) MerchantRule(kind string) string {
	if rule, ok := c.kinds[kind]; ok {
		return rule
	}
	return RuleNone
}

// Category is the category of that name.
func (v *Violations) Category(name string) (Category, bool) {
	c, ok := v.categories[name]
	return c, ok
}

// MerchantRule is the merchant rule of that name; RuleNone is not one.
func (v *Violations) MerchantRule(name string) (MerchantRule, bool) {
	r, ok := v.rules[name]
	return r, ok
}

// Points that a shop's violation costs: by the merchant rule of its sub-kind, and its severity.
func (v *Violations) Points(category, kind string, severity Severity) int {
	r := v.rules[v.categories[category].MerchantRule(kind)]
	switch severity {
	case SeverityLow:
		return r.Low
	case SeverityMedium:
		return r.Medium
	case SeverityHigh:
		return r.High
	}
	return 0
}

// Detection holds the numbers that detection goes by.
type Detection struct {
	// PermittedLinkDomains are allowed in links, with everything below them.
	PermittedLinkDomains []string
	RepeatedAd           RepeatedAd
	MaliciousBlock       MaliciousBlock
}

// RepeatedAd is 2.7: this many copies within the time, at least this similar (0 to 1).
type RepeatedAd struct {
	Copies     int
	WithinUS   int64
	Similarity float64
}

// MaliciousBlock is 2.9: when blocks are looked at.
type MaliciousBlock struct {
	// SoonAfterUS a question, complaint, or bad rating.
	SoonAfterUS int64
	// TimesPeerRate is how many times as often as its peers a shop blocks.
	TimesPeerRate float64
	// MinConversations from which that is judged.
	MinConversations int64
}

// Verification says how flags and penalties are verified.
type Verification struct {
	// AppealsUS are the times allowed for the first appeal (from the penalty) and the next ones (from the refusal).
	AppealsUS []int64
}

// Penalties follow confirmed violations.
type Penalties struct {
	// SeveralRules says which penalties apply when one message breaks several rules.
	SeveralRules string
	Consumer     ConsumerPenalties
	Merchant     MerchantPenalties
}

// StrictestOnly applies the strictest penalty only.
const StrictestOnly = "strictest"

// ConsumerPenalties are what a consumer's violation leads to.
type ConsumerPenalties struct {
	Shield bool
	// MutesUS by offence; the last is for all later ones, too. Forever is one without end.
	MutesUS []int64
	// BanCategories ban the account at any offence.
	BanCategories []string
	// BanOnLoss: so does any other loss to the other side.
	BanOnLoss bool
}

// MuteUS is how long the n-th offence mutes (from 1).
func (c *ConsumerPenalties) MuteUS(offence int) int64 {
	return c.MutesUS[min(max(offence, 1), len(c.MutesUS))-1]
}

// Bans tells whether a violation of the category bans at once.
func (c *ConsumerPenalties) Bans(category string) bool {
	return slices.Contains(c.BanCategories, category)
}

// MerchantPenalties are what a shop's violation leads to.
type MerchantPenalties struct {
	Shield     bool
	FlagOrders bool
	// PointsExpireUS after the violation its points are forgotten; may be Forever.
	PointsExpireUS int64
	// Milestones by points, ascending.
	Milestones []Milestone
}

// Milestone is what happens when a shop's points reach a number.
type Milestone struct {
	Points       int
	Restrictions []string
	// ForUS may be Forever.
	ForUS int64
}

// Milestone is the highest milestone that the points reach.
func (m *MerchantPenalties) Milestone(points int) (Milestone, bool) {
	for i := len(m.Milestones) - 1; i >= 0; i-- {
		if points >= m.Milestones[i].Points {
			return m.Milestones[i], true
		}
	}
	return Milestone{}, false
}
