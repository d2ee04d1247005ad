package signin

// Role of an account.
type Role string

// Roles.
const (
	Consumer Role = "consumer"
	Agent    Role = "agent"
	// Manager of a shop: an agent who may also act on what others have claimed.
	Manager Role = "manager"
	// Reviewer and Auditor of the platform read any conversation, and each reading leaves a record.
	Reviewer Role = "reviewer"
	Auditor  Role = "auditor"
	// Operator of the platform sees every shop's figures, and no conversation.
	Operator Role = "operator"
	// Service is a machine of the platform: it writes as the bot of the shops that it watches.
	Service Role = "service"
)

// Roles lists all.
var roles = []Role{Consumer, Agent, Manager, Operator, Reviewer, Auditor, Service}

// Roles lists all roles.
func Roles() []Role { return append([]Role(nil), roles...) }

// Known tells whether the role exists.
func (r Role) Known() bool { return permissions[r] != nil }

// OfShop tells whether accounts of the role belong to a shop's side.
func (r Role) OfShop() bool { return r == Agent || r == Manager || r == Service }

// Op is something that an account does.
type Op string

// Operations.
const (
	OpFollow          Op = "follow" // be told of events as they come
	OpSend            Op = "send"
	OpTyping          Op = "typing"
	OpRead            Op = "read"
	OpOpen            Op = "open"
	OpClose           Op = "close"
	OpRate            Op = "rate"
	OpClaim           Op = "claim"
	OpTransfer        Op = "transfer"
	OpTransferOthers  Op = "transfer_others" // what another agent has
	OpBlock           Op = "block"           // and unblock
	OpResumeReception Op = "resume_reception"
	OpPresence        Op = "presence"
	OpHistory         Op = "history"
	OpLink            Op = "link"
	OpUpload          Op = "upload"
	OpWatch           Op = "watch" // follow a shop that the token does not name
)

// Ops lists all operations.
func Ops() []Op {
	return []Op{OpFollow, OpSend, OpTyping, OpRead, OpOpen, OpClose, OpRate, OpClaim, OpTransfer, OpTransferOthers, OpBlock,
		OpResumeReception, OpPresence, OpHistory, OpLink, OpUpload, OpWatch}
}

// Scope is where an operation is allowed.
type Scope int

// Scopes.
const (
	Never Scope = iota
	// OwnConversation: the one that belongs to the account.
	OwnConversation
	// OwnShop: any conversation of the shop that the account belongs to.
	OwnShop
	// AnyRecorded: any conversation, and a record of it is kept first (2.1).
	AnyRecorded
	// AnyShop: any conversation of any shop (or of the token's, where it names one).
	AnyShop
)

var permissions = map[Role]map[Op]Scope{
	Consumer: {
		OpFollow: OwnConversation, OpSend: OwnConversation, OpTyping: OwnConversation, OpRead: OwnConversation, OpOpen: OwnConversation,
		OpClose: OwnConversation, OpRate: OwnConversation, OpHistory: OwnConversation, OpLink: OwnConversation, OpUpload: OwnConversation,
	},
	Agent: {
		OpFollow: OwnShop, OpSend: OwnShop, OpTyping: OwnShop, OpRead: OwnShop, OpOpen: OwnShop, OpClose: OwnShop, OpClaim: OwnShop,
		OpTransfer: OwnShop, OpBlock: OwnShop, OpResumeReception: OwnShop, OpPresence: OwnShop, OpHistory: OwnShop, OpLink: OwnShop, OpUpload: OwnShop,
	},
	Manager: {
		OpFollow: OwnShop, OpSend: OwnShop, OpTyping: OwnShop, OpRead: OwnShop, OpOpen: OwnShop, OpClose: OwnShop, OpClaim: OwnShop,
		OpTransfer: OwnShop, OpTransferOthers: OwnShop, OpBlock: OwnShop, OpResumeReception: OwnShop, OpPresence: OwnShop, OpHistory: OwnShop,
		OpLink: OwnShop, OpUpload: OwnShop,
	},
	Operator: {},
	Reviewer: {OpHistory: AnyRecorded, OpLink: AnyRecorded},
	Auditor:  {OpHistory: AnyRecorded, OpLink: AnyRecorded},
	Service:  {OpFollow: AnyShop, OpWatch: AnyShop, OpSend: AnyShop, OpTyping: AnyShop, OpClose: AnyShop},
}

// May says where a role may do something.
func May(r Role, op Op) Scope { return permissions[r][op] }

// Identity is who a token says its bearer is.
type Identity struct {
	Role    Role
	Account string
	// Shop that the account belongs to, or that it may reach; empty: any (consumers name it, services watch).
	Shop string
	// Client that the token is for; empty: any.
	Client string
	// TokenID is the token's own id (jti), KeyID that of its key.
	TokenID string
	KeyID   string
	// ExpiresUS is when the token ends, UTC microseconds.
	ExpiresUS int64
}

// Key tells accounts apart: an agent's id is one within its shop.
func (id Identity) Key() string {
	key := string(id.Role) + " " + id.Account
	if id.Role == Agent || id.Role == Manager {
		key += " of " + id.Shop
	}
	return key
}

// Allowed tells whether the identity may do something in a conversation of a shop. recorded: only after a record
// of it has been kept.
func (id Identity) Allowed(op Op, shop, conversation string) (ok, recorded bool) {
	if shop == "" || id.Shop != "" && id.Shop != shop {
		return false, false
	}
	switch May(id.Role, op) {
	case OwnConversation:
		return conversation == id.Account, false
	case OwnShop:
		return id.Shop == shop, false
	case AnyRecorded:
		return true, true
	case AnyShop:
		return true, false
	}
	return false, false
}
