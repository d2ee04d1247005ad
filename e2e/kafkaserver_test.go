package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pom names the version of Apache Kafka, plugin what fetches it.
const (
	pom    = "testdata/kafka/pom.xml"
	plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
)

// server is an Apache Kafka of one node in KRaft mode on loopback.
type server struct {
	t                *testing.T
	addr, properties string
	jars             string
	process          *process
}

// startServer starts a new one and waits until it answers.
func startServer(t *testing.T) *server {
	t.Helper()
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%s is not installed: the tests on a real Apache Kafka need Java 17 and Maven", tool)
		}
	}
	dir := t.TempDir()
	s := &server{t: t, addr: freeAddr(t), properties: filepath.Join(dir, "server.properties"), jars: filepath.Join(jars(t), "*")}
	controller := freeAddr(t)
	if err := os.WriteFile(s.properties, fmt.Appendf(nil, `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=%[2]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=%[3]s
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
`, s.addr, controller, filepath.Join(dir, "logs")), 0o600); err != nil {
		t.Fatal(err)
	}
	const cluster = "ZmVpZ2UtZTJlLXRlc3RzMA" // any 16 bytes
	format := exec.Command("java", "-cp", s.jars, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", s.properties, "--standalone")
	if got := finish(t, format); got.code != 0 {
		t.Fatalf("formatting Kafka's storage: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.process = launch(s.t, "Apache Kafka", "", exec.Command("java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", s.jars, "kafka.Kafka", s.properties))
	client, err := kgo.NewClient(kgo.SeedBrokers(s.addr), kgo.RetryTimeout(time.Second), kgo.DialTimeout(time.Second))
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	eventually(s.t, "Apache Kafka answers", func() bool {
		if !s.process.running() {
			s.t.Fatalf("Apache Kafka ended with exit code %d", s.process.code())
		}
		ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Second)
		defer cancel()
		// Its metadata names a broker only once that is registered.
		brokers, err := kadm.NewClient(client).ListBrokers(ctx)
		return err == nil && len(brokers) == 1
	})
	s.t.Logf("Apache Kafka answers after %v", time.Since(s.process.began).Round(time.Millisecond))
}

// restart ends it, cleanly or at once, and starts it again on the same data.
func (s *server) restart(how syscall.Signal) {
	s.t.Helper()
	if err := s.process.command.Process.Signal(how); err != nil {
		s.t.Fatal(err)
	}
	s.process.wait()
	s.start()
}

// jars is the directory with Kafka's jars, fetched once for this machine and user.
func jars(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(pom)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		missing(t, "no cache directory for Kafka's jars: %v", err)
	}
	sum := sha256.Sum256(content)
	dir := filepath.Join(cache, "feige", "kafka", hex.EncodeToString(sum[:6]))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Unlock() }()
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		t.Fatal(err)
	}
	fetch := exec.Command("mvn", "-q", "-B", "-f", pom, plugin, "-DoutputDirectory="+part, "-DincludeScope=runtime")
	if got := finish(t, fetch); got.code != 0 {
		t.Fatalf("fetching Apache Kafka through Maven: exit code %d\n%s%s", got.code, tail(got.stdout), tail(got.stderr))
	}
	found, err := filepath.Glob(filepath.Join(part, "kafka-server-*.jar"))
	if err != nil || len(found) == 0 {
		t.Fatalf("Maven fetched no Kafka into %s: %v", part, err)
	}
	if err := os.Rename(part, dir); err != nil {
		t.Fatal(err)
	}
	t.Logf("Apache Kafka is in %s, version %s", dir, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), "kafka-server-"), ".jar"))
	return dir
}
