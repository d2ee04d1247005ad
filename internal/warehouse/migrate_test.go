package warehouse

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	eclickhouse "github.com/feigeio/feige/internal/embedded/clickhouse"
	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

// shared is the one ClickHouse of this process, started when the first test asks for it; or why there is none.
var shared struct {
	once   sync.Once
	server *eclickhouse.Server
	dir    string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	_ = os.RemoveAll(shared.dir)
	os.Exit(code)
}

func startShared() {
	if _, shared.err = eclickhouse.Locate(""); shared.err != nil {
		return
	}
	if shared.dir, shared.err = os.MkdirTemp("", "warehouse-test-"); shared.err != nil {
		return
	}
	cfg := eclickhouse.DefaultConfig()
	cfg.Dir, cfg.Addr = shared.dir, "127.0.0.1:0"
	shared.server, shared.err = eclickhouse.Start(context.Background(), cfg, eclickhouse.Dependencies{})
}

var databases atomic.Int64

// newDatabase is a connection and the name of a database that is not there yet.
func newDatabase(t *testing.T) (driver.Conn, string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs ClickHouse")
	}
	shared.once.Do(startShared)
	if shared.err != nil {
		if os.Getenv("CI") == "true" || shared.dir != "" {
			t.Fatal(shared.err)
		}
		t.Skipf("no libchdb: %v", shared.err)
	}
	cfg := DefaultConfig()
	cfg.Addr = []string{shared.server.Addr()}
	conn, err := Open(t.Context(), cfg, "")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("m%d", databases.Add(1))
	t.Cleanup(func() {
		if err := conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" SYNC"); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	})
	return conn, name
}

func names(migrations []ddl.Migration) []string {
	var all []string
	for _, m := range migrations {
		all = append(all, m.Name)
	}
	return all
}

// values are the values of a query's one column.
func values(t *testing.T, conn driver.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), fmt.Sprintf(query, args...))
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	conn, database := newDatabase(t)
	migrations, err := ddl.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	options := MigrateOptions{Database: database, TimeZone: "Europe/Berlin"}
	applied, err := Migrate(t.Context(), conn, options)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(applied, names(migrations)) {
		t.Errorf("applied %v", applied)
	}
	if again, err := Migrate(t.Context(), conn, options); err != nil || len(again) != 0 {
		t.Errorf("the second run applied %v, %v", again, err)
	}

	if bare := values(t, conn, "SELECT concat(table, '.', name) FROM system.columns WHERE database = '%s' AND comment = '' AND NOT match(table, '_index_[a-z]+$')", database); len(bare) > 0 {
		t.Errorf("columns without a comment: %v", bare)
	}
	if bare := values(t, conn, "SELECT name FROM system.tables WHERE database = '%s' AND comment = ''", database); len(bare) > 0 {
		t.Errorf("tables without a comment: %v", bare)
	}
	tables := values(t, conn, "SELECT name FROM system.tables WHERE database = '%s' ORDER BY name", database)
	for _, name := range tables {
		if plain, ok := strings.CutSuffix(name, "_data"); ok && !slices.Contains(tables, plain) {
			t.Errorf("table %s has no view %s", name, plain)
		}
		if !strings.HasSuffix(name, "_data") {
			var rows uint64
			if err := conn.QueryRow(t.Context(), "SELECT count() FROM (SELECT * FROM "+database+"."+name+")").Scan(&rows); err != nil {
				t.Errorf("view %s cannot be read: %v", name, err)
			}
		}
	}
	if zones := values(t, conn, "SELECT DISTINCT extract(type, '\\'([A-Z][a-z]+/[A-Za-z]+)\\'') AS zone FROM system.columns WHERE database = '%s' AND zone != ''", database); !slices.Equal(zones, []string{"Europe/Berlin"}) {
		t.Errorf("time zones %v", zones)
	}
	// A view and its table say the same about a column of the same name.
	if differ := values(t, conn, `
		SELECT concat(v.table, '.', v.name) FROM system.columns AS v
		JOIN system.columns AS d ON d.database = v.database AND d.table = concat(v.table, '_data') AND d.name = v.name
		WHERE v.database = '%s' AND (v.comment != d.comment OR v.type != d.type)`, database); len(differ) > 0 {
		t.Errorf("columns of views that are not those of their tables: %v", differ)
	}
}

func TestMigrateAtTheSameTime(t *testing.T) {
	t.Parallel()
	conn, database := newDatabase(t)
	var running sync.WaitGroup
	for range 3 {
		running.Go(func() {
			if _, err := Migrate(t.Context(), conn, MigrateOptions{Database: database, Retention: Retention{Texts: 10000}}); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if again, err := Migrate(t.Context(), conn, MigrateOptions{Database: database}); err != nil || len(again) != 0 {
		t.Errorf("afterwards %v, %v", again, err)
	}
}

func file(version uint32, name, sql, checksum string) ddl.Migration {
	return ddl.Migration{Version: version, Name: name, SQL: sql, Checksum: checksum}
}

const oneTable = "CREATE TABLE IF NOT EXISTS feige.a /* ON CLUSTER */ (x Int8) ENGINE = ReplacingMergeTree ORDER BY x;"

func TestChangedFile(t *testing.T) {
	t.Parallel()
	conn, database := newDatabase(t)
	options := MigrateOptions{Database: database}
	if _, err := migrate(t.Context(), conn, options, []ddl.Migration{file(1, "001_a.sql", oneTable, "aa")}); err != nil {
		t.Fatal(err)
	}
	changed := []ddl.Migration{
		file(1, "001_a.sql", oneTable, "bb"), file(2, "002_b.sql", strings.ReplaceAll(oneTable, "feige.a", "feige.b"), "cc"),
	}
	_, err := migrate(t.Context(), conn, options, changed)
	if err == nil || !strings.HasPrefix(err.Error(), "schema: 001_a.sql is not what was applied to database "+database+" as 001_a.sql on 20") {
		t.Errorf("error %v", err)
	}
	if tables := values(t, conn, "SELECT name FROM system.tables WHERE database = '%s' AND name = 'b'", database); len(tables) > 0 {
		t.Error("002_b.sql was applied all the same")
	}
}

func TestNewerDatabase(t *testing.T) {
	t.Parallel()
	conn, database := newDatabase(t)
	options := MigrateOptions{Database: database}
	both := []ddl.Migration{file(1, "001_a.sql", oneTable, "aa"), file(2, "002_b.sql", "-- nothing", "bb")}
	if _, err := migrate(t.Context(), conn, options, both); err != nil {
		t.Fatal(err)
	}
	_, err := migrate(t.Context(), conn, options, both[:1])
	if err == nil || !strings.Contains(err.Error(), "has 002_b.sql, which this program does not know") {
		t.Errorf("error %v", err)
	}
}

// A file that stops half-way is not noted as applied, and goes through once it is right.
func TestBrokenFile(t *testing.T) {
	t.Parallel()
	conn, database := newDatabase(t)
	options := MigrateOptions{Database: database}
	broken := []ddl.Migration{file(1, "001_a.sql", oneTable, "aa"), file(2, "002_b.sql", "SELECT 1; CREATE NONSENSE feige.x", "bb")}
	applied, err := migrate(t.Context(), conn, options, broken)
	if err == nil || !strings.Contains(err.Error(), "schema: 002_b.sql: statement 2 of 2 in database "+database) {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(applied, []string{"001_a.sql"}) {
		t.Errorf("applied %v", applied)
	}
	broken[1].SQL = "SELECT 1"
	if applied, err = migrate(t.Context(), conn, options, broken); err != nil || !slices.Equal(applied, []string{"002_b.sql"}) {
		t.Errorf("applied %v, %v", applied, err)
	}
}

func TestRetentionAndFsync(t *testing.T) {
	t.Parallel()
	conn, database := newDatabase(t)
	engine := func(table string) string {
		return values(t, conn, "SELECT engine_full FROM system.tables WHERE database = '%s' AND name = '%s'", database, table)[0]
	}
	run := func(retention Retention, fsync bool) {
		t.Helper()
		if _, err := Migrate(t.Context(), conn, MigrateOptions{Database: database, Retention: retention, Fsync: fsync}); err != nil {
			t.Fatal(err)
		}
	}
	run(Retention{Texts: 90}, true)
	if got := engine("chat_texts_data"); !strings.Contains(got, "TTL toDateTime(time) + toIntervalDay(90)") || !strings.Contains(got, "fsync_after_insert = 1") {
		t.Error(got)
	}
	if got := engine("chat_events_data"); strings.Contains(got, "TTL") {
		t.Error(got)
	}
	run(Retention{Chats: 30}, false)
	if got := engine("chat_texts_data"); strings.Contains(got, "TTL") || !strings.Contains(got, "fsync_after_insert = 0") {
		t.Error(got)
	}
	if got := engine("chat_events_data"); !strings.Contains(got, "toIntervalDay(30)") {
		t.Error(got)
	}
	// And it works: what is older goes, what is newer stays.
	insert := "INSERT INTO " + database + ".chat_events_data (shop_id, event_id, time, kind, log_offset) SELECT 's', toString(number), now64(6) - toIntervalDay(number * 20), 'message', number FROM numbers(4)"
	if err := conn.Exec(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "OPTIMIZE TABLE "+database+".chat_events_data FINAL"); err != nil {
		t.Fatal(err)
	}
	if got := values(t, conn, "SELECT event_id FROM %s.chat_events ORDER BY event_id", database); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("events %v are left", got)
	}
}

func TestMigrateOptions(t *testing.T) {
	t.Parallel()
	refuses := func(name string, options MigrateOptions, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Migrate(t.Context(), nil, options); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one that says %q", err, want)
			}
		})
	}
	refuses("no database", MigrateOptions{}, "no database is named")
	refuses("no such zone", MigrateOptions{Database: "x", TimeZone: "Asia/Nowhere"}, "Asia/Nowhere")
	refuses("retention", MigrateOptions{Database: "x", Retention: Retention{Chats: -1}}, "chats_days: -1")
}
