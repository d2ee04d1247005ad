package policy

import (
	"slices"

	"github.com/feigeio/feige/internal/worktime"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Unit is what counts as one unreplied thing.
type Unit string

// Units of 2.1.
const (
	UnitMessage      Unit = "message"
	UnitConversation Unit = "conversation"
)

// HandBack says what ends bot reception.
type HandBack string

// Ways to hand back (2.1). A resume always does.
const (
	HandBackManualReply HandBack = "manual_reply"
	HandBackResumeOnly  HandBack = "resume_only"
)

// ClearedBy says which manual replies empty a count of unreplied messages.
type ClearedBy string

// What clears a count (2.1).
const (
	ClearedByReplyToConsumer ClearedBy = "reply_to_consumer"
	ClearedByReplyToAnyone   ClearedBy = "reply_to_anyone"
)

// OutsideHours says what becomes of the counts outside working hours.
type OutsideHours string

// OutsideHoursKeep keeps the counts; messages outside working hours neither count nor trigger (2.1).
const OutsideHoursKeep OutsideHours = "keep"

// Reception is 2.1: when the bot takes over and hands back.
type Reception struct {
	WorkingHours worktime.Hours
	// UnrepliedLimit is how many unreplied messages are borne; the next one triggers.
	UnrepliedLimit           int
	Unit                     Unit
	ManualReplyKinds         []chatv1.MessageKind
	SameConsumerClearedBy    ClearedBy
	AcrossConsumersClearedBy ClearedBy
	OutsideHours             OutsideHours
	HandBack                 HandBack
	// ResumeClearsCounts: an explicit resume empties all counts of the shop.
	ResumeClearsCounts bool
}

// IsManualReplyKind tells whether an agent's message of that kind can be a manual reply.
func (r *Reception) IsManualReplyKind(kind chatv1.MessageKind) bool {
	return slices.Contains(r.ManualReplyKinds, kind)
}

// Conversation bounds lives and rounds.
type Conversation struct {
	// RoundExpiryUS after its start a round expires.
	RoundExpiryUS int64
	// LifeLapseUS after its newest message a life has ended.
	LifeLapseUS int64
}

// Messages bounds what any sender may send.
type Messages struct {
	// TextLimitBytes is the longest text, in bytes of UTF-8.
	TextLimitBytes int
	// ClockSkewUS is how far ahead of the clock an event may be.
	ClockSkewUS int64
}

// Readers says whose reads of a conversation leave an audit record.
type Readers string

// Readers of 2.1.
const (
	ReadersOutsiders Readers = "outsiders"
	ReadersEveryone  Readers = "everyone"
)

// Confidentiality is 2.1 on chat records.
type Confidentiality struct {
	AuditedReaders Readers
}

// Accounts is 2.2: sign-ins that look taken over, and 2.10: clients that may connect.
type Accounts struct {
	// NewAfterUS without use a client or a network is new again.
	NewAfterUS int64
	// ChangeWithinUS of another sign-in, a new client on a new network is flagged.
	ChangeWithinUS int64
	// NetworksAtOnce is how many networks of one account at the same time are possible.
	NetworksAtOnce int
	// IPv4NetworkBits and IPv6NetworkBits are the leading bits that make a network.
	IPv4NetworkBits, IPv6NetworkBits int
	// AuthorisedClients may connect.
	AuthorisedClients []string
}

// IsAuthorised tells whether a client is on the list.
func (a *Accounts) IsAuthorised(client string) bool {
	return slices.Contains(a.AuthorisedClients, client)
}
