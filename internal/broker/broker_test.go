package broker

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/goccy/go-yaml"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	check := func(name, want string, change func(*Config)) {
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
	sasl := SASL{Mechanism: MechanismPlain, Username: "u", Password: "p"}
	check("default", "", func(*Config) {})
	check("zero timeouts", "", func(c *Config) { c.DialTimeout, c.RequestTimeout = 0, 0 })
	check("IPv6", "", func(c *Config) { c.Brokers = []string{"[::1]:9092"} })
	check("no brokers", "brokers:", func(c *Config) { c.Brokers = nil })
	check("no port", `brokers[1]: "b": not host:port`, func(c *Config) { c.Brokers = []string{"a:1", "b"} })
	check("no host", `brokers[0]: ":9092"`, func(c *Config) { c.Brokers = []string{":9092"} })
	check("port 0", `brokers[0]: "a:0"`, func(c *Config) { c.Brokers = []string{"a:0"} })
	check("port name", `brokers[0]: "a:kafka"`, func(c *Config) { c.Brokers = []string{"a:kafka"} })
	check("client id", `client_id: "a b"`, func(c *Config) { c.ClientID = "a b" })
	check("no client id", "client_id:", func(c *Config) { c.ClientID = "" })
	check("partitions", "partitions: 0", func(c *Config) { c.Partitions = 0 })
	check("many partitions", "partitions: 10001", func(c *Config) { c.Partitions = 10001 })
	check("replication", "replication: 0", func(c *Config) { c.Replication = 0 })
	check("dial timeout", "dial_timeout: 1ms", func(c *Config) { c.DialTimeout = time.Millisecond })
	check("request timeout", "request_timeout: 1s", func(c *Config) { c.RequestTimeout = time.Second })
	check("tls off", "tls.enabled:", func(c *Config) { c.TLS.CAFile = "ca.pem" })
	check("cert without key", "tls.cert_file and tls.key_file:", func(c *Config) { c.TLS = TLS{Enabled: true, CertFile: "c.pem"} })
	check("sasl", "", func(c *Config) { c.SASL = sasl })
	check("password file", "", func(c *Config) { c.SASL = sasl; c.SASL.Password = ""; c.SASL.PasswordFile = "f" })
	check("mechanism", `sasl.mechanism: "GSSAPI"`, func(c *Config) { c.SASL = sasl; c.SASL.Mechanism = "GSSAPI" })
	check("no mechanism", "sasl.mechanism: is empty", func(c *Config) { c.SASL = sasl; c.SASL.Mechanism = "" })
	check("no user", "sasl.username:", func(c *Config) { c.SASL = sasl; c.SASL.Username = "" })
	check("no password", "sasl.password and sasl.password_file:", func(c *Config) { c.SASL = sasl; c.SASL.Password = "" })
	check("two passwords", "sasl.password and sasl.password_file:", func(c *Config) { c.SASL = sasl; c.SASL.PasswordFile = "f" })
}

// cluster is a broker with one topic.
func cluster(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "t")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

// reach lets each of the clients write a record and returns what they say.
func reach(t *testing.T, c Config) map[string]error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := map[string]error{}

	opts, err := c.KGO()
	if err == nil {
		var client *kgo.Client
		if client, err = kgo.NewClient(append(opts, kgo.RequestRetries(0), kgo.RecordRetries(0))...); err == nil {
			defer client.Close()
			if err = client.Ping(ctx); err == nil {
				err = client.ProduceSync(ctx, &kgo.Record{Topic: "t"}).FirstErr()
			}
		}
	}
	got["franz-go"] = err

	conf, err := c.Sarama()
	if err == nil {
		conf.Producer.Return.Successes = true
		conf.Metadata.Retry.Max = 0
		var p sarama.SyncProducer
		if p, err = sarama.NewSyncProducer(c.Brokers, conf); err == nil {
			defer p.Close()
			_, _, err = p.SendMessage(&sarama.ProducerMessage{Topic: "t"})
		}
	}
	got["sarama"] = err

	transport, err := c.KafkaGo()
	if err == nil {
		w := &kafka.Writer{Addr: kafka.TCP(c.Brokers...), Topic: "t", Transport: transport, BatchTimeout: time.Millisecond, MaxAttempts: 1}
		defer w.Close()
		err = w.WriteMessages(ctx, kafka.Message{Value: []byte("x")})
	}
	got["kafka-go"] = err
	return got
}

func reachesAll(t *testing.T, c Config) {
	t.Helper()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error("ping:", err)
	}
	for client, err := range reach(t, c) {
		if err != nil {
			t.Errorf("%s: %v", client, err)
		}
	}
}

func reachesNone(t *testing.T, c Config, ping ...string) {
	t.Helper()
	err := c.Ping(t.Context())
	if err == nil {
		t.Fatal("ping: no error")
	}
	for _, w := range append(ping, c.Brokers[0]) {
		if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ping: %q does not say %q in one line", err, w)
		}
	}
	for client, err := range reach(t, c) {
		if err == nil {
			t.Errorf("%s got through", client)
		}
	}
}

func to(addr string) Config {
	c := DefaultConfig()
	c.Brokers = []string{addr}
	return c
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	reachesAll(t, to(cluster(t)))
	reachesAll(t, Config{Brokers: []string{cluster(t)}, ClientID: "only", Partitions: 1, Replication: 1})
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	err = to(addr).Ping(t.Context())
	if want := "kafka at " + addr + " does not answer: connect: connection refused"; err == nil || err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := to(l.Addr().String())
	c.DialTimeout = 200 * time.Millisecond
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer: nothing within 200ms") {
		t.Errorf("got %v", err)
	}
}

func TestSASL(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{MechanismPlain, MechanismScramSHA256, MechanismScramSHA512} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			c := to(cluster(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "feige", "s3cret")))
			c.SASL = SASL{Mechanism: mechanism, Username: "feige", Password: "s3cret"}
			reachesAll(t, c)

			file := filepath.Join(t.TempDir(), "password")
			if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.SASL.Password, c.SASL.PasswordFile = "", file
			reachesAll(t, c)

			c.SASL.Password, c.SASL.PasswordFile = "wrong", ""
			reachesNone(t, c, "kafka.sasl") // this broker hangs up where Kafka answers
			c.SASL = SASL{}
			reachesNone(t, c, "kafka.sasl")
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser(MechanismPlain, "feige", "s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	k.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	c := to(k.ListenAddrs()[0])
	c.SASL = SASL{Mechanism: MechanismPlain, Username: "feige", Password: "s3cret"}
	err = c.Ping(t.Context())
	if want := "kafka at " + c.Brokers[0] + ` refuses user "feige" (PLAIN): `; err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestFilesThatAreWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	fails := func(name, want string, change func(*Config)) {
		c := DefaultConfig()
		change(&c)
		_, err1 := c.KGO()
		_, err2 := c.Sarama()
		_, err3 := c.KafkaGo()
		for _, err := range []error{err1, err2, err3, c.Ping(t.Context())} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
		}
	}
	missing := filepath.Join(dir, "missing")
	fails("no CA file", "kafka: tls.ca_file: open "+missing, func(c *Config) { c.TLS = TLS{Enabled: true, CAFile: missing} })
	fails("no certificate in it", "kafka: tls.ca_file: no PEM certificate in "+empty, func(c *Config) { c.TLS = TLS{Enabled: true, CAFile: empty} })
	fails("no key pair", "kafka: tls.cert_file "+empty, func(c *Config) { c.TLS = TLS{Enabled: true, CertFile: empty, KeyFile: missing} })
	fails("no password file", "kafka: sasl.password_file: open "+missing, func(c *Config) { c.SASL = SASL{Mechanism: MechanismPlain, Username: "u", PasswordFile: missing} })
	fails("empty password file", "kafka: sasl.password_file: "+empty+" is empty", func(c *Config) { c.SASL = SASL{Mechanism: MechanismPlain, Username: "u", PasswordFile: empty} })
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := authority(t)
	caFile := write(t, dir, "ca.pem", "CERTIFICATE", ca.cert.Raw)
	server := ca.issue(t, "kafka.test")
	ours := ca.issue(t, "feige")
	certFile := write(t, dir, "cert.pem", "CERTIFICATE", ours.Certificate[0])
	key, err := x509.MarshalECPrivateKey(ours.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	keyFile := write(t, dir, "key.pem", "EC PRIVATE KEY", key)
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	mutual := to(cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}),
		kfake.EnableSASL(), kfake.Superuser(MechanismScramSHA512, "feige", "s3cret")))
	mutual.TLS = TLS{Enabled: true, CAFile: caFile, CertFile: certFile, KeyFile: keyFile, ServerName: "kafka.test"}
	mutual.SASL = SASL{Mechanism: MechanismScramSHA512, Username: "feige", Password: "s3cret"}
	reachesAll(t, mutual)
	noCert := mutual
	noCert.TLS.CertFile, noCert.TLS.KeyFile = "", ""
	reachesNone(t, noCert)

	c := to(cluster(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{server}})))
	c.TLS = TLS{Enabled: true, CAFile: caFile, ServerName: "kafka.test"}
	reachesAll(t, c)
	other := c
	other.TLS.ServerName = "other.test"
	reachesNone(t, other, "does not answer", "other.test")
	unknown := c
	unknown.TLS.CAFile = ""
	reachesNone(t, unknown, "does not answer", "unknown authority")
	off := c
	off.TLS = TLS{}
	reachesNone(t, off, "does not answer")
	needless := to(cluster(t))
	needless.TLS = c.TLS
	// The broker waits for more of what it takes for a request.
	needless.DialTimeout, needless.RequestTimeout = 300*time.Millisecond, 300*time.Millisecond
	reachesNone(t, needless, "does not answer")
}

type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func authority(t *testing.T) issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{cert, key}
}

func (i issuer) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, i.cert, &key.PublicKey, i.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func write(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPasswordIsNeverPrinted(t *testing.T) {
	t.Parallel()
	c := DefaultConfig()
	c.SASL = SASL{Mechanism: MechanismPlain, Username: "u", Password: "s3cret"}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "password", c.SASL.Password, "config", c)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "password", c.SASL.Password, "config", c)
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"log": logged.String(), "json": string(asJSON), "yaml": string(asYAML),
		"%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", c), "%s": fmt.Sprintf("%s", c.SASL.Password), "%q": fmt.Sprintf("%q", c.SASL),
	} {
		if strings.Contains(text, "s3cret") || !strings.Contains(text, hidden) {
			t.Errorf("%s: %s", name, text)
		}
	}
	var back Config
	if err := yaml.Unmarshal([]byte("sasl: {password: s3cret}"), &back); err != nil || back.SASL.Password != "s3cret" {
		t.Errorf("read %q (%v)", string(back.SASL.Password), err)
	}
}
