package clickhouse

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// Codes of ClickHouse that this server itself answers with.
const (
	codeCannotReadAllData  = 33
	codeBadArguments       = 36
	codeUnknownCompression = 89
	codeUnknownSetting     = 115
	codeTimeout            = 159
	codeReadOnly           = 164
	codeTooManyQueries     = 202
	codeNetwork            = 210
	codeTooLarge           = 1103
	codeCanceled           = 394
	codeAccessDenied       = 497
	codeAuthentication     = 516
)

var codeNames = map[int]string{
	codeCannotReadAllData:  "CANNOT_READ_ALL_DATA",
	codeBadArguments:       "BAD_ARGUMENTS",
	codeUnknownCompression: "UNKNOWN_COMPRESSION_METHOD",
	codeUnknownSetting:     "UNKNOWN_SETTING",
	codeTimeout:            "TIMEOUT_EXCEEDED",
	codeReadOnly:           "READONLY",
	codeTooManyQueries:     "TOO_MANY_SIMULTANEOUS_QUERIES",
	codeNetwork:            "NETWORK_ERROR",
	codeTooLarge:           "TOO_LARGE_BODY",
	codeCanceled:           "QUERY_WAS_CANCELLED",
	codeAccessDenied:       "ACCESS_DENIED",
	codeAuthentication:     "AUTHENTICATION_FAILED",
}

// fault is an answer other than 200 that this server makes itself, in ClickHouse's words.
type fault struct {
	code    int
	message string
}

func (f *fault) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", f.code, f.message, codeNames[f.code])
}

func faultf(code int, format string, args ...any) error {
	return &fault{code: code, message: fmt.Sprintf(format, args...)}
}

var codePrefix = regexp.MustCompile(`^Code: (\d+)\. `)

// errorCode is ClickHouse's number in an error of the engine or of this server; 1002 is its "unknown".
func errorCode(err error) int {
	var own *fault
	var refusal *statement.Error
	switch {
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &refusal):
		return refusal.Code
	}
	if match := codePrefix.FindStringSubmatch(strings.TrimSpace(err.Error())); match != nil {
		code, _ := strconv.Atoi(match[1])
		return code
	}
	return 1002
}

// errorText is the engine's message with its prefix once.
func errorText(err error) string {
	text := strings.TrimSpace(err.Error())
	code := errorCode(err)
	prefix := fmt.Sprintf("Code: %d. DB::Exception: ", code)
	for strings.HasPrefix(text, prefix+prefix) {
		text = text[len(prefix):]
	}
	if !strings.HasPrefix(text, "Code: ") {
		text = prefix + text
	}
	return text
}

// statusOf is the HTTP status that a ClickHouse server gives with an error.
func statusOf(code int) int {
	switch code {
	case 516, 192, 193, 194, 195, 517, 521:
		return http.StatusForbidden
	case codeReadOnly, codeAccessDenied, 291, 452:
		return http.StatusForbidden
	case 6, 26, 27, 32, codeCannotReadAllData, 34, 35, codeBadArguments, 38, 41, 43, 53, 62, 69, 70, 72, 85, 117, 456, 457, 467, 8, 9, 10, 12, 16, 20, 42, 44, 46, 47, 50, 63, 73, 89, 354, 386:
		return http.StatusBadRequest
	case 60, 81, 115, 511, 571:
		return http.StatusNotFound
	case codeTimeout:
		return http.StatusRequestTimeout
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeTooManyQueries:
		return http.StatusServiceUnavailable
	case 48, 49:
		return http.StatusNotImplemented
	}
	return http.StatusInternalServerError
}
