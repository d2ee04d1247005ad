package decisions

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/feigeio/feige/schemas"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Group is the consumer group of the webhook, without namespace.
const Group = "decisions-webhook"

// Headers of a call. The signature is the hexadecimal HMAC-SHA256, by the secret, of the timestamp, a '.', and the body.
const (
	TimestampHeader = "Feige-Timestamp" // Unix seconds
	SignatureHeader = "Feige-Signature"
)

// Webhook is told of every decision, in the order of a shop's, at least once.
type Webhook struct {
	// URL, http or https; empty: none.
	URL string `yaml:"url"`
	// SecretFile holds the secret that calls are signed with, at least 16 bytes.
	SecretFile string `yaml:"secret_file"`
	// Timeout of a call (100ms to 1m).
	Timeout time.Duration `yaml:"timeout"`
	// MaxPause between tries of a call that fails (1s to 1h). It is tried until it succeeds.
	MaxPause time.Duration `yaml:"max_pause"`
}

func defaultWebhook() Webhook {
	return Webhook{Timeout: 5 * time.Second, MaxPause: time.Minute}
}

func (c Webhook) validate() error {
	switch {
	case c.Timeout < 100*time.Millisecond || c.Timeout > time.Minute:
		return fmt.Errorf("timeout: %v is not in 100ms to 1m", c.Timeout)
	case c.MaxPause < time.Second || c.MaxPause > time.Hour:
		return fmt.Errorf("max_pause: %v is not in 1s to 1h", c.MaxPause)
	case c.URL == "":
		return nil
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("url: %q is not an http or https URL without user", c.URL)
	}
	if c.SecretFile == "" {
		return fmt.Errorf("secret_file is empty: calls must be signed")
	}
	return nil
}

type hook struct {
	cfg    Webhook
	api    *API
	secret []byte
	client *http.Client
	opts   []kgo.Opt
	log    *slog.Logger
	calls  *prometheus.CounterVec
}

func newHook(cfg Webhook, deps Dependencies, api *API) (*hook, error) {
	if cfg.URL == "" {
		return nil, nil
	}
	data, err := os.ReadFile(cfg.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("read decisions.webhook.secret_file: %w", err)
	}
	secret := bytes.TrimRight(data, " \t\r\n")
	if len(secret) < 16 {
		return nil, fmt.Errorf("decisions.webhook.secret_file %s: %d bytes, want 16 at least", cfg.SecretFile, len(secret))
	}
	opts, err := deps.Broker.KGO()
	if err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	h := &hook{cfg: cfg, api: api, secret: secret, log: deps.Logger,
		client: &http.Client{Timeout: cfg.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		opts: append(opts, kgo.ConsumerGroup(deps.Namespace.Topic(Group)), kgo.ConsumeTopics(deps.Namespace.Topic(schemas.TopicRestrictions)),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.FetchMaxWait(250*time.Millisecond), kgo.FetchMinBytes(1)),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "feige_decisions_webhook_total", Help: "Calls of the webhook, by outcome."}, []string{"outcome"})}
	if deps.Registry != nil {
		deps.Registry.MustRegister(h.calls)
	}
	return h, nil
}

// run calls for every decision until ctx ends, and commits what was taken.
func (h *hook) run(ctx context.Context) {
	client, err := kgo.NewClient(h.opts...)
	if err != nil {
		h.log.Error("decisions: the webhook cannot read", "error", err)
		return
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, 100)
		for _, rec := range fetches.Records() {
			var d chatv1.Decision
			if d.UnmarshalVT(rec.Value) == nil && !h.tell(ctx, &d, rec) {
				return
			}
			// One that fails is told again after a restart.
			if err := client.CommitRecords(ctx, rec); err != nil && ctx.Err() == nil {
				h.log.Warn("decisions: the webhook's place is not committed", "error", err)
			}
		}
	}
}

// tell tries until it is taken; false: ctx has ended.
func (h *hook) tell(ctx context.Context, d *chatv1.Decision, rec *kgo.Record) bool {
	body, err := json.Marshal(struct {
		ID string `json:"id"`
		Decision
	}{fmt.Sprintf("%d:%d", rec.Partition, rec.Offset), h.api.shape(d, true)})
	if err != nil {
		h.log.Error("decisions: a change cannot be encoded", "error", err)
		return true
	}
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, h.cfg.MaxPause) {
		err := h.post(ctx, body)
		if err == nil {
			h.calls.WithLabelValues("taken").Inc()
			return true
		}
		h.calls.WithLabelValues("failed").Inc()
		h.log.Warn("decisions: the webhook does not take a change; it is tried again", "shop", d.ShopId, "error", err, "pause", pause.String())
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

func (h *hook) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, h.secret)
	_, _ = fmt.Fprintf(mac, "%s.%s", now, body) // a hash takes everything
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(TimestampHeader, now)
	req.Header.Set(SignatureHeader, hex.EncodeToString(mac.Sum(nil)))
	res, err := h.client.Do(req)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("webhook: status %d", res.StatusCode)
	}
	return nil
}
