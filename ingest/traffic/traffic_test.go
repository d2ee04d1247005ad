package traffic_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/ingest/traffic"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

var monday = time.Date(2024, 6, 3, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))

func week() traffic.Config {
	return traffic.Config{Seed: 7, FromUS: monday.UnixMicro(), ToUS: monday.AddDate(0, 0, 7).UnixMicro(), Shops: 40, Rate: 0.15}
}

func digest(t *testing.T, cfg traffic.Config) string {
	t.Helper()
	h := sha256.New()
	if err := traffic.Generate(cfg, func(ev *chatv1.ChatEvent) error {
		b, err := ev.MarshalVT()
		h.Write(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestGenerateIsDeterministic(t *testing.T) {
	t.Parallel()
	cfg := week()
	cfg.ToUS = monday.AddDate(0, 0, 1).UnixMicro()
	a, b := digest(t, cfg), digest(t, cfg)
	if a != b {
		t.Error("the same configuration gives different events")
	}
	cfg.Seed++
	if digest(t, cfg) == a {
		t.Error("another seed gives the same events")
	}
}

// TestGenerateIsBelievable looks at a week.
func TestGenerateIsBelievable(t *testing.T) {
	t.Parallel()
	cfg := week()
	now := time.Now().UnixMicro()
	ids := map[string]bool{}
	shops, kinds, hours := map[string]int{}, map[string]int{}, [24]int{}
	unreplied, takeovers := map[string]int{}, 0
	var ratings, bad, total int
	var last int64
	err := traffic.Generate(cfg, func(ev *chatv1.ChatEvent) error {
		if err := ingest.Validate(ev, now); err != nil {
			t.Errorf("%v: %v", err, ev)
		}
		if ids[ev.EventId] {
			t.Errorf("id %s repeats", ev.EventId)
		}
		ids[ev.EventId] = true
		if ev.OccurredAtUs < last || ev.OccurredAtUs < cfg.FromUS || ev.OccurredAtUs >= cfg.ToUS {
			t.Errorf("time %d after %d", ev.OccurredAtUs, last)
		}
		last = ev.OccurredAtUs
		total++
		shops[ev.ShopId]++
		kinds[fmt.Sprintf("%T", ev.Payload)]++
		hours[time.UnixMicro(ev.OccurredAtUs).In(monday.Location()).Hour()]++
		if ev.GetMessage() != nil {
			switch {
			case ev.Actor.Role == chatv1.Role_ROLE_CONSUMER:
				if unreplied[ev.ShopId]++; unreplied[ev.ShopId] == 11 {
					takeovers++
				}
			case ev.Actor.Role == chatv1.Role_ROLE_AGENT && !ev.Actor.Automatic:
				unreplied[ev.ShopId] = 0
			}
		}
		if r := ev.GetConversationRated(); r != nil {
			ratings++
			if r.Score <= 2 {
				bad++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events, %d shops, kinds %v, hours %v, %d ratings, %d bad, %d takeovers", total, len(shops), kinds, hours, ratings, bad, takeovers)
	between := func(what string, got, least, most float64) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("%s: %.3f, not between %v and %v", what, got, least, most)
		}
	}
	between("events against the rate", float64(total)/(0.15*7*86400), 0.8, 1.25)
	between("share of the busiest shop", float64(shops["shop-00001"])/float64(total), 0.12, 0.40)
	between("evening against night", float64(hours[20])/float64(hours[3]), 8, 80)
	between("dissatisfied", float64(bad)/float64(ratings), 0.05, 0.40)
	between("ratings", float64(ratings), 300, 20000)
	between("takeovers", float64(takeovers), 10, 5000)
	for _, kind := range []string{"Message", "ConversationOpened", "ConversationClosed", "ConversationTransferred", "ConversationRead",
		"ConversationRated", "ConsumerBlocked", "AgentSignedIn", "AgentSignedOut"} {
		if kinds["*chatv1.ChatEvent_"+kind] == 0 {
			t.Errorf("no event of kind %s", kind)
		}
	}
}

func TestGenerateFlat(t *testing.T) {
	t.Parallel()
	cfg := traffic.Config{Seed: 1, FromUS: monday.UnixMicro(), ToUS: monday.Add(10 * time.Minute).UnixMicro(), Shops: 200, Rate: 150, Flat: true,
		WarmUpUS: (30 * time.Minute).Microseconds()}
	minutes := [10]int{}
	if err := traffic.Generate(cfg, func(ev *chatv1.ChatEvent) error {
		minutes[(ev.OccurredAtUs-cfg.FromUS)/60e6]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for m, n := range minutes {
		if rate := float64(n) / 60; rate < 100 || rate > 210 {
			t.Errorf("minute %d: %.0f events a second, want about 150 (%v)", m, rate, minutes)
		}
	}
}

func TestGenerateStops(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	n := 0
	cfg := week()
	cfg.ToUS = 0
	err := traffic.Generate(cfg, func(*chatv1.ChatEvent) error {
		if n++; n == 100 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 100 {
		t.Errorf("%v after %d events", err, n)
	}
	cfg = week()
	cfg.Shops = 0
	if err := traffic.Generate(cfg, nil); err == nil {
		t.Error("no shops are accepted")
	}
}

func BenchmarkGenerate(b *testing.B) {
	cfg := traffic.Config{Seed: 1, FromUS: monday.UnixMicro(), Shops: 1000, Rate: 1000}
	n := 0
	done := errors.New("done")
	if err := traffic.Generate(cfg, func(*chatv1.ChatEvent) error {
		if n++; n > b.N {
			return done
		}
		return nil
	}); !errors.Is(err, done) {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
