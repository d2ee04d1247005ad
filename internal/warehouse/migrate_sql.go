package warehouse

import (
	"fmt"
	"strings"

	ddl "github.com/feigeio/feige/schemas/clickhouse"
)

// dialect is where and how the files of schemas/clickhouse are applied.
type dialect struct {
	database   string
	cluster    string
	replicated bool
	timeZone   string
}

// statements splits a file at its semicolons and puts the dialect's names in place. Comments are left out;
// strings, quoted names, and comments are never split or changed by what stands inside them.
func (d dialect) statements(file string) ([]string, error) {
	var all []string
	var current strings.Builder
	flush := func() {
		if s := strings.TrimSpace(current.String()); s != "" {
			all = append(all, s)
		}
		current.Reset()
	}
	previous := token{}
	for rest, line := file, 1; rest != ""; {
		t, err := nextToken(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		line += strings.Count(t.text, "\n")
		rest = rest[len(t.text):]
		switch {
		case t.kind == comment:
			if t.text == ddl.ClusterMark && d.cluster != "" {
				current.WriteString("ON CLUSTER " + quoteName(d.cluster))
			} else {
				current.WriteByte(' ') // what it set apart stays apart
			}
		case t.text == ";":
			flush()
		case t.kind == word && t.text == ddl.Database && previous.text != "." && strings.HasPrefix(rest, "."):
			current.WriteString(quoteName(d.database))
		case t.kind == word && (t.text == "ReplacingMergeTree" || t.text == "AggregatingMergeTree") && d.replicated:
			current.WriteString("Replicated" + t.text)
		case t.kind == quoted && t.text == "'"+ddl.TimeZone+"'":
			current.WriteString(quoteString(d.timeZone))
		default:
			current.WriteString(t.text)
		}
		previous = t
	}
	flush()
	return all, nil
}

type tokenKind int

const (
	space tokenKind = iota
	comment
	quoted // 'string', "name", or `name`
	word
	sign
)

type token struct {
	kind tokenKind
	text string
}

// nextToken is the token that non-empty SQL begins with.
func nextToken(sql string) (token, error) {
	switch c := sql[0]; {
	case isSpace(c):
		return token{space, sql[:span(sql, isSpace)]}, nil
	case isWord(c):
		return token{word, sql[:span(sql, isWord)]}, nil
	case c == '\'' || c == '"' || c == '`':
		end := quotedEnd(sql)
		if end < 0 {
			return token{}, fmt.Errorf("a %c that is opened and not closed", c)
		}
		return token{quoted, sql[:end]}, nil
	case strings.HasPrefix(sql, "--"):
		end := strings.IndexByte(sql, '\n')
		if end < 0 {
			end = len(sql)
		}
		return token{comment, sql[:end]}, nil
	case strings.HasPrefix(sql, "/*"):
		end := strings.Index(sql[2:], "*/")
		if end < 0 {
			return token{}, fmt.Errorf("a comment that is opened and not closed")
		}
		return token{comment, sql[:end+4]}, nil
	default:
		return token{sign, sql[:1]}, nil
	}
}

// quotedEnd is where the quoted text that sql begins with has ended; -1: nowhere. A quote inside is doubled or
// escaped with a backslash.
func quotedEnd(sql string) int {
	quote := sql[0]
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\':
			i++
		case sql[i] == quote && i+1 < len(sql) && sql[i+1] == quote:
			i++
		case sql[i] == quote:
			return i + 1
		}
	}
	return -1
}

func span(s string, in func(byte) bool) int {
	for i := range len(s) {
		if !in(s[i]) {
			return i
		}
	}
	return len(s)
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

var escaper = strings.NewReplacer(`\`, `\\`, "'", `\'`, "`", "\\`")

// quoteName makes any text a name in ClickHouse SQL.
func quoteName(name string) string { return "`" + escaper.Replace(name) + "`" }

// quoteString makes any text a string literal in ClickHouse SQL.
func quoteString(s string) string { return "'" + escaper.Replace(s) + "'" }
