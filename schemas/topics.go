// Package schemas is what flows: the names, keys, and layout of every topic and table, and the encoding
// of what they hold. It knows no rule and imports nothing else of the product.
package schemas

import (
	"fmt"
	"hash"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// Topics of the product, without namespace.
const (
	TopicEvents       = "chat.events"
	TopicFacts        = "chat.facts"
	TopicTakeovers    = "reception.takeovers"
	TopicKpis         = "service.kpis"
	TopicRestrictions = "service.restrictions"
	TopicDeadLetters  = "dead.letters"
	TopicSignals      = "violations.signals"
	TopicCases        = "violations.cases"
	TopicSanctions    = "penalties.sanctions"
	TopicReads        = "audit.reads"
	TopicClaims       = "review.claims"
)

// Consumer groups of the processors, without namespace. goka keeps a group's state on "<group>-table".
const (
	GroupConversations = "conversations"
	GroupReception     = "reception"
	GroupService       = "service"
	GroupViolations    = "violations"
	GroupPatterns      = "patterns"
	GroupPenalties     = "penalties"
)

// Topic describes one topic.
type Topic struct {
	// Name without namespace.
	Name string
	// Key says in words what the key is.
	Key string
	// Holds names the record type.
	Holds string
	// Table is true for a processor's group table: it must keep every key's value, and at least an hour
	// of older values, so that state can be rolled back to a commit.
	Table bool
	// Inner is true for what one processor tells another and no table holds.
	Inner bool
	// SingleOK is true where the number of partitions need not equal that of chat.events.
	SingleOK bool
}

// Topics lists every topic that the product creates. All have as many partitions as chat.events, so
// that a shop has the same partition number everywhere.
func Topics() []Topic {
	return []Topic{
		{Name: TopicEvents, Key: "shop/conversation; ticks: the partition's tick key", Holds: "chat.v1.ChatEvent"},
		{Name: TopicFacts, Key: "shop; ticks: the partition's tick key", Holds: "chat.v1.Fact"},
		{Name: TopicTakeovers, Key: "shop", Holds: "chat.v1.Takeover"},
		{Name: TopicKpis, Key: "shop", Holds: "chat.v1.Kpi"},
		{Name: TopicRestrictions, Key: "shop", Holds: "chat.v1.Decision"},
		{Name: TopicSignals, Key: "offender; of a shop: shop/ads, shop/blocks, shop/agent/account; the partition's tick key", Holds: "chat.v1.Signal", Inner: true},
		{Name: TopicCases, Key: "offender", Holds: "chat.v1.Case"},
		{Name: TopicSanctions, Key: "offender", Holds: "chat.v1.Sanction"},
		{Name: TopicReads, Key: "shop/conversation", Holds: "chat.v1.ReadRecord"},
		{Name: TopicClaims, Key: "offender", Holds: "chat.v1.ReviewClaim", Inner: true},
		{Name: TopicDeadLetters, Key: "topic/partition/offset", Holds: "chat.v1.DeadLetter", SingleOK: true},
		{Name: TableOf(GroupConversations), Key: "shop/conversation", Holds: "state.v1.Conversation", Table: true},
		{Name: TableOf(GroupReception), Key: "shop", Holds: "state.v1.Reception", Table: true},
		{Name: TableOf(GroupViolations), Key: "shop/conversation", Holds: "state.v1.Conduct", Table: true},
		{Name: TableOf(GroupPatterns), Key: "as of violations.signals", Holds: "state.v1.Pattern", Table: true},
		{Name: TableOf(GroupPenalties), Key: "offender", Holds: "state.v1.Penalty", Table: true},
		{Name: TableOf(GroupService), Key: "shop; ticks: the partition's tick key", Holds: "state.v1.Service", Table: true},
	}
}

// TableOf is the name of a group's table topic, as goka derives it.
func TableOf(group string) string { return group + "-table" }

// Namespace sets one installation's (or one replay's) topics, groups, and database apart from another's
// on the same clusters. The empty namespace is the live one.
type Namespace string

// Validate accepts the empty namespace and 1 to 32 of a-z, 0-9, '_', beginning with a letter.
func (n Namespace) Validate() error {
	if len(n) > 32 {
		return fmt.Errorf("namespace %q: longer than 32 characters", string(n))
	}
	for i, c := range n {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return fmt.Errorf("namespace %q: only a-z, 0-9 and '_', beginning with a letter", string(n))
		}
	}
	return nil
}

// Topic is the full name of a topic or consumer group.
func (n Namespace) Topic(name string) string {
	if n == "" {
		return name
	}
	return string(n) + "." + name
}

// Database is the full name of the ClickHouse database whose plain name is base.
func (n Namespace) Database(base string) string {
	if n == "" {
		return base
	}
	return base + "_" + string(n)
}

// EventKey is the key of a chat event.
func EventKey(shop, conversation string) string { return shop + "/" + conversation }

// IsEventKey tells whether a key is EventKey of the two.
func IsEventKey[K ~[]byte | ~string](key K, shop, conversation string) bool {
	n := len(shop)
	return len(key) == n+1+len(conversation) && string(key[:n]) == shop && key[n] == '/' && string(key[n+1:]) == conversation
}

// ShopOf is the shop part of any key.
func ShopOf(key string) string {
	shop, _, _ := strings.Cut(key, "/")
	return shop
}

const tickPrefix = "~tick-"

// TickKey is the key that ticks of a partition carry: it is hashed to just that partition.
func TickKey(partition, partitions int32) string {
	for i := 0; ; i++ {
		if key := fmt.Sprintf("%s%d", tickPrefix, i); Partition([]byte(key), partitions) == partition {
			return key
		}
	}
}

// IsTickKey tells a tick's key from a shop's. A shop id must not begin with '~'.
func IsTickKey(key string) bool { return strings.HasPrefix(key, tickPrefix) }

// ShopHash is a hash.Hash32 (FNV-1a) that reads a key up to its first '/', so that everything of one
// shop lands in one partition. The top bit is clear: goka, kafka-go, and franz-go make a hash positive in
// different ways, and then all agree.
type ShopHash struct {
	sum  uint32
	done bool
}

// NewShopHash has the signature that goka and kafka-go want.
func NewShopHash() hash.Hash32 { return &ShopHash{sum: fnvOffset} }

const (
	fnvOffset = 2166136261
	fnvPrime  = 16777619
)

func (h *ShopHash) Write(b []byte) (int, error) {
	for _, c := range b {
		if h.done {
			break
		}
		if c == '/' {
			h.done = true
			break
		}
		h.sum = (h.sum ^ uint32(c)) * fnvPrime
	}
	return len(b), nil
}

func (h *ShopHash) Reset()         { h.sum, h.done = fnvOffset, false }
func (h *ShopHash) Sum32() uint32  { return h.sum & 0x7fffffff }
func (h *ShopHash) Size() int      { return 4 }
func (h *ShopHash) BlockSize() int { return 1 }
func (h *ShopHash) Sum(b []byte) []byte {
	s := h.Sum32()
	return append(b, byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
}

// Partition is the partition of a key among n.
func Partition[K ~[]byte | ~string](key K, n int32) int32 {
	sum := uint32(fnvOffset)
	for i := 0; i < len(key) && key[i] != '/'; i++ {
		sum = (sum ^ uint32(key[i])) * fnvPrime
	}
	return int32(sum&0x7fffffff) % n
}

// Fingerprint is a 64-bit digest of an id, kept in state where the id itself would be too long.
func Fingerprint(id string) uint64 { return xxhash.Sum64String(id) }

// OffenderKey is the key of an offender's cases and sanctions. kind is "consumer" or "shop".
func OffenderKey(kind, id string) string { return kind + ":" + id }
