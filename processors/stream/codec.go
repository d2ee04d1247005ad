package stream

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lovoo/goka"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Record is a generated message with its fast encoding.
type Record[T any] interface {
	*T
	MarshalVT() ([]byte, error)
	UnmarshalVT([]byte) error
}

// Pooled is a record whose objects are reused. Decoded strings share memory with the bytes they came
// from, which nobody changes: Kafka's buffers, and the values of a store.
type Pooled[T any] interface {
	Record[T]
	UnmarshalVTUnsafe([]byte) error
	ReturnToVTPool()
}

// undecodable stands for an input record that is not what its topic holds.
type undecodable struct {
	raw []byte
	err error
}

// inputCodec never fails on outside bytes: a processor must not stop on them.
type inputCodec[T any, P Pooled[T]] struct{ fresh func() P }

func (inputCodec[T, P]) Encode(v any) ([]byte, error) { return encode[T, P](v) }

func (c inputCodec[T, P]) Decode(b []byte) (any, error) {
	m := c.fresh()
	if err := m.UnmarshalVTUnsafe(b); err != nil {
		return undecodable{b, err}, nil
	}
	return m, nil
}

// tableCodec decodes into reused objects; bytes that do not decode are an error.
type tableCodec[T any, P Pooled[T]] struct{ fresh func() P }

func (tableCodec[T, P]) Encode(v any) ([]byte, error) { return encode[T, P](v) }

func (c tableCodec[T, P]) Decode(b []byte) (any, error) {
	m := c.fresh()
	if err := m.UnmarshalVTUnsafe(b); err != nil {
		return nil, err
	}
	return m, nil
}

// ownCodec is for outputs.
type ownCodec[T any, P Record[T]] struct{}

func (ownCodec[T, P]) Encode(v any) ([]byte, error) { return encode[T, P](v) }

func (ownCodec[T, P]) Decode(b []byte) (any, error) {
	m := P(new(T))
	if err := m.UnmarshalVT(b); err != nil {
		return nil, err
	}
	return m, nil
}

func encode[T any, P Record[T]](v any) ([]byte, error) {
	m, ok := v.(P)
	if !ok {
		return nil, fmt.Errorf("want %T, got %T", P(nil), v)
	}
	return m.MarshalVT()
}

// Output is an edge to a topic (plain name).
func Output[T any, P Record[T]](p *Processor, topic string) goka.Edge {
	return goka.Output(goka.Stream(p.topic(topic)), ownCodec[T, P]{})
}

// Persist is the edge to the group's table. A value from goka's Value is the callback's, to return to
// the pool after its last SetValue.
func Persist[T any, P Pooled[T]](fresh func() P) goka.Edge {
	return goka.Persist(tableCodec[T, P]{fresh})
}

// Input is the edge from the processor's input topic. What does not decode, and what the callback
// refuses with an error, becomes a dead letter; the processor goes on. The message is the callback's only
// until it returns.
func Input[T any, P Pooled[T]](p *Processor, fresh func() P, callback func(ctx goka.Context, m P) error) goka.Edge {
	return goka.Input(goka.Stream(p.rollback.input), inputCodec[T, P]{fresh}, func(ctx goka.Context, v any) {
		p.begin(ctx)
		switch m := v.(type) {
		case P:
			if err := callback(ctx, m); err != nil {
				raw, _ := m.MarshalVT()
				p.deadLetter(ctx, raw, err)
			}
			m.ReturnToVTPool()
		case undecodable:
			p.deadLetter(ctx, m.raw, Refusal{"decode", m.err.Error()})
		default:
			p.deadLetter(ctx, nil, Refusal{"decode", "the record has no value"})
		}
	})
}

// Refusal is the error of a callback for a record that it can't take. Any other error is a refusal with
// code "invalid".
type Refusal struct{ Code, Reason string }

func (r Refusal) Error() string { return r.Code + ": " + r.Reason }

// Bounds of what a dead letter carries: it must fit into a batch whatever came in.
const (
	deadLetterValue  = 512 << 10
	deadLetterKey    = 64 << 10
	deadLetterReason = 2 << 10
)

func (p *Processor) deadLetter(ctx goka.Context, raw []byte, err error) {
	if p.spec.NoLetters {
		return
	}
	r := Refusal{"invalid", err.Error()}
	_ = errors.As(err, &r)
	if len(r.Reason) > deadLetterReason {
		r.Reason = strings.ToValidUTF8(r.Reason[:deadLetterReason], "") + "…"
	}
	if n := len(raw); n > deadLetterValue {
		raw = raw[:deadLetterValue]
		r.Reason += fmt.Sprintf(" (the value is cut: it has %d bytes)", n)
	}
	key := []byte(ctx.Key())
	if n := len(key); n > deadLetterKey {
		key = key[:deadLetterKey]
		r.Reason += fmt.Sprintf(" (the key is cut: it has %d bytes)", n)
	}
	d := &chatv1.DeadLetter{
		Topic: string(ctx.Topic()), Partition: ctx.Partition(), Offset: ctx.Offset(), Key: key, Value: raw,
		Code: r.Code, Reason: r.Reason, Stage: p.spec.Group, RecordAtUs: ctx.Timestamp().UnixMicro(),
	}
	ctx.Emit(goka.Stream(p.topic(schemas.TopicDeadLetters)), fmt.Sprintf("%s/%d/%d", d.Topic, d.Partition, d.Offset), d)
	p.metrics.deadLetters.Inc()
}
