package queries_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/feigeio/feige/dashboards/queries"
	"github.com/feigeio/feige/internal/warehouse"
)

// crowded is a database with a crowd of shops: a small one, or the one of FEIGE_BOARDS_EVENTS events, which is then measured.
func crowded(t *testing.T) (crowd, driver.Conn, bool) {
	t.Helper()
	c, large := crowd{database: "crowd", events: 40_000, shops: 200, chunk: 2_000}, false
	if wanted, _ := strconv.Atoi(os.Getenv("FEIGE_BOARDS_EVENTS")); wanted > 0 {
		c.events, c.shops, c.chunk, large = wanted, 10_000, 200_000, true
	}
	seeded, _ := engine(t)
	ctx := context.Background()
	began := time.Now()
	if _, err := warehouse.Migrate(ctx, seeded, warehouse.MigrateOptions{Database: c.database}); err != nil {
		t.Fatal(err)
	}
	if _, rows := ask(t, seeded, "SELECT count() FROM crowd.service_kpis_data"); rows[0][0] == "0" { // else it was kept, or filled by another test
		if err := c.fill(ctx, seeded); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d events of %d shops in %s", c.events, c.shops, time.Since(began).Round(time.Second))
	conn, err := open("crowd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return c, conn, large
}

// Every panel over a crowd of shops. By itself the crowd is small, and no time is asked for; make bench-boards sets
// FEIGE_BOARDS_EVENTS and prints a line for each panel; FEIGE_BOARDS_DIR keeps the data for another run.
func TestSpeed(t *testing.T) {
	c, conn, large := crowded(t)
	runs := 1
	if large {
		runs = 15
	}
	if runs > 1 {
		settle(t, conn)
	}
	_, rows := ask(t, conn, "SELECT conversation_id FROM chat_events_data WHERE shop_id = "+queries.Quote(c.biggest())+" LIMIT 1")
	conversation := rows[0][0]
	only := os.Getenv("FEIGE_BOARDS_ONLY")
	all := queries.Every()
	for name, sql := range queries.Lists() {
		all = append(all, queries.Query{ID: "list." + name, SQL: sql})
	}
	for _, q := range all {
		if only != "" && !strings.HasPrefix(q.ID, only) {
			continue
		}
		seen := 0
		for _, v := range c.choices(q) {
			v.Conversation = conversation
			sql := grafana(q.SQL, v)
			var took []time.Duration
			rows := 0
			for range runs {
				start := time.Now()
				_, answer := ask(t, conn, sql)
				took, rows = append(took, time.Since(start)), len(answer)
			}
			seen += rows
			slices.Sort(took)
			if runs > 1 {
				fmt.Printf("| %s | %s | %d | %s | %s |\n", q.ID, v.Shop, rows, ms(took[len(took)/2]), ms(took[len(took)*19/20]))
			}
		}
		if seen == 0 {
			t.Errorf("%s: no rows", q.ID)
		}
	}
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%d ms", (d + 500*time.Microsecond).Milliseconds())
}

// settle waits until the engine has merged what it wants to.
func settle(t *testing.T, conn driver.Conn) {
	t.Helper()
	for quiet := 0; quiet < 10; quiet++ {
		_, rows := ask(t, conn, "SELECT count() FROM system.merges")
		if rows[0][0] != "0" {
			quiet = 0
		}
		time.Sleep(time.Second)
	}
	_, rows := ask(t, conn, "SELECT table, sum(rows), count(), sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'crowd' GROUP BY table ORDER BY table")
	for _, row := range rows {
		t.Logf("%s: %s rows in %s parts, %s bytes", row[0], row[1], row[2], row[3])
	}
}
