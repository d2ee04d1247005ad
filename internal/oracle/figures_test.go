package oracle_test

import (
	"fmt"
	"testing"

	"github.com/feigeio/feige/internal/policy"
)

// TestPercentiles takes the wait of rank ceil(q·n).
func TestPercentiles(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	for i := range 100 { // waits of 1 to 100 s
		c := fmt.Sprintf("c%02d", i)
		s.consumer(c, "2024-03-05 10:00:00")
		s.agent(c, "ann", fmt.Sprintf("2024-03-05 10:%02d:%02d", (i+1)/60, (i+1)%60))
	}
	s.tick("2024-03-05 14:00:00")
	for at, want := range map[int]float64{6: 50, 7: 90, 8: 99} {
		if i := s.run().Kpis[0].Indicators[at]; i.Value != want || i.Samples != 100 {
			t.Errorf("%v, want %v s of 100", i, want)
		}
	}
}

// TestVerdicts judges a shop by few samples.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	s := &script{t: t}
	for i := range 40 {
		c := fmt.Sprintf("c%02d", i)
		s.consumer(c, "2024-03-05 10:00:00")
		if i < 27 { // 27 of 40 in 3 minutes: 0.675
			s.agent(c, "ann", "2024-03-05 10:03:00")
		}
		if i < 29 {
			s.rated(c, "2024-03-05 12:00:00", 1, 0) // all bad, but one too few
		}
	}
	s.tick("2024-03-16 00:00:00")
	r := s.run()
	same(t, "decisions", decisions(r),
		"03-01 revision 1 at 0s: rounds 40, missed [manual_reply_3min_rate], restricted 03-16 00:00:00 to 04-01 00:00:00")
	verdicts := map[string]string{}
	for _, i := range r.Decisions[0].Evidence {
		verdicts[i.Name] = i.Verdict.String()
	}
	for name, want := range map[string]string{
		policy.ManualReplyRate: "VERDICT_MISSED", policy.AvgResponseSeconds: "VERDICT_MET",
		policy.DissatisfactionRate: "VERDICT_NOT_JUDGED", policy.UnansweredRate: "VERDICT_REPORTED",
	} {
		if verdicts[name] != want {
			t.Errorf("%s: %s, want %s", name, verdicts[name], want)
		}
	}
	if got := r.Decisions[0].Restrictions; len(got) != 3 {
		t.Errorf("restrictions %v", got)
	}
	s.rated("c30", "2024-03-15 23:30:00", 5, 0)
	s.tick("2024-03-16 01:00:00")
	same(t, "decisions", decisions(s.run())[1:],
		"03-01 revision 2 at 3600s: rounds 40, missed [manual_reply_3min_rate dissatisfaction_rate], restricted 03-16 00:00:00 to 04-01 00:00:00")
}
