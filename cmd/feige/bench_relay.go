package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/feigeio/feige/chatrelay"
	"github.com/feigeio/feige/chatrelay/bot"
	"github.com/feigeio/feige/chatrelay/load"
	"github.com/feigeio/feige/ingest"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/ops"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
	"github.com/feigeio/feige/processors/conversations"
	"github.com/feigeio/feige/processors/reception"
	"github.com/feigeio/feige/processors/stream"
)

type benchCmd struct {
	Relay benchRelayCmd `cmd:"" help:"Measure the chat relay: latency at a steady rate, and memory of an idle connection."`
}

type benchRelayCmd struct {
	Connections int           `help:"Open connections." default:"10000"`
	Shops       int           `help:"Shops that they belong to." default:"100"`
	Agents      int           `help:"Agents of each shop; the rest are consumers." default:"2"`
	Rate        float64       `help:"Messages a second." default:"2000"`
	Duration    time.Duration `help:"How long." default:"60s"`
	Bytes       int           `help:"Bytes of a message's text." default:"60"`
	Takeovers   int           `help:"Then let consumers write one message too many in so many shops, one after the other (0: none)." default:"50"`
	URL         []string      `help:"Relays that run already (their limits must allow it; keys: relay.keys_file). Without: one is started in a process of its own, with embedded Kafka." placeholder:"URL"`
	Serve       string        `hidden:"" help:"Be that process, with this directory."`
}

func (c benchRelayCmd) Run(a *app) error {
	if c.Serve != "" {
		return c.serve(a)
	}
	s, err := a.settings()
	if err != nil {
		return err
	}
	keysFile, urls := s.relayConfig().KeysFile, c.URL
	var server *benchServer
	if len(urls) == 0 {
		if server, err = startBenchServer(a.ctx); err != nil {
			return err
		}
		defer server.stop()
		keysFile, urls = server.keys, []string{server.url}
	}
	keys, err := signin.LoadKeys(keysFile)
	if err != nil {
		return withCode(codeUsage, err)
	}
	fmt.Fprintf(a.stdout, "%d connections in %d shops, %g messages/s for %s\n", c.Connections, c.Shops, c.Rate, c.Duration)
	before := server.memory()
	idle := int64(0)
	work := load.Config{
		URLs: urls, Connections: c.Connections, Shops: c.Shops, Agents: c.Agents, Rate: c.Rate, Duration: c.Duration, Bytes: c.Bytes,
		Opening: 64, Client: "open-api",
		Token: func(role signin.Role, account, shop string) (string, error) {
			return keys.Issue(signin.Identity{Role: role, Account: account, Shop: shop}, time.Now(), 2*time.Hour)
		},
		Idle: func() {
			time.Sleep(5 * time.Second) // what opening took is given back
			idle = server.memory()
		},
	}
	rep, err := load.Run(a.ctx, work)
	if err != nil {
		return withCode(codeUnavailable, err)
	}
	row := func(name string, q load.Quantiles) {
		fmt.Fprintf(a.stdout, "%-22s p50 %8.1f   p90 %8.1f   p99 %8.1f   max %8.1f ms   (%d)\n", name, ms(q.P50), ms(q.P90), ms(q.P99), ms(q.Max), q.N)
	}
	fmt.Fprintf(a.stdout, "%-22s %s\n", "opened in", rep.Opening.Round(time.Millisecond))
	if before > 0 && idle > 0 {
		fmt.Fprintf(a.stdout, "%-22s %.1f KiB a connection (process: %.0f MiB before, %.0f MiB with all)\n", "memory when idle",
			float64(idle-before)/float64(c.Connections)/1024, float64(before)/(1<<20), float64(idle)/(1<<20))
	}
	fmt.Fprintf(a.stdout, "%-22s %d sent, %d acknowledged, %d refused; generator at worst %s late\n", "messages", rep.Sent, rep.Acked, rep.Failed, rep.Lag.Round(time.Millisecond))
	row("send to ack", rep.Ack)
	row("send to other side", rep.Delivery)
	k := rep.Check
	fmt.Fprintf(a.stdout, "%-22s %d deliveries: %d lost, %d duplicate, %d out of order, %d repeats dropped, %d reconnects\n", "clients' own check",
		k.Numbered, k.Lost, k.Duplicates, k.Reordered, k.Repeats, k.Reconnects)
	if c.Takeovers > 0 {
		t, err := load.Takeovers(a.ctx, work, c.Takeovers)
		if err != nil {
			return withCode(codeUnavailable, err)
		}
		row("11th message to mode", t.Mode)
		if t.Answer.N > 0 {
			row("11th to bot's answer", t.Answer)
		}
		if t.Missed > 0 {
			fmt.Fprintf(a.stdout, "%-22s %d without a takeover within 10 s (the processors run? working hours?)\n", "", t.Missed)
		}
	}
	if !k.OK() || rep.Failed > 0 {
		return withCode(codeDifference, fmt.Errorf("bench relay: not everything arrived once and in order, or was refused (%w)", errors.Join(rep.Err)))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// serve is a relay with embedded Kafka, until standard input ends.
func (c benchRelayCmd) serve(a *app) error {
	lean()
	s, err := a.settings()
	if err != nil {
		return err
	}
	// The rule of 2.1 at any hour.
	hours := []byte(`working_hours: ["08:00-23:00"]`)
	set, err := policy.Parse("default.yaml", bytes.ReplaceAll(policy.DefaultYAML(), hours, []byte(`working_hours: ["00:00-24:00"]`)))
	if err != nil {
		return err
	}
	logger := ops.NewLogger(a.stderr, ops.LogConfig{Level: "warn", Format: "text"})
	kcfg := s.Embedded.Kafka
	kcfg.Addr, kcfg.Dir = "127.0.0.1:0", filepath.Join(c.Serve, "kafka")
	kafka, err := ekafka.Start(a.ctx, kcfg, ekafka.Dependencies{Logger: logger})
	if err != nil {
		return err
	}
	defer kafka.Close()
	bcfg := s.Kafka
	bcfg.Brokers, bcfg.Replication = []string{kafka.Addr()}, 1
	if _, err := ingest.ApplyTopics(a.ctx, bcfg, "", ingest.EmbeddedTopics()); err != nil {
		return err
	}
	publisher, err := ingest.NewPublisher(s.Ingest, ingest.Dependencies{Broker: bcfg, Logger: logger})
	if err != nil {
		return err
	}
	defer publisher.Close()
	cfg := chatrelay.DefaultConfig()
	cfg.Addr, cfg.KeysFile, cfg.AutoAssign = "127.0.0.1:0", filepath.Join(c.Serve, "keys.yaml"), false
	// The limits are for people; this is a machine at one address.
	plenty := chatrelay.Rate{PerSecond: 1e6, Burst: 1e6}
	l := &cfg.Limits
	l.AddressConnections, l.Connections = 1_000_000, 1_000_000
	l.Connects, l.AccountMessages, l.AddressMessages, l.ShopMessages = plenty, plenty, plenty, plenty
	relay, err := chatrelay.New(cfg, chatrelay.Dependencies{Broker: bcfg, Publisher: publisher, Policy: set, Logger: logger})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	// What it takes to know that a bot receives.
	var processing sync.WaitGroup
	defer processing.Wait()
	defer stop()
	for _, build := range []func(stream.Config, stream.Dependencies) (*stream.Processor, error){conversations.New, reception.New} {
		p, err := build(s.Processors, stream.Dependencies{Broker: bcfg, Policy: set, Logger: logger})
		if err != nil {
			return err
		}
		processing.Go(func() {
			if err := p.Run(ctx); err != nil {
				logger.Error("processor", "error", err)
			}
		})
	}
	answering, err := bot.New(bot.DefaultConfig(), bot.Dependencies{Broker: bcfg, Publisher: publisher, Logger: logger})
	if err != nil {
		return err
	}
	processing.Go(func() {
		if err := answering.Run(ctx); err != nil {
			logger.Error("bot", "error", err)
		}
	})
	go func() {
		for (relay.Ready(ctx) != nil || answering.Ready(ctx) != nil) && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Fprintln(a.stdout, relay.URL())
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is the sign to stop
		stop()
	}()
	return relay.Run(ctx)
}

// benchServer is the process that serve runs in. nil: the relay is somebody else's.
type benchServer struct {
	cmd       *exec.Cmd
	in        io.Closer
	dir       string
	url, keys string
}

func startBenchServer(ctx context.Context) (*benchServer, error) {
	fail := func(err error) (*benchServer, error) {
		return nil, fmt.Errorf("starting the relay's process: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fail(err)
	}
	dir, err := os.MkdirTemp("", "feige-bench-")
	if err != nil {
		return fail(err)
	}
	b := &benchServer{dir: dir, keys: filepath.Join(dir, "keys.yaml")}
	if err := signin.CreateKeys(b.keys); err != nil {
		return fail(err)
	}
	b.cmd = exec.CommandContext(ctx, self, "bench", "relay", "--serve", dir)
	b.cmd.Stderr = os.Stderr
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return fail(err)
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return fail(err)
	}
	if err := b.cmd.Start(); err != nil {
		return fail(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.stop()
		return fail(err)
	}
	b.url = strings.TrimSpace(line)
	return b, nil
}

func (b *benchServer) stop() {
	b.in.Close()
	_ = b.cmd.Wait()        // its own errors are on standard error
	_ = os.RemoveAll(b.dir) // a temporary directory
}

// memory is the resident memory of the relay's process, bytes; 0: not known.
func (b *benchServer) memory() int64 {
	if b == nil {
		return 0
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(data), "\n") {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}
