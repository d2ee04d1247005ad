package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type doctorCmd struct{}

// doctorTimeout bounds all checks together.
const doctorTimeout = 60 * time.Second

// verdict of one check.
type verdict string

const (
	fine    verdict = "ok"
	doubt   verdict = "warn"
	trouble verdict = "fail"
)

func (doctorCmd) Run(a *app) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(a.ctx, doctorTimeout)
	defer cancel()
	d := &doctor{settings: s, out: a.stdout}
	d.tell(fine, "configuration", "is valid", "")
	d.checkPolicy()
	d.checkLibrary()
	d.checkDataDir()
	d.checkDisk()
	d.checkPorts(ctx)
	d.checkKafka(ctx)
	d.checkClickHouse(ctx)
	fmt.Fprintf(a.stdout, "\n%d ok, %d warnings, %d failed\n", d.counts[fine], d.counts[doubt], d.counts[trouble])
	if d.counts[trouble] > 0 {
		return silent(codeDifference)
	}
	return nil
}

// doctor goes through the checks in the order in which things depend on one another.
type doctor struct {
	settings settings
	out      io.Writer
	counts   map[verdict]int
	// running says who holds the data directory; empty: nobody, so that nothing of ours runs on it.
	running string
}

func (d *doctor) tell(v verdict, subject, seen, advice string) {
	if d.counts == nil {
		d.counts = map[verdict]int{}
	}
	d.counts[v]++
	line := fmt.Sprintf("%-4s  %-26s %s", v, subject, strings.ReplaceAll(seen, "\n", " "))
	if advice != "" {
		line += ": " + advice
	}
	fmt.Fprintln(d.out, line)
}

// away is the verdict on an engine that does not answer: it is no trouble when it would be the embedded
// one, and that has simply not been started.
func (d *doctor) away(addrs []string, embedded string) (verdict, string) {
	if d.running == "" && len(addrs) == 1 && addrs[0] == embedded {
		return doubt, "start it with: feige up"
	}
	return trouble, "start it, or correct the address"
}

func (d *doctor) checkKafka(ctx context.Context) {
	s := d.settings
	if err := s.Kafka.Ping(ctx); err != nil {
		v, advice := d.away(s.Kafka.Brokers, s.Embedded.Kafka.Addr)
		d.tell(v, "kafka", err.Error(), advice)
		return
	}
	d.tell(fine, "kafka", strings.Join(s.Kafka.Brokers, ", ")+" answers", "")
	options, err := s.Kafka.KGO()
	if err != nil {
		d.tell(trouble, "kafka", err.Error(), "correct the section kafka")
		return
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		d.tell(trouble, "kafka", err.Error(), "correct the section kafka")
		return
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if d.checkTopics(ctx, admin) {
		d.checkLag(ctx, admin)
	}
}
