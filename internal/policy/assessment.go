package policy

import (
	"slices"

	"github.com/feigeio/feige/internal/worktime"
)

// Indicators of a window, in the order of its record (chat.v1.Indicator).
const (
	ManualReplyRate                   = "manual_reply_3min_rate"
	ManualReplyRateConversation       = "manual_reply_3min_rate_conversation"
	ManualReplyRateRound              = "manual_reply_3min_rate_round"
	ManualReplyRateMessage            = "manual_reply_3min_rate_message"
	ManualReplyRateConversationStrict = "manual_reply_3min_rate_conversation_strict"
	AvgResponseSeconds                = "avg_response_seconds"
	P50ResponseSeconds                = "p50_response_seconds"
	P90ResponseSeconds                = "p90_response_seconds"
	P99ResponseSeconds                = "p99_response_seconds"
	AvgFirstResponseSeconds           = "avg_first_response_seconds"
	DissatisfactionRate               = "dissatisfaction_rate"
	UnansweredRate                    = "unanswered_rate"
	Takeovers                         = "takeovers"
	BotSeconds                        = "bot_seconds"
	// ConfirmedViolations is counted, and part of the record, only where it has a standard.
	ConfirmedViolations = "confirmed_violations"
)

// Indicators lists the names of those that every record has, in that order. The slice is the caller's.
func Indicators() []string {
	return []string{
		ManualReplyRate, ManualReplyRateConversation, ManualReplyRateRound, ManualReplyRateMessage,
		ManualReplyRateConversationStrict, AvgResponseSeconds, P50ResponseSeconds, P90ResponseSeconds,
		P99ResponseSeconds, AvgFirstResponseSeconds, DissatisfactionRate, UnansweredRate, Takeovers, BotSeconds,
	}
}

// isRate tells the indicators that are shares of a whole.
func isRate(indicator string) bool {
	switch indicator {
	case ManualReplyRate, ManualReplyRateConversation, ManualReplyRateRound, ManualReplyRateMessage,
		ManualReplyRateConversationStrict, DissatisfactionRate, UnansweredRate:
		return true
	}
	return false
}

// Definitions that manual_reply_3min_rate can follow.
const (
	DefinitionConversation       = "conversation"
	DefinitionRound              = "round"
	DefinitionMessage            = "message"
	DefinitionConversationStrict = "conversation_strict"
)

// Comparisons of a standard.
const (
	AtLeast = ">="
	AtMost  = "<="
)

// Restrictions that a shop can be put under.
const (
	RestrictMarketingCampaigns = "marketing_campaigns"
	RestrictTraffic            = "traffic_weighted_down"
	RestrictMarketingPromotion = "marketing_promotion"
	RestrictNewGoods           = "listing_new_goods"
	RestrictClosed             = "shop_closed"
)

// PeriodHalfMonth is the 1st to the 15th, and the 16th to the last day of a month.
const PeriodHalfMonth = "half_month"

// RestrictedNextPeriod restricts from the end of the assessed period to the end of the next.
const RestrictedNextPeriod = "next_period"

// Assessment is the service assessment: what counts, the standards, when and how it is decided.
type Assessment struct {
	// AssessedTime is the same on every day of the week.
	AssessedTime worktime.Hours
	// Period is PeriodHalfMonth.
	Period string
	// ResponseLimitUS: a wait of exactly this long is within it.
	ResponseLimitUS int64
	// Definition that manual_reply_3min_rate follows.
	Definition         string
	DissatisfiedScores []int32
	// CheckpointsUS after a period's end it is decided; ascending, at least one.
	CheckpointsUS []int64
	Standards     []Standard
	// Restrictions of a shop that missed a standard.
	Restrictions []string
	// RestrictedFor is RestrictedNextPeriod.
	RestrictedFor string
}

// Standard is what an indicator must reach.
type Standard struct {
	Indicator string
	// Comparison is AtLeast or AtMost.
	Comparison string
	Value      float64
	// MinSamples from which the indicator is judged.
	MinSamples int64
}

// Met tells whether a value reaches the standard.
func (s Standard) Met(value float64) bool {
	if s.Comparison == AtLeast {
		return value >= s.Value
	}
	return value <= s.Value
}

// IsDissatisfied tells whether a rating counts as dissatisfied.
func (a *Assessment) IsDissatisfied(score int32) bool {
	return slices.Contains(a.DissatisfiedScores, score)
}

// LatenessUS is how late an event may come and still count: the last checkpoint.
func (a *Assessment) LatenessUS() int64 { return a.CheckpointsUS[len(a.CheckpointsUS)-1] }

// CountsViolations tells whether confirmed violations of the shop are taken into account.
func (a *Assessment) CountsViolations() bool {
	for i := range a.Standards {
		if a.Standards[i].Indicator == ConfirmedViolations {
			return true
		}
	}
	return false
}

// StandardOf is the standard of an indicator, if it has one.
func (a *Assessment) StandardOf(indicator string) (Standard, bool) {
	for _, s := range a.Standards {
		if s.Indicator == indicator {
			return s, true
		}
	}
	return Standard{}, false
}
