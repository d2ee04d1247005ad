package kafka

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	bad := func(name, want string, change func(*Config)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := DefaultConfig()
			change(&c)
			err := c.Validate()
			if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
				t.Fatalf("got %v, want an error that begins with %q", err, want)
			}
		})
	}
	bad("default", "", func(*Config) {})
	bad("no housekeeping section", "", func(c *Config) { c.Housekeeping = Housekeeping{} })
	bad("no bounds", "", func(c *Config) { c.Housekeeping.Events, c.Housekeeping.Others = Retention{}, Retention{} })
	bad("no port", `addr: "127.0.0.1" is not host:port`, func(c *Config) { c.Addr = "127.0.0.1" })
	bad("port too large", `addr: "127.0.0.1:70000"`, func(c *Config) { c.Addr = "127.0.0.1:70000" })
	bad("not loopback", `addr: "0.0.0.0:9092"`, func(c *Config) { c.Addr = "0.0.0.0:9092" })
	bad("interval", "housekeeping.interval: 10ms", func(c *Config) { c.Housekeeping.Interval = 10 * time.Millisecond })
	bad("settle", "housekeeping.settle: -1s", func(c *Config) { c.Housekeeping.Settle = -time.Second })
	bad("records", "housekeeping.compact_min_records: 0", func(c *Config) { c.Housekeeping.CompactMinRecords = 0 })
	bad("factor", "housekeeping.compact_factor: 1", func(c *Config) { c.Housekeeping.CompactFactor = 1 })
	bad("age", "housekeeping.events.age: 1s", func(c *Config) { c.Housekeeping.Events.Age = time.Second })
	bad("bytes", "housekeeping.others.bytes: 100", func(c *Config) { c.Housekeeping.Others.Bytes = 100 })
}

func TestStartFailsInOneLine(t *testing.T) {
	t.Parallel()
	fails := func(t *testing.T, cfg Config, want ...string) {
		t.Helper()
		b, err := Start(testContext(t), cfg, Dependencies{})
		if err == nil {
			_ = b.Close()
			t.Fatal("it started")
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q is more than one line", err)
		}
	}
	t.Run("directory in use", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		b := start(t, Config{Dir: dir})
		fails(t, Config{Dir: dir, Addr: "127.0.0.1:0"}, dir, fmt.Sprintf("process %d", os.Getpid()))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		start(t, Config{Dir: dir})
	})
	t.Run("port in use", func(t *testing.T) {
		t.Parallel()
		b, dir := start(t, Config{}), t.TempDir()
		fails(t, Config{Addr: b.Addr(), Dir: dir}, "address "+b.Addr()+" is in use")
		start(t, Config{Dir: dir}) // the failed start gave the directory back
	})
	t.Run("no directory can be made", func(t *testing.T) {
		t.Parallel()
		fails(t, Config{Addr: "127.0.0.1:0", Dir: "/dev/null/kafka"}, "/dev/null")
	})
	t.Run("bad address", func(t *testing.T) {
		t.Parallel()
		fails(t, Config{Addr: "9092"}, `addr: "9092"`)
	})
}

// A record written by each client is read by each other.
func TestClientsOfAllKinds(t *testing.T) {
	t.Parallel()
	b, ctx := start(t, Config{Dir: t.TempDir()}), testContext(t)
	c := client(t, b.Addr())
	createTopics(t, c, 1, "t")

	w := &kafka.Writer{Addr: kafka.TCP(b.Addr()), Topic: "t", BatchTimeout: time.Millisecond, RequiredAcks: kafka.RequireAll}
	defer w.Close()
	if err := w.WriteMessages(ctx, kafka.Message{Value: []byte("kafka-go")}); err != nil {
		t.Fatal(err)
	}
	sc := sarama.NewConfig()
	sc.Version = sarama.V3_6_0_0
	sc.Producer.Return.Successes = true
	sp, err := sarama.NewSyncProducer([]string{b.Addr()}, sc)
	if err != nil {
		t.Fatal(err)
	}
	defer sp.Close()
	if _, _, err := sp.SendMessage(&sarama.ProducerMessage{Topic: "t", Value: sarama.StringEncoder("sarama")}); err != nil {
		t.Fatal(err)
	}
	write(t, c, &kgo.Record{Topic: "t", Value: []byte("franz-go")})
	want := []string{"kafka-go", "sarama", "franz-go"}

	check := func(who string, next func() (string, error)) {
		t.Helper()
		for _, w := range want {
			if got, err := next(); err != nil || got != w {
				t.Errorf("%s reads %q (%v), want %q", who, got, err, w)
			}
		}
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{b.Addr()}, Topic: "t", GroupID: "g", StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	check("kafka-go", func() (string, error) { m, err := r.ReadMessage(ctx); return string(m.Value), err })

	consumer, err := sarama.NewConsumer([]string{b.Addr()}, sc)
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	pc, err := consumer.ConsumePartition("t", 0, sarama.OffsetOldest)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	check("sarama", func() (string, error) {
		select {
		case m := <-pc.Messages():
			return string(m.Value), nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})
	all := contents(t, b, "t", 0)
	check("franz-go", func() (string, error) {
		if len(all) == 0 {
			return "", fmt.Errorf("no more records")
		}
		v := string(all[0].Value)
		all = all[1:]
		return v, nil
	})
}

func TestNoTopicIsCreatedByAsking(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	c := client(t, b.Addr(), kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
	ctx, cancel := context.WithTimeout(testContext(t), 20*time.Second)
	defer cancel()
	if err := c.ProduceSync(ctx, &kgo.Record{Topic: "nobody.made.it"}).FirstErr(); err == nil {
		t.Error("a record went to a topic that nobody has created")
	}
	listed, err := kadm.NewClient(c).ListTopics(ctx)
	if err != nil || len(listed) != 0 {
		t.Errorf("topics %v (%v), want none", listed.Names(), err)
	}
}

// Whoever is no Kafka client is turned away, and the others do not notice.
func TestOtherProtocolsAreTurnedAway(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	c := client(t, b.Addr())
	send := func(name string, bytes []byte) {
		conn, err := net.Dial("tcp", b.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(bytes); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil {
			t.Errorf("%s: answered with %q", name, line)
		} else if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Errorf("%s: the connection stays open", name)
		}
		if err := c.Ping(testContext(t)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	send("HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	send("TLS", []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3})
	send("unknown kind", []byte{0, 0, 0, 14, 0x70, 0, 0, 0, 0, 0, 0, 1, 0, 4, 'x', 'x', 'x', 'x'})
	send("negative kind", []byte{0, 0, 0, 10, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 0, 0})
	send("short frame", []byte{0, 0, 0, 1, 0, 0, 0, 0})
}

func TestRestart(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), testContext(t)
	registry := prometheus.NewRegistry()
	open := func() *Broker {
		b, err := Start(ctx, Config{Dir: dir, Addr: "127.0.0.1:0"}, Dependencies{Registry: registry})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := open()
	c := client(t, b.Addr())
	createTopics(t, c, 2, events)
	for i := range 100 {
		write(t, c, &kgo.Record{Topic: events, Partition: int32(i % 2), Value: fmt.Append(nil, i)})
	}
	commit(t, c, "g", events, 1, 17)
	member := client(t, b.Addr(), kgo.ConsumeTopics(events), kgo.ConsumerGroup("members"), kgo.SessionTimeout(6*time.Second))
	if err := member.PollFetches(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil { // with a member that does not leave
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error("closed again:", err)
	}
	member.CloseAllowingRebalance()
	c.Close()

	b = open()
	defer b.Close()
	c = client(t, b.Addr())
	for p := range int32(2) {
		got := contents(t, b, events, p)
		if len(got) != 50 {
			t.Fatalf("partition %d has %d records, want 50", p, len(got))
		}
		for i, r := range got {
			if want := fmt.Sprint(2*i + int(p)); string(r.Value) != want || r.Offset != int64(i) {
				t.Errorf("record %d of partition %d is %q at %d, want %q", i, p, r.Value, r.Offset, want)
			}
		}
	}
	admin := kadm.NewClient(c)
	committed, err := admin.FetchOffsets(ctx, "g")
	if o, ok := committed.Lookup(events, 1); err != nil || !ok || o.At != 17 {
		t.Errorf("commit %v (%v), want 17", o.At, err)
	}
	configs, err := admin.DescribeTopicConfigs(ctx, events)
	if err != nil {
		t.Fatal(err)
	}
	rc, _ := configs.On(events, nil)
	policy := ""
	for _, kv := range rc.Configs {
		if kv.Key == "cleanup.policy" {
			policy = kv.MaybeValue()
		}
	}
	if policy != "delete" {
		t.Errorf("cleanup.policy %q, want delete", policy)
	}
	// The member that was there at the end is not waited for.
	groups, err := admin.DescribeGroups(ctx, "members")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(groups["members"].Members); n != 0 {
		t.Errorf("the group has %d members after the restart, want none", n)
	}
}

// What a topic asks for does not let the broker's own cleaning loose.
func TestBrokerDoesNotClean(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	admin := kadm.NewClient(client(t, b.Addr()))
	configs, err := admin.DescribeBrokerConfigs(testContext(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"log.retention.ms": "-1", "log.retention.bytes": "-1", "log.segment.bytes": "8388608",
		"log.cleaner.backoff.ms": "3153600000000", "offsets.retention.minutes": "52560000", "message.max.bytes": "1048588",
	}
	for _, rc := range configs {
		for _, kv := range rc.Configs {
			if w, ok := want[kv.Key]; ok && kv.MaybeValue() == w {
				delete(want, kv.Key)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not so set: %v", want)
	}
}

func FuzzFollow(f *testing.F) {
	f.Add([]byte{0, 0, 0, 10, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0}, 1)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 3)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		whole, pieces := guardedConn{}, guardedConn{}
		err := whole.follow(stream)
		piece = max(1, piece%16)
		var err2 error
		for rest := stream; len(rest) > 0 && err2 == nil; rest = rest[min(piece, len(rest)):] {
			err2 = pieces.follow(rest[:min(piece, len(rest))])
		}
		if (err == nil) != (err2 == nil) {
			t.Fatalf("whole: %v, in pieces of %d: %v", err, piece, err2)
		}
	})
}
