package load

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/feigeio/feige/chatrelay"
	"github.com/feigeio/feige/ingest"
	"github.com/feigeio/feige/internal/broker"
	ekafka "github.com/feigeio/feige/internal/embedded/kafka"
	"github.com/feigeio/feige/internal/policy"
	"github.com/feigeio/feige/internal/signin"
)

func TestRun(t *testing.T) {
	t.Parallel()
	kafka, err := ekafka.Start(t.Context(), ekafka.Config{Addr: "127.0.0.1:0"}, ekafka.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kafka.Close() })
	b := broker.DefaultConfig()
	b.Brokers = []string{kafka.Addr()}
	if _, err := ingest.ApplyTopics(t.Context(), b, "", ingest.EmbeddedTopics()); err != nil {
		t.Fatal(err)
	}
	pub, err := ingest.NewPublisher(ingest.DefaultConfig(), ingest.Dependencies{Broker: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pub.Close() })
	cfg := chatrelay.DefaultConfig()
	cfg.Addr, cfg.KeysFile = "127.0.0.1:0", filepath.Join(t.TempDir(), "keys.yaml")
	if err := signin.CreateKeys(cfg.KeysFile); err != nil {
		t.Fatal(err)
	}
	keys, err := signin.LoadKeys(cfg.KeysFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := chatrelay.New(cfg, chatrelay.Dependencies{Broker: b, Publisher: pub, Policy: policy.Default()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	idle := false
	rep, err := Run(t.Context(), Config{URLs: []string{r.URL()}, Connections: 60, Shops: 3, Agents: 2, Rate: 100, Duration: 2 * time.Second, Opening: 16,
		Client: "open-api", Bytes: 40, Idle: func() { idle = true },
		Token: func(role signin.Role, account, shop string) (string, error) {
			return keys.Issue(signin.Identity{Role: role, Account: account, Shop: shop}, time.Now(), time.Hour)
		}})
	if err != nil {
		t.Fatal(err)
	}
	if !idle || rep.Sent != 200 || rep.Acked != 200 || rep.Failed != 0 || rep.Ack.N != 200 || rep.Delivery.N != 200 || !rep.Check.OK() {
		t.Errorf("report %+v", rep)
	}
	// Each message reaches its consumer and both agents.
	if rep.Check.Numbered != 600 {
		t.Errorf("%d deliveries", rep.Check.Numbered)
	}
}
