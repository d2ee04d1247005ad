package protocol

import (
	"crypto/sha256"
	"strings"

	"github.com/google/uuid"
)

// EventID is the id of the event that a request leads to: always the same for the same request, so that
// sending it again, through any relay, after any crash, makes a repeat that every reader recognises.
//
// It has the form of a UUIDv8 (RFC 9562): a digest of shop, conversation, role and id of the actor, type,
// and the request's id.
func EventID(shop, conversation, role, actor string, typ Type, id string) string {
	h := sha256.New()
	for _, part := range []string{"feige/chatrelay/1", shop, conversation, role, actor, string(typ), id} {
		// Parts hold no NUL: where one comes, others cannot run into it.
		h.Write([]byte(strings.ReplaceAll(part, "\x00", "\x01")))
		h.Write([]byte{0})
	}
	var u uuid.UUID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}
