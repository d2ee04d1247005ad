package behaviour

import (
	"net/netip"
	"slices"
)

// SignIn is an agent's sign-in.
type SignIn struct {
	AtUS      int64  `json:"at_us"`
	SessionID string `json:"session_id"`
	Client    string `json:"client"`
	// Network is the address's (see NetworkOf), not the address: phones change within it.
	Network string `json:"network"`
	// Open until signed out.
	Open bool `json:"open"`
}

// SignInRule says what looks taken over.
type SignInRule struct {
	// WithinUS of another sign-in a new client on a new network is suspicious.
	WithinUS int64
	// NewAfterUS without use a client or a network is new again; 0: never.
	NewAfterUS int64
	// MaxNetworks that an account may be signed in from at once.
	MaxNetworks int
}

// Known is a client or network that an account has used.
type Known struct {
	Name   string `json:"name"`
	LastUS int64  `json:"last_us"`
}

// Kinds of findings.
const (
	NewClientAndNetwork   = "new_client_and_network"
	ImpossibleConcurrency = "impossible_concurrency"
)

// SignInFinding is for review; it is never a violation by itself.
type SignInFinding struct {
	Kind string
	// Other is the sign-in that it clashes with.
	Other      SignIn
	Confidence float64
}

// Sizes of an account's memory: at most 16 sign-ins and 16 known clients and networks each, less than 8 KiB with
// texts of up to 64 bytes.
const (
	maxSignIns = 16
	maxKnown   = 16
	maxText    = 64
)

// SignIns is the memory of one account. The zero value is ready.
type SignIns struct {
	Recent []SignIn `json:"recent"`
	// Clients and Networks seen before, the latest last.
	Clients  []Known `json:"clients"`
	Networks []Known `json:"networks"`
}

// Add takes a sign-in and tells whether it looks taken over.
func (s *SignIns) Add(in SignIn, rule SignInRule) (SignInFinding, bool) {
	in.SessionID, in.Client, in.Network, in.Open = cut(in.SessionID), cut(in.Client), cut(in.Network), true
	if n := len(s.Recent); n > 0 {
		in.AtUS = max(in.AtUS, s.Recent[n-1].AtUS)
	}
	if slices.ContainsFunc(s.Recent, func(r SignIn) bool { return r.SessionID != "" && r.SessionID == in.SessionID }) {
		return SignInFinding{}, false
	}
	finding, found := s.judge(in, rule)
	s.Clients, s.Networks = known(s.Clients, in.Client, in.AtUS), known(s.Networks, in.Network, in.AtUS)
	if len(s.Recent) >= maxSignIns {
		s.Recent = slices.Delete(s.Recent, 0, len(s.Recent)-maxSignIns+1)
	}
	s.Recent = append(s.Recent, in)
	return finding, found
}

func (s *SignIns) judge(in SignIn, rule SignInRule) (SignInFinding, bool) {
	isNew := func(list []Known, name string) bool {
		return !slices.ContainsFunc(list, func(k Known) bool {
			return k.Name == name && (rule.NewAfterUS <= 0 || in.AtUS-k.LastUS < rule.NewAfterUS)
		})
	}
	newClient, newNetwork := isNew(s.Clients, in.Client), isNew(s.Networks, in.Network)
	if newClient && newNetwork && len(s.Recent) > 0 {
		last := s.Recent[len(s.Recent)-1]
		if apart := in.AtUS - last.AtUS; apart <= rule.WithinUS && last.Network != in.Network {
			return SignInFinding{Kind: NewClientAndNetwork, Other: last, Confidence: 0.9 - 0.3*float64(apart)/float64(max(rule.WithinUS, 1))}, true
		}
	}
	open := map[string]bool{in.Network: true}
	var other SignIn
	for i := len(s.Recent) - 1; i >= 0; i-- {
		if r := s.Recent[i]; r.Open && !open[r.Network] {
			open[r.Network] = true
			if other.AtUS == 0 {
				other = r
			}
		}
	}
	if rule.MaxNetworks > 0 && len(open) > rule.MaxNetworks {
		return SignInFinding{Kind: ImpossibleConcurrency, Other: other, Confidence: min(0.9, 0.6+0.1*float64(len(open)-rule.MaxNetworks))}, true
	}
	return SignInFinding{}, false
}

// SignOut closes a session.
func (s *SignIns) SignOut(sessionID string) {
	for i := range s.Recent {
		if s.Recent[i].SessionID == cut(sessionID) {
			s.Recent[i].Open = false
		}
	}
}

// known moves a name to the end, and drops the first where there are too many.
func known(list []Known, name string, atUS int64) []Known {
	if name == "" {
		return list
	}
	list = slices.DeleteFunc(list, func(k Known) bool { return k.Name == name })
	if len(list) >= maxKnown {
		list = slices.Delete(list, 0, len(list)-maxKnown+1)
	}
	return append(list, Known{name, atUS})
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText]
}

// NetworkOf is the network of an address: its leading bits, so many of IPv4 and of IPv6; the text as it is where it is
// no address.
func NetworkOf(address string, ipv4Bits, ipv6Bits int) string {
	ap, err := netip.ParseAddrPort(address)
	addr := ap.Addr()
	if err != nil {
		if addr, err = netip.ParseAddr(address); err != nil {
			return cut(address)
		}
	}
	addr = addr.Unmap()
	bits := ipv6Bits
	if addr.Is4() {
		bits = ipv4Bits
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return cut(address)
	}
	return prefix.String()
}
