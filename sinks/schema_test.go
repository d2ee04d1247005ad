package sinks

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// What sinks insert is what the tables have: every column that is not computed, of the same type.
func TestColumnsAreTheTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const query = "SELECT table, name, type FROM system.columns WHERE database = {db:String} AND endsWith(table, '_data') AND default_kind = '' ORDER BY table, position"
	rows, err := w.conn.Query(t.Context(), query, clickhouse.Named("db", w.database))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	theirs := make(map[string][][2]string)
	for rows.Next() {
		var table, name, kind string
		if err := rows.Scan(&table, &name, &kind); err != nil {
			t.Fatal(err)
		}
		theirs[table] = append(theirs[table], [2]string{name, kind})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, table := range newBatch().tables() {
		columns := theirs[table.name]
		delete(theirs, table.name)
		if len(columns) != len(table.columns) {
			t.Errorf("%s: %d columns, the table has %d", table.name, len(table.columns), len(columns))
			continue
		}
		for i, c := range table.columns {
			if name, kind := c.head(); columns[i] != [2]string{name, kind} {
				t.Errorf("%s: column %d is %s %s, the table has %v", table.name, i+1, name, kind, columns[i])
			}
		}
	}
	for name := range theirs {
		t.Errorf("nothing writes table %s", name)
	}
}
