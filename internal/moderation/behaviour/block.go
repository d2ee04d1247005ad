package behaviour

import "slices"

// Cause is what a consumer did that a shop may have blocked them for.
type Cause string

// Causes; they are the policy's sub-kinds of malicious_block.
const (
	AfterQuestion  Cause = "after_question"
	AfterComplaint Cause = "after_complaint"
	AfterBadRating Cause = "after_bad_rating"
)

// Touch is the memory of what a consumer last did in a conversation: 48 bytes. The zero value is ready; times are
// event time in microseconds, 0 for never.
type Touch struct {
	QuestionUS  int64 `json:"question_us"`
	ComplaintUS int64 `json:"complaint_us"`
	BadRatingUS int64 `json:"bad_rating_us"`
	// ViolationUS is when the consumer was last flagged: a shop may block an abuser.
	ViolationUS int64 `json:"violation_us"`
}

// Note remembers a cause. A time that runs backwards changes nothing.
func (t *Touch) Note(cause Cause, atUS int64) {
	switch cause {
	case AfterQuestion:
		t.QuestionUS = max(t.QuestionUS, atUS)
	case AfterComplaint:
		t.ComplaintUS = max(t.ComplaintUS, atUS)
	case AfterBadRating:
		t.BadRatingUS = max(t.BadRatingUS, atUS)
	}
}

// NoteViolation remembers that the consumer was flagged.
func (t *Touch) NoteViolation(atUS int64) { t.ViolationUS = max(t.ViolationUS, atUS) }

// Block judges a block at a time: it is suspicious soon after a question, a complaint, or a bad rating, and the worst
// of them is named; not so if the consumer was flagged within the same time. Confidence is from 0 to 1: the sooner,
// the surer.
func (t *Touch) Block(atUS, soonAfterUS int64) (cause Cause, confidence float64, suspicious bool) {
	soon := func(us int64) bool { return us > 0 && atUS >= us && atUS-us <= soonAfterUS }
	if soon(t.ViolationUS) || soonAfterUS <= 0 {
		return "", 0, false
	}
	for _, c := range []struct {
		cause Cause
		at    int64
		base  float64
	}{{AfterBadRating, t.BadRatingUS, 0.75}, {AfterComplaint, t.ComplaintUS, 0.7}, {AfterQuestion, t.QuestionUS, 0.55}} {
		if soon(c.at) {
			near := 1 - float64(atUS-c.at)/float64(soonAfterUS)
			return c.cause, c.base + 0.2*near, true
		}
	}
	return "", 0, false
}

// Days that a block rate is taken over.
const Days = 7

// Blocks counts a shop's conversations and blocks by day of event time: less than 200 bytes. The zero value is ready.
type Blocks struct {
	Day   int64       `json:"day"` // of the newest count, days since 1970-01-01 UTC
	Count [Days]Tally `json:"count"`
}

// Tally is one day's.
type Tally struct {
	Conversations int64 `json:"conversations"`
	Blocks        int64 `json:"blocks"`
}

const dayUS = 24 * 3600 * 1_000_000

// Add counts conversations that began, or consumers that were blocked, at a time.
func (b *Blocks) Add(atUS int64, t Tally) {
	day := atUS / dayUS
	if day > b.Day {
		for d := max(b.Day+1, day-Days+1); d <= day; d++ {
			b.Count[d%Days] = Tally{}
		}
		b.Day = day
	}
	if day <= b.Day-Days || day < 0 {
		return // too late to matter
	}
	b.Count[day%Days].Conversations += t.Conversations
	b.Count[day%Days].Blocks += t.Blocks
}

// Sum of the days that are still in the window at a time.
func (b *Blocks) Sum(atUS int64) Tally {
	var sum Tally
	day := atUS / dayUS
	for d := max(0, b.Day-Days+1); d <= b.Day; d++ {
		if d > day-Days {
			sum.Conversations += b.Count[d%Days].Conversations
			sum.Blocks += b.Count[d%Days].Blocks
		}
	}
	return sum
}

// RateRule is the policy's: how many times the peers' rate, and from how many conversations on.
type RateRule struct {
	TimesPeerRate    float64
	MinConversations int64
}

// RateFinding says how a shop's block rate stands out.
type RateFinding struct {
	Rate, PeerRate, Times float64
	Confidence            float64
}

// fewestBlocks below which chance rules.
const fewestBlocks = 5

// Rate compares a shop with its peers, who do not include it. Peers without a block count as one half of a block, so
// that the first shop to block at all is not beyond all measure.
func Rate(shop, peers Tally, rule RateRule) (RateFinding, bool) {
	if shop.Conversations < rule.MinConversations || shop.Blocks < fewestBlocks || peers.Conversations < rule.MinConversations || rule.TimesPeerRate <= 0 {
		return RateFinding{}, false
	}
	f := RateFinding{
		Rate:     float64(shop.Blocks) / float64(shop.Conversations),
		PeerRate: max(float64(peers.Blocks), 0.5) / float64(peers.Conversations),
	}
	f.Times = f.Rate / f.PeerRate
	if f.Times < rule.TimesPeerRate {
		return f, false
	}
	f.Confidence = min(0.95, 0.6+0.05*f.Times/rule.TimesPeerRate)
	return f, true
}

// Median rate of peers, for callers that hold one rate a shop: robust against a few shops that block everybody.
func Median(rates []float64) float64 {
	if len(rates) == 0 {
		return 0
	}
	sorted := slices.Clone(rates)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}
