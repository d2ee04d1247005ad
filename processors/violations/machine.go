package violations

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Judge finds violations in texts and files. It must be safe for concurrent use.
type Judge interface {
	Check(moderation.Subject) []moderation.Flag
	CheckAttachment(moderation.Subject, moderation.Attachment) []moderation.Flag
}

// maxFlags bounds what one event can yield; the surest come first in a text's order.
const maxFlags = 32

// Machine applies chat events by the policy. It is immutable and safe for concurrent use.
type Machine struct {
	policy *policy.Set
	judge  Judge
}

// NewMachine returns the machine of a policy and a judge.
func NewMachine(p *policy.Set, j Judge) *Machine { return &Machine{p, j} }

// Apply judges an event and takes what later events are judged by into the conversation's state, which it
// changes in place. It returns the flags, and whether the state changed.
func (m *Machine) Apply(st *statev1.Conduct, ev *chatv1.ChatEvent, off int64) (flags []*chatv1.Flag, changed bool) {
	pol := m.policy.At(ev.OccurredAtUs)
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		if p.Message.Shielded {
			return nil, false // it was judged before it was published
		}
		flags = m.message(pol, ev, p.Message)
		changed = ev.Actor.GetRole() == chatv1.Role_ROLE_CONSUMER && note(st, ev, p.Message.Text)
	case *chatv1.ChatEvent_ConversationRated:
		if pol.Assessment.IsDissatisfied(p.ConversationRated.Score) {
			st.BadRatingAtUs = ev.OccurredAtUs
			changed = true
		}
	case *chatv1.ChatEvent_ConsumerBlocked:
		flags = block(pol, st, ev)
	}
	if changed {
		st.AppliedPlusOne = uint64(off) + 1
	}
	return flags, changed
}

func offenderOf(ev *chatv1.ChatEvent) (*chatv1.Offender, policy.Side) {
	switch ev.Actor.GetRole() {
	case chatv1.Role_ROLE_CONSUMER:
		if ev.Actor.Id == "" {
			return nil, ""
		}
		return &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, Id: ev.Actor.Id}, policy.SideConsumer
	case chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_BOT:
		return &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_SHOP, Id: ev.ShopId}, policy.SideMerchant
	}
	return nil, ""
}

func (m *Machine) message(pol *policy.Policy, ev *chatv1.ChatEvent, msg *chatv1.Message) (out []*chatv1.Flag) {
	offender, side := offenderOf(ev)
	if offender == nil {
		return nil
	}
	subject := moderation.Subject{Text: msg.Text, Side: side, Policy: pol}
	found := m.judge.Check(subject)
	subject.Text = ""
	for _, a := range msg.Attachments {
		found = append(found, m.judge.CheckAttachment(subject, moderation.Attachment{SHA256: a.Sha256, QRPayloads: a.QrPayloads, FileName: a.FileName})...)
	}
	if title := msg.GetCard().GetTitle(); title != "" {
		subject.Text = title
		for _, f := range m.judge.Check(subject) {
			f.From, f.To = 0, 0
			found = append(found, f)
		}
	}
	seen := map[string]bool{}
	for _, f := range found {
		flag := newFlag(pol, ev, offender, f)
		if flag == nil || seen[flag.FlagId] {
			continue
		}
		if len(out) == maxFlags {
			break
		}
		seen[flag.FlagId] = true
		out = append(out, flag)
	}
	return out
}

var categories = map[string]chatv1.Category{
	policy.CategoryThirdPartyInfo: chatv1.Category_CATEGORY_THIRD_PARTY_INFO, policy.CategoryAbuse: chatv1.Category_CATEGORY_ABUSE,
	policy.CategoryPolitical: chatv1.Category_CATEGORY_POLITICAL, policy.CategoryObscene: chatv1.Category_CATEGORY_OBSCENE,
	policy.CategorySpam: chatv1.Category_CATEGORY_SPAM, policy.CategoryFraud: chatv1.Category_CATEGORY_FRAUD,
	policy.CategoryMaliciousBlock: chatv1.Category_CATEGORY_MALICIOUS_BLOCK, policy.CategoryMaliciousClaim: chatv1.Category_CATEGORY_MALICIOUS_CLAIM,
	policy.CategoryMisuse: chatv1.Category_CATEGORY_MISUSE,
}

var severities = map[policy.Severity]chatv1.Severity{
	policy.SeverityLow: chatv1.Severity_SEVERITY_LOW, policy.SeverityMedium: chatv1.Severity_SEVERITY_MEDIUM, policy.SeverityHigh: chatv1.Severity_SEVERITY_HIGH,
}

// flagSpace is the name space of flag ids.
var flagSpace = uuid.MustParse("b9a5d7a6-6f0e-5a8e-9d0c-6a5f1c3e7f21")

func newFlag(pol *policy.Policy, ev *chatv1.ChatEvent, offender *chatv1.Offender, f moderation.Flag) *chatv1.Flag {
	category, ok := pol.Violations.Category(f.Category)
	if !ok {
		return nil
	}
	name := strings.Join([]string{ev.EventId, f.Category, f.SubKind, strconv.Itoa(f.From), strconv.Itoa(f.To)}, "/")
	return &chatv1.Flag{
		FlagId: uuid.NewSHA1(flagSpace, []byte(name)).String(), Offender: offender,
		ShopId: ev.ShopId, ConversationId: ev.ConversationId, EventId: ev.EventId, ActorId: ev.Actor.GetId(), AtUs: ev.OccurredAtUs,
		Category: categories[f.Category], SubKind: f.SubKind, Kind: f.Kind, Severity: severities[f.Severity], Confidence: f.Confidence,
		SpanFrom: int32(f.From), SpanTo: int32(f.To), Evidence: f.Evidence, Detector: f.Detector, DetectorVersion: f.Version,
		PolicyVersion: pol.Version, AutoConfirmed: f.Confidence >= category.AutoConfirm,
	}
}

var (
	questionCues  = []string{"?", "？", "吗", "呢", "怎么", "什么", "多久", "能不能", "可以不", "有没有", "几天", "多少"}
	complaintCues = []string{"投诉", "差评", "举报", "退款", "退货", "骗", "质量", "坏了", "破损", "赔", "欺负", "12315"}
)

func containsAny(text string, cues []string) bool {
	for _, c := range cues {
		if strings.Contains(text, c) {
			return true
		}
	}
	return false
}

// note remembers questions and complaints of the consumer.
func note(st *statev1.Conduct, ev *chatv1.ChatEvent, text string) (changed bool) {
	if containsAny(text, questionCues) {
		st.QuestionAtUs = ev.OccurredAtUs
		changed = true
	}
	if containsAny(text, complaintCues) {
		st.ComplaintAtUs = ev.OccurredAtUs
		changed = true
	}
	return changed
}

// block flags a block that comes soon after something that a shop may not block for (2.9). It is always for
// a human to judge: the gravest reason is named.
func block(pol *policy.Policy, st *statev1.Conduct, ev *chatv1.ChatEvent) []*chatv1.Flag {
	soon := func(at int64) bool {
		return at > 0 && ev.OccurredAtUs >= at && ev.OccurredAtUs-at <= pol.Detection.MaliciousBlock.SoonAfterUS
	}
	var kind string
	var confidence float64
	switch {
	case soon(st.BadRatingAtUs):
		kind, confidence = "after_bad_rating", 0.8
	case soon(st.ComplaintAtUs):
		kind, confidence = "after_complaint", 0.7
	case soon(st.QuestionAtUs):
		kind, confidence = "after_question", 0.6
	default:
		return nil
	}
	category, _ := pol.Violations.Category(policy.CategoryMaliciousBlock)
	offender := &chatv1.Offender{Kind: chatv1.OffenderKind_OFFENDER_KIND_SHOP, Id: ev.ShopId}
	f := newFlag(pol, ev, offender, moderation.Flag{
		Category: policy.CategoryMaliciousBlock, Kind: kind, SubKind: kind, Detector: "behaviour", Version: "1",
		Confidence: confidence, Severity: category.Severity,
	})
	if f == nil {
		return nil
	}
	return []*chatv1.Flag{f}
}
