package sinks

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Codes of dead letters that sinks write.
const (
	// CodeDecode: the bytes are no record of the topic's type.
	CodeDecode = "decode"
	// CodeMisplaced: the record stands under another key or in another partition than its own.
	CodeMisplaced = "misplaced"
	// CodeInvalid: the record says what no record may say.
	CodeInvalid = "invalid"
	// CodeInsert: ClickHouse refuses the record's rows.
	CodeInsert = "insert"
)

// refusal is why a record cannot be taken. It never holds chat text.
type refusal struct{ code, reason string }

func (r *refusal) Error() string { return r.code + ": " + r.reason }

func refuse(code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// dataCodes are the errors of ClickHouse that are about the rows and would come again with them.
// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
var dataCodes = map[int32]bool{
	6:   true, // CANNOT_PARSE_TEXT
	26:  true, // CANNOT_PARSE_QUOTED_STRING
	27:  true, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	38:  true, // CANNOT_PARSE_DATE
	41:  true, // CANNOT_PARSE_DATETIME
	69:  true, // ARGUMENT_OUT_OF_BOUND
	70:  true, // CANNOT_CONVERT_TYPE
	72:  true, // CANNOT_PARSE_NUMBER
	117: true, // INCORRECT_DATA
	128: true, // TOO_LARGE_ARRAY_SIZE
	131: true, // TOO_LARGE_STRING_SIZE
	190: true, // SIZES_OF_ARRAYS_DONT_MATCH
	321: true, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
	349: true, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	376: true, // CANNOT_PARSE_UUID
	395: true, // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO, of a constraint
	469: true, // VIOLATED_CONSTRAINT
	691: true, // UNKNOWN_ELEMENT_OF_ENUM
}

// Codes of ClickHouse that say that the schema is not there.
const (
	codeUnknownColumn   = 16
	codeUnknownTable    = 60
	codeUnknownDatabase = 81
)

// unfit is an error of the client library about a value that does not fit its column.
type unfit struct{ error }

func (u unfit) Unwrap() error { return u.error }

// aboutData tells an error that is about the rows from one that is about the server or the way to it.
func aboutData(err error) bool {
	var value unfit
	if errors.As(err, &value) {
		return true
	}
	var exception *clickhouse.Exception
	return errors.As(err, &exception) && dataCodes[exception.Code]
}

// hint says what to do about an error that waiting will not cure; empty: wait.
func hint(err error) string {
	var exception *clickhouse.Exception
	if !errors.As(err, &exception) {
		return ""
	}
	switch exception.Code {
	case codeUnknownColumn, codeUnknownTable, codeUnknownDatabase:
		return "the schema is missing or old: run `feige schema apply`"
	}
	return ""
}

// brief is what an error says, fit for a log line or a dead letter: without values of the rows, which ClickHouse
// may quote when it refuses them.
func brief(err error) string {
	const most = 500
	text := err.Error()
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		message := exception.Message
		if dataCodes[exception.Code] {
			for _, begin := range []string{"Column values", "'", "\""} {
				message, _, _ = strings.Cut(message, begin)
			}
			message = strings.TrimRight(message, " .:") + " (" + exception.CodeName + ")"
		}
		text = fmt.Sprintf("ClickHouse code %d: %s", exception.Code, message)
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.Join(strings.Fields(text), " ")
}
