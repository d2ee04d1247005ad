package clickhouse

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// isForm says whether the request carries external tables.
func isForm(r *http.Request) (boundary string, ok bool) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return params["boundary"], err == nil && kind == "multipart/form-data" && params["boundary"] != ""
}

// externalTable is a table that comes with the request and ends with it.
type externalTable struct {
	name string
	data []byte
}

// form reads the parts of a request: the statement, and tables, all bounded.
func (s *Server) form(in io.Reader, boundary string) (text string, tables []externalTable, err error) {
	parts := multipart.NewReader(in, boundary)
	left := s.cfg.MaxExternalBytes
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return text, tables, nil
		}
		if err != nil {
			return "", nil, faultf(codeCannotReadAllData, "the form cannot be read: %v", err)
		}
		limit := left
		if part.FormName() == "query" {
			limit = int64(s.cfg.MaxStatementBytes)
		}
		data, err := io.ReadAll(io.LimitReader(part, limit+1))
		if err != nil {
			return "", nil, faultf(codeCannotReadAllData, "the form cannot be read: %v", err)
		}
		if int64(len(data)) > limit {
			return "", nil, faultf(codeTooLarge, "the part %q of the form is larger than %d bytes", part.FormName(), limit)
		}
		if part.FormName() == "query" {
			text = string(data)
			continue
		}
		left -= int64(len(data))
		if !isName(part.FormName()) {
			return "", nil, faultf(codeBadArguments, "%q is no name for an external table", part.FormName())
		}
		if tables = append(tables, externalTable{part.FormName(), data}); len(tables) > maxExternalTables {
			return "", nil, faultf(codeTooLarge, "more than %d external tables", maxExternalTables)
		}
	}
}

const maxExternalTables = 100

// externalKeys are the URL parameters that describe the tables.
func externalKeys(tables []externalTable) map[string]bool {
	keys := map[string]bool{}
	for _, table := range tables {
		for _, suffix := range []string{"_format", "_structure", "_types"} {
			keys[table.name+suffix] = true
		}
	}
	return keys
}

// fill creates the tables in the session.
func (out *session) fill(tables []externalTable, query url.Values) error {
	if len(tables) == 0 {
		return nil
	}
	if err := out.Exec("SET ROLE " + externalRole); err != nil {
		return err
	}
	for _, table := range tables {
		structure := query.Get(table.name + "_structure")
		if types := query.Get(table.name + "_types"); structure == "" && types != "" {
			structure = structureOf(types)
		}
		if err := statement.CheckStructure(structure); err != nil {
			return err
		}
		if err := out.Exec("CREATE TEMPORARY TABLE " + quoteName(table.name) + " (" + structure + ") ENGINE = Memory"); err != nil {
			return err
		}
		format := query.Get(table.name + "_format")
		if format == "" {
			format = "TabSeparated"
		}
		insert, err := out.Insert("INSERT INTO "+quoteName(table.name), format)
		if err != nil {
			return err
		}
		_ = insert.Append(table.data) // Finish knows the cause
		if _, err := insert.Finish(); err != nil {
			return err
		}
	}
	return out.Exec("SET ROLE DEFAULT")
}

// structureOf names the columns _1, _2, ... as a ClickHouse server does for types without names.
func structureOf(types string) string {
	var out strings.Builder
	depth, column := 0, 1
	out.WriteString("_1 ")
	for _, c := range types {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				column++
				out.WriteString(", _" + itoa(column) + " ")
				continue
			}
		}
		out.WriteRune(c)
	}
	return out.String()
}
