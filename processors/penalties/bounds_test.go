package penalties

import (
	"fmt"
	"testing"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

func TestStateIsBounded(t *testing.T) {
	t.Parallel()
	p := newPlay(t, chatv1.OffenderKind_OFFENDER_KIND_SHOP)
	for i := range keptOffences + 40 {
		p.flag(fmt.Sprintf("f%d", i), fmt.Sprintf("e%d", i), float64(i), spam)
	}
	st := p.state()
	if len(st.Offences) != keptOffences || st.EarlierOffences != 40 || len(st.Sanctions) > 4*keptOffences {
		t.Errorf("%d offences, %d earlier, %d sanctions", len(st.Offences), st.EarlierOffences, len(st.Sanctions))
	}
	for id, s := range p.inForce {
		if s.Reversed {
			t.Fatalf("%s was reversed by being forgotten", id)
		}
	}
	if st.EarlierPoints != 80 || st.Points != 336 {
		t.Errorf("%d earlier points, %d in all; want 80 and 336", st.EarlierPoints, st.Points)
	}
	if _, account := p.second(); account.Points != st.Points {
		t.Errorf("oracle: %d points", account.Points)
	}
	if s := p.inForce[fmt.Sprintf("e%d/shield", keptOffences+39)]; s.Offence != keptOffences+40 {
		t.Errorf("newest offence is number %d", s.Offence)
	}
}

// TestABanOutlivesItsFlag: what is no longer kept goes on to bind the account.
func TestABanOutlivesItsFlag(t *testing.T) {
	t.Parallel()
	p := newPlay(t, chatv1.OffenderKind_OFFENDER_KIND_CONSUMER)
	p.flag("f", "e", 0, fraud)
	for i := range keptOffences + 2 {
		p.flag(fmt.Sprintf("f%d", i), fmt.Sprintf("e%d", i), 1, spam)
		p.verdict(fmt.Sprintf("v%d", i), fmt.Sprintf("f%d", i), 1, dismissed, nil)
	}
	_, account := p.second()
	if st := p.state(); !st.Banned || st.EarlierOffences != 1 || !account.Banned {
		t.Errorf("banned %v (oracle %v), %d earlier offences", st.Banned, account.Banned, st.EarlierOffences)
	}
}
