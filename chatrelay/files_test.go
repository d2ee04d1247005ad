package chatrelay

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

type uploadAnswer struct {
	Receipt    string
	Attachment struct{ ID, MimeType, FileName string }
	Code       protocol.Code
	Retry      bool
}

func upload(t *testing.T, r *Relay, token, query string, body io.Reader, header http.Header) (int, uploadAnswer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL()+"/upload"+query, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	req.Header.Set("X-File-Name", "%E5%8F%91%E7%A5%A8.png")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a uploadAnswer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, a
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	h := newBench(t)
	r := h.relay(func(c *Config, _ *Dependencies) {
		c.Attachments.URL, c.Origins = "file://"+t.TempDir(), []string{"shop.example"}
		c.Limits.AccountUploads = Rate{PerSecond: 0.01, Burst: 10}
	})
	token := h.token(signin.Consumer, "c1", "tea")
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	refused := func(status int, code protocol.Code, token, query string, body io.Reader, header http.Header) {
		t.Helper()
		if got, a := upload(t, r, token, query, body, header); got != status || a.Code != code || a.Receipt != "" {
			t.Errorf("%s: %d %+v, want %d %s", query, got, a, status, code)
		}
	}
	refused(401, protocol.CodeUnauthorized, "", "", nil, nil)
	refused(401, protocol.CodeUnauthorized, token+"x", "", nil, nil)
	refused(403, protocol.CodeForbidden, token, "?conversationId=c2", nil, nil)
	refused(403, protocol.CodeForbidden, h.token(signin.Reviewer, "r", ""), "?shopId=tea&conversationId=c1", nil, nil)
	refused(403, protocol.CodeClientRefused, token, "", nil, http.Header{"Origin": {"https://evil.example"}})
	refused(415, protocol.CodeBadFile, token, "", strings.NewReader("<svg/>"), nil)
	refused(413, protocol.CodeTooLarge, token, "", bytes.NewReader(make([]byte, 11<<20)), nil)
	refused(413, protocol.CodeTooLarge, token, "", io.MultiReader(bytes.NewReader(make([]byte, 11<<20))), nil) // of unknown length

	status, a := upload(t, r, token, "", bytes.NewReader(pic.Bytes()), http.Header{"Origin": {"https://shop.example"}})
	if status != 201 || a.Receipt == "" || a.Attachment.MimeType != "image/png" || a.Attachment.FileName != "发票.png" {
		t.Fatalf("%d %+v", status, a)
	}
	consumer := h.person(signin.Consumer, "c1", "tea", r.URL()).in()
	other := h.person(signin.Consumer, "c2", "tea", r.URL()).in()
	agent := h.person(signin.Agent, "a1", "tea", r.URL()).in()
	other.refused(&protocol.Request{Type: protocol.TypeSend, Attachments: []string{a.Receipt}}, protocol.CodeInvalid)
	consumer.must(&protocol.Request{Type: protocol.TypeSend, Attachments: []string{a.Receipt}})
	agent.await("the picture", func() bool { return len(agent.texts()) == 1 })
	m := agent.messages()[0]
	if m.Kind != chatv1.MessageKind_MESSAGE_KIND_PICTURE || len(m.Attachments) != 1 || m.Attachments[0].Id != a.Attachment.ID {
		t.Fatalf("message %v", m)
	}
	other.refused(&protocol.Request{Type: protocol.TypeLink, AttachmentID: a.Attachment.ID}, protocol.CodeNotFound)
	other.refused(&protocol.Request{Type: protocol.TypeLink, ConversationID: "c1", AttachmentID: a.Attachment.ID}, protocol.CodeForbidden)
	f := agent.must(&protocol.Request{Type: protocol.TypeLink, ConversationID: "c1", AttachmentID: a.Attachment.ID})
	if f.ExpiresUS < time.Now().UnixMicro() {
		t.Errorf("link %+v", f)
	}
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get(r.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Content-Type")
	}
	if status, typ := get(f.URL); status != 200 || typ != "image/png" {
		t.Errorf("file: %d %s", status, typ)
	}
	if status, _ := get(strings.Replace(f.URL, "until=", "until=z", 1)); status != 403 {
		t.Errorf("a changed link: %d", status)
	}
	if status, _ := get("/files/../keys.yaml"); status == 200 {
		t.Error("a path led out of the bucket")
	}
	for range 20 {
		status, a = upload(t, r, token, "", strings.NewReader("x"), nil)
	}
	if status != 429 || a.Code != protocol.CodeRateLimited || !a.Retry {
		t.Errorf("many uploads: %d %+v", status, a)
	}
}

func (p *person) messages() (out []*chatv1.Message) {
	for _, d := range p.got() {
		if m := d.Event.GetMessage(); m != nil {
			out = append(out, m)
		}
	}
	return out
}
