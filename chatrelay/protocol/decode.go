package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Decode reads a client's frame. The error is a *Problem that holds nothing of what was sent.
func Decode(data []byte) (*Request, error) {
	if len(data) > MaxFrame {
		return nil, Problemf(CodeTooLarge, "frame of %d bytes, at most %d", len(data), MaxFrame)
	}
	if !utf8.Valid(data) {
		return nil, Problemf(CodeBadFrame, "not valid UTF-8")
	}
	if err := checkDepth(data); err != nil {
		return nil, err
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, Problemf(CodeBadFrame, "not a JSON object")
	}
	var r Request
	if err := json.Unmarshal(data, &r); err != nil {
		var field *json.UnmarshalTypeError
		if errors.As(err, &field) {
			return nil, Problemf(CodeBadFrame, "field %q cannot be a %s", clip(field.Field, 64), clip(field.Value, 16))
		}
		return nil, Problemf(CodeBadFrame, "not valid JSON")
	}
	if r.Type == "" {
		return nil, Problemf(CodeBadFrame, "no type")
	}
	if err := checkID(r.ID); err != nil {
		return nil, err
	}
	if len(r.Attachments) > MaxAttachments {
		return nil, Problemf(CodeInvalid, "%d attachments, at most %d", len(r.Attachments), MaxAttachments)
	}
	return &r, nil
}

// checkDepth refuses deep nesting before the JSON library sees it.
func checkDepth(data []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		c := data[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return Problemf(CodeBadFrame, "nested deeper than %d", MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func checkID(id string) error {
	if len(id) > MaxRequestID {
		return Problemf(CodeBadFrame, "id of %d bytes, at most %d", len(id), MaxRequestID)
	}
	for i := 0; i < len(id); i++ {
		if id[i] < 0x20 || id[i] == 0x7f {
			return Problemf(CodeBadFrame, "id holds a control character")
		}
	}
	return nil
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
