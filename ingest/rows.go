package ingest

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/google/uuid"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// row is one row of a recording: an event, or why there is none.
type row struct {
	number int64 // among the rows of the file, from 1
	line   int64
	event  *chatv1.ChatEvent
	fault  *ValidationError
	raw    []byte // valid until the next row is read; set with a fault
}

// rowReader reads a recording; next returns io.EOF after the last row.
type rowReader interface {
	next() (row, error)
}

// rowIDs derives event ids from rows: a UUID (version 5) of where the row comes from, its number, and its
// fields. The same file always yields the same ids, and two equal rows stay two events. A nil *rowIDs is
// for passes that only check: every row gets the same id.
type rowIDs struct {
	source string
	sha    hash.Hash
	buf    []byte
}

func newRowIDs(source string) *rowIDs { return &rowIDs{source: source, sha: sha1.New()} }

func (r *rowIDs) of(number int64, fields ...string) string {
	if r == nil {
		return "unnamed"
	}
	b := append(r.buf[:0], idSpace[:]...)
	b = append(b, "row\x00"...)
	b = binary.AppendUvarint(b, uint64(len(r.source)))
	b = append(b, r.source...)
	b = binary.AppendVarint(b, number)
	for _, f := range fields {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	r.buf = b
	return r.sum(b)
}

// explicit makes an event id of the id that a row brings along.
func (r *rowIDs) explicit(shop, id string) string {
	if r == nil {
		return "unnamed"
	}
	if u, err := uuid.Parse(id); err == nil && len(id) == 36 {
		return u.String()
	}
	b := append(r.buf[:0], idSpace[:]...)
	b = append(b, "id\x00"...)
	b = binary.AppendUvarint(b, uint64(len(shop)))
	b = append(b, shop...)
	b = append(b, id...)
	r.buf = b
	return r.sum(b)
}

func (r *rowIDs) sum(b []byte) string {
	r.sha.Reset()
	r.sha.Write(b)
	var sum [sha1.Size]byte
	var u uuid.UUID
	copy(u[:], r.sha.Sum(sum[:0]))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

// csvRows reads events from a CSV file.
type csvRows struct {
	scan    *csvScanner
	mapping *compiled
	ids     *rowIDs
	nowUS   int64
	at      [fieldCount]int
	width   int
	number  int64
	pending *rowText // the first row of a file without header
}

// newCSVRows reads the header at once; a file that has none of the wanted columns is an error.
func newCSVRows(src io.Reader, m *compiled, ids *rowIDs, nowUS int64) (*csvRows, error) {
	r := &csvRows{scan: newCSVScanner(src, m.delimiter), mapping: m, ids: ids, nowUS: nowUS}
	head, err := r.scan.next()
	if err == io.EOF {
		return nil, fmt.Errorf("the file is empty: not even a header line")
	}
	if err != nil {
		return nil, err
	}
	if head.fault != nil {
		return nil, fmt.Errorf("line %d: cannot read the header: %s", head.line, head.fault.Reason)
	}
	if r.at, err = m.bind(head.fields); err != nil {
		return nil, err
	}
	r.width = len(head.fields)
	if m.NoHeader {
		r.pending = &head
	}
	return r, nil
}

func (r *csvRows) next() (row, error) {
	var text rowText
	if r.pending != nil {
		text, r.pending = *r.pending, nil
	} else {
		var err error
		if text, err = r.scan.next(); err != nil {
			return row{}, err
		}
	}
	r.number++
	out := row{number: r.number, line: text.line, fault: text.fault}
	if out.fault == nil {
		out.event, out.fault = r.event(text.fields)
	}
	if out.fault == nil {
		out.fault = validate(out.event, r.nowUS)
	}
	if out.fault != nil {
		out.event, out.raw = nil, text.raw
	}
	return out, nil
}

func (r *csvRows) event(fields []string) (*chatv1.ChatEvent, *ValidationError) {
	if len(fields) != r.width {
		return nil, invalid(CodeColumns, "row", fmt.Sprintf("%d columns, the file has %d", len(fields), r.width))
	}
	field := func(f int) string {
		if r.at[f] < 0 {
			return ""
		}
		return fields[r.at[f]]
	}
	shop := field(fieldShop)
	if r.at[fieldShop] < 0 {
		shop = r.mapping.ShopValue
	}
	at, err := r.mapping.times.parse(field(fieldTime))
	if err != nil {
		return nil, invalid(CodeBadTime, fieldTitles[fieldTime], err.Error())
	}
	role := r.mapping.fixedRole
	if r.at[fieldRole] >= 0 {
		var ok bool
		if role, ok = r.mapping.roles[strings.ToLower(strings.TrimSpace(field(fieldRole)))]; !ok {
			return nil, invalid(CodeUnknownRole, fieldTitles[fieldRole], fmt.Sprintf("unknown role %.40q", field(fieldRole)))
		}
	}
	automatic, ok := parseBool(field(fieldAutomatic))
	if !ok {
		return nil, invalid(CodeBadValue, fieldTitles[fieldAutomatic], "neither true nor false")
	}
	ev := &chatv1.ChatEvent{
		ShopId: shop, ConversationId: field(fieldConversation), OccurredAtUs: at,
		Actor: &chatv1.Actor{Role: role, Id: field(fieldUser), Automatic: automatic},
	}
	if fault := r.payload(ev, field); fault != nil {
		return nil, fault
	}
	if ofShop(ev) {
		ev.ConversationId = ""
	}
	switch {
	case r.at[fieldID] < 0:
		ev.EventId = r.ids.of(r.number, fields...)
	case field(fieldID) != "":
		ev.EventId = r.ids.explicit(shop, field(fieldID))
	}
	return ev, nil
}

func (r *csvRows) payload(ev *chatv1.ChatEvent, field func(int) string) *ValidationError {
	switch strings.ToLower(strings.TrimSpace(field(fieldEvent))) {
	case "", "message":
		kind, ok := usualKinds[strings.ToLower(strings.TrimSpace(field(fieldKind)))]
		if !ok {
			return invalid(CodeUnknownKind, fieldTitles[fieldKind], fmt.Sprintf("unknown kind %.40q", field(fieldKind)))
		}
		ev.Payload = &chatv1.ChatEvent_Message{Message: &chatv1.Message{Kind: kind, Text: field(fieldText)}}
	case "opened":
		ev.Payload = &chatv1.ChatEvent_ConversationOpened{ConversationOpened: &chatv1.ConversationOpened{}}
	case "closed":
		ev.Payload = &chatv1.ChatEvent_ConversationClosed{ConversationClosed: &chatv1.ConversationClosed{Reason: field(fieldText)}}
	case "rated":
		score := strings.TrimSpace(field(fieldScore))
		if len(score) != 1 || score[0] < '1' || score[0] > '5' {
			return invalid(CodeBadScore, fieldTitles[fieldScore], fmt.Sprintf("%.40q is not 1 to 5", score))
		}
		ev.Payload = &chatv1.ChatEvent_ConversationRated{ConversationRated: &chatv1.ConversationRated{Score: int32(score[0] - '0')}}
	case "resumed":
		ev.Payload = &chatv1.ChatEvent_ReceptionResumed{ReceptionResumed: &chatv1.ReceptionResumed{}}
	case "signed_in":
		ev.Payload = &chatv1.ChatEvent_AgentSignedIn{AgentSignedIn: &chatv1.AgentSignedIn{}}
	case "signed_out":
		ev.Payload = &chatv1.ChatEvent_AgentSignedOut{AgentSignedOut: &chatv1.AgentSignedOut{}}
	default:
		return invalid(CodeUnknownKind, fieldTitles[fieldEvent], fmt.Sprintf("unknown event %.40q", field(fieldEvent)))
	}
	return nil
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "false", "no":
		return false, true
	case "1", "true", "yes":
		return true, true
	}
	return false, false
}
