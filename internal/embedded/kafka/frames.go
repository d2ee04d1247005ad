package kafka

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxRequestBytes is the largest request that is read, as socket.request.max.bytes of Apache Kafka.
const maxRequestBytes = 100 << 20

// guardedListener hands out connections that end at the first bytes that are no Kafka request. The broker
// behind it believes what a request's header says: it makes room for any length, and a request kind that
// it has never heard of ends the process.
type guardedListener struct {
	net.Listener
	log *slog.Logger
}

func (l guardedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &guardedConn{Conn: conn, log: l.log}, nil
}

// guardedConn follows the frames of one connection: 4 bytes length, then 2 bytes request kind, then the
// rest. One goroutine reads at a time.
type guardedConn struct {
	net.Conn
	log    *slog.Logger
	header [6]byte
	have   int   // bytes of header
	rest   int64 // bytes of the frame still to come after the header
}

func (c *guardedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bad := c.follow(p[:n]); bad != nil {
		c.log.Warn("embedded kafka: connection closed", "client", c.RemoteAddr().String(), "err", bad)
		_ = c.Close()
		return 0, bad
	}
	return n, err
}

func (c *guardedConn) follow(b []byte) error {
	for len(b) > 0 {
		if c.rest > 0 {
			n := min(c.rest, int64(len(b)))
			c.rest -= n
			b = b[n:]
			continue
		}
		n := copy(c.header[c.have:], b)
		c.have += n
		b = b[n:]
		if c.have >= 4 {
			if size := binary.BigEndian.Uint32(c.header[:]); size < 8 || size > maxRequestBytes {
				return fmt.Errorf("not a Kafka request: its length would be %d bytes", size)
			}
		}
		if c.have < len(c.header) {
			continue
		}
		kind := int16(binary.BigEndian.Uint16(c.header[4:]))
		if kmsg.RequestForKey(kind) == nil {
			return fmt.Errorf("not a Kafka request: unknown kind %d", kind)
		}
		c.rest = int64(binary.BigEndian.Uint32(c.header[:])) - 2
		c.have = 0
	}
	return nil
}
