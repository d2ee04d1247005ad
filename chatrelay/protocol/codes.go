package protocol

import "fmt"

// Code names an error. docs/protocol.md lists what each means.
type Code string

// Codes of error frames. With CloseCode, the relay closes the connection after some of them.
const (
	CodeBadFrame      Code = "bad_frame"      // not JSON, not an object, too deep, unknown type, a field that cannot be
	CodeTooLarge      Code = "too_large"      // frame or file beyond its bound
	CodeVersion       Code = "version"        // no version in common
	CodeHelloFirst    Code = "hello_first"    // a frame before hello, or hello twice
	CodeTimeout       Code = "timeout"        // no hello in time, or nothing for too long
	CodeUnauthorized  Code = "unauthorized"   // the token is wrong, expired, or revoked
	CodeClientRefused Code = "client_refused" // client application or origin not on the allow-list (2.10)
	CodeForbidden     Code = "forbidden"      // the role may not do this, or not there
	CodeInvalid       Code = "invalid"        // the event would not be acceptable
	CodeMuted         Code = "muted"
	CodeBanned        Code = "banned"
	CodeBlocked       Code = "blocked" // the shop has blocked the consumer
	CodeClaimed       Code = "claimed" // somebody else has the conversation
	CodeRated         Code = "rated"   // this life of the conversation has its rating
	CodeRateLimited   Code = "rate_limited"
	CodeTooMany       Code = "too_many"      // connections
	CodeTryAgain      Code = "try_again"     // Kafka is away, or busy: the same request again, later
	CodeHistoryAway   Code = "history_away"  // long history cannot be read now
	CodePositionGone  Code = "position_gone" // the log no longer goes back that far: read history
	CodeSlowConsumer  Code = "slow_consumer" // the connection did not take what it was sent; resume
	CodeGoingAway     Code = "going_away"    // the relay stops; connect again
	CodeNotFound      Code = "not_found"     // no such attachment
	CodeBadFile       Code = "bad_file"      // not a picture or PDF that can be taken
	CodeInternal      Code = "internal"
)

// retryable codes: the same request may succeed later.
var retryable = map[Code]bool{
	CodeTimeout: true, CodeRateLimited: true, CodeTooMany: true, CodeTryAgain: true, CodeHistoryAway: true,
	CodeSlowConsumer: true, CodeGoingAway: true,
}

// Retry tells whether the same request may succeed later.
func (c Code) Retry() bool { return retryable[c] }

// Problem is an error with a code, as a client is told it.
type Problem struct {
	Code Code
	Text string
	// RetryAfterMS is how long to wait before trying again, at least; 0: no matter.
	RetryAfterMS int64
}

func (p *Problem) Error() string { return fmt.Sprintf("%s: %s", p.Code, p.Text) }

// Problemf makes a Problem. The text must hold nothing that people wrote.
func Problemf(code Code, format string, args ...any) *Problem {
	return &Problem{Code: code, Text: fmt.Sprintf(format, args...)}
}

// Frame is the error frame that answers the request re.
func (p *Problem) Frame(re string) *Frame {
	return &Frame{Type: TypeError, Re: re, Code: p.Code, Text: p.Text, Retry: p.Code.Retry(), RetryAfterMS: p.RetryAfterMS}
}

// CloseStatus is the websocket status with which a connection ends after an error of this code.
func (c Code) CloseStatus() int {
	switch c {
	case CodeTooLarge:
		return 1009
	case CodeGoingAway:
		return 1001
	case CodeSlowConsumer, CodeTooMany, CodeTryAgain, CodeRateLimited:
		return 1013
	case CodeInternal:
		return 1011
	}
	return 1008
}
