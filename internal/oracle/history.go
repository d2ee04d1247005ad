package oracle

import (
	"math"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// A position is the index of a record in the partition's log. "As of x" takes in what the records
// before position x did. never comes after every position.
const never = math.MaxInt

// Bounds of what may be reached back to, from docs/semantics.md. They are no values of the policy.
const (
	rememberedIDs   = 64
	heldMessages    = 256
	rateableLivesUp = 63
	// rememberedViolations of a conversation.
	rememberedViolations = 64
)

// message is a consumer message.
type message struct {
	pos      int
	offset   int64
	id       string
	at       int64
	assessed bool
	// goneAt is the position from which on the message no longer counts; goodAt the one from which on
	// it is replied to within the limit.
	goneAt, goodAt int
}

// round keeps how a round came to be what it is.
type round struct {
	number, life, numberInLife int64
	consumer                   string
	// begins are the messages that began the round, the newest last: a shield may move the beginning.
	begins []begin
	// held are the messages that a shield or a reply can still reach.
	held    []*message
	outcome chatv1.RoundOutcome
	// endedPos is the position that ended or withdrew the round.
	endedPos int
	endedAt  int64
	agent    string
}

type begin struct {
	pos     int
	message *message
}

// first is the message that begins the round, as the log stands at its end.
func (r *round) first() *message { return r.begins[len(r.begins)-1].message }

func (r *round) open() bool { return r.outcome == chatv1.RoundOutcome_ROUND_OUTCOME_OPEN }

func (r *round) withdrawn() bool { return r.outcome == chatv1.RoundOutcome_ROUND_OUTCOME_WITHDRAWN }

// firstAsOf is the message that began the round as of x; nil when there was no such round.
func (r *round) firstAsOf(x int) *message {
	if r.withdrawn() && r.endedPos < x {
		return nil
	}
	var first *message
	for _, b := range r.begins {
		if b.pos < x {
			first = b.message
		}
	}
	return first
}

// answeredAsOf tells whether the round had been answered as of x.
func (r *round) answeredAsOf(x int) bool {
	return r.outcome == chatv1.RoundOutcome_ROUND_OUTCOME_ANSWERED && r.endedPos < x
}

// wait is set for an answered round.
func (r *round) wait() int64 { return r.endedAt - r.first().at }

// rating is the rating of a life that stands.
type rating struct {
	pos          int
	at           int64
	life         int64
	score        int32
	dissatisfied bool
	consumer     string
}

// life is one life of a conversation.
type life struct {
	number     int64
	startedAt  int64
	activity   int64
	over       bool
	endedAt    int64
	end        chatv1.LifeEnd
	firstAgent string
	firstReply int64
	rounds     int64
	// tell is set by an event that the life is told after; told is the life as it was told last.
	tell bool
	told *chatv1.ConversationLife
}
