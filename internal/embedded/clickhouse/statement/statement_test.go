package statement

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	type want struct {
		verb, text, format   string
		insert               bool
		insertFormat, data   string
		reads                bool
		expressions, refused bool
	}
	for _, test := range []struct {
		name, sql string
		want
	}{
		{"select", "SELECT 1", want{verb: "SELECT", text: "SELECT 1", reads: true}},
		{"trailing semicolons", "SELECT 1 ; ;-- end", want{verb: "SELECT", text: "SELECT 1 ", reads: true}},
		{"format", "select 1 format JSON", want{verb: "SELECT", text: "select 1 format JSON", format: "JSON", reads: true}},
		{"format in a subquery is none", "SELECT * FROM (SELECT 1 format FROM x)", want{verb: "SELECT", text: "SELECT * FROM (SELECT 1 format FROM x)", reads: true}},
		{"with", "WITH 1 AS x SELECT x", want{verb: "WITH", text: "WITH 1 AS x SELECT x", reads: true}},
		{"with insert", "WITH 1 AS x INSERT INTO t SELECT x", want{verb: "WITH", text: "WITH 1 AS x INSERT INTO t SELECT x"}},
		{"values", "INSERT INTO t VALUES (1)", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "Values", data: " (1)", expressions: true}},
		{"values with semicolons inside", "INSERT INTO d.t (a) VALUES ('a;b');", want{verb: "INSERT", text: "INSERT INTO d.t (a) ", insert: true, insertFormat: "Values", data: " ('a;b');", expressions: true}},
		{"values that cannot be read", "INSERT INTO t VALUES (“x”)", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "Values", data: " (“x”)"}},
		{"values with a file", "INSERT INTO t VALUES (FILE('x'))", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "Values", data: " (FILE('x'))", refused: true}},
		{"values with a query", "INSERT INTO t VALUES ((select 1))", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "Values", data: " ((select 1))", refused: true}},
		{"format native", "INSERT INTO t (a, b) FORMAT Native", want{verb: "INSERT", text: "INSERT INTO t (a, b) ", insert: true, insertFormat: "Native"}},
		{"format with settings", "INSERT INTO `a`.`b` SETTINGS x = 1, y = 'z' FORMAT CSV\n1,2\n", want{verb: "INSERT", text: "INSERT INTO `a`.`b` SETTINGS x = 1, y = 'z' ", insert: true, insertFormat: "CSV", data: "1,2\n"}},
		{"format and data on one line", "INSERT INTO t FORMAT JSONEachRow {\"a\": \"`\"}", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "JSONEachRow", data: "{\"a\": \"`\"}"}},
		{"data begins with an empty line", "INSERT INTO t FORMAT TSV\n\nx", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "TSV", data: "\nx"}},
		{"format and a lone semicolon", "INSERT INTO t FORMAT CSV;\n", want{verb: "INSERT", text: "INSERT INTO t ", insert: true, insertFormat: "CSV"}},
		{"nothing behind the columns", "INSERT INTO t (a)", want{verb: "INSERT", text: "INSERT INTO t (a)", insert: true, insertFormat: "Values", expressions: true}},
		{"tables named like keywords", "INSERT INTO values FORMAT CSV 1", want{verb: "INSERT", text: "INSERT INTO values ", insert: true, insertFormat: "CSV", data: "1"}},
		{"a table named format", "INSERT INTO d.format VALUES (1)", want{verb: "INSERT", text: "INSERT INTO d.format ", insert: true, insertFormat: "Values", data: " (1)", expressions: true}},
		{"columns named like keywords", "INSERT INTO t (values, format) VALUES (1, 2)", want{verb: "INSERT", text: "INSERT INTO t (values, format) ", insert: true, insertFormat: "Values", data: " (1, 2)", expressions: true}},
		{"from a query", "INSERT INTO t SELECT 1 FORMAT CSV", want{verb: "INSERT", text: "INSERT INTO t SELECT 1 FORMAT CSV"}},
		{"from a query in brackets", "INSERT INTO t (SELECT 1)", want{verb: "INSERT", text: "INSERT INTO t (SELECT 1)"}},
		{"from a query with", "INSERT INTO t WITH 1 AS x SELECT x", want{verb: "INSERT", text: "INSERT INTO t WITH 1 AS x SELECT x"}},
		{"comments", "/* a */ INSERT -- b\n INTO t # c\n FORMAT // d\n CSV\n1", want{verb: "INSERT", text: "/* a */ INSERT -- b\n INTO t # c\n ", insert: true, insertFormat: "CSV", data: "1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(test.sql)
			if err != nil {
				t.Fatal(err)
			}
			expressions, refused := s.Expressions()
			got := want{s.Verb, s.Text, s.Format, s.Insert, s.InsertFormat, s.Data, s.Reads(), expressions, refused != nil}
			if got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"", " ", "-- only a comment", ";", "SELECT 1; SELECT 2", "SELECT (1", "SELECT 1)", "SELECT ')'(", "SELECT 'x", "SELECT \"x", "SELECT `x",
		"SELECT `a\\`b`", "SELECT x'0g'", "SELECT x'00", "SELECT /* x", "SELECT /* /* */ */ 1", "SELECT $$x$$", "SELECT \\G", "SELECT #x", "SELECT \x00",
		"SELECT 数", "SELECT\u00a01", "SELECT “x”", "INSERT INTO t FORMAT 'CSV'", "INSERT INTO t FORMAT",
	} {
		s, err := Parse(sql)
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Code != CodeSyntax {
			t.Errorf("%q: %v, %v", sql, s, err)
		}
	}
}

func TestCheckAllows(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"SELECT url, domain(url) FROM t WHERE t.file = 1",
		"SELECT engine FROM system.tables WHERE engine = 'File' ORDER BY engine",
		"SELECT engine AS e, count() FROM system.tables GROUP BY engine",
		"SELECT 'file(''x'') INTO OUTFILE ''y'''",
		"SELECT * FROM numbers(10) SETTINGS max_threads = 1",
		"SELECT format('{} {}', a, b) FROM t",
		"(SELECT 1) UNION ALL (SELECT 2)",
		"FROM t SELECT a",
		"CREATE TABLE IF NOT EXISTS d.t (url String, dialect String DEFAULT 'x', readonly UInt8, format String) ENGINE = ReplacingMergeTree(v) ORDER BY a TTL x + INTERVAL 1 DAY SETTINGS index_granularity = 8192",
		"CREATE TABLE url (a UInt8) ENGINE MergeTree ORDER BY a",
		"CREATE OR REPLACE VIEW d.v AS SELECT engine FROM system.tables",
		"CREATE MATERIALIZED VIEW d.m TO d.t AS SELECT a FROM d.s",
		"CREATE MATERIALIZED VIEW d.m ENGINE = AggregatingMergeTree ORDER BY a AS SELECT a FROM d.s",
		"CREATE DATABASE IF NOT EXISTS feige ENGINE = Atomic",
		"CREATE TABLE d.u AS d.t",
		"CREATE TABLE d.u ON CLUSTER c AS d.t ENGINE = ReplicatedMergeTree('/x', '{replica}') ORDER BY a",
		"ALTER TABLE d.t ADD INDEX i url TYPE bloom_filter(0.01) GRANULARITY 1",
		"ALTER TABLE d.t MODIFY TTL at + INTERVAL 1 DAY",
		"DROP TABLE IF EXISTS d.t SYNC", "OPTIMIZE TABLE d.t FINAL", "EXISTS TABLE d.t", "SHOW CREATE TABLE d.t", "DESCRIBE TABLE d.t",
		"EXPLAIN SELECT 1", "SYSTEM FLUSH ASYNC INSERT QUEUE", "KILL QUERY WHERE query_id = 'x'", "DELETE FROM t WHERE a = 1", "SET max_threads = 1", "USE d",
		"INSERT INTO url (a) VALUES (1)", "INSERT INTO d.t (`file`, file) FORMAT Native", "INSERT INTO d.t (a, file) VALUES ('x', 'y')",
		"CREATE TABLE d.t (file String, b UInt8, `file` LowCardinality(String)) ENGINE = MergeTree ORDER BY b", "RENAME TABLE a TO b", "EXCHANGE TABLES a AND b", "TRUNCATE TABLE d.t", "ATTACH TABLE d.t", "DETACH TABLE d.t", "CHECK TABLE d.t",
	} {
		s, err := Parse(sql)
		if err == nil {
			err = s.Check()
		}
		if err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"SELECT * FROM file('x')", "SELECT FiLe('x')", "SELECT `file`('x')", "SELECT \"FILE\" ('x')", "SELECT file/**/('x')", "SELECT * APPLY file", "SELECT `file`",
		"SELECT * FROM url('x')", "SELECT * FROM s3('x')", "SELECT * FROM remote('x', y)", "DESCRIBE TABLE url('x')", "INSERT INTO FUNCTION url('x') SELECT 1",
		"CREATE TABLE t AS url('x')", "CREATE TABLE t (a UInt8) ENGINE = File(CSV)", "CREATE TABLE t (a UInt8) ENGINE File(CSV)", "CREATE TABLE t (a UInt8) ENGINE = `File`(CSV)",
		"CREATE TABLE t ENGINE = `S3`", "CREATE DATABASE d ENGINE = MySQL('x')", "CREATE DICTIONARY d (a UInt8)", "CREATE OR REPLACE DICTIONARY d (a UInt8)", "CREATE FUNCTION f AS x -> x",
		"CREATE USER u", "CREATE NAMED COLLECTION c", "CREATE `TABLE` t", "ATTACH TABLE t FROM 'x' (a UInt8)", "ATTACH DICTIONARY d", "SELECT 1 INTO OUTFILE 'x'", "select 1 into/**/outfile 'x'",
		"INSERT INTO t FROM INFILE 'x' FORMAT CSV", "BACKUP TABLE t TO Disk('x')", "RESTORE TABLE t FROM Disk('x')", "GRANT x", "REVOKE x", "EXECUTE AS x", "SET ROLE admin", "SET DEFAULT ROLE x",
		"SYSTEM SHUTDOWN", "system kill", "SELECT 1 SETTINGS dialect = 'kusto'", "SELECT 1 SETTINGS `dialect`='kusto'", "SELECT 1 SETTINGS readonly = 0", "SELECT 1 SETTINGS additional_result_filter = 'x'",
		"CREATE TABLE t (a String DEFAULT file) ENGINE = Memory", "CREATE TABLE t (a String, b String DEFAULT f(file, 1)) ENGINE = Memory",
		"CREATE VIEW v AS SELECT * APPLY (file)", "INSERT INTO t (file) SELECT 1", "INSERT INTO FUNCTION f(file) FORMAT CSV",
		"SELECT t.file('x')", "SELECT 1 .file", "CREATE VIEW v AS SELECT 1 PARALLEL WITH CREATE USER u",
		"SELECT * FROM format(CSV, 'a String', 'x')", "SELECT * FROM format('CSV', 'a String', 'x')", "SELEC 1", "`SELECT` 1", "exit", "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local)",
	} {
		s, err := Parse(sql)
		if err == nil {
			err = s.Check()
		}
		var refusal *Error
		if !errors.As(err, &refusal) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestCheckStructure(t *testing.T) {
	t.Parallel()
	for structure, allowed := range map[string]bool{
		"a UInt8":                       true,
		"a UInt8, b Array(String)":      true,
		"`a b` DateTime64(6, 'UTC')":    true,
		"e Enum8('a' = 1, 'b' = -2)":    true,
		"m Map(String, Tuple(x UInt8))": true,
		"":                              false,
		"a UInt8) ENGINE = File(CSV":    false,
		"a UInt8 DEFAULT now()":         false,
		"a UInt8 ALIAS 1":               false,
		"a UInt8; b UInt8":              false,
		"a UInt8) AS (SELECT 1":         false,
		"a Array(UInt8":                 false,
		"a String -- x":                 true,
		"a String /* x":                 false,
	} {
		if err := CheckStructure(structure); (err == nil) != allowed {
			t.Errorf("%q: %v", structure, err)
		}
	}
}

// FuzzParse looks for a crash, and for a statement whose parts do not make up the text.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"SELECT 1", "INSERT INTO t (a) VALUES (1)", "INSERT INTO t FORMAT CSV\n1", "SELECT 'a\\'b' FORMAT JSON;", "/* x */ SELECT `a``b`, \"c\", x'ff', 1.5e3 -- y",
		"CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a", "SELECT file('x')", "WITH a AS (SELECT 1) SELECT * FROM a", "", ";", "'", "`", "\"", "x'", "/*", "--", "#", "$", "\\",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s, err := Parse(sql)
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		if !strings.HasPrefix(sql, s.Text) {
			t.Errorf("the statement %q does not begin the text %q", s.Text, sql)
		}
		if !strings.HasSuffix(sql, s.Data) && s.Data != "" {
			t.Errorf("the data %q does not end the text %q", s.Data, sql)
		}
		end := 0
		for _, token := range s.tokens {
			if token.Start < end || token.End <= token.Start || token.End > len(sql) {
				t.Fatalf("token %+v behind %d of %q", token, end, sql)
			}
			end = token.End
		}
		_, _ = s.Expressions()
		if s.Verb == "SELECT" && s.Check() == nil && strings.Contains(strings.ToLower(stripped(s)), "\x00file(") {
			t.Errorf("passed: %q", sql)
		}
		_ = CheckStructure(sql)
	})
}

// stripped is the statement without white space, comments, quotes, and strings.
func stripped(s *Statement) string {
	var out strings.Builder
	for _, token := range s.tokens {
		if token.Kind == String {
			out.WriteString("''")
			continue
		}
		out.WriteString("\x00" + token.Text)
		if token.Is("(") {
			joined := strings.TrimSuffix(out.String(), "\x00(")
			out.Reset()
			out.WriteString(joined + "(")
		}
	}
	return out.String()
}
