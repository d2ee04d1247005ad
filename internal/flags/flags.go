// Package flags makes flags for the log of cases out of what the detectors find. It knows the policy's names of
// categories and nothing of topics.
package flags

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// AccountTakeover is a category that the policy does not have (2.2): it is for review only.
const AccountTakeover = "account_takeover"

// Source is where a finding was made, and who answers for it.
type Source struct {
	Offender                                 *chatv1.Offender
	ShopID, ConversationID, EventID, ActorID string
	AtUS                                     int64
	// Unit is what the flag's id derives from, besides the finding; empty: the event.
	Unit string
	// Related events, newest first.
	Related []string
}

// space is the name space of flag ids.
var space = uuid.MustParse("b9a5d7a6-6f0e-5a8e-9d0c-6a5f1c3e7f21")

// New is the flag of a finding; nil when the policy does not know its category. The same source and finding have the same id.
func New(pol *policy.Policy, src Source, f moderation.Flag) *chatv1.Flag {
	category, ok := pol.Violations.Category(f.Category)
	if f.Category == AccountTakeover {
		category, ok = policy.Category{AutoConfirm: 2, Severity: policy.SeverityMedium}, true
	}
	if !ok {
		return nil
	}
	if f.Severity == "" {
		f.Severity = category.Severity
	}
	unit := src.Unit
	if unit == "" {
		unit = src.EventID
	}
	name := strings.Join([]string{unit, f.Category, f.SubKind, strconv.Itoa(f.From), strconv.Itoa(f.To)}, "/")
	return &chatv1.Flag{
		FlagId: uuid.NewSHA1(space, []byte(name)).String(), Offender: src.Offender,
		ShopId: src.ShopID, ConversationId: src.ConversationID, EventId: src.EventID, ActorId: src.ActorID, AtUs: src.AtUS,
		Category: categories[f.Category], SubKind: f.SubKind, Kind: f.Kind, Severity: severities[f.Severity], Confidence: f.Confidence,
		SpanFrom: int32(f.From), SpanTo: int32(f.To), Evidence: f.Evidence, Detector: f.Detector, DetectorVersion: f.Version,
		PolicyVersion: pol.Version, AutoConfirmed: f.Confidence >= category.AutoConfirm, RelatedEventIds: src.Related,
	}
}

var categories = map[string]chatv1.Category{
	policy.CategoryThirdPartyInfo: chatv1.Category_CATEGORY_THIRD_PARTY_INFO, policy.CategoryAbuse: chatv1.Category_CATEGORY_ABUSE,
	policy.CategoryPolitical: chatv1.Category_CATEGORY_POLITICAL, policy.CategoryObscene: chatv1.Category_CATEGORY_OBSCENE,
	policy.CategorySpam: chatv1.Category_CATEGORY_SPAM, policy.CategoryFraud: chatv1.Category_CATEGORY_FRAUD,
	policy.CategoryMaliciousBlock: chatv1.Category_CATEGORY_MALICIOUS_BLOCK, policy.CategoryMaliciousClaim: chatv1.Category_CATEGORY_MALICIOUS_CLAIM,
	policy.CategoryMisuse: chatv1.Category_CATEGORY_MISUSE, AccountTakeover: chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER,
}

var severities = map[policy.Severity]chatv1.Severity{
	policy.SeverityLow: chatv1.Severity_SEVERITY_LOW, policy.SeverityMedium: chatv1.Severity_SEVERITY_MEDIUM, policy.SeverityHigh: chatv1.Severity_SEVERITY_HIGH,
}

// Consumer and Shop are offenders.
func Consumer(id string) *chatv1.Offender {
	return &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, Id: id}
}

// Shop is a shop as an offender, for all its agents.
func Shop(id string) *chatv1.Offender {
	return &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_SHOP, Id: id}
}
