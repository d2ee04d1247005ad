package oracle

import (
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Record is one event of a partition of chat.events.
type Record struct {
	Offset int64
	Event  *chatv1.ChatEvent
}

// Result is what a partition's log amounts to. Every list is sorted by shop, and then as its comment says.
type Result struct {
	// Rounds by conversation and number. A withdrawn round stands here only until another takes its number.
	Rounds []Round
	// Lives by conversation and number, each as it stood when it began, was first answered, or ended,
	// whichever came last.
	Lives []Life
	// Ratings by conversation and life.
	Ratings []Rating
	// Takeovers by number. Without source_offset.
	Takeovers []*chatv1.Takeover
	// Kpis by kind and start: the newest snapshot of each window that was ever told. Without version.
	Kpis []Kpi
	// Decisions by period and revision, every revision. Without source_offset.
	Decisions []*chatv1.Decision
	// Untold are the windows that have a row, but of which no tick has told a snapshot yet.
	Untold []Window
	// NowUS is the greatest tick; HasNow is false when the log holds none.
	NowUS  int64
	HasNow bool
	// Seen counts what the log held that left little trace in the lists.
	Seen Seen
}

// Round is a round of a conversation.
type Round struct {
	ShopID, ConversationID string
	*chatv1.Round
}

// Life is a life of a conversation.
type Life struct {
	ShopID, ConversationID string
	*chatv1.ConversationLife
}

// Rating is the one rating of a life that stands.
type Rating struct {
	ShopID, ConversationID string
	*chatv1.Rating
}

// Kpi is the newest snapshot of a window.
type Kpi struct {
	*chatv1.Kpi
	// Pending tells that the window has changed since the snapshot: the next tick will tell it again.
	Pending bool
}

// Window names one window of a shop.
type Window struct {
	ShopID  string
	Kind    chatv1.WindowKind
	StartUS int64
}

// Seen counts things that happened in a log.
type Seen struct {
	Events          int // events that belong to a shop
	Ticks           int // ticks that moved now on
	Repeats         int // events dropped for their id
	LeftOut         int // messages that were left out
	TimesBackwards  int // events whose own time lay before that of the conversation's event before
	TakenBack       int // messages taken back by a shield
	StartsMoved     int // rounds that began later because their first message was shielded
	PushedOut       int // messages of a flood that were taken out of the count
	UnrepliedBack   int // unreplied messages taken back by a shield
	LateChanges     int // changes to a window that was final already
	LateWindows     int // windows that would have a row, had they not been final before anything counted
	LooksWithoutRow int // checkpoints passed before the shop had a row for the period
	RatingsIgnored  int // ratings of a life that does not exist, is too far back, or is rated already
	Violations      int // violations of shops that were counted
	BotChanges      int // changes of the takeover's time that made a window change
}
