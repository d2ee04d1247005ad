package scenario

import (
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Cases is the log of one partition of violations.cases and the policy to read it by.
type Cases struct {
	PolicyName string
	Policy     *policy.Set
	Log        []oracle.CaseRecord
}

// GenerateCases makes the cases of a seed.
func GenerateCases(seed uint64) Cases {
	r := rand.New(rand.NewPCG(seed, 0xca5e))
	return newCourt(r.IntN, pick(CasePolicies(), r.IntN)).run()
}

// DrawCases makes cases that rapid can shrink.
func DrawCases(t *rapid.T) Cases {
	draw := func(n int) int {
		if n == 1 {
			return 0
		}
		return rapid.IntRange(0, n-1).Draw(t, "choice")
	}
	return newCourt(draw, pick(CasePolicies(), draw)).run()
}

// court is what goes on while a log of cases is written.
type court struct {
	choose choose
	policy Variant
	now    int64
	offset int64
	serial int
	sides  []*side
	log    []oracle.CaseRecord
}

// side is an offender as a clerk would remember it.
type side struct {
	offender *chatv1.Offender
	flags    []*chatv1.Flag
	// moments are times from which something may run out: confirmations and refusals.
	moments []int64
	appeals []*chatv1.Appeal
	steps   []*chatv1.Case
}

func newCourt(choose choose, v Variant) *court {
	c := &court{choose: choose, policy: v, now: 1_709_000_000_000_000 + int64(choose(86400))*second} // before 2024-02-29
	for i := range 1 + choose(3) {
		kind, id := chatv1.OffenderKind_OFFENDER_KIND_CONSUMER, "consumer"
		if choose(2) == 1 {
			kind, id = chatv1.OffenderKind_OFFENDER_KIND_SHOP, "shop"
		}
		c.sides = append(c.sides, &side{offender: &chatv1.Offender{Kind: kind, Id: fmt.Sprintf("%s-%d", id, i+1)}})
	}
	return c
}

func (c *court) chance(n, d int) bool { return c.choose(d) >= d-n }

var caseActions = []struct {
	weight int
	do     func(*court, *side)
}{
	{10, (*court).flagged},
	{8, (*court).judged},
	{7, (*court).appealed},
	{7, (*court).answered},
	{3, (*court).repeated},
	{1, (*court).flooded},
}

func (c *court) run() Cases {
	sum := 0
	for _, a := range caseActions {
		sum += a.weight
	}
	for range 8 + c.choose(60) {
		s := pick(c.sides, c.choose)
		c.advance(s)
		at := c.choose(sum)
		for _, a := range caseActions {
			if at -= a.weight; at < 0 {
				a.do(c, s)
				break
			}
		}
	}
	return Cases{PolicyName: c.policy.Name, Policy: c.policy.Set, Log: c.log}
}

// advance moves time on, often to just about where something runs out.
func (c *court) advance(s *side) {
	p := c.policy.Set.At(c.now)
	to := c.now
	switch c.choose(9) {
	case 0, 1, 2:
		to += int64(c.choose(3600)) * second
	case 3, 4:
		to += int64(c.choose(20)) * day
	case 5, 6:
		if len(s.moments) > 0 {
			to = pick(s.moments, c.choose) + pick(p.Verification.AppealsUS, c.choose) + pick([]int64{0, -1, 1, -second}, c.choose)
		}
	case 7:
		if long := p.Penalties.Merchant.PointsExpireUS; len(s.moments) > 0 && long != policy.Forever {
			to = pick(s.moments, c.choose) + long + pick([]int64{0, -1, 1}, c.choose)
		}
	}
	c.now = max(c.now, to)
}

// time is now, or sometimes before it.
func (c *court) time() int64 {
	if c.chance(1, 12) {
		return c.now - pick([]int64{1, second, hour, day, 40 * day}, c.choose)
	}
	return c.now
}

func (c *court) id(of string) string {
	c.serial++
	return fmt.Sprintf("%s-%04d", of, c.serial)
}

func (c *court) publish(s *side, step *chatv1.Case) {
	s.steps = append(s.steps, step)
	c.log = append(c.log, oracle.CaseRecord{Offset: c.offset, Case: step})
	c.offset++
	if c.chance(1, 20) {
		c.offset += 2
	}
}

// offences that flags are of, with a kind that costs a shop points; the last ones cost none, or are no category of the policy.
var offences = []struct {
	category chatv1.Category
	kind     string
}{
	{chatv1.Category_CATEGORY_SPAM, "brushing"}, {chatv1.Category_CATEGORY_SPAM, "repeated_ad"}, {chatv1.Category_CATEGORY_ABUSE, "insult"},
	{chatv1.Category_CATEGORY_THIRD_PARTY_INFO, "phone"}, {chatv1.Category_CATEGORY_FRAUD, "deposit"}, {chatv1.Category_CATEGORY_OBSCENE, "porn"},
	{chatv1.Category_CATEGORY_POLITICAL, "reactionary"}, {chatv1.Category_CATEGORY_MALICIOUS_BLOCK, "after_question"},
	{chatv1.Category_CATEGORY_MALICIOUS_CLAIM, "exposure"}, {chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER, "new_client_and_network"},
	{chatv1.Category_CATEGORY_SPAM, "unheard of"},
}

func (c *court) newFlag(s *side) *chatv1.Flag {
	o := pick(offences, c.choose)
	f := &chatv1.Flag{
		FlagId: c.id("flag"), Offender: s.offender, ShopId: "shop-1", ConversationId: "talk-1", EventId: c.id("event"), ActorId: "actor-1",
		AtUs: c.time(), Category: o.category, Kind: o.kind, SubKind: o.kind, Confidence: 0.9, Evidence: "words", Detector: "lexicon", DetectorVersion: "1",
		PolicyVersion: c.policy.Set.At(c.now).Version, Severity: chatv1.Severity(1 + c.choose(3)), AutoConfirmed: c.chance(2, 3),
	}
	if len(s.flags) > 0 && c.chance(1, 4) { // several rules broken by one message
		f.EventId = pick(s.flags, c.choose).EventId
	}
	switch c.choose(14) {
	case 0:
		f.EventId = ""
	case 1:
		f.ConversationId = ""
	case 2:
		f.Severity = chatv1.Severity_SEVERITY_UNSPECIFIED
	}
	return f
}

func (c *court) flagged(s *side) {
	f := c.newFlag(s)
	s.flags = append(s.flags, f)
	if f.AutoConfirmed {
		s.moments = append(s.moments, c.now)
	}
	c.publish(s, &chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}})
}

// someFlag is one of the newest mostly.
func (c *court) someFlag(s *side) *chatv1.Flag {
	if len(s.flags) == 0 || c.chance(1, 25) {
		return c.newFlag(s) // that nobody has heard of
	}
	return pick(s.flags[max(0, len(s.flags)-pick([]int{3, 8, 200}, c.choose)):], c.choose)
}

func (c *court) judged(s *side) {
	f := c.someFlag(s)
	v := &chatv1.ReviewVerdict{
		VerdictId: c.id("verdict"), FlagId: f.FlagId, Offender: s.offender, Ruling: chatv1.Ruling_RULING_CONFIRMED, ReviewerId: "reviewer-1", AtUs: c.time(), Flag: f,
	}
	switch c.choose(12) {
	case 0, 1, 2:
		v.Ruling = chatv1.Ruling_RULING_DISMISSED
	case 3, 4:
		v.Category = pick(offences, c.choose).category
	case 5:
		v.Loss = true
	case 6:
		v.Flag = nil
	case 7:
		v.Ruling, v.Category = chatv1.Ruling_RULING_DISMISSED, pick(offences, c.choose).category
	}
	s.moments = append(s.moments, c.now)
	for range 1 + c.choose(3)/2 {
		c.publish(s, &chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: proto.CloneOf(v)}})
		if c.chance(1, 40) { // ten more words on it, so that the first is no longer remembered
			for range 10 {
				w := proto.CloneOf(v)
				w.VerdictId = c.id("verdict")
				c.publish(s, &chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: w}})
			}
			c.publish(s, &chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: proto.CloneOf(v)}})
		}
	}
}

func (c *court) appealed(s *side) {
	a := &chatv1.Appeal{AppealId: c.id("appeal"), FlagId: c.someFlag(s).FlagId, Offender: s.offender, Reason: "not so", AtUs: c.time()}
	if len(s.appeals) > 0 && c.chance(1, 3) { // once more
		a.FlagId = pick(s.appeals, c.choose).FlagId
	}
	s.appeals = append(s.appeals, a)
	c.publish(s, &chatv1.Case{Step: &chatv1.Case_Appeal{Appeal: a}})
}

func (c *court) answered(s *side) {
	d := &chatv1.AppealDecision{AppealId: "appeal-0000", FlagId: c.someFlag(s).FlagId, Offender: s.offender, Granted: c.chance(2, 5), ReviewerId: "reviewer-2", AtUs: c.time()}
	if len(s.appeals) > 0 && !c.chance(1, 20) {
		a := s.appeals[len(s.appeals)-1]
		if c.chance(1, 2) {
			a = pick(s.appeals, c.choose)
		}
		d.AppealId, d.FlagId = a.AppealId, a.FlagId
	}
	if !d.Granted {
		s.moments = append(s.moments, c.now)
	}
	c.publish(s, &chatv1.Case{Step: &chatv1.Case_AppealDecision{AppealDecision: d}})
}

// repeated steps come from near or far.
func (c *court) repeated(s *side) {
	if len(s.steps) == 0 {
		return
	}
	step := pick(s.steps[max(0, len(s.steps)-pick([]int{2, 6, 500}, c.choose)):], c.choose)
	c.publish(s, proto.CloneOf(step))
}

// flooded is more flags than are kept, in some of the scenarios that come to it.
func (c *court) flooded(s *side) {
	if !c.chance(1, 12) {
		return
	}
	gap := pick([]int64{0, second, hour, 5 * day}, c.choose)
	for range 100 + c.choose(80) {
		c.flagged(s)
		c.now += gap
	}
}
