package violations

import (
	"strconv"
	"strings"

	"github.com/feigeio/feige/internal/flags"
	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/moderation/behaviour"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
	statev1 "github.com/feigeio/feige/schemas/state/v1"
)

// Second parts of the keys of a shop's signals.
const (
	keyAds    = "ads"
	keyBlocks = "blocks"
	keyAgent  = "agent/"
)

const dayUS = 24 * 3600 * 1_000_000

func (o *Outcome) signal(ev *chatv1.ChatEvent, key string, s *chatv1.Signal) {
	s.EventId, s.ShopId, s.ConversationId, s.ActorId, s.AtUs = ev.EventId, ev.ShopId, ev.ConversationId, ev.Actor.GetId(), ev.OccurredAtUs
	o.Signals = append(o.Signals, Signal{key, s})
}

// contacted counts a conversation on the first message of its consumer's on a day.
func (m *Machine) contacted(st *statev1.Conduct, ev *chatv1.ChatEvent, out *Outcome) {
	if day := ev.OccurredAtUs / dayUS; day > st.Day {
		st.Day, out.Changed = day, true
		out.signal(ev, schemas.EventKey(ev.ShopId, keyBlocks), &chatv1.Signal{Payload: &chatv1.Signal_Contacted{Contacted: &chatv1.Contacted{}}})
	}
}

// signedIn passes an agent's sign-in or sign-out on (2.2).
func signedIn(ev *chatv1.ChatEvent, out *Outcome) {
	if ev.Actor.GetRole() != chatv1.Role_ROLE_AGENT || ev.Actor.Id == "" {
		return
	}
	s := &chatv1.Signal{}
	switch p := ev.Payload.(type) {
	case *chatv1.ChatEvent_AgentSignedIn:
		in := p.AgentSignedIn
		s.Payload = &chatv1.Signal_SignIn{SignIn: &chatv1.SignIn{SessionId: in.SessionId, Client: in.Client, Address: in.Address}}
	case *chatv1.ChatEvent_AgentSignedOut:
		s.Payload = &chatv1.Signal_SignOut{SignOut: &chatv1.SignOut{SessionId: p.AgentSignedOut.SessionId}}
	}
	out.signal(ev, schemas.EventKey(ev.ShopId, keyAgent+ev.Actor.Id), s)
}

// refusedClient is how sure it is that a client that was refused was used on purpose.
const refusedClient = 0.7

// refused flags a client that the platform did not authorise (2.10), once an account, client, and day: whether it is a
// plug-in or an old version, a human must see.
func refused(pol *policy.Policy, ev *chatv1.ChatEvent, p *chatv1.ClientRefused) *chatv1.Flag {
	offender, _ := offenderOf(ev)
	if offender == nil {
		return nil
	}
	src := sourceOf(ev, offender)
	src.Unit = strings.Join([]string{"client", ev.ShopId, ev.Actor.GetId(), p.Client, strconv.FormatInt(ev.OccurredAtUs/dayUS, 10)}, "/")
	return flags.New(pol, src, moderation.Flag{
		Category: policy.CategoryMisuse, Kind: "unauthorised_client", SubKind: "unauthorised_client", Evidence: p.Client,
		Detector: "behaviour", Version: "2", Confidence: refusedClient,
	})
}

var (
	questionCues  = []string{"?", "？", "吗", "呢", "怎么", "什么", "多久", "能不能", "可以不", "有没有", "几天", "多少"}
	complaintCues = []string{"投诉", "差评", "举报", "退款", "退货", "骗", "质量", "坏了", "破损", "赔", "欺负", "12315"}
)

func containsAny(text string, cues []string) bool {
	for _, c := range cues {
		if strings.Contains(text, c) {
			return true
		}
	}
	return false
}

// note remembers questions and complaints of the consumer.
func note(st *statev1.Conduct, ev *chatv1.ChatEvent, text string) (changed bool) {
	if ev.OccurredAtUs > st.QuestionAtUs && containsAny(text, questionCues) {
		st.QuestionAtUs = ev.OccurredAtUs
		changed = true
	}
	if ev.OccurredAtUs > st.ComplaintAtUs && containsAny(text, complaintCues) {
		st.ComplaintAtUs = ev.OccurredAtUs
		changed = true
	}
	return changed
}

// block flags a block that comes soon after something that a shop may not block for (2.9). It is always for
// a human to judge: the gravest reason is named.
func block(pol *policy.Policy, st *statev1.Conduct, ev *chatv1.ChatEvent) *chatv1.Flag {
	touch := behaviour.Touch{QuestionUS: st.QuestionAtUs, ComplaintUS: st.ComplaintAtUs, BadRatingUS: st.BadRatingAtUs, ViolationUS: st.ViolationAtUs}
	cause, confidence, suspicious := touch.Block(ev.OccurredAtUs, pol.Detection.MaliciousBlock.SoonAfterUS)
	if !suspicious {
		return nil
	}
	return flags.New(pol, sourceOf(ev, flags.Shop(ev.ShopId)), moderation.Flag{
		Category: policy.CategoryMaliciousBlock, Kind: string(cause), SubKind: string(cause), Detector: "behaviour", Version: "2", Confidence: confidence,
	})
}
