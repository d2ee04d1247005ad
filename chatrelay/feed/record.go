package feed

import (
	"bytes"
	"encoding/json"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Record is one chat event at its place in the log. It is shared by all followers: nobody changes it.
type Record struct {
	Partition int32
	Offset    int64
	Event     *chatv1.ChatEvent

	size  int
	once  sync.Once
	frame []byte
}

// Position of the record.
func (r *Record) Position() protocol.Position {
	return protocol.Position{Partition: r.Partition, Offset: r.Offset}
}

// Frame is the encoded frame that carries the event. It is made once, by who asks first.
func (r *Record) Frame() []byte {
	r.once.Do(func() {
		typ := protocol.TypeEvent
		if r.Event.GetMessage() != nil {
			typ = protocol.TypeMessage
		}
		body, err := EventJSON(r.Event)
		if err == nil {
			r.frame, err = json.Marshal(&protocol.Frame{Type: typ, Position: r.Position().String(), Event: body})
		}
		if err != nil {
			// Only text that is not UTF-8 can do that, and no publisher lets it through.
			r.frame = nil
		}
	})
	return r.frame
}

// EventJSON is the Protobuf JSON mapping of an event, without spaces.
func EventJSON(ev *chatv1.ChatEvent) (json.RawMessage, error) {
	data, err := protojson.Marshal(ev)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// decode reads a record of the log. ok is false for what is no event of a shop: ticks, and records that
// the pipeline calls dead letters.
func decode(partition int32, offset int64, key, value []byte) (*Record, bool) {
	if schemas.IsTickKey(string(key)) {
		return nil, false
	}
	ev := &chatv1.ChatEvent{}
	if ev.UnmarshalVT(value) != nil || ev.Payload == nil || ev.ShopId == "" || ev.EventId == "" {
		return nil, false
	}
	if schemas.EventKey(ev.ShopId, ev.ConversationId) != string(key) {
		return nil, false
	}
	return &Record{Partition: partition, Offset: offset, Event: ev, size: len(key) + len(value)}, true
}
