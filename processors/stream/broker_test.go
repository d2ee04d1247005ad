package stream_test

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/feigeio/feige/internal/broker"
	"github.com/feigeio/feige/schemas"
)

const partitions = 4

// faultyBroker is a broker in this process that can be made to misbehave.
type faultyBroker struct {
	*kfake.Cluster
	addr string
	stop func()
	// cutAnswers is how many in 1000 answers on producers' connections are swallowed, with their connection.
	cutAnswers atomic.Int64
	// closed counts the connections that slam and cutAnswers have closed.
	closed atomic.Int64
	// holding counts the writes that have to wait for their answer.
	holding atomic.Int64

	mu sync.Mutex
	// held are topics whose writes get no answer while the channel is open.
	held map[string]chan struct{}
	// slammed are topics whose writes close the connection.
	slammed map[string]bool
	// connected are the remote addresses of open connections, synced the members of groups that have asked
	// for their share since they last joined.
	connected, synced map[string]bool
	// observe is told of every write, before it is taken. May be nil.
	observe func(*kmsg.ProduceRequest)
}

// startBroker has the given topics, in memory.
func startBroker(t testing.TB, topics ...string) *faultyBroker {
	t.Helper()
	return startBrokerIn(t, "", topics...)
}

// startDiskBroker has the product's topics, in a directory.
func startDiskBroker(t testing.TB) *faultyBroker {
	t.Helper()
	dir, err := os.MkdirTemp("", "feige-stream")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return startBrokerIn(t, dir, productTopics()...)
}

func startBrokerIn(t testing.TB, dir string, topics ...string) *faultyBroker {
	t.Helper()
	b := &faultyBroker{
		held: map[string]chan struct{}{}, slammed: map[string]bool{}, connected: map[string]bool{}, synced: map[string]bool{},
	}
	opts := append(brokerOptions(0, dir), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		l, err := net.Listen(network, address)
		if err != nil {
			return nil, err
		}
		b.addr = l.Addr().String()
		return cuttingListener{l, b}, nil
	}))
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b.Cluster = c
	c.ControlKey(int16(kmsg.Produce), b.produce)
	sync := func(member string, synced bool) (kmsg.Response, error, bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.synced[member] = synced
		return nil, nil, false
	}
	c.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		return sync(r.(*kmsg.JoinGroupRequest).MemberID, false)
	})
	c.ControlKey(int16(kmsg.SyncGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		return sync(r.(*kmsg.SyncGroupRequest).MemberID, true)
	})
	stop := background(t, func(ctx context.Context) { b.layGhosts(ctx, kafkaClient(t, b.addr)) })
	b.stop = func() {
		stop()
		c.Close()
	}
	createTopics(t, c, topics...)
	return b
}

// layGhosts removes members that have died while they waited to join a group: this broker would give them
// partitions and keep them for good. All other dead members expire by themselves.
func (b *faultyBroker) layGhosts(ctx context.Context, cl *kgo.Client) {
	for ; ctx.Err() == nil; pause(ctx, 50*time.Millisecond) {
		for _, group := range []string{schemas.GroupConversations, schemas.GroupReception, schemas.GroupService} {
			info := b.GroupInfo(group)
			if info == nil {
				continue
			}
			for _, m := range info.Members {
				b.mu.Lock()
				ghost := m.InstanceID == nil && !b.connected[m.ClientHost] && !b.synced[m.MemberID]
				b.mu.Unlock()
				if ghost {
					leave := kmsg.NewPtrLeaveGroupRequest()
					leave.Group, leave.MemberID = group, m.MemberID
					leave.Members = []kmsg.LeaveGroupRequestMember{{MemberID: m.MemberID}}
					_, _ = cl.Request(ctx, leave)
				}
			}
		}
	}
}

func createTopics(t testing.TB, c *kfake.Cluster, topics ...string) {
	t.Helper()
	for _, name := range topics {
		if err := c.CreateTopic(name, partitions, map[string]string{"cleanup.policy": "delete"}); err != nil {
			t.Fatal(err)
		}
	}
}

func brokerOptions(port int, dir string) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.Ports(port),
		kfake.GroupMinSessionTimeout(500 * time.Millisecond),
		kfake.BrokerConfigs(map[string]string{"log.retention.ms": "-1", "log.segment.bytes": "8388608"}),
	}
	if dir != "" {
		opts = append(opts, kfake.DataDir(dir))
	}
	return opts
}

func productTopics() (names []string) {
	for _, t := range schemas.Topics() {
		names = append(names, t.Name)
	}
	return names
}

func brokerConfig(addr string) broker.Config {
	c := broker.DefaultConfig()
	c.Brokers, c.ClientID, c.Partitions = []string{addr}, "test", partitions
	return c
}

func (b *faultyBroker) produce(r kmsg.Request) (kmsg.Response, error, bool) {
	b.KeepControl()
	req := r.(*kmsg.ProduceRequest)
	names := make([]string, 0, len(req.Topics))
	for _, t := range req.Topics {
		if info := b.TopicIDInfo(t.TopicID); t.Topic == "" && info != nil {
			t.Topic = info.Topic
		}
		names = append(names, t.Topic)
	}
	b.mu.Lock()
	observe := b.observe
	var held chan struct{}
	for _, name := range names {
		if ch := b.held[name]; ch != nil {
			held = ch
		}
	}
	b.mu.Unlock()
	if observe != nil {
		observe(req)
	}
	if held != nil {
		b.holding.Add(1)
		b.SleepControl(func() { <-held })
		b.holding.Add(-1)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if b.slammed[name] {
			b.closed.Add(1)
			return nil, io.ErrClosedPipe, true
		}
	}
	return nil, nil, false
}

// hold leaves writes to a topic without an answer until release is called.
func (b *faultyBroker) hold(t testing.TB, topic string) (release func()) {
	ch := make(chan struct{})
	b.mu.Lock()
	b.held[topic] = ch
	b.mu.Unlock()
	release = sync.OnceFunc(func() {
		b.mu.Lock()
		delete(b.held, topic)
		b.mu.Unlock()
		close(ch)
	})
	t.Cleanup(release)
	return release
}

// slam closes the connection of whoever writes to a topic, until release is called.
func (b *faultyBroker) slam(topic string) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slammed[topic] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.slammed, topic)
	}
}

// refuse answers writes to a topic with an error until release is called.
func (b *faultyBroker) refuse(topic string, err *kerr.Error) (release func()) {
	return b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: err, Count: -1}).Remove
}

const troubles = 5

// trouble makes writes to a topic fail in one of several ways, until release is called; hits counts the
// writes that have failed.
func (b *faultyBroker) trouble(kind int, topic string) (release func(), hits func() int) {
	fault := func(err *kerr.Error) (func(), func() int) {
		h := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: err, Count: -1})
		return h.Remove, h.Hits
	}
	before := b.closed.Load()
	closed := func() int { return int(b.closed.Load() - before) }
	switch kind {
	case 0:
		return fault(kerr.NotLeaderForPartition)
	case 1: // taken, and answered with an error all the same
		return fault(kerr.RequestTimedOut)
	case 2:
		return fault(kerr.NotEnoughReplicasAfterAppend)
	case 3:
		return b.slam(topic), closed
	default: // taken, and the answer is lost, whatever the topic
		b.cutAnswers.Store(500)
		return func() { b.cutAnswers.Store(0) }, closed
	}
}

// misbehave refuses writes to random topics in random ways, for windows of 0.2 s up to longest, until the
// context ends. It returns the number of windows.
func (b *faultyBroker) misbehave(ctx context.Context, r *rand.Rand, longest time.Duration, topics []string) (windows int) {
	for ; ctx.Err() == nil; windows++ {
		release, _ := b.trouble(r.IntN(troubles), topics[r.IntN(len(topics))])
		pause(ctx, 200*time.Millisecond+time.Duration(r.Int64N(int64(longest-200*time.Millisecond))))
		release()
		pause(ctx, time.Duration(r.Int64N(int64(time.Second))))
	}
	return windows
}

// pause is for random moments only.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// cuttingListener hands out connections whose answers can be lost.
type cuttingListener struct {
	net.Listener
	b *faultyBroker
}

func (l cuttingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.b.mu.Lock()
	l.b.connected[c.RemoteAddr().String()] = true
	l.b.mu.Unlock()
	return &cuttingConn{Conn: c, b: l.b}, nil
}

// cuttingConn follows the frames of its requests to know whether a producer is at the other end: 4 bytes
// length, 2 bytes kind, the rest.
type cuttingConn struct {
	net.Conn
	b        *faultyBroker
	header   []byte
	rest     int64
	produces atomic.Bool
}

func (c *cuttingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for b := p[:n]; len(b) > 0; {
		if c.rest > 0 {
			skip := min(c.rest, int64(len(b)))
			c.rest -= skip
			b = b[skip:]
			continue
		}
		take := min(6-len(c.header), len(b))
		c.header = append(c.header, b[:take]...)
		b = b[take:]
		if len(c.header) == 6 {
			h := c.header
			c.rest = int64(h[0])<<24 + int64(h[1])<<16 + int64(h[2])<<8 + int64(h[3]) - 2
			if h[4] == 0 && h[5] == byte(kmsg.Produce) {
				c.produces.Store(true)
			}
			c.header = h[:0]
		}
	}
	return n, err
}

func (c *cuttingConn) Close() error {
	c.b.mu.Lock()
	delete(c.b.connected, c.RemoteAddr().String())
	c.b.mu.Unlock()
	return c.Conn.Close()
}

func (c *cuttingConn) Write(p []byte) (int, error) {
	if c.produces.Load() && rand.Int64N(1000) < c.b.cutAnswers.Load() {
		c.b.closed.Add(1)
		_ = c.Conn.Close()
		return 0, io.ErrClosedPipe
	}
	return c.Conn.Write(p)
}

func kafkaClient(t testing.TB, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.MetadataMinAge(50 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// await polls a condition until it holds.
func await(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
