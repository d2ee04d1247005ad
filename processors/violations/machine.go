package violations

import (
	"github.com/feigeio/feige/internal/flags"
	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Judge finds violations in texts and files. It must be safe for concurrent use.
type Judge interface {
	Judge(moderation.Subject) moderation.Judgement
	CheckAttachment(moderation.Subject, moderation.Attachment) []moderation.Flag
}

// maxFlags bounds what one event can yield; the surest come first in a text's order.
const maxFlags = 32

// Machine applies chat events by the policy. It is immutable and safe for concurrent use.
type Machine struct {
	policy *policy.Set
	judge  Judge
}

// NewMachine returns the machine of a policy and a judge.
func NewMachine(p *policy.Set, j Judge) *Machine { return &Machine{p, j} }

// Outcome is what an event leads to.
type Outcome struct {
	Flags []*chatv1.Flag
	// Signals go under the keys that they name, to be added up with others.
	Signals []Signal
	// Changed tells whether the conversation's state did.
	Changed bool
}

// Signal is one with its key.
type Signal struct {
	Key string
	*chatv1.Signal
}

// Apply judges an event and takes what later events are judged by into the conversation's state, which it
// changes in place.
func (m *Machine) Apply(st *statev1.Conduct, ev *chatv1.ChatEvent, off int64) (out Outcome) {
	pol := m.policy.At(ev.OccurredAtUs)
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		if p.Message.Shielded {
			return out // it was judged before it was published
		}
		m.message(pol, ev, p.Message, &out)
		if ev.Actor.GetRole() == chatv1.Role_ROLE_CONSUMER {
			if len(out.Flags) > 0 && ev.OccurredAtUs > st.ViolationAtUs {
				st.ViolationAtUs, out.Changed = ev.OccurredAtUs, true
			}
			m.contacted(st, ev, &out)
			out.Changed = note(st, ev, p.Message.Text) || out.Changed
		}
	case *chatv1.ChatEvent_ConversationRated:
		if pol.Assessment.IsDissatisfied(p.ConversationRated.Score) && ev.OccurredAtUs > st.BadRatingAtUs {
			st.BadRatingAtUs, out.Changed = ev.OccurredAtUs, true
		}
	case *chatv1.ChatEvent_ConsumerBlocked:
		if f := block(pol, st, ev); f != nil {
			out.Flags = append(out.Flags, f)
		}
		out.signal(ev, schemas.EventKey(ev.ShopId, keyBlocks), &chatv1.Signal{Payload: &chatv1.Signal_Blocked{Blocked: &chatv1.Blocked{}}})
	case *chatv1.ChatEvent_AgentSignedIn, *chatv1.ChatEvent_AgentSignedOut:
		signedIn(ev, &out)
	case *chatv1.ChatEvent_ClientRefused:
		if f := refused(pol, ev, p.ClientRefused); f != nil {
			out.Flags = append(out.Flags, f)
		}
	}
	if out.Changed {
		st.AppliedPlusOne = uint64(off) + 1
	}
	return out
}

func offenderOf(ev *chatv1.ChatEvent) (*chatv1.Offender, policy.Side) {
	switch ev.Actor.GetRole() {
	case chatv1.Role_ROLE_CONSUMER:
		if ev.Actor.Id == "" {
			return nil, ""
		}
		return flags.Consumer(ev.Actor.Id), policy.SideConsumer
	case chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_BOT:
		return flags.Shop(ev.ShopId), policy.SideMerchant
	}
	return nil, ""
}

func (m *Machine) message(pol *policy.Policy, ev *chatv1.ChatEvent, msg *chatv1.Message, out *Outcome) {
	offender, side := offenderOf(ev)
	if offender == nil {
		return
	}
	subject := moderation.Subject{Text: msg.Text, Side: side, Policy: pol}
	judged := m.judge.Judge(subject)
	found := judged.Flags
	if ad := judged.Advertisement; ad != nil {
		key := schemas.EventKey(ev.ShopId, keyAds)
		if side == policy.SideConsumer {
			key = schemas.OffenderKey("consumer", offender.Id)
		}
		out.signal(ev, key, &chatv1.Signal{Consumer: side == policy.SideConsumer, Payload: &chatv1.Signal_Advertisement{Advertisement: &chatv1.Advertisement{
			SignatureLow: ad.Signature[0], SignatureHigh: ad.Signature[1], Confidence: ad.Confidence,
		}}})
	}
	subject.Text = ""
	for _, a := range msg.Attachments {
		found = append(found, m.judge.CheckAttachment(subject, moderation.Attachment{SHA256: a.Sha256, QRPayloads: a.QrPayloads, FileName: a.FileName})...)
	}
	if title := msg.GetCard().GetTitle(); title != "" {
		subject.Text = title
		for _, f := range m.judge.Judge(subject).Flags {
			f.From, f.To = 0, 0
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return
	}
	seen := map[string]bool{}
	for _, f := range found {
		flag := flags.New(pol, sourceOf(ev, offender), f)
		if flag == nil || seen[flag.FlagId] {
			continue
		}
		if len(out.Flags) == maxFlags {
			break
		}
		seen[flag.FlagId] = true
		out.Flags = append(out.Flags, flag)
	}
}

func sourceOf(ev *chatv1.ChatEvent, offender *chatv1.Offender) flags.Source {
	return flags.Source{
		Offender: offender, ShopID: ev.ShopId, ConversationID: ev.ConversationId, EventID: ev.EventId, ActorID: ev.Actor.GetId(), AtUS: ev.OccurredAtUs,
	}
}
