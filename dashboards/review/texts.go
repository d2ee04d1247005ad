package review

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Line is one message of a conversation, as a reviewer sees it.
type Line struct {
	EventID string `json:"eventId"`
	AtUS    int64  `json:"atUs"`
	Role    string `json:"role"`
	ActorID string `json:"actorId"`
	Text    string `json:"text"`
	// Flagged is the message that the case is about.
	Flagged bool `json:"flagged,omitempty"`
}

// Texts gives the words of conversations.
type Texts interface {
	// Around returns at most limit messages of a conversation nearest in time, oldest first.
	Around(ctx context.Context, shop, conversation string, atUS int64, limit int) ([]Line, error)
}

// ErrTextsAway says that the words cannot be read now.
var ErrTextsAway = errors.New("the words cannot be read now")

type warehouseTexts struct {
	conn     driver.Conn
	database string
}

// NewTexts reads from ClickHouse.
func NewTexts(conn driver.Conn, database string) Texts { return warehouseTexts{conn, database} }

func (w warehouseTexts) Around(ctx context.Context, shop, conversation string, atUS int64, limit int) ([]Line, error) {
	const day = 24 * time.Hour
	at := time.UnixMicro(atUS).UTC()
	rows, err := w.conn.Query(ctx, `SELECT event_id, toUnixTimestamp64Micro(time), toString(actor_role), actor_id, text FROM (
		SELECT * FROM `+w.database+`.chat_texts WHERE shop_id = ? AND conversation_id = ? AND time >= ? AND time <= ?
		ORDER BY abs(toUnixTimestamp64Micro(time) - ?) LIMIT ?) ORDER BY time, log_offset`,
		shop, conversation, at.Add(-day), at.Add(day), atUS, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTextsAway, err)
	}
	defer rows.Close()
	var lines []Line
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.EventID, &l.AtUS, &l.Role, &l.ActorID, &l.Text); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTextsAway, err)
		}
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTextsAway, err)
	}
	return lines, nil
}
