package protocol

import "encoding/json"

// Version is the one version of the protocol that exists.
const Version = 1

// Bounds that every peer may rely on.
const (
	// MaxFrame is the largest frame that a client may send, bytes.
	MaxFrame = 64 << 10
	// MaxDepth is how deep a frame's JSON may nest.
	MaxDepth = 8
	// MaxRequestID is the longest id of a request, bytes.
	MaxRequestID = 128
	// MaxAttachments is the most attachments of one message.
	MaxAttachments = 9
	// MaxHistory is the most events of one answer to history.
	MaxHistory = 100
)

// Type is what a frame is.
type Type string

// Frames that clients send.
const (
	TypeHello           Type = "hello"
	TypePing            Type = "ping"
	TypeResume          Type = "resume"
	TypeSend            Type = "send"
	TypeTyping          Type = "typing" // also from the relay
	TypeRead            Type = "read"
	TypePresence        Type = "presence" // also from the relay
	TypeOpen            Type = "open"
	TypeClaim           Type = "claim"
	TypeTransfer        Type = "transfer"
	TypeClose           Type = "close"
	TypeRate            Type = "rate"
	TypeBlock           Type = "block"
	TypeUnblock         Type = "unblock"
	TypeResumeReception Type = "resumeReception"
	TypeHistory         Type = "history" // also the answer
	TypeLink            Type = "link"    // also the answer
	TypeWatch           Type = "watch"
)

// Frames that the relay sends.
const (
	TypeWelcome   Type = "welcome"
	TypePong      Type = "pong"
	TypeAck       Type = "ack"
	TypeMessage   Type = "message"
	TypeEvent     Type = "event"
	TypePosition  Type = "position"
	TypeCaughtUp  Type = "caughtUp"
	TypeShield    Type = "shield"
	TypeReception Type = "reception"
	TypeSanction  Type = "sanction"
	TypeInbox     Type = "inbox"
	TypeInboxItem Type = "inboxItem"
	TypeAskRating Type = "askRating"
	TypeError     Type = "error"
)

// Request is a frame of a client. Which fields a type uses, docs/protocol.md says; others are ignored.
type Request struct {
	Type Type `json:"type"`
	// ID comes back as Re. Of a request that publishes, it must be new for the account: the same id again
	// is the same event again, whichever relay it reaches.
	ID string `json:"id,omitempty"`

	// hello
	Versions      []int  `json:"versions,omitempty"`
	Token         string `json:"token,omitempty"`
	Client        string `json:"client,omitempty"`
	ClientVersion string `json:"clientVersion,omitempty"`

	// hello (consumers and services whose token names no shop), watch
	ShopID string `json:"shopId,omitempty"`
	// hello, resume, watch: deliver what comes after it; empty: what comes from now on.
	Position string `json:"position,omitempty"`

	// Everything about one conversation. A consumer may leave it out.
	ConversationID string `json:"conversationId,omitempty"`

	// send
	Kind        string   `json:"kind,omitempty"`
	Text        string   `json:"text,omitempty"`
	Card        *Card    `json:"card,omitempty"`
	Attachments []string `json:"attachments,omitempty"`
	Automatic   bool     `json:"automatic,omitempty"`

	// typing
	On bool `json:"on,omitempty"`
	// read
	UpToEventID string `json:"upToEventId,omitempty"`
	// presence
	State string `json:"state,omitempty"`
	// transfer
	AgentID string `json:"agentId,omitempty"`
	// close, block; history and link of roles whose reading is recorded
	Reason string `json:"reason,omitempty"`
	// rate
	Score int32 `json:"score,omitempty"`
	Life  int64 `json:"life,omitempty"`
	// history
	Before string `json:"before,omitempty"`
	Limit  int    `json:"limit,omitempty"`
	// link
	AttachmentID string `json:"attachmentId,omitempty"`
}

// Card is a structured message: a product, an order.
type Card struct {
	Kind  string `json:"kind,omitempty"`
	ID    string `json:"id,omitempty"`
	Title string `json:"title,omitempty"`
}

// Frame is a frame of the relay. Which fields a type has, docs/protocol.md says.
type Frame struct {
	Type Type `json:"type"`
	// Re is the id of the request that it answers.
	Re string `json:"re,omitempty"`

	// welcome
	Version   int        `json:"version,omitempty"`
	AccountID string     `json:"accountId,omitempty"`
	Role      string     `json:"role,omitempty"`
	SessionID string     `json:"sessionId,omitempty"`
	NowUS     int64      `json:"nowUs,omitempty"`
	Limits    *Limits    `json:"limits,omitempty"`
	Reception *Reception `json:"reception,omitempty"` // also reception
	Sanction  *Sanction  `json:"sanction,omitempty"`  // also sanction
	QuickText []string   `json:"quickReplies,omitempty"`

	ShopID         string `json:"shopId,omitempty"`
	ConversationID string `json:"conversationId,omitempty"`
	// Position is where in the log the frame stands: message, event, position, caughtUp, welcome.
	Position string `json:"position,omitempty"`

	// ack, shield
	EventID string `json:"eventId,omitempty"`
	// ack
	OccurredAtUS int64 `json:"occurredAtUs,omitempty"`

	// message, event: chat.v1.ChatEvent in the Protobuf JSON mapping.
	Event json.RawMessage `json:"event,omitempty"`

	// shield: true hides, false shows again. typing: whether somebody types.
	On bool `json:"on,omitempty"`
	// presence
	State string `json:"state,omitempty"`

	// inbox
	Items []InboxItem `json:"items,omitempty"`
	// inboxItem
	Item *InboxItem `json:"item,omitempty"`

	// history
	Events []Entry `json:"events,omitempty"`
	More   bool    `json:"more,omitempty"`
	Before string  `json:"before,omitempty"`

	// link
	URL       string `json:"url,omitempty"`
	ExpiresUS int64  `json:"expiresAtUs,omitempty"`

	// error
	Code         Code   `json:"code,omitempty"`
	Text         string `json:"text,omitempty"`
	Retry        bool   `json:"retry,omitempty"`
	RetryAfterMS int64  `json:"retryAfterMs,omitempty"`
}

// Entry is one event of a history, newest last.
type Entry struct {
	Position string          `json:"position"`
	Event    json.RawMessage `json:"event"`
}

// Limits are what the relay accepts of a client.
type Limits struct {
	FrameBytes  int   `json:"frameBytes"`
	TextBytes   int   `json:"textBytes"`
	UploadBytes int64 `json:"uploadBytes"`
	Attachments int   `json:"attachments"`
	// PingSeconds is how often a client should send something.
	PingSeconds int `json:"pingSeconds"`
}

// Reception is who receives in a shop (rules 2.1).
type Reception struct {
	// Mode is "manual" or "bot".
	Mode string `json:"mode"`
	// Unreplied messages of the shop since its last manual reply, towards the limit; agents only.
	Unreplied int `json:"unreplied"`
	Limit     int `json:"limit"`
	// SinceUS is when the bot took over.
	SinceUS int64 `json:"sinceUs,omitempty"`
	// Number of the takeover within the shop.
	Number int64 `json:"number,omitempty"`
}

// Modes of reception.
const (
	ModeManual = "manual"
	ModeBot    = "bot"
)

// Sanction is what is in force against the account that reads it.
type Sanction struct {
	Banned bool `json:"banned"`
	// MutedUntilUS is 0 when not muted, -1 when muted for good.
	MutedUntilUS int64 `json:"mutedUntilUs"`
}

// InboxItem is one conversation of a shop as its agents work on it.
type InboxItem struct {
	ConversationID string `json:"conversationId"`
	ConsumerID     string `json:"consumerId,omitempty"`
	// AgentID is to whom it is assigned; empty: nobody.
	AgentID string `json:"agentId,omitempty"`
	// WaitingSinceUS is the time of the first message without a manual reply; 0: nobody waits.
	WaitingSinceUS int64 `json:"waitingSinceUs,omitempty"`
	// DueUS is when the time to answer it is over (3 minutes).
	DueUS int64 `json:"dueUs,omitempty"`
	// Unreplied messages of the consumer since the last manual reply.
	Unreplied int   `json:"unreplied,omitempty"`
	LastAtUS  int64 `json:"lastAtUs"`
	// LastText is the beginning of the newest message.
	LastText string `json:"lastText,omitempty"`
	LastRole string `json:"lastRole,omitempty"`
	Blocked  bool   `json:"blocked,omitempty"`
	Closed   bool   `json:"closed,omitempty"`
	// Gone: take it off the list.
	Gone bool `json:"gone,omitempty"`
}

// States of an agent.
const (
	StateOnline  = "online"
	StateBreak   = "break"
	StateOffline = "offline"
)
