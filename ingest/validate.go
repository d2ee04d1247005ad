package ingest

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Bounds of an acceptable event.
const (
	// MaxShopID is the longest shop id, bytes.
	MaxShopID = 128
	// MaxID is the longest conversation, event, or account id, bytes.
	MaxID = 256
	// MaxText is the longest text of a message, bytes.
	MaxText = 16 << 10
	// MaxEvent is the largest encoded event, bytes.
	MaxEvent = 256 << 10
	// MaxSkew is how far an event's time may lie ahead of the clock.
	MaxSkew = 10 * time.Minute
)

// minTimeUS is 2000-01-01 UTC: times before it are broken clocks or misread units.
const minTimeUS = 946684800 * int64(time.Second/time.Microsecond)

// Code names why an event, or a row of a recording, is not acceptable.
type Code string

// Codes of ValidationError. The last four arise only where rows are read.
const (
	CodeEmptyID        Code = "empty_id"
	CodeBadID          Code = "bad_id"
	CodeBadTime        Code = "bad_time"
	CodeFutureTime     Code = "future_time"
	CodeUnknownRole    Code = "unknown_role"
	CodeRoleMismatch   Code = "role_mismatch"
	CodeUnknownKind    Code = "unknown_kind"
	CodeNoPayload      Code = "no_payload"
	CodeTick           Code = "tick"
	CodeLongText       Code = "long_text"
	CodeInvalidUTF8    Code = "invalid_utf8"
	CodeBadScore       Code = "bad_score"
	CodeMisplacedField Code = "misplaced_field"
	CodeTooLarge       Code = "too_large"
	CodeColumns        Code = "columns"
	CodeSyntax         Code = "syntax"
	CodeLongRow        Code = "long_row"
	CodeBadValue       Code = "bad_value"
)

// ValidationError says which field of an event is not acceptable, and why. It never holds chat text.
type ValidationError struct {
	Code   Code
	Field  string
	Reason string
	// Index of the event in the call to Publish.
	Index int
}

func (e *ValidationError) Error() string {
	return fmt.Sprintf("event %d: %s: %s (%s)", e.Index, e.Field, e.Reason, e.Code)
}

func invalid(code Code, field, reason string) *ValidationError {
	return &ValidationError{Code: code, Field: field, Reason: reason}
}

// Validate is the check at the edge: every publisher applies it before anything reaches chat.events.
// nowUS is the clock, UTC microseconds. The error, if any, is a *ValidationError. Ticks are refused:
// they are published by PublishTick only.
func Validate(ev *chatv1.ChatEvent, nowUS int64) error {
	if err := validate(ev, nowUS); err != nil {
		return err
	}
	return nil
}

func validate(ev *chatv1.ChatEvent, nowUS int64) *ValidationError {
	if ev == nil {
		return invalid(CodeNoPayload, "event", "missing")
	}
	if err := checkID("event_id", ev.EventId, MaxID); err != nil {
		return err
	}
	if err := checkShop(ev.ShopId); err != nil {
		return err
	}
	if ev.OccurredAtUs <= minTimeUS {
		return invalid(CodeBadTime, "occurred_at_us", "not after 2000-01-01")
	}
	if ev.OccurredAtUs > nowUS+MaxSkew.Microseconds() {
		return invalid(CodeFutureTime, "occurred_at_us", fmt.Sprintf("more than %v ahead of the clock", MaxSkew))
	}
	if err := checkActor(ev); err != nil {
		return err
	}
	if err := checkPayload(ev); err != nil {
		return err
	}
	if ofShop(ev) {
		if ev.ConversationId != "" {
			return invalid(CodeMisplacedField, "conversation_id", "must be empty on an event of the shop as a whole")
		}
	} else if err := checkID("conversation_id", ev.ConversationId, MaxID); err != nil {
		return err
	}
	if n := ev.SizeVT(); n > MaxEvent {
		return invalid(CodeTooLarge, "event", fmt.Sprintf("%d bytes, at most %d", n, MaxEvent))
	}
	return nil
}

// ofShop tells events of the shop as a whole from those of one conversation.
func ofShop(ev *chatv1.ChatEvent) bool {
	switch ev.Payload.(type) {
	case *chatv1.ChatEvent_AgentSignedIn, *chatv1.ChatEvent_AgentSignedOut,
		*chatv1.ChatEvent_ClientRefused, *chatv1.ChatEvent_ReceptionResumed:
		return true
	}
	return false
}

func checkShop(shop string) *ValidationError {
	if err := checkID("shop_id", shop, MaxShopID); err != nil {
		return err
	}
	if strings.Contains(shop, "/") {
		return invalid(CodeBadID, "shop_id", "must not hold '/'")
	}
	if shop[0] == '~' {
		return invalid(CodeBadID, "shop_id", "must not begin with '~'")
	}
	return nil
}

func checkID(field, id string, limit int) *ValidationError {
	if id == "" {
		return invalid(CodeEmptyID, field, "empty")
	}
	return checkOptionalID(field, id, limit)
}

func checkOptionalID(field, id string, limit int) *ValidationError {
	if len(id) > limit {
		return invalid(CodeBadID, field, fmt.Sprintf("%d bytes, at most %d", len(id), limit))
	}
	if !utf8.ValidString(id) {
		return invalid(CodeInvalidUTF8, field, "not valid UTF-8")
	}
	for i := 0; i < len(id); i++ {
		if id[i] < 0x20 || id[i] == 0x7f {
			return invalid(CodeBadID, field, "holds a control character")
		}
	}
	return nil
}

func checkActor(ev *chatv1.ChatEvent) *ValidationError {
	role := ev.GetActor().GetRole()
	switch role {
	case chatv1.Role_ROLE_CONSUMER, chatv1.Role_ROLE_AGENT, chatv1.Role_ROLE_BOT:
		return checkID("actor.id", ev.Actor.Id, MaxID)
	case chatv1.Role_ROLE_SYSTEM:
		return checkOptionalID("actor.id", ev.Actor.Id, MaxID)
	}
	return invalid(CodeUnknownRole, "actor.role", fmt.Sprintf("unknown role %d", int32(role)))
}

func checkText(field, text string, limit int) *ValidationError {
	if len(text) > limit {
		return invalid(CodeLongText, field, fmt.Sprintf("%d bytes, at most %d", len(text), limit))
	}
	if !utf8.ValidString(text) {
		return invalid(CodeInvalidUTF8, field, "not valid UTF-8")
	}
	return nil
}
