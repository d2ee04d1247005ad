package patterns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

const (
	noon   = 1_790_000_000_000_000
	minute = 60_000_000
)

// play applies signals to states as they come back from the table.
type play struct {
	t      *testing.T
	m      *Machine
	states map[string][]byte
	off    int64
	flags  []*chatv1.Flag
}

func newPlay(t *testing.T) *play {
	return &play{t: t, m: NewMachine(policy.Default()), states: map[string][]byte{}}
}

func (p *play) do(key string, s *chatv1.Signal) {
	p.t.Helper()
	b, err := s.MarshalVT()
	if err != nil {
		p.t.Fatal(err)
	}
	s = chatv1.SignalFromVTPool()
	defer s.ReturnToVTPool()
	st := statev1.PatternFromVTPool()
	defer st.ReturnToVTPool()
	if err := s.UnmarshalVTUnsafe(b); err != nil {
		p.t.Fatal(err)
	}
	if err := st.UnmarshalVTUnsafe(p.states[key]); err != nil {
		p.t.Fatal(err)
	}
	p.off++
	if err := check(key, schemas.Partition([]byte(key), 1), 1, s); err != nil {
		p.t.Fatal(err)
	}
	out := p.m.Apply(st, s, p.off)
	if out.Flag != nil {
		p.flags = append(p.flags, out.Flag.CloneVT())
	}
	if out.Changed {
		if p.states[key], err = st.MarshalVT(); err != nil {
			p.t.Fatal(err)
		}
		if len(p.states[key]) > 16<<10 {
			p.t.Errorf("a state of %d bytes", len(p.states[key]))
		}
	}
	if out.Tally != nil {
		p.do(schemas.TickKey(0, 1), out.Tally.CloneVT())
	}
}

func (p *play) kinds() string {
	var out []string
	for _, f := range p.flags {
		out = append(out, f.Kind)
	}
	return strings.Join(out, ",")
}

// sends is an advertisement of consumer u in a shop.
func sends(n int64, partition int32, shop, event string, at int64, signature uint64, confidence float64) *chatv1.Signal {
	return &chatv1.Signal{
		SourceOffset: n, SourcePartition: partition, EventId: event, ShopId: shop, ConversationId: "c", ActorId: "u", AtUs: at, Consumer: true,
		Payload: &chatv1.Signal_Advertisement{Advertisement: &chatv1.Advertisement{SignatureLow: signature, SignatureHigh: signature, Confidence: confidence}},
	}
}

func TestRepeatedAds(t *testing.T) {
	t.Parallel()
	const key, hour = "consumer:u", 60 * minute
	const ad, near, other = 0x0102030405060708, 0x0102030405060709, 0x1112131415161718
	for _, c := range []struct {
		name string
		sent []*chatv1.Signal
		want string
		auto bool
	}{
		{"three shops", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 1, "b", "2", noon+1, ad, 0.95), sends(3, 2, "c", "3", noon+2, ad, 0.95)}, "repeated_ad", true},
		{"with small edits", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 0, "b", "2", noon+1, near, 0.95), sends(3, 0, "c", "3", noon+2, ad, 0.95)}, "repeated_ad", true},
		{"what may be one only waits", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.8), sends(2, 1, "b", "2", noon+1, ad, 0.8), sends(3, 2, "c", "3", noon+2, ad, 0.8)}, "repeated_ad", false},
		{"to one shop only waits", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 0, "a", "2", noon+1, ad, 0.95), sends(3, 0, "a", "3", noon+2, ad, 0.95)}, "repeated_ad", false},
		{"two are not three", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 1, "b", "2", noon+1, ad, 0.95)}, "", false},
		{"different ones", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 1, "b", "2", noon+1, other, 0.95), sends(3, 2, "c", "3", noon+2, ad, 0.95)}, "", false},
		{"at the end of the window", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 1, "b", "2", noon+1, ad, 0.95), sends(3, 2, "c", "3", noon+24*hour-1, ad, 0.95)}, "repeated_ad", true},
		{"past the window", []*chatv1.Signal{sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 1, "b", "2", noon+1, ad, 0.95), sends(3, 2, "c", "3", noon+24*hour, ad, 0.95)}, "", false},
		{"a repeat is no copy, even when the first is forgotten", []*chatv1.Signal{
			sends(1, 0, "a", "1", noon, ad, 0.95), sends(2, 1, "b", "2", noon+48*hour, ad, 0.95), sends(1, 0, "a", "1", noon, ad, 0.95), sends(3, 2, "c", "3", noon+48*hour, ad, 0.95),
		}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			for _, s := range c.sent {
				p.do(key, s)
			}
			if p.kinds() != c.want {
				t.Fatalf("flags %q, want %q", p.kinds(), c.want)
			}
			if c.want == "" {
				return
			}
			f := p.flags[0]
			if f.AutoConfirmed != c.auto || f.Category != chatv1.Category_CATEGORY_SPAM || f.Offender.Id != "u" || f.EventId != "3" || len(f.RelatedEventIds) != 2 {
				t.Errorf("flag %v", f)
			}
		})
	}
}

func TestAdsAreBounded(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	for i := range int64(500) {
		p.do("consumer:u", sends(i, int32(i%7), "a", fmt.Sprintf("0192f0c1-7000-7000-8000-%012d", i), noon+i, uint64(i)*0x9E3779B97F4A7C15, 0.9))
	}
}

func TestSignIns(t *testing.T) {
	t.Parallel()
	in := func(n, at int64, session, client, address string) *chatv1.Signal {
		return &chatv1.Signal{SourceOffset: n, EventId: fmt.Sprint(n), ShopId: "shop", ActorId: "a", AtUs: noon + at,
			Payload: &chatv1.Signal_SignIn{SignIn: &chatv1.SignIn{SessionId: session, Client: client, Address: address}}}
	}
	out := func(n, at int64, session string) *chatv1.Signal {
		return &chatv1.Signal{SourceOffset: n, EventId: fmt.Sprint(n), ShopId: "shop", ActorId: "a", AtUs: noon + at, Payload: &chatv1.Signal_SignOut{SignOut: &chatv1.SignOut{SessionId: session}}}
	}
	const day = 24 * 60 * minute
	for _, c := range []struct {
		name string
		log  []*chatv1.Signal
		want string
	}{
		{"a new client on a new network, minutes later", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), in(2, 9*minute, "s2", "app", "172.16.5.6")}, "new_client_and_network"},
		{"a known client", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), in(2, 9*minute, "s2", "web", "172.16.5.6")}, ""},
		{"the same network", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), in(2, 9*minute, "s2", "app", "10.1.2.200")}, ""},
		{"long after", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), in(2, 11*minute, "s2", "app", "172.16.5.6")}, ""},
		{"three networks at once", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), in(2, 20*minute, "s2", "web", "172.16.5.6"), in(3, 40*minute, "s3", "web", "192.168.7.8")}, "impossible_concurrency"},
		{"not at once", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), out(2, minute, "s1"), in(3, 20*minute, "s2", "web", "172.16.5.6"), in(4, 40*minute, "s3", "web", "192.168.7.8")}, ""},
		{"known long ago is new again", []*chatv1.Signal{
			in(1, 0, "s1", "app", "172.16.5.6"), out(2, minute, "s1"), in(3, 31*day, "s2", "web", "10.1.2.3"), in(4, 31*day+minute, "s3", "app", "172.16.5.6"),
		}, "new_client_and_network"},
		{"known of late is not", []*chatv1.Signal{
			in(1, 0, "s1", "app", "172.16.5.6"), out(2, minute, "s1"), in(3, 29*day, "s2", "web", "10.1.2.3"), in(4, 29*day+minute, "s3", "app", "172.16.5.6"),
		}, ""},
		{"a repeat", []*chatv1.Signal{in(1, 0, "s1", "web", "10.1.2.3"), in(2, minute, "s2", "app", "172.16.5.6"), in(2, minute, "s2", "app", "172.16.5.6")}, "new_client_and_network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			for _, s := range c.log {
				p.do("shop/agent/a", s)
			}
			if p.kinds() != c.want {
				t.Fatalf("flags %q, want %q", p.kinds(), c.want)
			}
			for _, f := range p.flags {
				if f.AutoConfirmed || f.Category != chatv1.Category_CATEGORY_ACCOUNT_TAKEOVER || f.Offender.Id != "shop" || f.ActorId != "a" {
					t.Errorf("flag %v", f)
				}
			}
		})
	}
}

func TestBlockRate(t *testing.T) {
	t.Parallel()
	const day = 24 * 60 * minute
	// Three peers with 40 conversations and one block a day each, and a shop with 40 conversations and some blocks.
	run := func(t *testing.T, blocks int, days int64) *play {
		p := newPlay(t)
		n := int64(0)
		signal := func(shop string, at int64, s *chatv1.Signal) {
			n++
			s.SourceOffset, s.EventId, s.ShopId, s.ConversationId, s.AtUs = n, fmt.Sprint(n), shop, "c", at
			p.do(shop+"/blocks", s)
			if n%7 == 0 {
				p.do(shop+"/blocks", s.CloneVT()) // as a restart repeats it
			}
		}
		for d := range days {
			for _, shop := range []string{"a", "b", "c", "x"} {
				for i := range int64(40) {
					signal(shop, noon+d*day+i, &chatv1.Signal{Payload: &chatv1.Signal_Contacted{Contacted: &chatv1.Contacted{}}})
				}
				n := 1
				if shop == "x" {
					n = blocks
				}
				for i := range n {
					signal(shop, noon+d*day+100+int64(i), &chatv1.Signal{Payload: &chatv1.Signal_Blocked{Blocked: &chatv1.Blocked{}}})
				}
			}
		}
		return p
	}
	t.Run("far above the peers", func(t *testing.T) {
		t.Parallel()
		p := run(t, 8, 3)
		ids := map[string]bool{}
		for _, f := range p.flags {
			ids[f.FlagId] = true
			if f.Kind != "block_rate" || f.Offender.Id != "x" || f.AutoConfirmed {
				t.Errorf("flag %v", f)
			}
		}
		if len(ids) != 2 { // none on the first day, when nothing is known of the peers
			t.Errorf("%d different flags, want one a day from the second on", len(ids))
		}
	})
	t.Run("not so far", func(t *testing.T) {
		t.Parallel()
		if p := run(t, 4, 3); len(p.flags) > 0 {
			t.Errorf("flags %v", p.flags)
		}
	})
	t.Run("a first day", func(t *testing.T) {
		t.Parallel()
		if p := run(t, 20, 1); len(p.flags) > 0 {
			t.Errorf("flags %v", p.flags)
		}
	})
}
