package policy

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

const (
	second = int64(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// TestDefault holds the built-in policy against the rules, number by number.
func TestDefault(t *testing.T) {
	t.Parallel()
	s := Default()
	p := s.At(0)
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	check("zone", s.Calendar().Location().String(), "Asia/Shanghai")
	check("versions", len(s.Versions()), 1)
	check("in force since", p.EffectiveFromUS, int64(Always))

	// 2.1
	check("working hours", p.Reception.WorkingHours.Windows(), []string{"08:00-23:00"})
	check("unreplied limit", p.Reception.UnrepliedLimit, 10)
	check("unit", p.Reception.Unit, UnitMessage)
	check("manual replies", p.Reception.ManualReplyKinds, []chatv1.MessageKind{
		chatv1.MessageKind_MESSAGE_KIND_TEXT, chatv1.MessageKind_MESSAGE_KIND_EMOJI,
		chatv1.MessageKind_MESSAGE_KIND_PICTURE, chatv1.MessageKind_MESSAGE_KIND_CARD,
	})
	for kind := range chatv1.MessageKind_name {
		k := chatv1.MessageKind(kind)
		check("manual reply "+k.String(), p.Reception.IsManualReplyKind(k),
			k >= chatv1.MessageKind_MESSAGE_KIND_TEXT && k <= chatv1.MessageKind_MESSAGE_KIND_CARD)
	}
	check("same consumer cleared by", p.Reception.SameConsumerClearedBy, ClearedByReplyToConsumer)
	check("across consumers cleared by", p.Reception.AcrossConsumersClearedBy, ClearedByReplyToAnyone)
	check("outside hours", p.Reception.OutsideHours, OutsideHoursKeep)
	check("hand back", p.Reception.HandBack, HandBackManualReply)
	check("resume clears", p.Reception.ResumeClearsCounts, true)
	check("audited readers", p.Confidentiality.AuditedReaders, ReadersOutsiders)

	// Service assessment
	check("round expiry", p.Conversation.RoundExpiryUS, 24*hour)
	check("life lapse", p.Conversation.LifeLapseUS, 24*hour)
	check("assessed time", p.Assessment.AssessedTime.Windows(), []string{"08:00-23:00"})
	check("period", p.Assessment.Period, PeriodHalfMonth)
	check("response limit", p.Assessment.ResponseLimitUS, 180*second)
	check("definition", p.Assessment.Definition, DefinitionConversation)
	for score, want := range map[int32]bool{0: false, 1: true, 2: true, 3: false, 4: false, 5: false, 6: false} {
		check("dissatisfied", p.Assessment.IsDissatisfied(score), want)
	}
	check("checkpoints", p.Assessment.CheckpointsUS, []int64{0, hour, 6 * hour, 24 * hour})
	check("lateness", p.Assessment.LatenessUS(), 24*hour)
	check("standards", p.Assessment.Standards, []Standard{
		{"manual_reply_3min_rate", ">=", 0.70, 30},
		{"avg_response_seconds", "<=", 180, 30},
		{"dissatisfaction_rate", "<=", 0.20, 30},
	})
	check("restrictions", p.Assessment.Restrictions, []string{"marketing_campaigns", "traffic_weighted_down", "marketing_promotion"})
	check("restricted for", p.Assessment.RestrictedFor, RestrictedNextPeriod)

	// Input
	check("text limit", p.Messages.TextLimitBytes, 16*1024)
	check("clock skew", p.Messages.ClockSkewUS, 10*minute)

	// 2.2
	check("new after", p.Accounts.NewAfterUS, 30*day)
	check("change within", p.Accounts.ChangeWithinUS, 10*minute)
	check("networks at once", p.Accounts.NetworksAtOnce, 2)
	check("workbench", p.Accounts.IsAuthorised("workbench-web"), true)
	check("plug-in", p.Accounts.IsAuthorised("auto-reply-plugin"), false)

	// 2.3 to 2.10
	for _, c := range []struct {
		category, paragraph string
		consumer, merchant  bool
		kind, rule, name    string
		points              int
	}{
		{"third_party_info", "2.3", true, true, "advertisement", "spam", "滥发信息", 2},
		{"third_party_info", "2.3", true, true, "link", "transaction_flow", "违背交易流程", 6},
		{"third_party_info", "2.3", true, true, "payment_account", "transaction_flow", "违背交易流程", 6},
		{"third_party_info", "2.3", true, true, "phone", "transaction_flow", "违背交易流程", 6},
		{"abuse", "2.4", true, true, "swearing", "harassment", "骚扰他人", 4},
		{"political", "2.5", true, true, "reactionary", "prohibited", "发布违禁信息", 12},
		{"obscene", "2.6", true, true, "porn", "prohibited", "发布违禁信息", 12},
		{"spam", "2.7", true, true, "brushing", "spam", "滥发信息", 2},
		{"fraud", "2.8", true, true, "deposit", "transaction_flow", "违背交易流程", 6},
		{"malicious_block", "2.9", false, true, "after_complaint", "harassment", "骚扰他人", 4},
		{"malicious_claim", "2.1", true, false, "exposure", "none", "", 0},
		{"misuse", "2.10", true, true, "defamation", "harassment", "骚扰他人", 4},
	} {
		got, ok := p.Violations.Category(c.category)
		check(c.category+" known", ok, true)
		check(c.category+" paragraph", got.Paragraph, c.paragraph)
		check(c.category+" binds consumers", got.Binds(SideConsumer), c.consumer)
		check(c.category+" binds shops", got.Binds(SideMerchant), c.merchant)
		check(c.category+" rule", got.MerchantRule(c.kind), c.rule)
		check(c.category+" confidence is a share", got.AutoConfirm > 0 && got.AutoConfirm <= 1, true)
		rule, _ := p.Violations.MerchantRule(c.rule)
		check(c.category+" rule's name", rule.Name, c.name)
		for _, severity := range []Severity{SeverityLow, SeverityMedium, SeverityHigh} {
			check(c.category+" points", p.Violations.Points(c.category, c.kind, severity), c.points)
		}
	}
	for _, name := range Categories() {
		if _, ok := p.Violations.Category(name); !ok {
			t.Errorf("category %s is missing", name)
		}
	}
	check("points of an unknown kind", p.Violations.Points("spam", "no such kind", SeverityLow), 0)
	check("points of an unknown category", p.Violations.Points("no such category", "link", SeverityLow), 0)

	// Verification and penalties
	check("appeals", p.Verification.AppealsUS, []int64{30 * day, 15 * day})
	check("several rules", p.Penalties.SeveralRules, StrictestOnly)
	for offence, want := range map[int]int64{1: 2 * day, 2: Forever, 3: Forever, 100: Forever} {
		check("mute", p.Penalties.Consumer.MuteUS(offence), want)
	}
	for _, name := range Categories() {
		check(name+" bans", p.Penalties.Consumer.Bans(name), name == CategoryFraud)
	}
	check("loss bans", p.Penalties.Consumer.BanOnLoss, true)
	check("shielded", p.Penalties.Consumer.Shield && p.Penalties.Merchant.Shield, true)
	check("orders are flagged", p.Penalties.Merchant.FlagOrders, true)
	check("points expire", p.Penalties.Merchant.PointsExpireUS, 365*day)
	for points, want := range map[int]int{0: 0, 11: 0, 12: 12, 23: 12, 24: 24, 36: 36, 47: 36, 48: 48, 1000: 48} {
		m, ok := p.Penalties.Merchant.Milestone(points)
		check("milestone", m.Points, want)
		check("reaches a milestone", ok, want > 0)
	}
}

// TestStandardMet: a value on the mark meets its standard.
func TestStandardMet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s     Standard
		value float64
		want  bool
	}{
		{Standard{Comparison: AtLeast, Value: 0.7}, 0.7, true},
		{Standard{Comparison: AtLeast, Value: 0.7}, 0.699, false},
		{Standard{Comparison: AtMost, Value: 180}, 180, true},
		{Standard{Comparison: AtMost, Value: 180}, 180.001, false},
	} {
		if got := c.s.Met(c.value); got != c.want {
			t.Errorf("%v met by %v: %v", c.s, c.value, got)
		}
	}
}

// TestIndicatorsOfTheSchema: names stand in three places, which must agree.
func TestIndicatorsOfTheSchema(t *testing.T) {
	t.Parallel()
	proto, err := os.ReadFile("../../schemas/chat/v1/service.proto")
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(proto), "Exactly these names exist, in this order:")
	if !ok {
		t.Fatal("service.proto no longer lists the indicators")
	}
	text, _, _ = strings.Cut(text, "message Indicator")
	text = regexp.MustCompile(`\([^)]*\)`).ReplaceAllString(text, "")
	listed := regexp.MustCompile(`[a-z][a-z0-9]*(_[a-z0-9]+)+|takeovers`).FindAllString(text, -1)
	if !reflect.DeepEqual(listed, Indicators()) {
		t.Errorf("service.proto lists %v, want %v", listed, Indicators())
	}
	c, err := loadSchema()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range c.at("#/$defs/standard/properties/indicator")["enum"].([]any) {
		names = append(names, v.(string))
	}
	if want := append(Indicators(), ConfirmedViolations); !reflect.DeepEqual(names, want) {
		t.Errorf("schema.json lists %v, want %v", names, want)
	}
}

// TestComments: each value of the built-in file says which paragraph it comes from, or that it is a choice.
func TestComments(t *testing.T) {
	t.Parallel()
	s := Default()
	origin := regexp.MustCompile(`^ ?"?(2\.[0-9]+|Assessment|Verification|Penalties|Choice)\b`)
	said := func(path string) bool {
		for _, c := range s.comments["$."+path] {
			if len(c.Texts) > 0 && origin.MatchString(c.Texts[0]) {
				return true
			}
		}
		return false
	}
	src, err := readSource("default.yaml", defaultYAML)
	if err != nil {
		t.Fatal(err)
	}
	version := src.value.(map[string]any)["versions"].([]any)[0].(map[string]any)
	for name, section := range version {
		values, ok := section.(map[string]any)
		if !ok {
			continue
		}
		for key := range values {
			path := "versions[0]." + name + "." + key
			if !said(path) && !below(values[key], path, said) {
				t.Errorf("default.yaml:%d: %s does not say where it comes from", src.line(path), path)
			}
		}
	}
}

// below tells whether each key of a mapping says it.
func below(value any, path string, said func(string) bool) bool {
	m, ok := value.(map[string]any)
	for key := range m {
		ok = ok && said(path+"."+key)
	}
	return ok
}
