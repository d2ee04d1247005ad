package sinks

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// textsTable is chat_texts_data.
type textsTable struct {
	*table
	shop, conversation, event *columnOf[string]
	at                        *columnOf[time.Time]
	actorRole                 *columnOf[int8]
	actorID, text, cardTitle  *columnOf[string]
	partition                 *columnOf[int32]
	offset                    *columnOf[int64]
}

func newTextsTable() *textsTable {
	t := newTable("chat_texts_data")
	return &textsTable{
		table:        t,
		shop:         add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"),
		event:        add[string](t, "event_id", "String"),
		at:           add[time.Time](t, "time", kindTime),
		actorRole:    add[int8](t, "actor_role", kindRole),
		actorID:      add[string](t, "actor_id", "String"),
		text:         add[string](t, "text", "String"),
		cardTitle:    add[string](t, "card_title", "String"),
		partition:    add[int32](t, "log_partition", "Int32"),
		offset:       add[int64](t, "log_offset", "Int64"),
	}
}

// write makes a row of a message that says anything in words.
func (t *textsTable) write(origin int32, rec *kgo.Record, ev *chatv1.ChatEvent) {
	m := ev.GetMessage()
	if m.GetText() == "" && m.GetCard().GetTitle() == "" {
		return
	}
	i := t.next(origin)
	t.shop.put(i, ev.ShopId)
	t.conversation.put(i, ev.ConversationId)
	t.event.put(i, ev.EventId)
	t.at.put(i, instant(ev.OccurredAtUs))
	t.actorRole.put(i, int8(ev.Actor.GetRole()))
	t.actorID.put(i, ev.Actor.GetId())
	t.text.put(i, m.Text)
	t.cardTitle.put(i, m.GetCard().GetTitle())
	t.partition.put(i, rec.Partition)
	t.offset.put(i, rec.Offset)
}

// attachmentsTable is chat_attachments_data.
type attachmentsTable struct {
	*table
	shop, conversation, event *columnOf[string]
	position                  *columnOf[uint16]
	at                        *columnOf[time.Time]
	id, mimeType              *columnOf[string]
	size                      *columnOf[int64]
	sha256, fileName          *columnOf[string]
	qrPayloads                *columnOf[[]string]
	partition                 *columnOf[int32]
	offset                    *columnOf[int64]
}

func newAttachmentsTable() *attachmentsTable {
	t := newTable("chat_attachments_data")
	return &attachmentsTable{
		table:        t,
		shop:         add[string](t, "shop_id", "String"),
		conversation: add[string](t, "conversation_id", "String"),
		event:        add[string](t, "event_id", "String"),
		position:     add[uint16](t, "position", "UInt16"),
		at:           add[time.Time](t, "time", kindTime),
		id:           add[string](t, "attachment_id", "String"),
		mimeType:     add[string](t, "mime_type", kindWord),
		size:         add[int64](t, "size", "Int64"),
		sha256:       add[string](t, "sha256", "String"),
		fileName:     add[string](t, "file_name", "String"),
		qrPayloads:   add[[]string](t, "qr_payloads", "Array(String)"),
		partition:    add[int32](t, "log_partition", "Int32"),
		offset:       add[int64](t, "log_offset", "Int64"),
	}
}

func (t *attachmentsTable) write(origin int32, rec *kgo.Record, ev *chatv1.ChatEvent) {
	for n, a := range ev.GetMessage().GetAttachments() {
		i := t.next(origin)
		t.shop.put(i, ev.ShopId)
		t.conversation.put(i, ev.ConversationId)
		t.event.put(i, ev.EventId)
		t.position.put(i, uint16(n+1))
		t.at.put(i, instant(ev.OccurredAtUs))
		t.id.put(i, a.Id)
		t.mimeType.put(i, a.MimeType)
		t.size.put(i, a.Size)
		t.sha256.put(i, a.Sha256)
		t.fileName.put(i, a.FileName)
		t.qrPayloads.put(i, a.QrPayloads)
		t.partition.put(i, rec.Partition)
		t.offset.put(i, rec.Offset)
	}
}

// signInsTable is sign_ins_data.
type signInsTable struct {
	*table
	shop, event                                        *columnOf[string]
	at                                                 *columnOf[time.Time]
	kind, accountRole                                  *columnOf[int8]
	account, session, client, version, address, reason *columnOf[string]
	partition                                          *columnOf[int32]
	offset                                             *columnOf[int64]
}

func newSignInsTable() *signInsTable {
	t := newTable("sign_ins_data")
	return &signInsTable{
		table:       t,
		shop:        add[string](t, "shop_id", "String"),
		event:       add[string](t, "event_id", "String"),
		at:          add[time.Time](t, "time", kindTime),
		kind:        add[int8](t, "kind", kindSignIn),
		accountRole: add[int8](t, "account_role", kindRole),
		account:     add[string](t, "account_id", "String"),
		session:     add[string](t, "session_id", "String"),
		client:      add[string](t, "client", kindWord),
		version:     add[string](t, "client_version", kindWord),
		address:     add[string](t, "address", "String"),
		reason:      add[string](t, "reason", "String"),
		partition:   add[int32](t, "log_partition", "Int32"),
		offset:      add[int64](t, "log_offset", "Int64"),
	}
}

// write makes a row of a sign-in, a sign-out, or a refused client, and none of any other event.
func (t *signInsTable) write(origin int32, rec *kgo.Record, ev *chatv1.ChatEvent, row chatRow) {
	if row.kind != eventSignedIn && row.kind != eventSignedOut && row.kind != eventRefused {
		return
	}
	in, refused := ev.GetAgentSignedIn(), ev.GetClientRefused()
	i := t.next(origin)
	t.shop.put(i, ev.ShopId)
	t.event.put(i, ev.EventId)
	t.at.put(i, instant(ev.OccurredAtUs))
	t.kind.put(i, row.kind)
	t.accountRole.put(i, int8(ev.Actor.GetRole()))
	t.account.put(i, ev.Actor.GetId())
	t.session.put(i, row.session)
	t.client.put(i, in.GetClient()+refused.GetClient())
	t.version.put(i, in.GetClientVersion())
	t.address.put(i, in.GetAddress()+refused.GetAddress())
	t.reason.put(i, row.reason)
	t.partition.put(i, rec.Partition)
	t.offset.put(i, rec.Offset)
}
