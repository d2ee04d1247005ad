// Package dictionary writes the data dictionary: every table and view of ClickHouse with its columns, from the comments of
// the schema's files. It reads the files as text and needs no server; it must not hold a word about a
// column that the files do not.
package dictionary

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

// Relation is a table or view as its newest definition has it.
type Relation struct {
	Name, Comment, File string
	View                bool
	// Engine, PartitionBy, and OrderBy of a table.
	Engine, PartitionBy, OrderBy string
	Columns                      []Column
}

// Column is one column.
type Column struct{ Name, Type, Comment string }

var (
	create    = regexp.MustCompile(`(?s)CREATE (TABLE IF NOT EXISTS|OR REPLACE VIEW) feige\.(\w+)[^(]*\(\n(.*?)\n\)\n(.*?);(?:\n|$)`)
	column    = regexp.MustCompile(`^\s+(\w+)\s+(.+?)\s+COMMENT '((?:[^'\\]|\\.|'')*)'`)
	inner     = regexp.MustCompile(`\s+(MATERIALIZED|DEFAULT|ALIAS)\s.*$`)
	comment   = regexp.MustCompile(`(?m)^COMMENT '((?:[^'\\]|\\.|'')*)'\s*$`)
	engine    = regexp.MustCompile(`(?m)^ENGINE = (.+)$`)
	partition = regexp.MustCompile(`(?m)^PARTITION BY (.+)$`)
	order     = regexp.MustCompile(`(?m)^ORDER BY (.+)$`)
)

// Relations of the migrations, by name. A view that a later file replaces is as that file has it.
func Relations(migrations []ddl.Migration) ([]Relation, error) {
	all := map[string]Relation{}
	for _, m := range migrations {
		statements := create.FindAllStringSubmatch(m.SQL, -1)
		if n := strings.Count(m.SQL, "\nCREATE ") - strings.Count(m.SQL, "\nCREATE MATERIALIZED VIEW "); n != len(statements) {
			return nil, fmt.Errorf("dictionary: %s: %d of %d CREATE statements can be read; write the columns one a line, and a COMMENT at the end", m.Name, len(statements), n)
		}
		for _, s := range statements {
			r := Relation{Name: s[2], View: strings.HasSuffix(s[1], "VIEW"), File: m.Name, Comment: unescape(first(comment, s[4]))}
			if r.Comment == "" {
				return nil, fmt.Errorf("dictionary: %s: %s has no COMMENT", m.Name, r.Name)
			}
			if !r.View {
				r.Engine, r.PartitionBy, r.OrderBy = first(engine, s[4]), first(partition, s[4]), first(order, s[4])
			}
			for _, line := range strings.Split(s[3], "\n") {
				if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "INDEX ") || strings.HasPrefix(text, "--") || strings.HasPrefix(text, "PROJECTION ") {
					continue
				}
				c := column.FindStringSubmatch(line)
				if c == nil {
					return nil, fmt.Errorf("dictionary: %s: %s: a column without COMMENT: %s", m.Name, r.Name, strings.TrimSpace(line))
				}
				r.Columns = append(r.Columns, Column{Name: c[1], Type: inner.ReplaceAllString(c[2], ""), Comment: unescape(c[3])})
			}
			all[r.Name] = r
		}
	}
	var out []Relation
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name])
	}
	return out, nil
}

func first(p *regexp.Regexp, text string) string {
	if match := p.FindStringSubmatch(text); match != nil {
		return strings.TrimSpace(match[1])
	}
	return ""
}

func unescape(text string) string {
	return strings.NewReplacer(`\'`, `'`, `''`, `'`, `\\`, `\`).Replace(text)
}

const head = `# Data dictionary

Written from the comments of ` + "`schemas/clickhouse/*.sql`" + ` by ` + "`go test ./dashboards/dictionary -update`" + `; do not edit it by hand.

Ask the views: they have every row once. Tables whose names end in ` + "`_data`" + ` are storage, in which a row may stand more than once.
Times are UTC; columns called ` + "`local_…`" + ` are in the time zone of the policy. [The cookbook](cookbook.md) has questions with their SQL.

`

// Markdown is the dictionary as a page.
func Markdown(relations []Relation) string {
	var out strings.Builder
	out.WriteString(head)
	for _, part := range []struct {
		title string
		views bool
	}{{"Views", true}, {"Storage", false}} {
		fmt.Fprintf(&out, "## %s\n\n| name | holds |\n|---|---|\n", part.title)
		for _, r := range relations {
			if r.View == part.views {
				fmt.Fprintf(&out, "| [%s](#%s) | %s |\n", r.Name, r.Name, cell(r.Comment))
			}
		}
		out.WriteString("\n")
		for _, r := range relations {
			if r.View == part.views {
				r.write(&out)
			}
		}
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

func (r Relation) write(out *strings.Builder) {
	fmt.Fprintf(out, "### %s\n\n%s. (`%s`)\n\n", r.Name, r.Comment, r.File)
	if !r.View {
		fmt.Fprintf(out, "`%s`, partitioned by `%s`, ordered by `%s`.\n\n", r.Engine, r.PartitionBy, r.OrderBy)
	}
	out.WriteString("| column | type | meaning |\n|---|---|---|\n")
	for _, c := range r.Columns {
		fmt.Fprintf(out, "| %s | %s | %s |\n", c.Name, cell(shortType(c.Type)), cell(c.Comment))
	}
	out.WriteString("\n")
}

var enumValue = regexp.MustCompile(`'(\w+)' = -?\d+`)

// shortType writes an enumeration by its values' names.
func shortType(t string) string { return "`" + enumValue.ReplaceAllString(t, "$1") + "`" }

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
