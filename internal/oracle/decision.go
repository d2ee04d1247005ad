package oracle

import (
	"slices"

	"google.golang.org/protobuf/proto"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// decide looks at a half-month at each of its checkpoints that a tick has reached.
func (s *shop) decide(w *window, ticks []tick) []*chatv1.Decision {
	var out []*chatv1.Decision
	for _, checkpoint := range w.policy.Assessment.CheckpointsUS {
		t, reached := firstReaching(ticks, w.end+checkpoint)
		if !reached {
			break
		}
		if !w.rowAsOf(t.pos) {
			s.seen.LooksWithoutRow++
			continue
		}
		d := s.look(w, t)
		if len(out) > 0 && sameDecision(out[len(out)-1], d) {
			continue
		}
		d.Revision = int32(len(out)) + 1
		d.CheckpointSeconds = checkpoint / 1_000_000
		out = append(out, d)
	}
	return out
}

// look is what a look at the period decides, without its revision.
func (s *shop) look(w *window, t tick) *chatv1.Decision {
	f := s.count(w, t, true)
	d := &chatv1.Decision{
		ShopId: s.id, PeriodStartUs: w.start, PeriodEndUs: w.end,
		Evidence: f.indicators(w.policy), PolicyVersion: w.policy.Version, Counts: f.counts,
	}
	for _, i := range d.Evidence {
		if i.Verdict == chatv1.Verdict_VERDICT_MISSED {
			d.Missed = append(d.Missed, i.Name)
		}
	}
	if len(d.Missed) > 0 {
		d.Restricted = true
		d.Restrictions = slices.Clone(w.policy.Assessment.Restrictions)
		d.RestrictedFromUs, d.RestrictedUntilUs = s.clock.span(w.kind, w.end)
	}
	return d
}

// sameDecision tells whether two looks decided the same on the same numbers.
func sameDecision(a, b *chatv1.Decision) bool {
	bare := func(d *chatv1.Decision) *chatv1.Decision {
		d = proto.CloneOf(d)
		d.Revision, d.CheckpointSeconds = 0, 0
		return d
	}
	return proto.Equal(bare(a), bare(b))
}
