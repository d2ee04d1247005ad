package chatrelay

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/feigeio/feige/chatrelay/protocol"
)

// queue is what waits to be written to one connection. A goroutine exists only while something waits, so that
// a quiet connection costs one goroutine, the reader's.
type queue struct {
	relay *Relay
	conn  *websocket.Conn

	mu      sync.Mutex
	frames  [][]byte
	bytes   int
	writing bool
	// ending is the code with which the connection is closed once the frames are written; nothing is taken any more.
	ending protocol.Code
	closed bool
	// room is signalled when frames have been written; made by who waits.
	room chan struct{}
	sent time.Time
}

// put adds a frame, or drops the connection when too much waits. It does not block.
func (q *queue) put(frame []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ending != "" || q.closed || len(frame) == 0 {
		return
	}
	if len(q.frames) >= q.relay.cfg.Queue.Frames || q.bytes+len(frame) > q.relay.cfg.Queue.Bytes {
		q.relay.metrics.drops.WithLabelValues(string(protocol.CodeSlowConsumer)).Inc()
		q.frames, q.bytes = nil, 0
		q.finish(protocol.Problemf(protocol.CodeSlowConsumer, "too much waits for this connection; resume from the last position"), "")
		return
	}
	q.add(frame)
}

func (q *queue) add(frame []byte) {
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
	if !q.writing {
		q.writing = true
		go q.write()
	}
}

// putWait adds a frame once there is room. It is for one caller at a time.
func (q *queue) putWait(ctx context.Context, frame []byte) error {
	for {
		q.mu.Lock()
		if q.ending != "" || q.closed {
			q.mu.Unlock()
			return context.Canceled
		}
		if len(q.frames) < q.relay.cfg.Queue.Frames/2 && q.bytes+len(frame) <= q.relay.cfg.Queue.Bytes/2 {
			q.add(frame)
			q.mu.Unlock()
			return nil
		}
		room := make(chan struct{})
		q.room = room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end writes what waits, then the problem, and closes the connection.
func (q *queue) end(p *protocol.Problem, re string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ending == "" && !q.closed {
		q.finish(p, re)
	}
}

func (q *queue) finish(p *protocol.Problem, re string) {
	q.relay.metrics.problem(p.Code)
	frame, err := json.Marshal(p.Frame(re))
	if err != nil {
		frame = []byte(`{"type":"error","code":"internal"}`)
	}
	q.add(frame)
	q.ending = p.Code
	q.signal()
}

func (q *queue) signal() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// write is the writing goroutine.
func (q *queue) write() {
	for {
		q.mu.Lock()
		if len(q.frames) == 0 || q.closed {
			q.writing = false
			q.frames = nil
			code := q.ending
			q.mu.Unlock()
			if code != "" {
				// The reason is the code; a peer that does not answer the closing is given up after some seconds.
				_ = q.conn.Close(websocket.StatusCode(code.CloseStatus()), string(code))
			}
			return
		}
		frame := q.frames[0]
		q.frames[0] = nil
		q.frames = q.frames[1:]
		q.bytes -= len(frame)
		q.signal()
		q.sent = time.Now()
		q.mu.Unlock()
		ctx, cancel := context.WithTimeout(q.relay.ctx, q.relay.cfg.Timeouts.Write)
		err := q.conn.Write(ctx, websocket.MessageText, frame)
		cancel()
		q.relay.metrics.bytesOut.Add(float64(len(frame)))
		if err != nil {
			q.shut()
			_ = q.conn.CloseNow() // it is broken already
			return
		}
	}
}

// shut takes no more.
func (q *queue) shut() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed, q.writing = true, false
	q.frames, q.bytes = nil, 0
	q.signal()
}

// quietSince is when the last frame was written.
func (q *queue) quietSince() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.sent
}
