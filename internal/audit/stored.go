package audit

import (
	"fmt"

	"github.com/feigeio/feige/internal/oracle"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// tableEvents is the view of the chat events; the other names are the oracle's.
const tableEvents = "chat_events"

// event is a row of chat_events as far as it is compared.
type event struct {
	shop, id     string
	conversation string
	atUS         int64
	kind         int32
	role         int32
	offset       int64
}

func (e event) key() string { return fmt.Sprintf("%s event %s", e.shop, e.id) }

// stored is what ClickHouse holds of one partition.
type stored struct {
	events    []event
	rounds    []versioned[oracle.Round]
	lives     []versioned[oracle.Life]
	ratings   []versioned[oracle.Rating]
	takeovers []versioned[*chatv1.Takeover]
	kpis      []versioned[oracle.Kpi]
	decisions []versioned[*chatv1.Decision]
	// gone are the newest versions of rounds that the view leaves out because they were withdrawn.
	gone []versioned[oracle.Round]
	// indicators are the rows of their view; they belong to a snapshot.
	indicators []indicator
}

// versioned is a row and the offset of the event that it rests on.
type versioned[T any] struct {
	row    T
	source int64
}

type indicator struct {
	shop    string
	kind    chatv1.WindowKind
	startUS int64
	version uint64
	*chatv1.Indicator
}

// kindOf is the number of an event's payload in the envelope, by which chat_events names kinds.
func kindOf(ev *chatv1.ChatEvent) int32 {
	switch ev.Payload.(type) {
	case *chatv1.ChatEvent_Message:
		return 10
	case *chatv1.ChatEvent_ConversationOpened:
		return 11
	case *chatv1.ChatEvent_ConversationClosed:
		return 12
	case *chatv1.ChatEvent_ConversationTransferred:
		return 13
	case *chatv1.ChatEvent_ConversationRead:
		return 14
	case *chatv1.ChatEvent_ConversationRated:
		return 15
	case *chatv1.ChatEvent_ConsumerBlocked:
		return 16
	case *chatv1.ChatEvent_ConsumerUnblocked:
		return 17
	case *chatv1.ChatEvent_AgentSignedIn:
		return 18
	case *chatv1.ChatEvent_AgentSignedOut:
		return 19
	case *chatv1.ChatEvent_ClientRefused:
		return 20
	case *chatv1.ChatEvent_ReceptionResumed:
		return 21
	case *chatv1.ChatEvent_MessageShielded:
		return 22
	}
	return 0
}
