package attachments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/url"
	"strconv"
	"strings"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

var (
	// ErrSignature says that a link or receipt is not one that was signed here, or is over.
	ErrSignature = errors.New("not signed, or over")
	// ErrNotFound says that there is no such file.
	ErrNotFound = errors.New("no such file")
)

// Place is where a file belongs and who brought it.
type Place struct{ Shop, Conversation, Account string }

// sign is a digest over a purpose and parts, none of which can run into another.
func (s *Store) sign(purpose string, parts ...string) []byte {
	h := hmac.New(sha256.New, s.secret)
	for _, p := range append([]string{purpose}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// Receipt is what shows later, at any relay with the same secret, that an attachment was uploaded for a place.
func (s *Store) Receipt(a *chatv1.Attachment, at Place, nowUS int64) (string, error) {
	body, err := a.MarshalVT()
	if err != nil {
		return "", err
	}
	until := strconv.FormatInt(nowUS+s.cfg.ReceiptLife.Microseconds(), 36)
	sum := s.sign("receipt", string(body), at.Shop, at.Conversation, at.Account, until)
	return until + "." + encode(body) + "." + encode(sum), nil
}

// Redeem is the attachment of a receipt, if it is for that place and not over.
func (s *Store) Redeem(receipt string, at Place, nowUS int64) (*chatv1.Attachment, error) {
	parts := strings.Split(receipt, ".")
	if len(parts) != 3 {
		return nil, ErrSignature
	}
	until, err := strconv.ParseInt(parts[0], 36, 64)
	body, err2 := decode(parts[1])
	sum, err3 := decode(parts[2])
	if errors.Join(err, err2, err3) != nil || nowUS >= until {
		return nil, ErrSignature
	}
	if !hmac.Equal(sum, s.sign("receipt", string(body), at.Shop, at.Conversation, at.Account, parts[0])) {
		return nil, ErrSignature
	}
	a := &chatv1.Attachment{}
	if a.UnmarshalVT(body) != nil {
		return nil, ErrSignature
	}
	return a, nil
}

// Link is the path and query by which a file of a conversation is read until a time, and that time.
func (s *Store) Link(shop, conversation, id string, nowUS int64) (link string, untilUS int64) {
	untilUS = nowUS + s.cfg.LinkLife.Microseconds()
	name := nameOf(shop, conversation, id)
	until := strconv.FormatInt(untilUS, 36)
	q := url.Values{"until": {until}, "sig": {encode(s.sign("link", name, until))}}
	return "/files/" + name + "?" + q.Encode(), untilUS
}

// Check makes sure that a link is signed and not over.
func (s *Store) Check(name, until, sig string, nowUS int64) error {
	at, err := strconv.ParseInt(until, 36, 64)
	sum, err2 := decode(sig)
	if errors.Join(err, err2) != nil || nowUS >= at || !hmac.Equal(sum, s.sign("link", name, until)) {
		return ErrSignature
	}
	return nil
}

// nameOf is the name of a file in the bucket: it follows from where the file belongs, so that an id of another
// conversation leads nowhere.
func nameOf(shop, conversation, id string) string {
	sum := sha256.Sum256([]byte(shop + "/" + conversation))
	return encode(sum[:15]) + "/" + encode([]byte(id))
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(text string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(text) }
