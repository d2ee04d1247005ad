package statement

import "fmt"

// Codes are ClickHouse's own numbers, so that clients know them.
const (
	CodeSyntax       = 62
	CodeAccessDenied = 497
	CodeReadOnly     = 164
)

// Error is a refusal before the engine was asked.
type Error struct {
	Code    int
	Message string
}

var codeNames = map[int]string{CodeSyntax: "SYNTAX_ERROR", CodeAccessDenied: "ACCESS_DENIED", CodeReadOnly: "READONLY"}

// Error reads like one of the engine's.
func (e *Error) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", e.Code, e.Message, codeNames[e.Code])
}

func denied(format string, args ...any) error {
	return &Error{Code: CodeAccessDenied, Message: fmt.Sprintf(format, args...)}
}
