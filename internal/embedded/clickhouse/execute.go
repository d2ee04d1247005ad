package clickhouse

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/feigeio/feige/internal/embedded/clickhouse/chdb"
	"github.com/feigeio/feige/internal/embedded/clickhouse/statement"
)

// execute runs the statement in a session of its own. The data of an INSERT is whole when none of it is left
// in the body.
func (a *answer) execute(role Role, parsed *statement.Statement, data io.Reader, whole bool, tables []externalTable) error {
	s := a.server
	database := a.query.Get("database")
	if database == "" {
		database = a.r.Header.Get("X-ClickHouse-Database")
	}
	session, err := s.open(role, a.query, database, externalKeys(tables))
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.fill(tables, a.query); err != nil {
		return err
	}
	if parsed.Insert && whole {
		switch expressions, err := parsed.Expressions(); {
		case err != nil:
			return err
		case expressions:
			if err := session.Exec("SET input_format_values_interpret_expressions=1, input_format_values_deduce_templates_of_expressions=1"); err != nil {
				return err
			}
		}
	}
	if !parsed.Insert {
		if err := second(session, parsed); err != nil {
			return err
		}
	}
	if err := session.drop(role); err != nil {
		return err
	}
	done := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		s.killWhenGone(a.r.Context(), session.tag, done)
	}()
	defer func() {
		close(done)
		<-watching
	}()
	switch format := a.format(parsed); {
	case parsed.Insert:
		return a.insert(session, parsed, data)
	case parsed.Reads() && streamed[format] && a.query.Get("wait_end_of_query") != "1":
		return a.stream(session, parsed.Text, format)
	default:
		return a.whole(session, parsed.Text, format)
	}
}

// second asks the engine's own parser whether package statement was right about the statement.
func second(session *session, parsed *statement.Statement) error {
	switch opinion := session.Classify(parsed.Text); {
	case opinion.Statements > 1:
		return &statement.Error{Code: statement.CodeSyntax, Message: "Multi-statements are not allowed"}
	case parsed.Reads() && opinion.Statements == 1 && !opinion.ReadOnly:
		return &statement.Error{Code: statement.CodeAccessDenied, Message: "a query that does more than read is not available"}
	}
	return nil
}

// format of the answer: the statement's own, the header's, the URL's, or the default.
func (a *answer) format(parsed *statement.Statement) string {
	for _, format := range []string{parsed.Format, a.r.Header.Get("X-ClickHouse-Format"), a.query.Get("default_format")} {
		if format != "" {
			return format
		}
	}
	return "TabSeparated"
}

// insertChunk is how much data is given to the engine at once.
const insertChunk = 1 << 20

// insert gives data to the engine as it comes. An error in the data's source cancels the statement: what came
// before must not be acknowledged as if it were all.
func (a *answer) insert(session *session, parsed *statement.Statement, data io.Reader) error {
	insert, err := session.Insert(parsed.Text, parsed.InsertFormat, session.params...)
	if err != nil {
		return err
	}
	buffer := make([]byte, insertChunk)
	for {
		n, readErr := fillBuffer(data, buffer)
		if n > 0 {
			if err := insert.Append(buffer[:n]); err != nil {
				break // Finish knows the cause
			}
		}
		if errors.Is(readErr, io.EOF) {
			break
		}
		if readErr != nil {
			insert.Cancel()
			return faultf(codeCannotReadAllData, "the data of the INSERT ended early, nothing more was inserted: %v", readErr)
		}
	}
	counts, err := insert.Finish()
	if err != nil {
		return err
	}
	a.summary(counts)
	a.w.Header().Set("Content-Length", "0")
	return nil
}

// fillBuffer reads until the buffer is full or the source ends. Unlike io.ReadFull it keeps the clean end
// (io.EOF) apart from a broken one (io.ErrUnexpectedEOF).
func fillBuffer(from io.Reader, buffer []byte) (int, error) {
	n := 0
	for n < len(buffer) {
		more, err := from.Read(buffer[n:])
		n += more
		if err != nil {
			if err != io.EOF { // a wrapped EOF is no clean end
				return n, errBroken(err)
			}
			return n, io.EOF
		}
	}
	return n, nil
}

// errBroken makes sure that a broken end never looks like a clean one.
func errBroken(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New(err.Error())
	}
	return err
}

// stream sends chunks as the engine makes them.
func (a *answer) stream(session *session, text, format string) error {
	rows, err := session.Stream(text, format, session.params...)
	if err != nil {
		return err
	}
	defer rows.Free()
	total := chdb.Counts{}
	for {
		chunk, err := rows.Next()
		if err != nil {
			return err
		}
		counts := chunk.Counts()
		total.ResultRows += counts.ResultRows
		total.ReadRows += counts.ReadRows
		total.ReadBytes += counts.ReadBytes
		data := chunk.Bytes()
		if len(data) == 0 {
			chunk.Free()
			break
		}
		if a.out == nil {
			a.summary(total) // as far as it is known when the headers go out
			a.begin(format)
		}
		_, err = a.out.Write(data)
		chunk.Free()
		if err != nil {
			rows.Cancel()
			return nil // the client went away
		}
	}
	if a.out == nil {
		a.empty(total, format)
		return nil
	}
	_ = a.out.Close()
	return nil
}

// whole runs the statement to its end before it sends anything.
func (a *answer) whole(session *session, text, format string) error {
	result, err := session.Query(text, format, session.params...)
	if err != nil {
		return err
	}
	defer result.Free()
	counts := result.Counts()
	if len(result.Bytes()) == 0 {
		a.empty(counts, format)
		return nil
	}
	a.summary(counts)
	a.begin(format)
	if _, err := a.out.Write(result.Bytes()); err != nil {
		return nil // the client went away
	}
	_ = a.out.Close()
	return nil
}

func (a *answer) empty(counts chdb.Counts, format string) {
	a.summary(counts)
	header := a.w.Header()
	header.Set("X-ClickHouse-Format", format)
	header.Set("Content-Type", contentType(format))
	header.Set("Content-Length", "0")
	a.w.WriteHeader(http.StatusOK)
}

// summary is the header with the engine's counts; numbers are strings, as ClickHouse writes them.
func (a *answer) summary(counts chdb.Counts) {
	text := func(n uint64) string { return strconv.FormatUint(n, 10) }
	encoded, err := json.Marshal(struct {
		ReadRows     string `json:"read_rows"`
		ReadBytes    string `json:"read_bytes"`
		WrittenRows  string `json:"written_rows"`
		WrittenBytes string `json:"written_bytes"`
		ResultRows   string `json:"result_rows"`
	}{text(counts.ReadRows), text(counts.ReadBytes), text(counts.WrittenRows), text(counts.WrittenBytes), text(counts.ResultRows)})
	if err == nil {
		a.w.Header().Set("X-ClickHouse-Summary", string(encoded))
	}
}
