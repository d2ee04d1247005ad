package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// jsonRows reads events from lines of JSON: the Protobuf JSON mapping of chat.v1.ChatEvent, as exports
// have it. A line without eventId gets one derived from the line.
type jsonRows struct {
	src    *bufio.Reader
	ids    *rowIDs
	nowUS  int64
	number int64
	line   int64
}

func newJSONRows(src io.Reader, ids *rowIDs, nowUS int64) *jsonRows {
	return &jsonRows{src: bufio.NewReaderSize(src, maxRow), ids: ids, nowUS: nowUS}
}

func (r *jsonRows) next() (row, error) {
	for {
		raw, err := r.src.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !long && !errors.Is(err, io.EOF) {
			return row{}, err
		}
		if len(raw) == 0 {
			return row{}, io.EOF
		}
		r.line++
		raw = bytes.TrimSpace(raw)
		if r.line == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
		}
		if len(raw) == 0 && !long {
			continue
		}
		r.number++
		out := row{number: r.number, line: r.line}
		if long {
			out.fault = invalid(CodeLongRow, "row", "longer than 1 MiB")
			out.raw = bytes.Clone(raw[:min(len(raw), maxRaw)])
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.src.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return row{}, err
			}
			return out, nil
		}
		if out.event, out.fault = r.event(raw); out.fault != nil {
			out.event, out.raw = nil, raw
		}
		return out, nil
	}
}

func (r *jsonRows) event(raw []byte) (*chatv1.ChatEvent, *ValidationError) {
	if !utf8.Valid(raw) {
		return nil, invalid(CodeInvalidUTF8, "row", "not valid UTF-8")
	}
	ev := &chatv1.ChatEvent{}
	if err := protojson.Unmarshal(raw, ev); err != nil {
		return nil, invalid(CodeSyntax, "row", syntaxReason(err))
	}
	if ev.EventId == "" {
		ev.EventId = r.ids.of(r.number, string(raw))
	}
	if ev.GetMessage() != nil && ev.GetMessage().Kind == chatv1.MessageKind_MESSAGE_KIND_UNSPECIFIED {
		ev.GetMessage().Kind = chatv1.MessageKind_MESSAGE_KIND_TEXT
	}
	return ev, validate(ev, r.nowUS)
}

// syntaxReason is the decoder's message in one short line. The decoder varies its spaces on purpose.
func syntaxReason(err error) string {
	s := strings.TrimSpace(strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto:"))
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
