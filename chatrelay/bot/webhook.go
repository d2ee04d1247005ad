package bot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sony/gobreaker/v2"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Headers of a request. The signature is the hexadecimal HMAC-SHA256, by the secret, of the timestamp, a '.', and
// the body.
const (
	TimestampHeader = "Feige-Timestamp" // Unix seconds
	SignatureHeader = "Feige-Signature"
)

// maxReply bounds the answer of another bot, bytes of JSON.
const maxReply = 64 << 10

// Question is what another bot is asked.
type Question struct {
	ShopID         string `json:"shopId"`
	ConversationID string `json:"conversationId"`
	ConsumerID     string `json:"consumerId"`
	MessageID      string `json:"messageId"`
	Kind           string `json:"kind"`
	Text           string `json:"text,omitempty"`
	SentAtUS       int64  `json:"sentAtUs"`
}

// Reply is its answer. An empty text leaves the answer to the list.
type Reply struct {
	Text string `json:"text"`
}

// webhook asks another bot. nil asks nobody.
type webhook struct {
	cfg     Webhook
	secret  []byte
	client  *http.Client
	breaker *gobreaker.CircuitBreaker[string]
	slots   chan struct{}
}

func newWebhook(cfg Webhook, logger *slog.Logger) (*webhook, error) {
	if cfg.URL == "" {
		return nil, nil
	}
	data, err := os.ReadFile(cfg.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("read bot.webhook.secret_file: %w", err)
	}
	secret := bytes.TrimRight(data, " \t\r\n")
	if len(secret) < 16 {
		return nil, fmt.Errorf("bot.webhook.secret_file %s: %d bytes, want 16 at least", cfg.SecretFile, len(secret))
	}
	return &webhook{
		cfg: cfg, secret: secret, slots: make(chan struct{}, cfg.Concurrency),
		client: &http.Client{
			Timeout:       cfg.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{MaxIdleConnsPerHost: cfg.Concurrency, MaxConnsPerHost: cfg.Concurrency, IdleConnTimeout: time.Minute,
				MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true},
		},
		breaker: gobreaker.NewCircuitBreaker[string](gobreaker.Settings{
			Name: "bot webhook", Timeout: cfg.Pause, MaxRequests: 1,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= cfg.Failures },
			IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, context.Canceled) },
			OnStateChange: func(_ string, from, to gobreaker.State) {
				logger.Warn("bot: webhook's circuit", "from", from.String(), "to", to.String())
			},
		}),
	}, nil
}

var errBusy = errors.New("too many questions at the same time")

// ask returns the other bot's answer. An error says why there is none; it holds nothing of the message.
func (w *webhook) ask(ctx context.Context, ev *chatv1.ChatEvent) (string, error) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	default:
		return "", errBusy
	}
	return w.breaker.Execute(func() (string, error) { return w.post(ctx, ev) })
}

func (w *webhook) post(ctx context.Context, ev *chatv1.ChatEvent) (string, error) {
	m := ev.GetMessage()
	body, err := json.Marshal(Question{ShopID: ev.ShopId, ConversationID: ev.ConversationId, ConsumerID: ev.GetActor().GetId(), MessageID: ev.EventId,
		Kind: m.GetKind().String(), Text: m.GetText(), SentAtUS: ev.OccurredAtUs})
	if err != nil {
		return "", fmt.Errorf("encode the question: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(TimestampHeader, now)
	req.Header.Set(SignatureHeader, Sign(w.secret, now, body))
	res, err := w.client.Do(req)
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	if err != nil {
		return "", fmt.Errorf("webhook: read the answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("webhook: status %d", res.StatusCode)
	}
	if len(data) > maxReply {
		return "", fmt.Errorf("webhook: an answer of more than %d bytes", maxReply)
	}
	var r Reply
	if err := json.Unmarshal(data, &r); err != nil {
		return "", errors.New("webhook: the answer is not the JSON object that it must be")
	}
	text := strings.TrimSpace(r.Text)
	if len(text) > maxAnswer || !utf8.ValidString(text) {
		return "", fmt.Errorf("webhook: an answer of %d bytes, at most %d of UTF-8", len(text), maxAnswer)
	}
	return text, nil
}

// Sign is the signature of a request.
func Sign(secret []byte, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(timestamp))
	h.Write([]byte{'.'})
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
