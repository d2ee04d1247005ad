package penalties

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/internal/oracle"
	"github.com/feigeio/feige/internal/policy"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

const day = 24 * 3600 * 1_000_000

// play is an offender's log; times are days after a fixed start.
type play struct {
	t        *testing.T
	m        *Machine
	kind     chatv1.OffenderKind
	raw      []byte
	off      int64
	inForce  map[string]*chatv1.Sanction
	versions int
	log      []oracle.CaseRecord
}

func newPlay(t *testing.T, kind chatv1.OffenderKind) *play {
	return &play{t: t, m: NewMachine(policy.Default()), kind: kind, inForce: map[string]*chatv1.Sanction{}}
}

var start = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC).UnixMicro()

func us(days float64) int64 { return start + int64(days*day) }

// do applies a step to the state as it comes back from the table, and notes what is issued.
func (p *play) do(c *chatv1.Case) {
	p.t.Helper()
	st := statev1.PenaltyFromVTPool()
	defer st.ReturnToVTPool()
	if err := st.UnmarshalVTUnsafe(p.raw); err != nil {
		p.t.Fatal(err)
	}
	p.off++
	p.log = append(p.log, oracle.CaseRecord{Offset: p.off, Case: c})
	issued, changed := p.m.Apply(st, c, p.off)
	for _, s := range issued {
		if s.Version != p.off {
			p.t.Errorf("version %d at offset %d", s.Version, p.off)
		}
		p.inForce[s.SanctionId] = s
		p.versions++
	}
	if changed {
		b, err := st.MarshalVT()
		if err != nil {
			p.t.Fatal(err)
		}
		p.raw = b
	}
}

func (p *play) state() *statev1.Penalty {
	st := &statev1.Penalty{}
	if err := st.UnmarshalVT(p.raw); err != nil {
		p.t.Fatal(err)
	}
	return st
}

func (p *play) offender() *chatv1.Offender { return &chatv1.Offender{Kind: p.kind, Id: "x"} }

func (p *play) flagOf(id, event string, days float64, c chatv1.Category, kind string, auto bool) *chatv1.Flag {
	return &chatv1.Flag{
		FlagId: id, Offender: p.offender(), ShopId: "s", ConversationId: "c", EventId: event, AtUs: us(days), Category: c, Kind: kind,
		Severity: chatv1.Severity_SEVERITY_MEDIUM, AutoConfirmed: auto, Evidence: "words",
	}
}

func (p *play) flag(id, event string, days float64, c chatv1.Category) {
	p.do(&chatv1.Case{Step: &chatv1.Case_Flag{Flag: p.flagOf(id, event, days, c, kindOf(c), true)}})
}

func kindOf(c chatv1.Category) string {
	switch c {
	case spam:
		return "brushing"
	case abuse:
		return "insult"
	case fraud:
		return "deposit"
	case political:
		return "reactionary"
	}
	return ""
}

func (p *play) verdict(id, flag string, days float64, r chatv1.Ruling, f *chatv1.Flag) {
	p.do(&chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: &chatv1.ReviewVerdict{VerdictId: id, FlagId: flag, Offender: p.offender(), Ruling: r, AtUs: us(days), Flag: f}}})
}

func (p *play) appeal(id, flag string, days float64) {
	p.do(&chatv1.Case{Step: &chatv1.Case_Appeal{Appeal: &chatv1.Appeal{AppealId: id, FlagId: flag, Offender: p.offender(), AtUs: us(days)}}})
}

func (p *play) decide(id, flag string, days float64, granted bool) {
	p.do(&chatv1.Case{Step: &chatv1.Case_AppealDecision{AppealDecision: &chatv1.AppealDecision{AppealId: id, FlagId: flag, Offender: p.offender(), AtUs: us(days), Granted: granted}}})
}

// sanctions writes what is in force as "e1/mute #1 0..2", reversed ones left out.
func (p *play) sanctions() []string { return written(slices.Collect(maps.Values(p.inForce))) }

// second is the oracle's reading of the same log.
func (p *play) second() ([]string, oracle.Account) {
	r := oracle.RunCases(policy.Default(), p.log)
	if len(r.Accounts) == 0 {
		return written(r.Sanctions), oracle.Account{}
	}
	return written(r.Sanctions), r.Accounts[0]
}

func written(all []*chatv1.Sanction) []string {
	var out []string
	for _, s := range all {
		if s.Reversed {
			continue
		}
		id := s.SanctionId
		until := "for good"
		if s.UntilUs != 0 {
			until = fmt.Sprintf("%g", float64(s.UntilUs-start)/day)
		}
		line := fmt.Sprintf("%s #%d %g..%s", id, s.Offence, float64(s.FromUs-start)/day, until)
		if s.Points > 0 {
			line += fmt.Sprintf(" %d points", s.Points)
		}
		if len(s.Restrictions) > 0 {
			line += " " + strings.Join(s.Restrictions, "+")
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

const (
	spam      = chatv1.Category_CATEGORY_SPAM
	abuse     = chatv1.Category_CATEGORY_ABUSE
	fraud     = chatv1.Category_CATEGORY_FRAUD
	political = chatv1.Category_CATEGORY_POLITICAL
	confirmed = chatv1.Ruling_RULING_CONFIRMED
	dismissed = chatv1.Ruling_RULING_DISMISSED
)

func TestConsumerLadder(t *testing.T) {
	t.Parallel()
	const forever = math.MaxInt64
	for _, c := range []struct {
		name   string
		play   func(p *play)
		want   []string
		muted  int64 // end of the mute, µs; forever
		banned bool
	}{
		{"the first mutes for two days, to the microsecond", func(p *play) {
			p.flag("f1", "e1", 0, spam)
		}, []string{"e1/mute #1 0..2", "e1/shield #1 0..for good"}, us(2), false},
		{"the second mutes for good", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.flag("f2", "e2", 10, abuse)
		}, []string{"e1/mute #1 0..2", "e1/shield #1 0..for good", "e2/mute #2 10..for good", "e2/shield #2 10..for good"}, forever, false},
		{"fraud bans at the first offence", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"fraud bans after a mute", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.flag("f2", "e2", 1, fraud)
		}, []string{"e1/mute #1 0..2", "e1/shield #1 0..for good", "e2/ban #2 1..for good", "e2/shield #2 1..for good"}, us(2), true},
		{"the first is reversed after the second: the second is the first now", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.flag("f2", "e2", 10, spam)
			p.appeal("a1", "f1", 12)
			p.decide("a1", "f1", 13, true)
		}, []string{"e2/mute #1 10..12", "e2/shield #1 10..for good"}, us(12), false},
		{"two violations in one message are one offence, the strictest", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.flag("f2", "e1", 0, fraud)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"the strictest of two is reversed: the other one stands", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.flag("f2", "e1", 0, fraud)
			p.appeal("a1", "f2", 1)
			p.decide("a1", "f2", 2, true)
		}, []string{"e1/mute #1 0..2", "e1/shield #1 0..for good"}, us(2), false},
		{"the same flag twice counts once", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.flag("f1", "e1", 0, spam)
		}, []string{"e1/mute #1 0..2", "e1/shield #1 0..for good"}, us(2), false},
		{"an unclear flag waits for the verdict, and counts from it", func(p *play) {
			f := p.flagOf("f1", "e1", 0, spam, "brushing", false)
			p.do(&chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}})
			p.verdict("v1", "f1", 3, confirmed, f)
		}, []string{"e1/mute #1 3..5", "e1/shield #1 3..for good"}, us(5), false},
		{"a dismissed flag never counts", func(p *play) {
			f := p.flagOf("f1", "e1", 0, spam, "brushing", false)
			p.do(&chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}})
			p.verdict("v1", "f1", 3, dismissed, f)
		}, nil, 0, false},
		{"a verdict dismisses what was confirmed at once", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.verdict("v1", "f1", 1, dismissed, nil)
		}, nil, 0, false},
		{"a verdict that comes again does not undo the later one", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.verdict("v1", "f1", 1, dismissed, nil)
			p.verdict("v2", "f1", 2, confirmed, nil)
			p.verdict("v1", "f1", 3, dismissed, nil)
		}, []string{"e1/mute #1 0..2", "e1/shield #1 0..for good"}, us(2), false},
		{"an appeal on the thirtieth day is late", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.appeal("a1", "f1", 30)
			p.decide("a1", "f1", 31, true)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"an appeal in time is decided whenever", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.appeal("a1", "f1", 29.99)
			p.decide("a1", "f1", 90, true)
		}, nil, 0, false},
		{"the verdict comes after what would have been the appeal window: the window begins with it", func(p *play) {
			f := p.flagOf("f1", "e1", 0, fraud, "deposit", false)
			p.do(&chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}})
			p.verdict("v1", "f1", 45, confirmed, f)
			p.appeal("a1", "f1", 60)
			p.decide("a1", "f1", 61, true)
		}, nil, 0, false},
		{"a second appeal within fifteen days of the refusal, and no third", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.appeal("a1", "f1", 1)
			p.decide("a1", "f1", 2, false)
			p.appeal("a2", "f1", 16.9)
			p.decide("a2", "f1", 18, false)
			p.appeal("a3", "f1", 19)
			p.decide("a3", "f1", 20, true)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"a second appeal on the fifteenth day after the refusal is late", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.appeal("a1", "f1", 1)
			p.decide("a1", "f1", 2, false)
			p.appeal("a2", "f1", 17)
			p.decide("a2", "f1", 18, true)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"no appeal while one is undecided", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.appeal("a1", "f1", 1)
			p.appeal("a2", "f1", 2)
			p.decide("a2", "f1", 3, true)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"a verdict that comes after the appeal window opens one of its own", func(p *play) {
			f := p.flagOf("f1", "e1", 0, spam, "brushing", false)
			p.do(&chatv1.Case{Step: &chatv1.Case_Flag{Flag: f}})
			p.appeal("a0", "f1", 10) // on nothing yet
			p.verdict("v1", "f1", 31, confirmed, f)
			p.appeal("a1", "f1", 60.99)
			p.decide("a1", "f1", 61, true)
		}, nil, 0, false},
		{"a verdict after an appeal window that ran out dismisses all the same", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.verdict("v1", "f1", 400, dismissed, nil)
		}, nil, 0, false},
		{"a verdict makes it fraud", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.do(&chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: &chatv1.ReviewVerdict{
				VerdictId: "v1", FlagId: "f1", Offender: p.offender(), Ruling: confirmed, Category: fraud, AtUs: us(1),
			}}})
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"another loss to the other side bans", func(p *play) {
			p.flag("f1", "e1", 0, spam)
			p.do(&chatv1.Case{Step: &chatv1.Case_Verdict{Verdict: &chatv1.ReviewVerdict{
				VerdictId: "v1", FlagId: "f1", Offender: p.offender(), Ruling: confirmed, Loss: true, AtUs: us(1),
			}}})
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"fraud is reversed: the offence after it is the first again", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.flag("f2", "e2", 1, spam)
			p.appeal("a1", "f1", 2)
			p.decide("a1", "f1", 3, true)
		}, []string{"e2/mute #1 1..3", "e2/shield #1 1..for good"}, us(3), false},
		{"the same appeal again is no second one", func(p *play) {
			p.flag("f1", "e1", 0, fraud)
			p.appeal("a1", "f1", 1)
			p.decide("a1", "f1", 2, false)
			p.appeal("a1", "f1", 3)
			p.decide("a1", "f1", 4, true)
		}, []string{"e1/ban #1 0..for good", "e1/shield #1 0..for good"}, 0, true},
		{"an account that was taken over is no offence", func(p *play) {
			p.flag("f1", "e1", 0, chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER)
		}, nil, 0, false},
		{"a step's time does not run backwards", func(p *play) {
			p.flag("f1", "e1", 5, spam)
			p.flag("f2", "e2", 1, fraud)
		}, []string{"e1/mute #1 5..7", "e1/shield #1 5..for good", "e2/ban #2 5..for good", "e2/shield #2 5..for good"}, us(7), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, chatv1.OffenderKind_OFFENDER_KIND_CONSUMER)
			c.play(p)
			if got := p.sanctions(); !slices.Equal(got, c.want) {
				t.Errorf("in force:\n got %q\nwant %q", got, c.want)
			}
			if st := p.state(); st.MutedUntilUs != c.muted || st.Banned != c.banned {
				t.Errorf("muted until %d banned %v, want %d %v", st.MutedUntilUs, st.Banned, c.muted, c.banned)
			}
			second, account := p.second()
			if !slices.Equal(second, c.want) || account.MutedUntilUS != c.muted || account.Banned != c.banned {
				t.Errorf("oracle:\n got %q, %+v\nwant %q", second, account, c.want)
			}
		})
	}
}

func TestShopPoints(t *testing.T) {
	t.Parallel()
	p := newPlay(t, chatv1.OffenderKind_OFFENDER_KIND_SHOP)
	p.flag("f1", "e1", 0, spam)  // 2
	p.flag("f2", "e2", 1, abuse) // 6
	p.flag("f3", "e3", 2, fraud) // 12: first milestone
	p.flag("f4", "e3", 2, spam)  // the same message: strictest only
	p.appeal("a1", "f3", 20)
	p.flag("f5", "e5", 300, political) // 24: second milestone
	want := []string{
		"e3/milestone #3 2..9 12 points marketing_campaigns", "e3/points #3 2..367 6 points",
		"e5/milestone #4 300..315 24 points marketing_campaigns+marketing_promotion", "e5/points #4 300..665 12 points",
	}
	var got []string
	for _, s := range p.sanctions() {
		if (strings.Contains(s, "points") || strings.Contains(s, "milestone")) && (s[:2] == "e3" || s[:2] == "e5") {
			got = append(got, s)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if st := p.state(); st.Points != 24 {
		t.Errorf("points %d, want 24", st.Points)
	}
	// The fraud is reversed: its points go, and both milestones with them (2 + 4, then 18: the first one at day 300).
	p.decide("a1", "f3", 301, true)
	for id, reversed := range map[string]bool{"e3/milestone": true, "e5/milestone": false} {
		if p.inForce[id].Reversed != reversed {
			t.Errorf("%s reversed: %v", id, p.inForce[id].Reversed)
		}
	}
	if ms := p.inForce["e5/milestone"]; ms.Points != 12 {
		t.Errorf("milestone of %d points after the reversal, want 12", ms.Points)
	}
	// After a year only the newest points are in force: 12 and 2.
	p.flag("f6", "e6", 400, spam)
	if st := p.state(); st.Points != 14 {
		t.Errorf("points %d a year later, want 14", st.Points)
	}
	if second, account := p.second(); account.Points != 14 || !slices.Equal(second, p.sanctions()) {
		t.Errorf("oracle: points %d\n got %q\nwant %q", account.Points, second, p.sanctions())
	}
}

// TestMuteEndsAtTheSecond: who is muted from t on may speak again at exactly t + 2 days.
func TestMuteEndsAtTheSecond(t *testing.T) {
	t.Parallel()
	p := newPlay(t, chatv1.OffenderKind_OFFENDER_KIND_CONSUMER)
	p.flag("f1", "e1", 0, spam)
	end := time.UnixMicro(start).Add(48 * time.Hour).UnixMicro()
	_, account := p.second()
	for reading, until := range map[string]int64{"processor": p.state().MutedUntilUs, "sanction": p.inForce["e1/mute"].UntilUs, "oracle": account.MutedUntilUS} {
		if until != end {
			t.Errorf("%s: muted until %v, want %v", reading, time.UnixMicro(until).UTC(), time.UnixMicro(end).UTC())
		}
	}
}
