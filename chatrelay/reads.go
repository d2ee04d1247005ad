package chatrelay

import (
	"github.com/google/uuid"

	"github.com/feigeio/feige/chatrelay/protocol"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// record keeps a record of a reading, where one is due. Nothing may be shown before it returns nil.
func (s *session) record(t target, what, reason string) *protocol.Problem {
	r := s.relay
	id, err := uuid.NewV7()
	if err != nil {
		return asProblem(err)
	}
	err = r.reads.Write(r.ctx, &chatv1.ReadRecord{
		ReadId: id.String(), AtUs: r.nowUS(), AccountId: s.id.Account, Role: string(s.id.Role), ShopId: t.shop, ConversationId: t.conversation,
		What: what, Reason: reason, Address: s.address,
	})
	if err != nil {
		r.log.Warn("relay: a reading cannot be recorded, so it is refused", "error", err)
		return protocol.Problemf(protocol.CodeTryAgain, "the reading cannot be recorded now, so nothing is shown")
	}
	return nil
}
