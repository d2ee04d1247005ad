// Package archive reads conversations back from ClickHouse: what a relay's memory and its part of the log no
// longer hold. It must not know who reads: the relay has made sure that they may.
package archive

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/chatrelay/feed"
	chatv1 "github.com/feigeio/feige/schemas/chat/v1"
)

// Archive reads from one database. Safe for concurrent use.
type Archive struct {
	conn     driver.Conn
	database string
}

// New reads through a connection that stays the caller's.
func New(conn driver.Conn, database string) *Archive { return &Archive{conn: conn, database: database} }

// row is a row of chat_events with its text.
type row struct {
	eventID, kind, actorRole, actorID     string
	at                                    time.Time
	automatic, sanctioned, shielded       bool
	messageKind, cardKind, cardID         string
	clientMessageID                       string
	attachments                           uint16
	score                                 uint8
	life                                  int64
	consumer, from, to, refers, flag, why string
	offset                                int64
}

// Older returns at most limit records of a conversation with offsets below before, newest first.
func (a *Archive) Older(ctx context.Context, shop, conversation string, partition int32, before int64, limit int) ([]*feed.Record, error) {
	ctx = clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"shop": shop, "conversation": conversation,
		"before": fmt.Sprint(before), "n": fmt.Sprint(limit)}))
	rows, err := a.conn.Query(ctx, `SELECT event_id, toString(kind), time, toString(actor_role), actor_id, automatic, sanctioned, toString(message_kind),
	card_kind, card_id, shielded, client_message_id, attachments, score, rated_life, consumer_id, from_agent_id, to_agent_id, refers_to_event_id, flag_id, reason, log_offset
FROM `+a.database+`.chat_events
WHERE shop_id = {shop:String} AND conversation_id = {conversation:String} AND log_offset < {before:Int64}
ORDER BY log_offset DESC LIMIT {n:UInt32}`)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	defer rows.Close()
	var recs []*feed.Record
	messages := map[string]*chatv1.Message{}
	var texts, files []string
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.eventID, &r.kind, &r.at, &r.actorRole, &r.actorID, &r.automatic, &r.sanctioned, &r.messageKind, &r.cardKind, &r.cardID,
			&r.shielded, &r.clientMessageID, &r.attachments, &r.score, &r.life, &r.consumer, &r.from, &r.to, &r.refers, &r.flag, &r.why, &r.offset); err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		ev := r.event(shop, conversation)
		if ev == nil {
			continue
		}
		recs = append(recs, &feed.Record{Partition: partition, Offset: r.offset, Event: ev})
		if m := ev.GetMessage(); m != nil {
			messages[r.eventID] = m
			texts = append(texts, r.eventID)
			if r.attachments > 0 {
				files = append(files, r.eventID)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	if err := a.texts(ctx, shop, texts, messages); err != nil {
		return nil, err
	}
	if err := a.files(ctx, shop, files, messages); err != nil {
		return nil, err
	}
	return recs, nil
}

func (a *Archive) texts(ctx context.Context, shop string, ids []string, messages map[string]*chatv1.Message) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := a.conn.Query(ctx, `SELECT event_id, text, card_title FROM `+a.database+`.chat_texts WHERE shop_id = {shop:String} AND event_id IN (`+quoted(ids)+`)`)
	if err != nil {
		return fmt.Errorf("read texts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, text, title string
		if err := rows.Scan(&id, &text, &title); err != nil {
			return fmt.Errorf("read texts: %w", err)
		}
		if m := messages[id]; m != nil {
			m.Text = text
			if m.Card != nil {
				m.Card.Title = title
			} else if title != "" {
				m.Card = &chatv1.Card{Title: title}
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read texts: %w", err)
	}
	return nil
}

func (a *Archive) files(ctx context.Context, shop string, ids []string, messages map[string]*chatv1.Message) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := a.conn.Query(ctx, `SELECT event_id, attachment_id, mime_type, size, sha256, file_name, qr_payloads FROM `+a.database+`.chat_attachments
WHERE shop_id = {shop:String} AND event_id IN (`+quoted(ids)+`) ORDER BY event_id, position`)
	if err != nil {
		return fmt.Errorf("read attachments: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		f := &chatv1.Attachment{}
		if err := rows.Scan(&id, &f.Id, &f.MimeType, &f.Size, &f.Sha256, &f.FileName, &f.QrPayloads); err != nil {
			return fmt.Errorf("read attachments: %w", err)
		}
		if m := messages[id]; m != nil {
			m.Attachments = append(m.Attachments, f)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read attachments: %w", err)
	}
	return nil
}
