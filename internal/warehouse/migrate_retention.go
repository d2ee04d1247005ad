package warehouse

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// Retention says how many days rows are kept after the time that they are about (0: for good; at most 10000). Recorded
// chats that are older than that would go as soon as they are replayed.
type Retention struct {
	// Texts of messages and their attachments.
	Texts int `yaml:"texts_days"`
	// Chats: events without their text, sign-ins.
	Chats int `yaml:"chats_days"`
	// Facts: rounds, conversations, ratings, takeovers.
	Facts int `yaml:"facts_days"`
	// Reports: windows' indicators, decisions.
	Reports int `yaml:"reports_days"`
	// Operations: dead letters, reads of conversations.
	Operations int `yaml:"operations_days"`
}

// DefaultRetention keeps everything.
func DefaultRetention() Retention { return Retention{} }

// Validate names the first key that is out of bounds.
func (r Retention) Validate() error {
	for _, k := range []struct {
		key  string
		days int
	}{
		{"texts_days", r.Texts}, {"chats_days", r.Chats}, {"facts_days", r.Facts}, {"reports_days", r.Reports}, {"operations_days", r.Operations},
	} {
		if k.days < 0 || k.days > 10000 {
			return fmt.Errorf("%s: %d is not in 0 to 10000", k.key, k.days)
		}
	}
	return nil
}

// kept is a storage table, the time that its rows are about, and for how many days they are kept.
type kept struct {
	table, time string
	days        int
}

func (r Retention) tables() []kept {
	return []kept{
		{"chat_texts_data", "time", r.Texts},
		{"chat_attachments_data", "time", r.Texts},
		{"chat_events_data", "time", r.Chats},
		{"sign_ins_data", "time", r.Chats},
		{"rounds_data", "started_at", r.Facts},
		{"conversations_data", "started_at", r.Facts},
		{"ratings_data", "rated_at", r.Facts},
		{"takeovers_data", "started_at", r.Facts},
		{"service_kpis_data", "window_start", r.Reports},
		{"restrictions_data", "period_start", r.Reports},
		{"violation_flags_data", "time", r.Reports},
		{"violation_evidence_data", "time", r.Texts},
		{"verdicts_data", "time", r.Reports},
		{"appeal_steps_data", "time", r.Reports},
		{"sanctions_data", "decided_at", r.Reports},
		{"message_index", "time", r.Chats},
		{"sign_in_index", "time", r.Chats},
		{"round_index", "started_at", r.Facts},
		{"reply_index", "started_at", r.Facts},
		{"dead_letters_data", "record_at", r.Operations},
		{"audit_reads_data", "time", r.Operations},
	}
}

// keep brings the retention and the settings of every table to what is wanted, where they differ.
func (m *migrator) keep(ctx context.Context) error {
	engines, err := m.engines(ctx)
	if err != nil {
		return err
	}
	for _, k := range m.retention.tables() {
		engine, ok := engines[k.table]
		if !ok {
			continue
		}
		for _, change := range m.changes(k, engine) {
			if err := m.conn.Exec(ctx, "ALTER TABLE "+quoteName(m.database)+"."+quoteName(k.table)+m.onCluster()+" "+change); err != nil {
				return fmt.Errorf("schema: table %s.%s: %s: %w", m.database, k.table, change, err)
			}
			m.logger.Info("schema: changed", "table", k.table, "change", change, "database", m.database)
		}
	}
	return nil
}

func (m *migrator) changes(k kept, engine string) []string {
	var changes []string
	ttl := fmt.Sprintf("toDateTime(%s) + toIntervalDay(%d)", k.time, k.days)
	switch now := ttlOf(engine); {
	case k.days == 0 && now != "":
		changes = append(changes, "REMOVE TTL")
	case k.days > 0 && now != ttl:
		changes = append(changes, "MODIFY TTL "+ttl)
	}
	if synced := strings.Contains(engine, "fsync_after_insert = true") || strings.Contains(engine, "fsync_after_insert = 1"); synced != m.fsync {
		value := 0
		if m.fsync {
			value = 1
		}
		changes = append(changes, fmt.Sprintf("MODIFY SETTING fsync_after_insert = %d, fsync_part_directory = %d", value, value))
	}
	return changes
}

var ttlPattern = regexp.MustCompile(` TTL (.+?)(?: SETTINGS |$)`)

// ttlOf is the TTL in a table's engine as system.tables tells it; empty: none.
func ttlOf(engine string) string {
	if match := ttlPattern.FindStringSubmatch(engine); match != nil {
		return match[1]
	}
	return ""
}

func (m *migrator) engines(ctx context.Context) (map[string]string, error) {
	rows, err := m.conn.Query(ctx, "SELECT name, engine_full FROM system.tables WHERE database = "+quoteString(m.database))
	if err != nil {
		return nil, fmt.Errorf("schema: listing the tables of database %s: %w", m.database, err)
	}
	defer rows.Close()
	engines := make(map[string]string)
	for rows.Next() {
		var name, engine string
		if err := rows.Scan(&name, &engine); err != nil {
			return nil, fmt.Errorf("schema: listing the tables of database %s: %w", m.database, err)
		}
		engines[name] = engine
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("schema: listing the tables of database %s: %w", m.database, err)
	}
	return engines, nil
}
