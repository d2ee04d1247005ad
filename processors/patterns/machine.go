package patterns

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/feigeio/feige/internal/flags"
	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/moderation/behaviour"
	"github.com/feigeio/feige/internal/moderation/repetition"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// ownPartition is the source partition of tallies, which arise on violations.signals itself.
const ownPartition = -1

const version = "1"

// Machine applies signals by the policy. It is immutable and safe for concurrent use.
type Machine struct{ policy *policy.Set }

// NewMachine returns the machine of a policy.
func NewMachine(p *policy.Set) *Machine { return &Machine{p} }

// Outcome is what a signal leads to.
type Outcome struct {
	Flag *chatv1.Flag
	// Tally goes on violations.signals under the tick key of the partition.
	Tally   *chatv1.Signal
	Changed bool
}

// Apply takes the signal at offset off into the state of its key, which it changes in place.
func (m *Machine) Apply(st *statev1.Pattern, s *chatv1.Signal, off int64) (out Outcome) {
	if !fresh(st, s) {
		return out
	}
	pol := m.policy.At(s.AtUs)
	switch p := s.Payload.(type) {
	case *chatv1.Signal_Advertisement:
		out.Flag = advertised(pol, st, s, p.Advertisement)
	case *chatv1.Signal_SignIn:
		out.Flag = signedIn(pol, st, s, p.SignIn)
	case *chatv1.Signal_SignOut:
		signedOut(st, p.SignOut)
	case *chatv1.Signal_Contacted:
		out.Tally = counted(pol, st, s, behaviour.Tally{Conversations: 1})
	case *chatv1.Signal_Blocked:
		out.Tally = counted(pol, st, s, behaviour.Tally{Blocks: 1})
	case *chatv1.Signal_Tally:
		out.Flag = tallied(pol, st, s, p.Tally)
	default:
		return out
	}
	if out.Tally != nil {
		out.Tally.SourceOffset, out.Tally.SourcePartition = off, ownPartition
	}
	st.AppliedPlusOne = uint64(off) + 1
	out.Changed = true
	return out
}

// fresh tells signals from repeats, and notes them.
func fresh(st *statev1.Pattern, s *chatv1.Signal) bool {
	for _, m := range st.Sources {
		if m.Partition == s.SourcePartition {
			if s.SourceOffset < m.Next {
				return false
			}
			m.Next = s.SourceOffset + 1
			return true
		}
	}
	st.Sources = append(st.Sources, &statev1.SourceMark{Partition: s.SourcePartition, Next: s.SourceOffset + 1})
	return true
}

func source(s *chatv1.Signal, o *chatv1.Offender) flags.Source {
	return flags.Source{Offender: o, ShopID: s.ShopId, ConversationID: s.ConversationId, EventID: s.EventId, ActorID: s.ActorId, AtUS: s.AtUs}
}

// How sure a repeated advertisement is one that nobody asked for.
const (
	// sentAround: to as many conversations as there must be copies, and what was sent is a violation by itself.
	sentAround = 0.95
	sentAgain  = 0.8
)

// advertised takes a copy in (2.7).
func advertised(pol *policy.Policy, st *statev1.Pattern, s *chatv1.Signal, ad *chatv1.Advertisement) *chatv1.Flag {
	var memory repetition.State
	for _, a := range st.Ads {
		memory.Entries = append(memory.Entries, repetition.Entry{
			Signature: repetition.Signature{a.SignatureLow, a.SignatureHigh}, AtUS: a.AtUs, Conversation: a.Conversation, EventID: a.EventId,
		})
	}
	rule := pol.Detection.RepeatedAd
	found, repeated := memory.Add(repetition.Entry{
		Signature: repetition.Signature{ad.SignatureLow, ad.SignatureHigh}, AtUS: s.AtUs,
		Conversation: schemas.Fingerprint(schemas.EventKey(s.ShopId, s.ConversationId)), EventID: s.EventId,
	}, repetition.Rule{Copies: rule.Copies, WithinUS: rule.WithinUS, Similarity: rule.Similarity})
	st.Ads = st.Ads[:0]
	for _, e := range memory.Entries {
		st.Ads = append(st.Ads, &statev1.SentAd{
			SignatureLow: e.Signature[0], SignatureHigh: e.Signature[1], AtUs: e.AtUS, Conversation: e.Conversation, EventId: e.EventID,
		})
	}
	if !repeated {
		return nil
	}
	confidence := sentAgain
	category, _ := pol.Violations.Category(policy.CategorySpam)
	if found.Conversations >= rule.Copies && ad.Confidence >= category.AutoConfirm {
		confidence = sentAround
	}
	src := source(s, offenderOf(s))
	src.Related = found.EventIDs[1:]
	return flags.New(pol, src, moderation.Flag{
		Category: policy.CategorySpam, Kind: "repeated_ad", SubKind: "repeated_ad", Detector: "repetition", Version: version, Confidence: confidence,
		Evidence: fmt.Sprintf("%d copies in %d conversations, similarity %.2f", len(found.EventIDs), found.Conversations, found.Similarity),
	})
}

// offenderOf is the consumer who acted, or the shop of the agent.
func offenderOf(s *chatv1.Signal) *chatv1.Offender {
	if s.Consumer {
		return flags.Consumer(s.ActorId)
	}
	return flags.Shop(s.ShopId)
}

func memoryOf(st *statev1.Pattern) (memory behaviour.SignIns) {
	for _, x := range st.Sessions {
		memory.Recent = append(memory.Recent, behaviour.SignIn{AtUS: x.AtUs, SessionID: x.SessionId, Client: x.Client, Network: x.Network, Open: x.Open})
	}
	names := func(list []*statev1.KnownName) (out []behaviour.Known) {
		for _, x := range list {
			out = append(out, behaviour.Known{Name: x.Name, LastUS: x.LastUs})
		}
		return out
	}
	memory.Clients, memory.Networks = names(st.Clients), names(st.Networks)
	return memory
}

func remember(st *statev1.Pattern, memory behaviour.SignIns) {
	st.Sessions, st.Clients, st.Networks = st.Sessions[:0], st.Clients[:0], st.Networks[:0]
	for _, x := range memory.Recent {
		st.Sessions = append(st.Sessions, &statev1.AgentSession{AtUs: x.AtUS, SessionId: x.SessionID, Client: x.Client, Network: x.Network, Open: x.Open})
	}
	for _, x := range memory.Clients {
		st.Clients = append(st.Clients, &statev1.KnownName{Name: x.Name, LastUs: x.LastUS})
	}
	for _, x := range memory.Networks {
		st.Networks = append(st.Networks, &statev1.KnownName{Name: x.Name, LastUs: x.LastUS})
	}
}

// signedIn takes a sign-in in (2.2).
func signedIn(pol *policy.Policy, st *statev1.Pattern, s *chatv1.Signal, in *chatv1.SignIn) *chatv1.Flag {
	memory := memoryOf(st)
	accounts := &pol.Accounts
	found, suspicious := memory.Add(behaviour.SignIn{
		AtUS: s.AtUs, SessionID: in.SessionId, Client: in.Client, Network: behaviour.NetworkOf(in.Address, accounts.IPv4NetworkBits, accounts.IPv6NetworkBits),
	}, behaviour.SignInRule{WithinUS: accounts.ChangeWithinUS, NewAfterUS: accounts.NewAfterUS, MaxNetworks: accounts.NetworksAtOnce})
	remember(st, memory)
	if !suspicious {
		return nil
	}
	return flags.New(pol, source(s, flags.Shop(s.ShopId)), moderation.Flag{
		Category: flags.AccountTakeover, Kind: found.Kind, SubKind: found.Kind, Detector: "sign_ins", Version: version, Confidence: found.Confidence,
		Evidence: fmt.Sprintf("%s from %s, %s before", in.Client, in.Address, strings.TrimSpace(found.Other.Client+" from "+found.Other.Network)),
	})
}

func signedOut(st *statev1.Pattern, out *chatv1.SignOut) {
	memory := memoryOf(st)
	memory.SignOut(out.SessionId)
	remember(st, memory)
}

const dayUS = 24 * 3600 * 1_000_000

func blocksOf(st *statev1.Pattern) (b behaviour.Blocks) {
	b.Day = st.Day
	for i := range min(behaviour.Days, len(st.Conversations), len(st.Blocks)) {
		b.Count[i] = behaviour.Tally{Conversations: st.Conversations[i], Blocks: st.Blocks[i]}
	}
	return b
}

func setBlocks(st *statev1.Pattern, b *behaviour.Blocks) {
	st.Day = b.Day
	st.Conversations = slices.Grow(st.Conversations[:0], behaviour.Days)[:behaviour.Days]
	st.Blocks = slices.Grow(st.Blocks[:0], behaviour.Days)[:behaviour.Days]
	for i, t := range b.Count {
		st.Conversations[i], st.Blocks[i] = t.Conversations, t.Blocks
	}
}

// counted counts a conversation or a block of a shop (2.9). On the first of a day it tells the partition what the days
// before came to; a block that makes the shop's rate worth a look claims so.
func counted(pol *policy.Policy, st *statev1.Pattern, s *chatv1.Signal, one behaviour.Tally) *chatv1.Signal {
	b := blocksOf(st)
	b.Add(s.AtUs, one)
	setBlocks(st, &b)
	tally := &chatv1.ShopTally{}
	if today := b.Day; today > st.ToldDay {
		for d := max(st.ToldDay, today-behaviour.Days+1); d < today; d++ {
			if t := b.Count[d%behaviour.Days]; t != (behaviour.Tally{}) {
				tally.Days = append(tally.Days, &chatv1.DayTally{Day: d, Conversations: t.Conversations, Blocks: t.Blocks})
			}
		}
		st.ToldDay = today
	}
	if sum := b.Sum(s.AtUs); one.Blocks > 0 && sum.Conversations >= pol.Detection.MaliciousBlock.MinConversations {
		claim := &chatv1.Claim{Conversations: sum.Conversations, Blocks: sum.Blocks}
		for d := max(b.Day-behaviour.Days+1, s.AtUs/dayUS-behaviour.Days+1); d < st.ToldDay; d++ {
			claim.ToldConversations += b.Count[d%behaviour.Days].Conversations
			claim.ToldBlocks += b.Count[d%behaviour.Days].Blocks
		}
		tally.Claim = claim
	}
	if len(tally.Days) == 0 && tally.Claim == nil {
		return nil
	}
	return &chatv1.Signal{
		EventId: s.EventId, ShopId: s.ShopId, ConversationId: s.ConversationId, ActorId: s.ActorId, AtUs: s.AtUs,
		Payload: &chatv1.Signal_Tally{Tally: tally},
	}
}

// tallied adds a shop's days to those of the partition, and answers its claim: its peers are the other shops of the
// partition, by days that have ended.
func tallied(pol *policy.Policy, st *statev1.Pattern, s *chatv1.Signal, t *chatv1.ShopTally) *chatv1.Flag {
	b := blocksOf(st)
	for _, d := range t.Days {
		b.Add(d.Day*dayUS, behaviour.Tally{Conversations: d.Conversations, Blocks: d.Blocks})
	}
	setBlocks(st, &b)
	if t.Claim == nil {
		return nil
	}
	peers := b.Sum(s.AtUs)
	peers.Conversations = max(0, peers.Conversations-t.Claim.ToldConversations)
	peers.Blocks = max(0, peers.Blocks-t.Claim.ToldBlocks)
	rule := pol.Detection.MaliciousBlock
	found, standsOut := behaviour.Rate(behaviour.Tally{Conversations: t.Claim.Conversations, Blocks: t.Claim.Blocks}, peers,
		behaviour.RateRule{TimesPeerRate: rule.TimesPeerRate, MinConversations: rule.MinConversations})
	if !standsOut {
		return nil
	}
	src := source(s, flags.Shop(s.ShopId))
	src.Unit = "rate/" + s.ShopId + "/" + strconv.FormatInt(s.AtUs/dayUS, 10) // once a day
	return flags.New(pol, src, moderation.Flag{
		Category: policy.CategoryMaliciousBlock, Kind: "block_rate", SubKind: "block_rate", Detector: "block_rate", Version: version, Confidence: found.Confidence,
		Evidence: fmt.Sprintf("%d of %d conversations blocked, %.1f times the peers' rate", t.Claim.Blocks, t.Claim.Conversations, found.Times),
	})
}
