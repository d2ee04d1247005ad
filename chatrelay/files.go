package chatrelay

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"encoding/json"

	"github.com/feigeio/feige/chatrelay/attachments"
	"github.com/feigeio/feige/chatrelay/protocol"
	"github.com/feigeio/feige/internal/signin"
)

// uploadTimeout bounds one upload.
const uploadTimeout = time.Minute

// place is where an attachment of the session belongs.
func (s *session) place(t target) attachments.Place { return placeOf(s.id, t) }

func placeOf(id signin.Identity, t target) attachments.Place {
	return attachments.Place{Shop: t.shop, Conversation: t.conversation, Account: id.Key()}
}

// upload takes a file and answers with its receipt.
func (r *Relay) upload(w http.ResponseWriter, req *http.Request) {
	if p := r.cors(w, req); p != nil {
		r.refuseUpload(w, p)
		return
	}
	id, t, p := r.mayUpload(req)
	if p != nil {
		r.refuseUpload(w, p)
		return
	}
	ctx, cancel := context.WithTimeout(req.Context(), uploadTimeout)
	defer cancel()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTimeout)) // without it the context alone bounds
	name := req.Header.Get("X-File-Name")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	body := http.MaxBytesReader(w, req.Body, r.cfg.Attachments.MaxBytes+1)
	a, err := r.files.Put(ctx, t.shop, t.conversation, name, body)
	if err != nil {
		r.refuseUpload(w, r.uploadProblem(err))
		return
	}
	receipt, err := r.files.Receipt(a, placeOf(id, t), r.nowUS())
	if err != nil {
		r.refuseUpload(w, asProblem(err))
		return
	}
	described, err := protojson.Marshal(a)
	if err != nil {
		r.refuseUpload(w, asProblem(err))
		return
	}
	r.metrics.uploads.WithLabelValues("ok").Inc()
	answer(w, http.StatusCreated, struct {
		Receipt    string          `json:"receipt"`
		Attachment json.RawMessage `json:"attachment"`
	}{receipt, described})
}

func (r *Relay) refuseUpload(w http.ResponseWriter, p *protocol.Problem) {
	r.metrics.uploads.WithLabelValues(string(p.Code)).Inc()
	refuse(w, p)
}

func (r *Relay) uploadProblem(err error) *protocol.Problem {
	var refused *attachments.RefusedError
	switch {
	case errors.As(err, &refused) && refused.Large:
		return protocol.Problemf(protocol.CodeTooLarge, "%s", refused.Text)
	case errors.As(err, &refused):
		return protocol.Problemf(protocol.CodeBadFile, "%s", refused.Text)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return protocol.Problemf(protocol.CodeTimeout, "the upload took too long")
	}
	r.log.Error("relay: an upload cannot be stored", "error", err)
	return protocol.Problemf(protocol.CodeTryAgain, "the file cannot be stored now")
}

// mayUpload finds out who uploads and where to, before anything of the file is read.
func (r *Relay) mayUpload(req *http.Request) (id signin.Identity, t target, p *protocol.Problem) {
	if r.files == nil {
		return id, t, protocol.Problemf(protocol.CodeNotFound, "this relay takes no attachments")
	}
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return id, t, protocol.Problemf(protocol.CodeUnauthorized, "no token (Authorization: Bearer …)")
	}
	if id, p = r.identify(token); p != nil {
		return id, t, p
	}
	t = target{shop: id.Shop, conversation: req.URL.Query().Get("conversationId")}
	if t.shop == "" {
		t.shop = req.URL.Query().Get("shopId")
	}
	if t.conversation == "" && id.Role == signin.Consumer {
		t.conversation = id.Account
	}
	if t.shop == "" || !plausibleShop(t.shop) || t.conversation == "" {
		return id, t, protocol.Problemf(protocol.CodeForbidden, "no such conversation")
	}
	if allowed, _ := id.Allowed(signin.OpUpload, t.shop, t.conversation); !allowed {
		return id, t, protocol.Problemf(protocol.CodeForbidden, "not for this role, or not in this shop or conversation")
	}
	if !r.tables.Ready() {
		return id, t, protocol.Problemf(protocol.CodeTryAgain, "the relay is not ready")
	}
	if p := r.maySpeak(id, t); p != nil {
		return id, t, p
	}
	now := time.Now()
	if ok, wait := r.limits.uploads.take(id.Key(), now); !ok {
		return id, t, limited("this account uploads too much", wait)
	}
	if ok, wait := r.limits.shopUploads.take(t.shop, now); !ok {
		return id, t, limited("too much is uploaded in this shop", wait)
	}
	if req.ContentLength > r.cfg.Attachments.MaxBytes {
		return id, t, protocol.Problemf(protocol.CodeTooLarge, "a file has at most %d bytes", r.cfg.Attachments.MaxBytes)
	}
	return id, t, nil
}

// cors lets allowed pages of other origins read the answer.
func (r *Relay) cors(w http.ResponseWriter, req *http.Request) *protocol.Problem {
	o := originOf(req)
	if !r.allowed(o) {
		return protocol.Problemf(protocol.CodeClientRefused, "the origin is not authorised")
	}
	if o.host != "" && !o.own {
		w.Header().Set("Access-Control-Allow-Origin", req.Header.Get("Origin"))
		w.Header().Set("Vary", "Origin")
	}
	return nil
}

func (r *Relay) preflight(w http.ResponseWriter, req *http.Request) {
	if p := r.cors(w, req); p != nil {
		refuse(w, p)
		return
	}
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-File-Name")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}

// link answers with a link to an attachment. The id of another conversation's leads nowhere.
func (s *session) link(req *protocol.Request, t target) {
	r := s.relay
	if r.files == nil || req.AttachmentID == "" || len(req.AttachmentID) > 128 {
		s.fail(protocol.Problemf(protocol.CodeNotFound, "no such attachment"), req.ID)
		return
	}
	if p := s.mayRead(req, t, "attachment"); p != nil {
		s.fail(p, req.ID)
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, historyTimeout)
	defer cancel()
	there, err := r.files.Has(ctx, t.shop, t.conversation, req.AttachmentID)
	switch {
	case err != nil:
		s.fail(protocol.Problemf(protocol.CodeTryAgain, "the file cannot be looked up now"), req.ID)
	case !there:
		s.fail(protocol.Problemf(protocol.CodeNotFound, "no such attachment"), req.ID)
	default:
		path, until := r.files.Link(t.shop, t.conversation, req.AttachmentID, r.nowUS())
		s.tell(&protocol.Frame{Type: protocol.TypeLink, Re: req.ID, ConversationID: t.conversation, URL: path, ExpiresUS: until})
	}
}

// download serves a file to whoever has a link that is good.
func (r *Relay) download(w http.ResponseWriter, req *http.Request) {
	name := req.PathValue("name")
	q := req.URL.Query()
	if r.files == nil || r.files.Check(name, q.Get("until"), q.Get("sig"), r.nowUS()) != nil {
		refuse(w, protocol.Problemf(protocol.CodeForbidden, "the link is not good, or over"))
		return
	}
	f, err := r.files.Get(req.Context(), name)
	if errors.Is(err, attachments.ErrNotFound) {
		refuse(w, protocol.Problemf(protocol.CodeNotFound, "no such attachment"))
		return
	}
	if err != nil {
		r.log.Error("relay: a file cannot be read", "error", err)
		refuse(w, protocol.Problemf(protocol.CodeTryAgain, "the file cannot be read now"))
		return
	}
	defer f.Close()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(uploadTimeout)) // where it cannot be set, the reader is trusted
	h := w.Header()
	h.Set("Content-Type", f.MimeType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=600")
	h.Set("Referrer-Policy", "no-referrer")
	if !strings.HasPrefix(f.MimeType, "image/") {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "attachment.pdf"}))
	}
	_, _ = io.Copy(w, f) // the client may go away
}
