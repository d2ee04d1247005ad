package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// newClusterInstallation is one whose Kafka is elsewhere; only ClickHouse is brought along.
func newClusterInstallation(t *testing.T, kafka string) *installation {
	t.Helper()
	in := newInstallation(t)
	in.kafka = kafka
	in.configure(fmt.Sprintf(`kafka: {brokers: [%q]}
clickhouse: {addr: [%q]}
embedded: {engines: [clickhouse], clickhouse: {addr: %[2]q}}
`, in.kafka, in.clickhouse), hasty)
	return in
}

// The whole way on a real Apache Kafka, with every role in a process of its own.
func TestRealKafka(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: -short leaves out what runs engines")
	}
	kafka := startServer(t)
	in := newClusterInstallation(t, kafka.addr)
	rows := recorded(t)
	in.onEngines(func(*process) {
		const ns = "plain"
		in.namespace(ns)
		processors, sinks := in.roles(ns)
		began := time.Now()
		got := in.must("replay", "--namespace="+ns, absolute(t, examples+"/irc_support_channels.csv"), absolute(t, examples+"/irc_support_train.csv.gz"))
		contains(t, got, fmt.Sprintf("published %d events", len(rows)))
		t.Logf("replayed in %v", time.Since(began).Round(time.Millisecond))
		in.audit(ns)
		t.Logf("replayed, caught up, and audited in %v", time.Since(began).Round(time.Millisecond))
		in.checkRows(ns, rows)
		in.checkNoRepeats(ns)
		contains(t, in.must("replay", "--namespace="+ns, absolute(t, examples+"/irc_support_channels.csv"), absolute(t, examples+"/irc_support_train.csv.gz")),
			"nothing was published again")
		processors.stop()
		sinks.stop()
		if t.Failed() {
			return
		}
		in.underFaults("faults", nil, []fault{
			{"Kafka is stopped and started", func() { kafka.restart(syscall.SIGTERM) }},
			{"Kafka is killed and started", func() { kafka.restart(syscall.SIGKILL) }},
		})
	})
}
