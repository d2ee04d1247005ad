package warehouse

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

var plainDialect = dialect{database: ddl.Database, timeZone: ddl.TimeZone}

func TestStatements(t *testing.T) {
	t.Parallel()
	is := func(name string, d dialect, file string, want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := d.statements(file)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("got  %q\nwant %q", got, want)
			}
		})
	}
	other := dialect{database: "feige_a", timeZone: "Europe/Berlin"}
	clustered := dialect{database: "feige", timeZone: ddl.TimeZone, cluster: "main", replicated: true}

	is("empty", plainDialect, " \n ")
	is("only comments", plainDialect, "-- SELECT 1;\n/* SELECT 2; */")
	is("two", plainDialect, "SELECT 1;\nSELECT 2", "SELECT 1", "SELECT 2")
	is("empty statements", plainDialect, ";;SELECT 1;;", "SELECT 1")
	is("semicolon in a string", plainDialect, "SELECT 'a;b';SELECT 2;", "SELECT 'a;b'", "SELECT 2")
	is("doubled quote", plainDialect, "SELECT 'it''s; so';", "SELECT 'it''s; so'")
	is("escaped quote", plainDialect, `SELECT 'it\'s; so', '\\';SELECT 2`, `SELECT 'it\'s; so', '\\'`, "SELECT 2")
	is("quoted names", plainDialect, "SELECT `a;b`, \"c;d\";", "SELECT `a;b`, \"c;d\"")
	is("dashes in a string", plainDialect, "SELECT '--x'; -- y; z\nSELECT 2", "SELECT '--x'", "SELECT 2")
	is("comment in a string", plainDialect, "SELECT '/* ON CLUSTER */'", "SELECT '/* ON CLUSTER */'")
	is("comment between", plainDialect, "SELECT 2-/* x */-1", "SELECT 2- -1")
	is("minus", plainDialect, "SELECT 2-1", "SELECT 2-1")

	is("database", other, "SELECT * FROM feige.rounds AS r, x.feige.y, feige", "SELECT * FROM `feige_a`.rounds AS r, x.feige.y, feige")
	is("database in a string", other, "SELECT 'feige.rounds'", "SELECT 'feige.rounds'")
	is("longer names", other, "SELECT feige_b.c, myfeige.d", "SELECT feige_b.c, myfeige.d")
	is("hostile database", dialect{database: "a`;b", timeZone: "UTC"}, "DROP VIEW feige.x", "DROP VIEW `a\\`;b`.x")
	is("time zone", other, "SELECT toDate(t, 'Asia/Shanghai')", "SELECT toDate(t, 'Europe/Berlin')")
	is("one server", plainDialect, "CREATE TABLE feige.a /* ON CLUSTER */ (x Int8) ENGINE = ReplacingMergeTree(v)",
		"CREATE TABLE `feige`.a   (x Int8) ENGINE = ReplacingMergeTree(v)")
	is("cluster", clustered, "CREATE TABLE feige.a /* ON CLUSTER */ (x Int8) ENGINE = ReplacingMergeTree(v)",
		"CREATE TABLE `feige`.a ON CLUSTER `main` (x Int8) ENGINE = ReplicatedReplacingMergeTree(v)")

	refuses := func(name, file, want string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := plainDialect.statements(file); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("error %v, want one that says %q", err, want)
			}
		})
	}
	refuses("open string", "SELECT 1;\n\nSELECT 'a", "line 3: a ' that is opened and not closed")
	refuses("open name", "SELECT `a", "a ` that is opened")
	refuses("open comment", "SELECT 1 /* x", "a comment that is opened")
}

// Every statement of the product can be repeated, and on a cluster every one of them goes to all of it.
func TestFilesCanBeRepeated(t *testing.T) {
	t.Parallel()
	migrations, err := ddl.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	repeatable := regexp.MustCompile(`^(CREATE TABLE IF NOT EXISTS|CREATE MATERIALIZED VIEW IF NOT EXISTS|CREATE OR REPLACE VIEW|ALTER TABLE \S+ +ON CLUSTER \S+\s+(ADD COLUMN IF NOT EXISTS|COMMENT COLUMN|ADD INDEX IF NOT EXISTS|MODIFY COLUMN \w+ CODEC)) ?`)
	// What is stored already, into a table that replaces repeats; it has no ON CLUSTER.
	takeOver := regexp.MustCompile("^INSERT INTO `elsewhere`\\.\\w+_index [^;]*\\sFROM `elsewhere`\\.\\w+_data")
	d := dialect{database: "elsewhere", cluster: "everywhere", replicated: true, timeZone: "UTC"}
	for _, m := range append(migrations, ddl.Migration{Name: "bookkeeping", SQL: bookkeeping}) {
		statements, err := d.statements(m.SQL)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		for _, s := range statements {
			head, _, _ := strings.Cut(s, "\n")
			if takeOver.MatchString(s) {
				continue
			}
			if !repeatable.MatchString(s) {
				t.Errorf("%s: not repeatable: %s", m.Name, head)
			}
			if !strings.Contains(head, "`elsewhere`.") || !strings.Contains(head, "ON CLUSTER `everywhere`") {
				t.Errorf("%s: database or cluster is missing: %s", m.Name, head)
			}
			if engine, ok := strings.CutPrefix(lineWith(s, "ENGINE ="), "ENGINE = "); ok && !strings.HasPrefix(engine, "Replicated") {
				t.Errorf("%s: engine %s would not be replicated", m.Name, engine)
			}
			for _, left := range []string{ddl.Database + ".", ddl.TimeZone} {
				if strings.Contains(s, left) {
					t.Errorf("%s: %q is left in: %s", m.Name, left, head)
				}
			}
		}
	}
}

func lineWith(text, prefix string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// Every storage table has a retention, and every retention names a table and one of its time columns.
func TestRetentionKnowsEveryTable(t *testing.T) {
	t.Parallel()
	migrations, err := ddl.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)CREATE TABLE IF NOT EXISTS feige\.(\w+_(?:data|index)) (.*?);\n`)
	made := map[string]string{}
	for _, m := range migrations {
		for _, match := range table.FindAllStringSubmatch(m.SQL, -1) {
			made[match[1]] = match[2]
		}
	}
	kept := map[string]bool{}
	for _, k := range (Retention{}).tables() {
		kept[k.table] = true
		if !regexp.MustCompile(`\n    ` + k.time + ` +DateTime64`).MatchString(made[k.table]) {
			t.Errorf("table %s has no time column %s", k.table, k.time)
		}
	}
	for name := range made {
		if !kept[name] && name != "position_index" { // a row a partition
			t.Errorf("table %s has no retention", name)
		}
	}
}

func TestRetentionValidate(t *testing.T) {
	t.Parallel()
	if err := DefaultRetention().Validate(); err != nil {
		t.Error(err)
	}
	if err := (Retention{Texts: 90, Operations: 10000}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (Retention{Facts: -1}).Validate(); err == nil || err.Error() != "facts_days: -1 is not in 0 to 10000" {
		t.Error(err)
	}
	if err := (Retention{Reports: 10001}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "reports_days: 10001") {
		t.Error(err)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	const plain = "ReplacingMergeTree(v) PARTITION BY toYYYYMM(time) ORDER BY a SETTINGS index_granularity = 8192"
	const kept90 = "ReplacingMergeTree(v) ORDER BY a TTL toDateTime(time) + toIntervalDay(90) SETTINGS index_granularity = 8192, fsync_after_insert = 1"
	is := func(name, engine string, days int, fsync bool, want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &migrator{fsync: fsync}
			if got := m.changes(kept{"t", "time", days}, engine); !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		})
	}
	is("nothing", plain, 0, false)
	is("a term", plain, 30, false, "MODIFY TTL toDateTime(time) + toIntervalDay(30)")
	is("the same term", kept90, 90, true)
	is("another term", kept90, 30, true, "MODIFY TTL toDateTime(time) + toIntervalDay(30)")
	is("no term any more", kept90, 0, true, "REMOVE TTL")
	is("fsync", plain, 0, true, "MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1")
	is("no fsync any more", kept90, 90, false, "MODIFY SETTING fsync_after_insert = 0, fsync_part_directory = 0")
}

func FuzzStatements(f *testing.F) {
	migrations, err := ddl.Migrations()
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range migrations {
		f.Add(m.SQL)
	}
	f.Add("SELECT 'a\\';'; -- x\n/* ; */ SELECT `b``;`")
	f.Fuzz(func(t *testing.T, file string) {
		first, err := plainDialect.statements(file)
		if err != nil {
			return
		}
		// What was split stays split: reading the statements again gives the same ones.
		second, err := plainDialect.statements(strings.Join(first, ";\n"))
		if err != nil {
			t.Fatalf("split, and then not readable: %v", err)
		}
		if len(first) != len(second) {
			t.Fatalf("%d statements, and %d when they are read again: %q, %q", len(first), len(second), first, second)
		}
	})
}
